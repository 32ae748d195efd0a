"""Command line: raw voices and faces → clean speech of the main speaker, and a crop of the right face."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

from preprocessing.face_stage import FACE_FOLDER, make_face_worker
from preprocessing.layouts import RECOGNISED_LAYOUTS
from preprocessing.scan import DatasetScan, group_for_stage, scan_dataset
from preprocessing.settings import PreprocessingSettings
from preprocessing.speech_settings import CleaningSettings
from preprocessing.work_folder import claim_work_folder, counts, is_generated, write_record
from src.artifacts.sources import MODALITIES, Modality, SourceRecord, write_sources
from src.core.command_line import add_common_arguments, add_failure_argument, report_summaries, run_command
from src.core.config import apply_override, config_mapping, parse_config, read_yaml_mapping
from src.core.device import choose_device
from src.core.errors import DatasetError
from src.core.stage import PartWorker, Stage, StageSummary, run_stage, split_into_parts
from src.encoders.registry import VOICE_ENCODERS, load_encoder
from src.encoders.selection import default_encoder_name

LOGGER = logging.getLogger(__name__)
PART_SIZES: dict[Modality, int] = {"voice": 32, "face": 64}
VOICE_FOLDER = "voice"

EXAMPLES = f"""\
examples:
  python -m preprocessing MAV-Celeb_v1 --out work/v1
  python -m preprocessing MAV-Celeb_v1 --out work/v1 --modality face --workers 8
  python -m preprocessing MAV-Celeb_v3 --out work/v3 --lists MAV-Celeb_v3_lists --clean none
  python -m preprocessing DATASET --out WORK --voice-weights ecapa/ --config my_settings.yaml

The same command again goes on where it was stopped. What cannot be used becomes a row with a reason in
WORK/voice/manifest and WORK/face/manifest. DATASET is never written to.

recognised layouts:
{RECOGNISED_LAYOUTS}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan, run the stages that were asked for, say what was done; returns the exit status."""
    options = _parser().parse_args(arguments)
    settings = _settings(options)
    choose_device(options.device)
    former = claim_work_folder(options.dataset, options.out)
    scan = scan_dataset(options.dataset, options.lists)
    for line in scan.lines():
        LOGGER.info("%s", line)
    modalities = _modalities(options.modality, scan)
    makers = {modality: _stage_maker(modality, options, settings) for modality in modalities}
    record = partial(write_record, options.out, options.dataset, former, scan.summary())
    # both are there from the start, so that a killed run leaves a folder that says whose it is
    record({modality: {"settings": provenance} for modality, (_, provenance) in makers.items()})
    write_sources(options.out / "sources.parquet", scan.records)
    summaries: dict[Modality, StageSummary] = {}
    for modality, (make_worker, provenance) in makers.items():
        stage = _stage(modality, scan.of(modality), options.out, make_worker, provenance)
        summaries[modality] = run_stage(stage, options.workers)
    record(
        {
            modality: {"settings": makers[modality][1], **counts(summary)}
            for modality, summary in summaries.items()
        }
    )
    return report_summaries(list(summaries.values()), options.max_failures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing",
        description="Find the raw voices and faces of a data set; keep and clean the speech of each recording's main "
        "speaker; find, choose and cut out the face of each photograph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "dataset", type=Path, metavar="DATASET", help="folder of raw voices and faces; only read"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="WORK", help="work folder, outside DATASET"
    )
    parser.add_argument(
        "--modality", choices=(*MODALITIES, "both"), default="both", help="default: %(default)s"
    )
    parser.add_argument(
        "--voice-encoder",
        choices=VOICE_ENCODERS,
        help="tells speakers apart in a recording (default: ecapa, published; the embedded ecapa-compact for generated worlds)",
    )
    parser.add_argument("--voice-weights", type=Path, metavar="PATH", help="its weights: a file or a folder")
    parser.add_argument(
        "--clean",
        choices=get_args(CleaningSettings.__annotations__["clean"]),
        help="wiener: band-pass, Wiener filter, level; none: band-pass and level alone (default: wiener)",
    )
    parser.add_argument(
        "--lists",
        type=Path,
        metavar="DIR",
        help="folder of <Language>_train.txt and _test.txt (default: DATASET)",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML with the sections `speech` and `face`"
    )
    add_common_arguments(parser)
    add_failure_argument(parser)
    return parser


def _settings(options: argparse.Namespace) -> PreprocessingSettings:
    mapping = read_yaml_mapping(options.config) if options.config else {}
    if options.clean:
        apply_override(mapping, f"speech.cleaning.clean={options.clean}")
    return parse_config(PreprocessingSettings, mapping, str(options.config or "command line"))


def _modalities(wanted: str, scan: DatasetScan) -> list[Modality]:
    """The halves to run; `both` leaves out what the data set has nothing of."""
    chosen = [modality for modality in MODALITIES if wanted in (modality, "both")]
    there = [modality for modality in chosen if scan.of(modality)]
    for modality in chosen:
        if modality not in there:
            if wanted != "both":
                raise DatasetError(f"--modality {modality}: the data set holds no {modality}.")
            LOGGER.info("no %ss: that half is left out", modality)
    return there


def _stage_maker(
    modality: Modality, options: argparse.Namespace, settings: PreprocessingSettings
) -> tuple[Callable[[], PartWorker[SourceRecord]], dict[str, Any]]:
    """What makes the workers of a half, and everything that decides its output."""
    if modality == "face":
        make_face = partial(make_face_worker, settings.face, options.dataset, options.out, options.device)
        return make_face, config_mapping(settings.face)
    # its libraries take seconds to import, which those who want faces alone need not wait for
    from preprocessing.speech_stage import make_speech_worker

    name = options.voice_encoder or default_encoder_name(
        "voice", generated_world=is_generated(options.dataset)
    )
    # loaded once here, so that missing weights are explained before anything is written
    encoder = load_encoder(name, weights=options.voice_weights).description()
    make_speech = partial(
        make_speech_worker,
        settings.speech,
        options.dataset,
        options.out,
        name,
        options.voice_weights,
        options.device,
    )
    return make_speech, {**config_mapping(settings.speech), "speaker_encoder": encoder}


def _stage(
    modality: Modality,
    records: Sequence[SourceRecord],
    work: Path,
    make_worker: Callable[[], PartWorker[SourceRecord]],
    provenance: dict[str, Any],
) -> Stage[SourceRecord]:
    return Stage(
        name={"voice": "voices", "face": "faces"}[modality],
        folder=work / {"voice": VOICE_FOLDER, "face": FACE_FOLDER}[modality],
        parts=split_into_parts(group_for_stage(records), PART_SIZES[modality]),
        make_worker=make_worker,
        settings=provenance,
        unit={"voice": "file", "face": "image"}[modality],
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
