"""Who is in a trial, where the truth folder tells; the units that a bootstrap draws."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from src.artifacts.trials import Trial
from src.core.errors import ListError
from src.scoring.cells import Cell
from src.scoring.intervals import FACE_UNIT, VOICE_UNIT
from src.scoring.trial_keys import resolve_key

IDENTITIES_FILE = "media_identities.csv"
PEOPLE, TRIALS = "people", "trials"


def with_bootstrap_units(
    cells: Mapping[Cell, pd.DataFrame], lists: Mapping[str, Mapping[str, Trial]] | None, truth_folder: Path
) -> tuple[dict[Cell, pd.DataFrame], str, int]:
    """Add the units to draw to each cell's trials: people where they are known, else the trials themselves.

    lists: trials of each test language by id, None where no data set was given. People are known when
    `truth_folder` has a `media_identities.csv` (columns key, identity) that covers the lists.
    Returns the frames, PEOPLE or TRIALS, and the number of units. Raises ListError when that file is there
    but lacks a column or media of the lists.
    """
    path = truth_folder / IDENTITIES_FILE
    if lists is None or not path.is_file():
        drawn = {cell: _with_trial_units(cell, frame) for cell, frame in cells.items()}
        return drawn, TRIALS, len({unit for frame in drawn.values() for unit in frame[VOICE_UNIT]})
    identities = _read_identities(path)
    drawn = {
        cell: frame.assign(
            **{
                VOICE_UNIT: [
                    _identity(lists[cell.test_language][name], "voice", identities) for name in frame.index
                ],
                FACE_UNIT: [
                    _identity(lists[cell.test_language][name], "face", identities) for name in frame.index
                ],
            }
        )
        for cell, frame in cells.items()
    }
    people = {unit for frame in drawn.values() for unit in (*frame[VOICE_UNIT], *frame[FACE_UNIT])}
    return drawn, PEOPLE, len(people)


def _with_trial_units(cell: Cell, frame: pd.DataFrame) -> pd.DataFrame:
    units = [f"{cell.test_language}/{name}" for name in frame.index]
    return frame.assign(**{VOICE_UNIT: units, FACE_UNIT: units})


def _read_identities(path: Path) -> dict[str, str]:
    table = pd.read_csv(path, dtype=str)
    if not {"key", "identity"} <= set(table.columns):
        raise ListError(f"{path}: needs the columns key and identity; it has {', '.join(table.columns)}")
    return dict(zip(table["key"], table["identity"], strict=True))


def _identity(trial: Trial, modality: str, identities: Mapping[str, str]) -> str:
    key = (
        resolve_key(trial.voice, "voice", identities)
        if modality == "voice"
        else resolve_key(trial.face, "face", identities)
    )
    if key not in identities:
        raise ListError(f"{IDENTITIES_FILE}: does not say who is in {key}, of the trial {trial.trial_id}")
    return identities[key]
