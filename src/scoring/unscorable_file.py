"""The record beside a submission or score file of the trials that were given the median score."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.core.files import write_text
from src.scoring.trial_scoring import UnscorableTrial

COLUMNS = ("file", "trial_id", "key", "reason")


def unscorable_path(output: Path) -> Path:
    """Where the record of `output` lies: its name with `.unscorable.csv` added."""
    return output.with_name(output.name + ".unscorable.csv")


def write_unscorable(output: Path, trials: Mapping[str, Sequence[UnscorableTrial]]) -> Path | None:
    """Record the trials of each score file; without any, a record of a former run is removed.

    Returns where the record is, None when there is nothing to record.
    """
    path = unscorable_path(output)
    if not any(trials.values()):
        path.unlink(missing_ok=True)
        return None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for file, lost in trials.items():
        writer.writerows((file, trial.trial_id, trial.key, trial.reason) for trial in lost)
    write_text(path, text.getvalue())
    return path


def read_unscorable(output: Path) -> dict[str, int]:
    """Number of trials with the median score in each file of `output`; empty when none was recorded."""
    path = unscorable_path(output)
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        trials = dict.fromkeys((row["file"], row["trial_id"]) for row in csv.DictReader(stream))
    counts: dict[str, int] = {}
    for file, _ in trials:
        counts[file] = counts.get(file, 0) + 1
    return counts
