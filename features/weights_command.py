"""`python -m features weights`: which encoders there are, and whether their weights are here.

Exit statuses: 0 all that was asked for is here and intact; 1 something that was asked for is missing, or something
that is here is damaged; 2 the command cannot be carried out (unknown name, a download that failed).
"""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from src.core.command_line import EXIT_DONE, EXIT_FAILURES
from src.core.errors import WeightsError
from src.encoders.embedded_weights import embedded_dimension
from src.encoders.published_files import PublishedWeights
from src.encoders.registry import ENCODERS, EncoderEntry, encoder_entry
from src.encoders.weights import (
    cache_folder,
    fetch_weights,
    forbid_downloads,
    locate_weights,
    remembered_checksum,
    verify_checksum,
    weights_places,
)

EXAMPLES = """\
examples:
  python -m features weights                                  # every encoder
  python -m features weights ecapa vggface2                   # status 1 unless both are here and intact
  python -m features weights --download ecapa --download vggface2
  VOXFACE_WEIGHTS=/data/weights python -m features weights    # another cache folder

exit status: 0 here and intact, 1 missing or damaged, 2 a name is unknown or a download failed
"""
_TITLES = ("encoder", "modality", "dimension", "state", "checksum", "file")


@dataclass(frozen=True, kw_only=True)
class WeightsRow:
    """What is known of an encoder's weights.

    state: present, missing, damaged, embedded or registered.
    checksum: what the file was compared with.
    file: its place, or the names that would do.
    advice: how to get it; empty where it is here.
    """

    encoder: str
    modality: str
    dimension: int | None
    state: str
    checksum: str
    file: str
    advice: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether the encoder can be loaded."""
        return self.state not in ("missing", "damaged")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what was asked for, print the table; returns the exit status. Raises ConfigError, WeightsError."""
    options = _parser().parse_args(arguments)
    if options.offline:
        forbid_downloads()
    for name in options.download:
        published = encoder_entry(name).published
        assert published is not None, "the command line offers published ones only"
        fetch_weights(published)
    asked = [*options.encoders, *options.download]
    rows = [describe_weights(name, encoder_entry(name)) for name in dict.fromkeys(asked or ENCODERS)]
    sys.stdout.write(weights_table(rows) + "\n")
    unusable = [row for row in rows if not row.is_usable and (asked or row.state == "damaged")]
    return EXIT_FAILURES if unusable else EXIT_DONE


def describe_weights(name: str, entry: EncoderEntry) -> WeightsRow:
    """Look for an encoder's weights and verify them; nothing is fetched."""
    if entry.published is not None:
        state, checksum, file, advice = _published_state(entry.published)
        dimension = entry.dimension
    elif entry.dimension is None:
        dimension = embedded_dimension(name)
        state, checksum = ("missing", "-") if dimension is None else ("embedded", "in the repository")
        file, advice = f"checkpoints/embedded/{name}", "restore it from the repository" * (dimension is None)
    else:
        state, checksum, file, advice = "registered", "-", "-", ""
        dimension = entry.dimension
    return WeightsRow(
        encoder=name,
        modality=entry.modality,
        dimension=dimension,
        state=state,
        checksum=checksum,
        file=file,
        advice=advice,
    )


def weights_table(rows: Sequence[WeightsRow]) -> str:
    """The rows for the terminal, then how to get what is missing."""
    lines = [
        _TITLES,
        *(
            (row.encoder, row.modality, str(row.dimension or "?"), row.state, row.checksum, row.file)
            for row in rows
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    advice = [
        f"\n{row.encoder} is {row.state}:\n{textwrap.indent(row.advice, '  ')}" for row in rows if row.advice
    ]
    return "\n".join([*table, *advice, f"\ncache folder: {cache_folder()}"])


def _published_state(published: PublishedWeights) -> tuple[str, str, str, str]:
    located = locate_weights(published)
    if located is None:
        return "missing", "-", " or ".join(file.name for file in published.files), _advice(published)
    file, path = located
    checked = "as published" if file.sha256 else "as first seen"
    if file.sha256 is None and remembered_checksum(path) is None:
        checked = "seen first now"
    try:
        verify_checksum(file, path)
    except WeightsError as error:
        return "damaged", "differs", str(path), str(error)
    return "present", checked, str(path), ""


def _advice(published: PublishedWeights) -> str:
    ways = [f"put {place}" for place in weights_places(published)]
    if any(file.url for file in published.files):
        ways.insert(0, f"python -m features weights --download {published.encoder}")
    return "\n".join([*ways, f"licence: {published.licence}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m features weights",
        description="List the encoders, and whether their weights are here, missing or damaged.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("encoders", nargs="*", metavar="ENCODER", help="only these (default: all)")
    parser.add_argument(
        "--download",
        action="append",
        default=[],
        choices=[name for name, entry in ENCODERS.items() if entry.published],
        metavar="ENCODER",
        help="fetch its weights into the cache folder unless they are there; can be given several times",
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        help="use no network, as HF_HUB_OFFLINE=1: what is not here is missing",
    )
    return parser
