"""The work folder of one data set: who may write there, and the record of what was done."""

from pathlib import Path
from typing import Any

from src.artifacts.sources import Modality
from src.core.errors import DatasetError
from src.core.files import read_json, write_json
from src.core.stage import StageSummary
from src.core.version import __version__

SUMMARY_FILE = "preprocessing.json"
GENERATED_WORLD_FILE = "GENERATED_WORLD.json"


def check_work_folder(dataset: Path, work: Path) -> None:
    """Refuse a work folder that cannot be one, before anything is written there.

    Raises DatasetError when `work` lies in the data set (which is never written to) or holds it, is a file, or is a folder of
    something else altogether.
    """
    source, target = dataset.resolve(), work.resolve()
    if target == source or source in target.parents:
        raise DatasetError(f"--out {work}: lies inside the data set {dataset}, which is never written to.")
    if work.exists() and not work.is_dir():
        raise DatasetError(f"--out {work}: is a file; name a folder.")
    if (work / SUMMARY_FILE).is_file() or not work.is_dir():
        return
    if any(not entry.name.startswith(".") for entry in work.iterdir()):
        raise DatasetError(
            f"--out {work}: the folder is not empty and is no work folder (it has no {SUMMARY_FILE}). Name a new one."
        )


def former_record(dataset: Path, work: Path) -> dict[str, Any]:
    """The record of a former run, or an empty one. Raises DatasetError when `work` is of another data set."""
    record = work / SUMMARY_FILE
    if not record.is_file():
        return {}
    source = dataset.resolve()
    try:
        former = dict(read_json(record))
        other = former["dataset"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{record}: unreadable ({error}). Name a new folder, or remove {work}.") from error
    if other != str(source):
        raise DatasetError(
            f"--out {work}: holds the work of another data set, {other}. Name another folder, or remove this one first "
            f"(if the data set was only moved, put its new path {source} into {record} as `dataset`)."
        )
    return former


def write_record(
    work: Path,
    dataset: Path,
    former: dict[str, Any],
    scan: dict[str, Any],
    stages: dict[Modality, dict[str, Any]],
) -> None:
    """Write `preprocessing.json`: the scan, and settings and counts of each half, those of former runs kept."""
    write_json(
        work / SUMMARY_FILE,
        {
            "version": __version__,
            "dataset": str(dataset.resolve()),
            "generated_world": is_generated(dataset),
            **scan,
            "stages": {**former.get("stages", {}), **stages},
        },
    )


def is_generated(dataset: Path) -> bool:
    """Whether the data set is a generated world, which marks itself."""
    return (dataset / GENERATED_WORLD_FILE).is_file()


def counts(summary: StageSummary) -> dict[str, Any]:
    """Counts of a finished stage, ready for JSON; in one order, whatever was done first."""
    reasons = sorted(summary.failures.items(), key=lambda item: (-item[1], item[0]))
    return {"done": summary.done, "failed": summary.failed, "reasons": dict(reasons)}
