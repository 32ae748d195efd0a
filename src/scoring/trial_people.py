"""Who is in a trial, where the truth tells; the units that a bootstrap draws."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from src.artifacts.media_identities import read_media_identities
from src.artifacts.trials import Trial
from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY
from src.core.errors import ListError
from src.scoring.cells import Cell
from src.scoring.trial_keys import resolve_key
from src.scoring.truth import says_who

IDENTITIES_FILE = "media_identities.csv"
PEOPLE, TRIALS = "people", "trials"
UNITS = (VOICE_IDENTITY, FACE_IDENTITY)


def with_bootstrap_units(
    cells: Mapping[Cell, pd.DataFrame], lists: Mapping[str, Mapping[str, Trial]] | None, truth_folder: Path
) -> tuple[dict[Cell, pd.DataFrame], str]:
    """Each cell's trials with the columns UNITS to draw: people where they are known, else the trials themselves.

    People are known when the truth says so, or when `truth_folder` has a `media_identities.csv` (columns key,
    identity) that covers the lists. lists: trials of each test language by id, None where no data set was given.
    Returns the frames, and PEOPLE or TRIALS. Raises ListError when that file is there but lacks a column or media of
    the lists.
    """
    if all(says_who(frame) for frame in cells.values()):
        return dict(cells), PEOPLE
    path = truth_folder / IDENTITIES_FILE
    if lists is None or not path.is_file():
        return {cell: _with_trial_units(cell, frame) for cell, frame in cells.items()}, TRIALS
    identities = read_media_identities(path)
    return {
        cell: _with_people(frame, lists[cell.test_language], identities) for cell, frame in cells.items()
    }, PEOPLE


def _with_trial_units(cell: Cell, frame: pd.DataFrame) -> pd.DataFrame:
    units = [f"{cell.test_language}/{name}" for name in frame.index]
    return frame.assign(**dict.fromkeys(UNITS, units))


def _with_people(
    frame: pd.DataFrame, trials: Mapping[str, Trial], identities: Mapping[str, str]
) -> pd.DataFrame:
    listed = [trials[name] for name in frame.index]
    voices = [resolve_key(trial.voice, "voice", identities) for trial in listed]
    faces = [resolve_key(trial.face, "face", identities) for trial in listed]
    for trial, keys in zip(listed, zip(voices, faces, strict=True), strict=True):
        for key in keys:
            if key not in identities:
                raise ListError(
                    f"{IDENTITIES_FILE}: does not say who is in {key}, of the trial {trial.trial_id}"
                )
    return frame.assign(
        **{
            VOICE_IDENTITY: [identities[key] for key in voices],
            FACE_IDENTITY: [identities[key] for key in faces],
        }
    )
