"""Media of the stores and who is in them: for lists to be made, and for intervals over people."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from src.artifacts.checkpoints import load_checkpoint
from src.artifacts.media_identities import read_media_identities
from src.artifacts.sources import MODALITIES, Modality
from src.core.errors import ListError, StoreError
from src.core.files import leads_outside
from src.scoring.trial_keys import resolve_key
from src.scoring.trial_scoring import FeatureStores

_SHOWN = 5
TRAINING_SPLIT = "train"


def known_identities(stores: FeatureStores, table: Path | None) -> dict[Modality, dict[str, str]]:
    """Modality → key → identity, of every medium whose person is known.

    table: a CSV with the columns key and identity, which then counts; the stores' own identities if None.
    """
    listed = None if table is None else read_media_identities(table)
    found: dict[Modality, dict[str, str]] = {}
    for modality in MODALITIES:
        items = stores.of(modality).items
        if listed is None:
            named = items["identity"].to_dict()
            found[modality] = {str(key): str(name) for key, name in named.items() if name}
        else:
            keys = {resolve_key(key, modality, items.index): name for key, name in listed.items()}
            found[modality] = {str(key): keys[str(key)] for key in items.index if key in keys}
    return found


def unseen_media(
    stores: FeatureStores,
    identities: Mapping[Modality, Mapping[str, str]],
    checkpoints: Sequence[Path],
    language: str | None = None,
) -> dict[Modality, dict[str, list[str]]]:
    """Modality → person → keys, of people whom no model has seen.

    checkpoints: whose people of training and validation are left out, whatever they are called in `identities`; without
    any, people are left out of whom a medium is of the training split. language: of the media; any if None.
    Raises ListError where nobody is left.
    """
    seen_names = {name for folder in checkpoints for name in _people_of(folder)}
    seen: set[str] = set()
    for modality in MODALITIES:
        items = stores.of(modality).items
        column = "identity" if checkpoints else "split"
        seen |= {
            identities[modality][str(key)]
            for key, value in items[column].items()
            if key in identities[modality] and value in (seen_names if checkpoints else {TRAINING_SPLIT})
        }
    seen |= seen_names
    media: dict[Modality, dict[str, list[str]]] = {}
    for modality in MODALITIES:
        media[modality] = {}
        languages = stores.of(modality).items["language"]
        for key in sorted(identities[modality]):
            if identities[modality][key] not in seen and language in (None, languages[key]):
                media[modality].setdefault(identities[modality][key], []).append(key)
    if not media["voice"].keys() & media["face"].keys():
        raise ListError(
            f"{stores.features}: nobody has both a voice and a face here and was not trained on. Say who is in test media "
            "(--identities CSV with the columns key and identity), or which models must not have seen them (--unseen-by)"
        )
    return media


def places_of(stores: FeatureStores, modality: Modality, paths: Sequence[str], source: str) -> np.ndarray:
    """Where the media of a list stand in the store, int64 (paths,).

    Raises ListError for paths that lead out of the data set, StoreError for media without embedding.
    """
    distinct = dict.fromkeys(paths)
    outside = [path for path in distinct if leads_outside(path)]
    if outside:
        raise ListError(
            f"{source}: {len(outside)} paths lead out of the data set: {', '.join(outside[:_SHOWN])}"
        )
    index = stores.of(modality).items.index
    keys = {path: resolve_key(path, modality, index) for path in distinct}
    wanted = pd.Index(np.array(list(keys.values()), object), dtype=index.dtype.name)
    places = dict(zip(distinct, index.get_indexer(wanted), strict=True))
    missing = [path for path, place in places.items() if place < 0]
    if missing:
        raise StoreError(
            f"{source}: {len(missing)} of {len(distinct)} {modality}s have no embedding in {stores.features / modality}: "
            f"{', '.join(missing[:_SHOWN])}"
        )
    return np.array([places[path] for path in paths], np.int64)


def modality_of(stores: FeatureStores, path: str, source: str) -> Modality:
    """Whether a path of a list is a voice or a face. Raises StoreError where neither or both stores hold it."""
    held: list[Modality] = [
        name
        for name in MODALITIES
        if resolve_key(path, name, stores.of(name).items.index) in stores.of(name).items.index
    ]
    if len(held) != 1:
        where = "no store holds" if not held else "both stores hold"
        raise StoreError(
            f"{source}: {where} {path}, the first probe, so that it is no telling whether it is a voice"
        )
    return held[0]


def _people_of(folder: Path) -> Iterable[str]:
    identities = load_checkpoint(folder).config.get("identities", {})
    members = identities.get("members", [])
    for group in (identities, *members):
        yield from group.get("training", [])
        yield from group.get("validation", [])
