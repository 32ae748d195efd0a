"""All tokens of a store as one NumPy file (.npz) of plain arrays, without pickles.

    vector        float32 (tokens, dimension)
    key, identity, language, video, split, token_kind     texts (tokens,)
    token_index   int32 (tokens,)
    quality       float32 (tokens,)
    information   one text: store.json

Only `key` and `vector` must be there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from src.artifacts.embedding_store import (
    PRIMARY_KINDS,
    TOKEN_FOLDER,
    read_store_information,
    token_table_of_columns,
)
from src.artifacts.sources import Modality
from src.artifacts.store_merge import read_token_parts
from src.artifacts.store_reading import copy_vectors, part_paths
from src.core.errors import ListError, StoreError
from src.core.files import atomic_path

_TEXTS = ("key", "identity", "language", "video", "split", "token_kind")


def write_feature_arrays(store: Path, path: Path) -> None:
    """Write every token of the store `store`. Raises StoreError for a store that cannot be read."""
    information = read_store_information(store)
    if not part_paths(store / TOKEN_FOLDER):
        raise StoreError(f"{store}: holds no tokens. Run `python -m features WORK` again")
    table = pa.concat_tables(read_token_parts(store, information["dimension"]))
    vectors = np.empty((len(table), information["dimension"]), np.float32)
    copy_vectors(table, vectors)
    arrays: dict[str, np.ndarray] = {name: np.array(table[name].to_pylist(), np.str_) for name in _TEXTS}
    arrays["token_index"] = table["token_index"].to_numpy()
    arrays["quality"] = table["quality"].to_numpy()
    arrays["vector"] = vectors
    arrays["information"] = np.array(json.dumps(information))
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def read_feature_arrays(
    path: Path, modality: Modality, language: str, split: str
) -> tuple[pa.Table, dict[str, Any] | None]:
    """The tokens of a file as a token table, and the store's information where the file has it.

    modality, language, split: of tokens for which the file does not say it.
    Raises ListError for what is missing, of another shape, or not finite, and for a key whose tokens do not stand
    together.
    """
    arrays = _load(path)
    vectors = arrays["vector"]
    tokens = len(vectors)
    defaults: dict[str, Any] = {
        "identity": "",
        "language": language,
        "video": "",
        "split": split,
        "token_kind": PRIMARY_KINDS[0] if modality == "voice" else PRIMARY_KINDS[1],
        "token_index": 0,
        "quality": None,
    }
    columns = {name: arrays.get(name, [value] * tokens) for name, value in defaults.items()}
    columns["key"] = arrays["key"]
    table = token_table_of_columns(columns, vectors)
    _refuse_scattered_keys(table, path)
    information = json.loads(str(arrays["information"])) if "information" in arrays else None
    return table, information


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise ListError(f"{path}: no such file of features")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (
        Exception
    ) as error:  # damaged bytes, and sizes beyond all memory, make the parser raise nearly anything
        raise ListError(f"{path}: not a NumPy archive (.npz) of plain arrays: {error}") from error
    missing = [name for name in ("key", "vector") if name not in arrays]
    if missing:
        raise ListError(f"{path}: lacks the arrays {', '.join(missing)}; it has {', '.join(arrays)}")
    vectors = arrays["vector"]
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or 0 in vectors.shape:
        raise ListError(
            f"{path}: `vector` is {vectors.dtype} {vectors.shape}, not float32 (tokens, dimension)"
        )
    for name in (*_TEXTS, "token_index", "quality"):
        array = arrays.get(name, np.empty(len(vectors), np.str_))
        if array.shape != (len(vectors),) or (name in _TEXTS and array.dtype.kind != "U"):
            raise ListError(
                f"{path}: `{name}` is {array.dtype} {array.shape}, not one value for each of {len(vectors)} vectors"
            )
    with np.errstate(over="ignore"):
        arrays["vector"] = vectors.astype(np.float32)
    wrong = np.argwhere(~np.isfinite(arrays["vector"]))
    if len(wrong):
        raise ListError(
            f"{path}, `vector` row {wrong[0][0]}, column {wrong[0][1]}: not a finite float32; extract it again"
        )
    return arrays


def _refuse_scattered_keys(table: pa.Table, path: Path) -> None:
    keys = table["key"].to_pandas()
    runs = keys[keys != keys.shift()]
    if runs.duplicated().any():
        name = runs[runs.duplicated()].iloc[0]
        raise ListError(
            f"{path}: the tokens of the key {name} do not stand together; sort by key and token_index"
        )
    numbers = table.select(["key", "token_index"]).to_pandas()
    if numbers.duplicated().any():
        name = numbers["key"][numbers.duplicated()].iloc[0]
        raise ListError(
            f"{path}: the key {name} stands twice; number its tokens in `token_index`, or drop one"
        )
