"""From the files of features that the field passes around to stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from src.artifacts.embedding_store import CROP, MANIFEST_SCHEMA, WHOLE, token_table_of_columns
from src.artifacts.feature_arrays import read_feature_arrays
from src.artifacts.feature_csv import FeatureRows, line_of_row, read_cafnet, read_fop
from src.artifacts.key_list import ListedMedium, read_listed_media
from src.artifacts.sources import Modality, Split
from src.artifacts.store_merge import manifest_counts
from src.artifacts.store_writer import refuse_used_folder, write_store
from src.core.errors import ConfigError, ListError
from src.core.stage import DONE
from src.core.version import __version__

FeatureFormat = Literal["fop", "cafnet", "numpy"]
FORMATS: tuple[FeatureFormat, ...] = ("fop", "cafnet", "numpy")


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What to import.

    files: the file of each modality; of the format cafnet also a folder of `<identity>.csv`.
    encoders: what made the vectors of each modality; a NumPy file that a store was exported to says it itself.
    out: folder of the stores. language, split: of all media, where the file does not say it.
    keys: a list whose rows belong to the rows of each file (see src/artifacts/key_list.py); None numbers the rows.
    labelled: whether rows of the format fop end with a label.
    """

    format: FeatureFormat
    files: Mapping[Modality, Path]
    encoders: Mapping[Modality, str]
    out: Path
    language: str
    split: Split
    keys: Path | None = None
    labelled: bool = True


@dataclass(frozen=True)
class _Media:
    """Row by row: keys, identities (empty where unknown), videos, and vectors, float32 (rows, dimension)."""

    keys: list[str]
    identities: list[str]
    videos: list[str]
    vectors: np.ndarray


def import_features(request: ImportRequest) -> dict[Modality, int]:
    """Write one store a modality to `request.out`; returns the number of media of each.

    Raises ListError for a malformed file, for voices and faces whose rows do not belong together, and for keys that
    contradict themselves; StoreError where a store is in the way; ConfigError where nothing names the encoder.
    """
    for modality in request.files:
        refuse_used_folder(request.out / modality)
    stores = _read_arrays(request) if request.format == "numpy" else _read_csv(request)
    for modality, (tokens, information) in stores.items():
        manifest = _manifest(tokens, modality)
        counts = manifest_counts(manifest["status"].to_pylist(), manifest["reason"].to_pylist())
        write_store(request.out / modality, {**information, "counts": counts}, [tokens], [manifest])
    return {modality: len(tokens["key"].unique()) for modality, (tokens, _) in stores.items()}


def _read_arrays(request: ImportRequest) -> dict[Modality, tuple[pa.Table, dict[str, Any]]]:
    stores: dict[Modality, tuple[pa.Table, dict[str, Any]]] = {}
    for modality, path in request.files.items():
        tokens, known = read_feature_arrays(path, modality, request.language, request.split)
        dimension = tokens.schema.field("vector").type.list_size
        if known is None:
            stores[modality] = tokens, _information(request, modality, dimension)
            continue
        expected = {
            "modality": modality,
            "encoder": request.encoders.get(modality, known.get("encoder")),
            "dimension": dimension,
        }
        differing = [name for name, value in expected.items() if known.get(name) != value]
        if differing:
            shown = "; ".join(f"{name} {known.get(name)!r}, not {expected[name]!r}" for name in differing)
            raise ListError(f"{path}: its `information` says {shown}")
        stores[modality] = tokens, {name: value for name, value in known.items() if name != "format"}
    return stores


def _read_csv(request: ImportRequest) -> dict[Modality, tuple[pa.Table, dict[str, Any]]]:
    read = _read_fop if request.format == "fop" else _read_cafnet
    media = read(request)
    return {
        modality: (
            _token_table(_once_each(rows, request.files[modality]), modality, request),
            _information(request, modality, rows.vectors.shape[1]),
        )
        for modality, rows in media.items()
    }


def _read_fop(request: ImportRequest) -> dict[Modality, _Media]:
    files = {modality: read_fop(path, labelled=request.labelled) for modality, path in request.files.items()}
    if len(files) == 2:
        _refuse_misaligned(files["voice"], files["face"])
    media = {}
    for modality, rows in files.items():
        listed = _listed_or_numbered(rows, modality, request)
        media[modality] = _Media(
            [medium.key for medium in listed],
            rows.labels or [""] * len(listed),
            [medium.video for medium in listed],
            rows.vectors,
        )
    return media


def _refuse_misaligned(voices: FeatureRows, faces: FeatureRows) -> None:
    """A row of the voices and the same row of the faces are one person."""
    if len(voices.vectors) != len(faces.vectors):
        raise ListError(
            f"{voices.path} has {len(voices.vectors)} rows, {faces.path} has {len(faces.vectors)}: their rows must "
            "belong together. Take both files of one data set, language and split, or import them one by one"
        )
    for row, (voice, face) in enumerate(zip(voices.labels or [], faces.labels or [], strict=True)):
        if voice != face:
            raise ListError(
                f"{voices.path}, line {voices.line(row)}, column {voices.vectors.shape[1] + 1}: the label is "
                f"{voice!r}, but {face!r} in {faces.path}, line {faces.line(row)}, column "
                f"{faces.vectors.shape[1] + 1}: the rows do not belong together. Take both files of one data set, "
                "language and split, or import them one by one"
            )


