"""Command line: raw voices and faces → clean speech of the main speaker, and a crop of the right face."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from preprocessing.face_options import add_face_arguments, apply_face_options
from preprocessing.face_settings import FaceSettings
from preprocessing.layouts import RECOGNISED_LAYOUTS
from preprocessing.scan import DatasetScan, scan_dataset
from preprocessing.settings import PreprocessingSettings
from preprocessing.speech_options import add_speech_arguments, apply_speech_options
from preprocessing.stage_parts import parts_for_stage
from preprocessing.work_folder import check_work_folder, counts, former_record, is_generated, write_record
from src.artifacts.sources import MODALITIES, Modality, SourceRecord, SourceRows, write_sources
from src.core import status_command
from src.core.command_line import add_common_arguments, add_failure_argument, report_summaries, run_command
from src.core.config import parse_config, read_yaml_mapping
from src.core.determinism import compute_deterministically
from src.core.device import choose_device
from src.core.engines.contract import Engine
from src.core.engines.selection import add_engine_arguments, choose_engine
from src.core.errors import DatasetError
from src.core.output_lock import locked_output
from src.core.run_log import LOGS_FOLDER
from src.core.stage import PartWorker, Stage, StageSummary, run_stage
from src.encoders.selection import default_encoder_name

LOGGER = logging.getLogger(__name__)
# what makes the workers of each half, and everything that decides its output
Makers = Mapping[Modality, tuple[Callable[[], PartWorker[SourceRecord]], dict[str, Any]]]
PART_SIZES: dict[Modality, int] = {"voice": 32, "face": 64}

EXAMPLES = f"""\
examples:
  python -m preprocessing MAV-Celeb_v1 --out work/v1
  python -m preprocessing MAV-Celeb_v1 --out work/v1 --modality face --workers 8
  python -m preprocessing MAV-Celeb_v3 --out work/v3 --lists MAV-Celeb_v3_lists --clean none
  python -m preprocessing DATASET --out WORK --diarizer pyannote --diarizer-model models/community-1
  python -m preprocessing DATASET --out WORK --modality face --face-choice image --crop aligned --plots
  python -m preprocessing DATASET --out WORK --voice-weights ecapa/ --config my_settings.yaml
  python -m preprocessing DATASET --out WORK --engine ray --ray-address HEAD:6379
  python -m preprocessing status WORK

The same command again goes on where it was stopped. What cannot be used becomes a row with a reason in
WORK/voice/manifest and WORK/face/manifest. DATASET is never written to.

recognised layouts:
{RECOGNISED_LAYOUTS}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan, run the stages that were asked for, say what was done; returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["status"]:
        return status_command.main("python -m preprocessing", words[1:])
    options = _parser().parse_args(words)
    settings = _settings(options)
    if options.deterministic:
        compute_deterministically()
    choose_device(options.device)
    engine = choose_engine(options)
    check_work_folder(options.dataset, options.out)
    scan = scan_dataset(options.dataset, options.lists, settings.face, follow_links=options.follow_links)
    for line in scan.lines():
        LOGGER.info("%s", line)
    modalities = _modalities(options.modality, scan)
    makers: Makers = {
        modality: _stage_maker(modality, options, settings, scan.of(modality)) for modality in modalities
    }
    with locked_output(options.out):
        return _run_stages(options, scan, makers, engine)


def _run_stages(
    options: argparse.Namespace,
    scan: DatasetScan,
    makers: Makers,
    engine: Engine,
) -> int:
    former = former_record(options.dataset, options.out)
    record = partial(write_record, options.out, options.dataset, former, scan.summary())
    # both are there from the start, so that a killed run leaves a folder that says whose it is
    record({modality: {"settings": provenance} for modality, (_, provenance) in makers.items()})
    write_sources(options.out / "sources.parquet", scan.records)
    summaries: dict[Modality, StageSummary] = {}
    for modality, (make_worker, provenance) in makers.items():
        stage = _stage(modality, scan.of(modality), options.out, make_worker, provenance)
        summaries[modality] = run_stage(stage, options.workers, engine)
    record(
        {
            modality: {"settings": makers[modality][1], **counts(summary)}
            for modality, summary in summaries.items()
        }
    )
    finished = list(summaries.values())
    if options.plots:
        finished += [run_stage(stage, options.workers, engine) for stage in _plot_stages(options, makers)]
    return report_summaries(finished, options.max_failures)


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
        "--lists",
        type=Path,
        metavar="DIR",
        help="folder of <Language>_train.txt and _test.txt (default: DATASET)",
    )
    parser.add_argument(
        "--follow-links",
        action="store_true",
        help="read what links in DATASET lead to outside of it (default: such a link is an error)",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML with the sections `speech` and `face`"
    )
    parser.add_argument(
        "--plots",
        action="store_true",
        help="write pictures: of each recording to WORK/voice/plots (spectrogram, speaker turns, what is kept), of each "
        "folder of photographs to WORK/face/plots (every face, which one is chosen and why)",
    )
    add_speech_arguments(parser)
    add_face_arguments(parser)
    add_common_arguments(parser)
    add_engine_arguments(parser)
    add_failure_argument(parser)
    return parser


