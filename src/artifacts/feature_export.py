"""From a store to the files of features that other programs read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.feature_csv import write_cafnet, write_fop
from src.artifacts.key_list import read_listed_media
from src.core.errors import ConfigError, StoreError

CSV_SUFFIX = ".csv"


def chosen_keys(
    store: EmbeddingStore, keys: Path | None, language: str | None, split: str | None
) -> list[str]:
    """Keys in the order of the list `keys`, as often as it names them; else all of a language and split.

    Raises StoreError for a listed key that is not there, and when nothing is chosen.
    """
    if keys is not None:
        if language or split:
            raise ConfigError("--keys says which media are written; leave --language and --split away")
        listed = [medium.key for medium in read_listed_media(keys, store.information["modality"])]
        store.require(listed)
        return listed
    items = store.items
    for column, value in (("language", language), ("split", split)):
        if value is not None:
            found = sorted(items[column].unique())
            items = items[items[column] == value]
            if items.empty:
                raise StoreError(
                    f"{store.folder}: nothing of the {column} {value!r}; it has {', '.join(map(repr, found))}"
                )
    if items.empty:
        raise StoreError(
            f"{store.folder}: holds no vector; python -m features info STORE says why media failed"
        )
    return items.index.tolist()


def export_fop(store: EmbeddingStore, keys: Sequence[str], out: Path) -> None:
    """Write the primary vectors and identities of `keys` as one FOP file; without labels where nobody is known.

    Raises StoreError where some people are known and some are not.
    """
    labels = _identities(store, keys)
    if "" in labels and any(labels):
        raise StoreError(
            f"{store.folder}: {labels.count('')} of {len(keys)} media are of unknown people, so a label column "
            "would have gaps. Choose with --split train or --split test, or with --keys LIST"
        )
    write_fop(out, _vectors(store, keys), labels if all(labels) else None)


def export_cafnet(store: EmbeddingStore, keys: Sequence[str], out: Path) -> None:
    """Write CAFNet files of the primary vectors of `keys`.

    out: a file (`.csv`): its label is the identity, or the key where nobody is known; or a folder: a file
    `<identity>.csv` a person, whose label is the key. Raises StoreError for what fits neither.
    """
    labels = _identities(store, keys)
    known = [bool(label) for label in labels]
    if out.suffix == CSV_SUFFIX:
        if any(known) and not all(known):
            raise StoreError(
                f"{store.folder}: known and unknown people in one file; choose with --split or --keys"
            )
        write_cafnet(out, _vectors(store, keys), labels if all(known) else keys)
        return
    wrong = sorted({label for label in labels if label in ("", ".", "..") or "/" in label or "\0" in label})
    if wrong:
        raise StoreError(
            f"{store.folder}: no file can be named after the identities {', '.join(map(repr, wrong[:5]))}; "
            "choose people with --split train, or write one file: --out FILE.csv"
        )
    unique = list(dict.fromkeys(keys))
    owners = np.array(_identities(store, unique))
    vectors = _vectors(store, unique)
    for identity in np.unique(owners):
        rows = np.flatnonzero(owners == identity)
        write_cafnet(out / f"{identity}{CSV_SUFFIX}", vectors[rows], [unique[row] for row in rows])


def _vectors(store: EmbeddingStore, keys: Sequence[str]) -> np.ndarray:
    return store.vectors[store.primary_rows(keys)]


def _identities(store: EmbeddingStore, keys: Sequence[str]) -> list[str]:
    return list(store.items["identity"].loc[list(keys)])