def _read_cafnet(request: ImportRequest) -> dict[Modality, _Media]:
    """A folder's files are named after people, and its labels are keys; a single file's labels are people in the split
    "train", which has no other names for them, and keys in the split "test", whose people are unknown."""
    media = {}
    for modality, path in request.files.items():
        if path.is_dir():
            media[modality] = _read_cafnet_folder(path, request)
            continue
        rows = read_cafnet(path)
        labels = rows.labels or []
        if request.split == "train" or request.keys is not None:
            listed = _listed_or_numbered(rows, modality, request)
            media[modality] = _Media(
                [medium.key for medium in listed], labels, [medium.video for medium in listed], rows.vectors
            )
        else:
            media[modality] = _Media(labels, [""] * len(labels), [""] * len(labels), rows.vectors)
    return media


def _read_cafnet_folder(folder: Path, request: ImportRequest) -> _Media:
    if request.keys is not None:
        raise ConfigError("--keys belongs to one file; the labels of a folder of files are keys already")
    files = [read_cafnet(path) for path in sorted(folder.glob("*.csv"))]
    if not files:
        raise ListError(f"{folder}: holds no .csv file; a folder of the format cafnet has one a person")
    for rows in files[1:]:
        if rows.vectors.shape[1] != files[0].vectors.shape[1]:
            raise ListError(
                f"{rows.path}, line 1: {rows.vectors.shape[1]} features, but {files[0].vectors.shape[1]} in "
                f"{files[0].path}; put files of one encoder into a folder"
            )
    keys = [label for rows in files for label in rows.labels or []]
    identities = [rows.path.stem for rows in files for _ in rows.vectors]
    return _Media(keys, identities, [""] * len(keys), np.concatenate([rows.vectors for rows in files]))


def _listed_or_numbered(
    rows: FeatureRows, modality: Modality, request: ImportRequest
) -> Sequence[ListedMedium]:
    """The medium of each row: of the list, or `<file's name>/<row, from 1>`."""
    if request.keys is None:
        return [ListedMedium(f"{rows.path.stem}/{row:06d}", "") for row in range(1, len(rows.vectors) + 1)]
    listed = read_listed_media(request.keys, modality)
    if len(listed) != len(rows.vectors):
        raise ListError(
            f"{rows.path} has {len(rows.vectors)} rows, {request.keys} {len(listed)}: row and line must belong "
            "together. Give the list that the features were extracted from"
        )
    return listed


def _once_each(media: _Media, path: Path) -> _Media:
    """Drop rows that repeat a key with the same vector, as lists of pairs do.

    Raises ListError for a key with two vectors or two identities.
    """
    first_rows: dict[str, int] = {}
    for row, key in enumerate(media.keys):
        first = first_rows.setdefault(key, row)
        same = media.identities[first] == media.identities[row]
        if not (same and np.array_equal(media.vectors[first], media.vectors[row])):
            raise ListError(
                f"{_place(path, row, media)}: the key {key} stands in {_place(path, first, media)} too, with another "
                f"{'vector' if same else 'label'}; a key is one medium of one person, so mend the list or the file"
            )
    kept = list(first_rows.values())
    return _Media(
        list(first_rows),
        [media.identities[row] for row in kept],
        [media.videos[row] for row in kept],
        media.vectors[kept],
    )


def _place(path: Path, row: int, media: _Media) -> str:
    if path.is_dir():
        return f"{path}, row {row + 1} of all files"
    return f"{path}, line {line_of_row(path, row, len(media.keys))}"


def _token_table(media: _Media, modality: Modality, request: ImportRequest) -> pa.Table:
    """One token a medium; nothing says its quality."""
    rows = len(media.keys)
    columns: dict[str, Any] = {
        "key": media.keys,
        "identity": media.identities,
        "language": [request.language] * rows,
        "video": media.videos,
        "split": [request.split] * rows,
        "token_index": [0] * rows,
        "token_kind": [WHOLE if modality == "voice" else CROP] * rows,
        "quality": [None] * rows,
    }
    return token_table_of_columns(columns, media.vectors)


def _information(request: ImportRequest, modality: Modality, dimension: int) -> dict[str, Any]:
    if modality not in request.encoders:
        raise ConfigError(
            f"{request.files[modality]}: does not say which encoder made it; name it with --{modality}-encoder, so that "
            "its vectors are never mixed with those of another"
        )
    return {
        "modality": modality,
        "encoder": request.encoders[modality],
        "dimension": dimension,
        "weights_source": f"not known: imported from {request.files[modality].name} ({request.format})",
        "version": __version__,
    }


def _manifest(tokens: pa.Table, modality: Modality) -> pa.Table:
    """A manifest row a key; sizes and times of the files are not known, so they are 0."""
    grouped = tokens.group_by(["key", "identity", "language", "video", "split"], use_threads=False).aggregate(
        [([], "count_all")]
    )
    rows = len(grouped)
    columns: dict[str, Any] = {
        "modality": [modality] * rows,
        "size_bytes": [0] * rows,
        "time_seconds": [None] * rows,
        "modified_ns": [0] * rows,
        "status": [DONE] * rows,
        "reason": [""] * rows,
        "tokens": grouped["count_all"].cast(pa.int32()),
    }
    return pa.table(
        [grouped[name] if name in grouped.column_names else columns[name] for name in MANIFEST_SCHEMA.names],
        schema=MANIFEST_SCHEMA,
    )
