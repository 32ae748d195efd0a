"""The truth beside a generated world: who everybody is, whose each file is, where the faces are."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from demo.identity_media import FaceTruth, MediaTask
from demo.identity_model import FACE_PARAMETERS, TRAITS, VOICE_PARAMETERS, LatentIdentity
from demo.population import Inhabitant
from demo.trial_lists import KnownTrial
from src.core.files import atomic_path, write_text

_FACE_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("face_index", pa.int32()),
        ("role", pa.string()),
        ("identity", pa.string()),
        *[(side, pa.float32()) for side in ("left", "top", "right", "bottom")],
    ]
)


def describe_nature(nature: LatentIdentity) -> dict[str, Any]:
    """The true parameters of a person as columns: traits, then `voice_…` and `face_…`, all z-scores."""
    return {
        "sex": nature.sex,
        "appearance_group": nature.appearance_group,
        **dict(zip(TRAITS, _rounded(nature.traits.tolist()), strict=True)),
        **_prefixed("voice", VOICE_PARAMETERS, nature.voice.tolist()),
        **_prefixed("face", FACE_PARAMETERS, nature.face.tolist()),
    }


def write_identities(path: Path, people: Iterable[Inhabitant]) -> None:
    """identities.csv: every person, the ids that the data set gives them, and their true parameters."""
    rows = [
        {
            "identity": person.identity,
            "voice_id": person.voice_id,
            "face_id": person.face_id,
            "split": person.split,
            **describe_nature(person.nature),
        }
        for person in people
    ]
    write_csv(path, rows)


def write_media_identities(path: Path, tasks: Sequence[MediaTask], splits: dict[str, str]) -> None:
    """media_identities.csv: whose voice or face each file is mainly."""
    rows = [
        {
            "key": key,
            "modality": modality,
            "identity": task.person.name,
            "language": video.language,
            "split": splits[task.person.name],
        }
        for task in tasks
        for video in task.videos
        for modality, keys in (("voice", video.voice_keys), ("face", video.face_keys))
        for key in keys
    ]
    write_csv(path, sorted(rows, key=lambda row: row["key"]))


def write_face_truth(path: Path, faces: Iterable[FaceTruth]) -> None:
    """faces.parquet: every face of every photograph, with its box in pixels."""
    rows = sorted((asdict(face) for face in faces), key=lambda row: (row["key"], row["face_index"]))
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=_FACE_SCHEMA), temporary, compression="zstd")


def write_trial_truth(path: Path, trials: Iterable[KnownTrial]) -> None:
    """<Language>_test.csv: the answers, and the score that nothing can beat."""
    rows = [
        {
            "trial_id": trial.trial.trial_id,
            "label": int(trial.same_person),
            "voice_identity": trial.speaker,
            "face_identity": trial.sitter,
            "same_sex": int(trial.same_sex),
            "bayes_log_likelihood_ratio": f"{trial.log_likelihood_ratio:.6f}",
        }
        for trial in trials
    ]
    write_csv(path, rows)


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of equal keys, with a header, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _prefixed(prefix: str, names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in zip(names, _rounded(values), strict=True)}


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]
