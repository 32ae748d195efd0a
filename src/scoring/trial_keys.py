"""From the paths in a trial to the keys of embeddings, and why a key has none."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import numpy as np

from src.artifacts.sources import Modality
from src.artifacts.trial_table import TrialTable
from src.core.errors import ListError
from src.core.files import leads_outside
from src.core.stage import FAILED, read_parts

MEDIA_FOLDERS: dict[Modality, tuple[str, ...]] = {
    "voice": ("voices", "voice", "wav"),
    "face": ("faces", "face"),
}
UNKNOWN_MEDIA = "not in the work folder: no such file in the data set, or it was never preprocessed"


def resolve_key(path: str, modality: Modality, known: Container[str]) -> str:
    """The key that a path of a list means.

    A test list names media from the data set's root (`voices/English/00000.wav`), a training list and VoxCeleb's lists
    from the folder of the modality (`id0001/English/VIDEO/00000.wav`). That folder is spelled in several ways
    (`voices`, `voice`), and a test medium of MAV-Celeb stands in `voices/English/` (v1) or `English_test/voices/` (v3).
    A path is taken as it stands where that key is known, else in the first of these forms that is. One that fits none
    is returned as it stands.
    """
    if path in known:
        return path
    return next((form for form in _forms(path, MEDIA_FOLDERS[modality]) if form in known), path)


def _forms(path: str, folders: Sequence[str]) -> Iterator[str]:
    """Other ways to write the same path."""
    yield from (f"{folder}/{path}" for folder in folders)
    parts = path.split("/")
    if len(parts) < 2:
        return
    for level in (0, 1):
        if parts[level] in folders:
            yield from ("/".join([*parts[:level], folder, *parts[level + 1 :]]) for folder in folders)
    match parts:
        case [spelled, language, name] if spelled in folders:
            yield from (f"{language}_test/{folder}/{name}" for folder in folders)
        case [test, spelled, name] if spelled in folders and test.endswith("_test"):
            yield from (f"{folder}/{test.removesuffix('_test')}/{name}" for folder in folders)


def refuse_climbing_paths(trials: TrialTable, source: str) -> None:
    """Raise ListError for paths that are absolute or climb out of the data set (`../`)."""
    wrong = [
        f"{trials.trial_id(np.argmax(column.rows == row))}: {path}"
        for column in (trials.voice, trials.face)
        for row, path in enumerate(column.paths)
        if leads_outside(path)
    ]
    if wrong:
        shown = "\n  ".join(wrong[:5])
        raise ListError(f"{source}: {len(wrong)} paths lead out of the data set; mend the list:\n  {shown}")


def failure_reasons(features: Path, modality: Modality) -> dict[str, str]:
    """Why files of a modality have no embedding: key → reason, from every manifest that there is.

    features: WORK/features. What preprocessing could not use stands in the manifest of WORK, what feature
    extraction could not use in the manifest beside the embeddings.
    """
    reasons: dict[str, str] = {}
    for folder in (features.parent / modality / "manifest", features / modality / "manifest"):
        if folder.is_dir():
            table = read_parts(folder, ["key", "status", "reason"]).to_pydict()
            reasons |= {
                key: reason
                for key, status, reason in zip(*table.values(), strict=True)
                if status == FAILED and key not in reasons
            }
    return reasons
