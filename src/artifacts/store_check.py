"""What is wrong with a store: all of it, where opening one stops at the first fault."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from src.artifacts.embedding_store import (
    MANIFEST_FOLDER,
    PRIMARY_KINDS,
    TOKEN_FOLDER,
    read_store_information,
    token_schema,
)
from src.artifacts.store_merge import read_manifest_part, read_part
from src.artifacts.store_reading import copy_vectors, part_paths, require_vectors
from src.core.errors import StoreError
from src.core.stage import DONE, FAILED

_SHOWN = 5


@dataclass(frozen=True)
class StoreCheck:
    """Problems of a store in words, and how much was looked at."""

    keys: int
    tokens: int
    problems: list[str]


def check_store(folder: Path) -> StoreCheck:
    """Look at every part, token and manifest row of a store.

    Raises StoreError only when it has no readable store.json; everything else is a problem in the result.
    """
    information = read_store_information(folder)
    problems: list[str] = []
    tokens = _read_tokens(folder / TOKEN_FOLDER, information["dimension"], problems)
    _check_keys(tokens, problems)
    manifest = _read_manifest(folder / MANIFEST_FOLDER, problems)
    if manifest is not None:
        _check_manifest(manifest, tokens, problems)
    return StoreCheck(tokens["key"].nunique(), len(tokens), problems)


@dataclass
class _Listed:
    """Keys with one fault; the message names the first few."""

    keys: list[str] = field(default_factory=list)

    def say(self, problems: list[str], fault: str) -> None:
        keys = list(dict.fromkeys(self.keys))
        if keys:
            more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
            problems.append(f"{len(keys)} keys {fault}: {', '.join(keys[:_SHOWN])}{more}")


def _read_tokens(folder: Path, dimension: int, problems: list[str]) -> pd.DataFrame:
    """Key, token index and kind of every readable token; what is wrong with parts and vectors goes to `problems`."""
    frames = [pd.DataFrame({"key": [], "token_index": [], "token_kind": []})]
    faulty = _Listed()
    paths = part_paths(folder)
    if not paths:
        problems.append(f"{folder}: holds no part")
    for path in paths:
        try:
            table = read_part(path)
            require_vectors(table, dimension, path, token_schema(dimension).names)
        except StoreError as error:
            problems.append(str(error))
            continue
        vectors = np.empty((len(table), dimension), np.float32)
        copy_vectors(table, vectors)
        unusable = ~np.isfinite(vectors).all(axis=1)
        faulty.keys += table["key"].filter(pa.array(unusable)).to_pylist()
        frames.append(table.select(["key", "token_index", "token_kind"]).to_pandas())
    faulty.say(problems, "have vectors that are not finite")
    return pd.concat(frames[1:] or frames, ignore_index=True)


def _check_keys(tokens: pd.DataFrame, problems: list[str]) -> None:
    """The tokens of a key stand together, are numbered from 0, each once, and one of them is the primary one."""
    keys = tokens["key"]
    runs = keys[keys != keys.shift()]
    _Listed(list(runs[runs.duplicated()])).say(
        problems, "have tokens that do not stand together (a key twice, or parts in disorder)"
    )
    repeated = tokens[tokens.duplicated(["key", "token_index"])]["key"]
    _Listed(list(repeated)).say(problems, "have two tokens of the same number")
    primary = set(keys[tokens["token_kind"].isin(PRIMARY_KINDS)])
    _Listed([key for key in runs if key not in primary]).say(
        problems, f"have no token of the kind {' or '.join(PRIMARY_KINDS)}"
    )


def _read_manifest(folder: Path, problems: list[str]) -> pd.DataFrame | None:
    """Key, status and number of tokens of every source; None where there is no manifest that can be read."""
    frames = []
    paths = part_paths(folder)
    if not paths:
        problems.append(f"{folder}: holds no part, so nothing says which sources failed")
    for path in paths:
        try:
            table = read_manifest_part(path)
        except StoreError as error:
            problems.append(str(error))
            continue
        frames.append(table.select(["key", "status", "tokens"]).to_pandas())
    return pd.concat(frames, ignore_index=True) if frames else None


def _check_manifest(manifest: pd.DataFrame, tokens: pd.DataFrame, problems: list[str]) -> None:
    """Every source that is done has the tokens that the manifest counts, and nothing else has any."""
    _Listed(list(manifest["key"][manifest["key"].duplicated()])).say(
        problems, "stand more than once in the manifest"
    )
    unknown = manifest[~manifest["status"].isin([DONE, FAILED])]
    _Listed(list(unknown["key"])).say(problems, f"have a status that is neither {DONE} nor {FAILED}")
    expected = manifest[manifest["status"] == DONE].drop_duplicates("key").set_index("key")["tokens"]
    found = tokens["key"].value_counts(sort=False)
    _Listed(list(expected.index.difference(found.index))).say(
        problems, "are done in the manifest and have no tokens"
    )
    _Listed(list(found.index.difference(expected.index))).say(
        problems, "have tokens and are not done in the manifest"
    )
    both = expected.index.intersection(found.index)
    differing = both[expected[both].to_numpy() != found[both].to_numpy()]
    _Listed(list(differing)).say(problems, "have another number of tokens than the manifest says")