def _settings(options: argparse.Namespace) -> PreprocessingSettings:
    mapping = read_yaml_mapping(options.config) if options.config else {}
    apply_speech_options(options, mapping)
    apply_face_options(options, mapping)
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
    modality: Modality,
    options: argparse.Namespace,
    settings: PreprocessingSettings,
    records: Sequence[SourceRecord],
) -> tuple[Callable[[], PartWorker[SourceRecord]], dict[str, Any]]:
    """What makes the workers of a half, and everything that decides its output."""
    # the libraries of each half take seconds and memory to import, which the other half need not wait for
    if modality == "face":
        return _face_maker(options, settings.face, records)
    from preprocessing.diarizers import make_diarizer
    from preprocessing.speech_stage import make_speech_worker, speech_provenance

    name = options.voice_encoder or default_encoder_name(
        "voice", generated_world=is_generated(options.dataset)
    )
    # loaded once here, so that missing weights are explained before anything is written
    diarizer = make_diarizer(settings.speech, name, options.voice_weights, choose_device(options.device))
    make_speech = partial(
        make_speech_worker,
        settings.speech,
        options.dataset,
        options.out,
        name,
        options.voice_weights,
        options.device,
    )
    return make_speech, speech_provenance(settings.speech, diarizer)


def _face_maker(
    options: argparse.Namespace, settings: FaceSettings, records: Sequence[SourceRecord]
) -> tuple[Callable[[], PartWorker[SourceRecord]], dict[str, Any]]:
    from preprocessing.face_stage import face_provenance, load_face_embedder, make_face_worker, needs_encoder

    name = None
    if needs_encoder(settings, records):
        name = options.face_encoder or default_encoder_name(
            "face", generated_world=is_generated(options.dataset)
        )
        LOGGER.info("who is who in a folder of photographs is told by the face encoder %s", name)
    # loaded once here, so that missing weights are explained before anything is written
    embedder = load_face_embedder(name, options.face_weights, choose_device(options.device))
    make_face = partial(
        make_face_worker,
        settings,
        options.dataset,
        options.out,
        name,
        options.face_weights,
        options.device,
    )
    return make_face, face_provenance(settings, embedder)


def _lost_rows(modality: Modality) -> Callable[[Sequence[SourceRecord], str], pa.Table]:
    if modality == "voice":
        from preprocessing.speech_stage import lost_speech_rows

        return lost_speech_rows
    from preprocessing.face_tables import lost_face_rows

    return lost_face_rows


def _plot_stages(options: argparse.Namespace, makers: Makers) -> Iterator[Stage[Any]]:
    """The stages that draw what the halves which were run left on disk."""
    if "voice" in makers:
        from preprocessing.plot_stage import make_plot_stage

        yield make_plot_stage(options.dataset, options.out, makers["voice"][1], options.truth_turns)
    if "face" in makers:
        from preprocessing.contact_sheet_stage import make_contact_sheet_stage

        yield make_contact_sheet_stage(options.dataset, options.out, makers["face"][1])


def _stage(
    modality: Modality,
    records: SourceRows,
    work: Path,
    make_worker: Callable[[], PartWorker[SourceRecord]],
    provenance: dict[str, Any],
) -> Stage[SourceRecord]:
    return Stage(
        name={"voice": "voices", "face": "faces"}[modality],
        folder=work / modality,
        parts=parts_for_stage(records, PART_SIZES[modality]),
        make_worker=make_worker,
        settings=provenance,
        unit={"voice": "file", "face": "image"}[modality],
        lost_rows=_lost_rows(modality),
        logs=work / LOGS_FOLDER,
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
