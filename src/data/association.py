"""Which voices and faces of known people, in one language, a head may be trained and validated on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from src.artifacts.embedding_store import EmbeddingStore
from src.core.errors import TrainingError

TRAINING_SPLIT = "train"


@dataclass(frozen=True)
class LabelledItems:
    """Items of one modality (voices or faces), the person and the video of each, and where their tokens are.

    identities: int64 (items,), position in the list of names, ascending.
    videos: int64 (items,), numbered over all people, ascending.
    first, count: int64 (items,), the item's tokens are `store.vectors[first : first + count]`.
    """

    identities: np.ndarray
    videos: np.ndarray
    first: np.ndarray
    count: np.ndarray

    def __len__(self) -> int:
        return len(self.identities)

    def of(self, chosen: np.ndarray) -> "LabelledItems":
        """Items of the identities that the mask `chosen` (names,) keeps, renumbered in order."""
        kept = chosen[self.identities]
        renumbered = np.cumsum(chosen) - 1
        return LabelledItems(
            renumbered[self.identities[kept]], self.videos[kept], self.first[kept], self.count[kept]
        )


@dataclass(frozen=True)
class AssociationData:
    """Both modalities of the same people.

    names: identity names, sorted; `identities` of both sides are positions in it.
    left_out: people who have too few voices or faces, with the reason.
    """

    names: tuple[str, ...]
    voices: LabelledItems
    faces: LabelledItems
    left_out: dict[str, str]

    def of(self, names: Sequence[str]) -> "AssociationData":
        """The data of some people only."""
        wanted = set(names)
        chosen = np.array([name in wanted for name in self.names])
        kept = tuple(name for name in self.names if name in wanted)
        return AssociationData(kept, self.voices.of(chosen), self.faces.of(chosen), self.left_out)


def load_association_data(
    voice_store: EmbeddingStore,
    face_store: EmbeddingStore,
    language: str,
    *,
    fewest_items: int = 2,
    fewest_identities: int = 2,
) -> AssociationData:
    """Everything of the split "train" in `language`, by people who have both voices and faces there.

    fewest_items: people with fewer voices or fewer faces are left out, and named in `left_out`.
    Raises TrainingError when a store lacks the language, a person is in the test split too (of any language), a vector
    is not finite, or fewer than `fewest_identities` people remain.
    """
    _refuse_test_people((voice_store, face_store), language)
    tables = {
        "voice": _training_items(voice_store, language, "voice"),
        "face": _training_items(face_store, language, "face"),
    }
    names, left_out = _usable_identities(tables["voice"], tables["face"], fewest_items)
    if len(names) < fewest_identities:
        examples = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:5])
        raise TrainingError(
            f"{language}: {len(names)} people have at least {fewest_items} voices and {fewest_items} faces in the "
            f"training split, at least {fewest_identities} are needed. Left out: {len(left_out)}"
            + (f" ({examples})." if examples else ".")
            + " Preprocess more people, or look at the manifests' `reason` column for files that failed."
        )
    return AssociationData(
        names,
        _labelled_items(voice_store, tables["voice"], names),
        _labelled_items(face_store, tables["face"], names),
        left_out,
    )


def _refuse_test_people(stores: Sequence[EmbeddingStore], language: str) -> None:
    """Who is tested must be a stranger; test media whose person is unknown can say nothing of it."""
    training: set[str] = set()
    tested: set[str] = set()
    for store in stores:
        items = store.items[store.items["identity"] != ""]
        in_training = items["split"] == TRAINING_SPLIT
        training |= set(items["identity"][in_training & (items["language"] == language)])
        tested |= set(items["identity"][~in_training])
    both = sorted(training & tested)
    if both:
        raise TrainingError(
            f"{len(both)} people are in the training split ({language}) and in the test split: {', '.join(both[:10])}"
            f"{' …' if len(both) > 10 else ''}. A test on people of the training measures nothing: take them out of one "
            "of the lists, and make the stores anew."
        )


def _training_items(store: EmbeddingStore, language: str, modality: str) -> pd.DataFrame:
    training = store.items[(store.items["split"] == TRAINING_SPLIT) & (store.items["identity"] != "")]
    found = sorted(training["language"].unique())
    if language not in found:
        raise TrainingError(
            f"{store.folder}: no {modality} of the training split is in {language!r}; it has "
            f"{', '.join(found) or 'no training items at all'}. Give one of these as --language."
        )
    return training[training["language"] == language]


def _usable_identities(
    voices: pd.DataFrame, faces: pd.DataFrame, fewest_items: int
) -> tuple[tuple[str, ...], dict[str, str]]:
    voice_counts, face_counts = voices["identity"].value_counts(), faces["identity"].value_counts()
    names: list[str] = []
    left_out: dict[str, str] = {}
    for name in sorted({*voice_counts.index, *face_counts.index}):
        counts = {"voices": int(voice_counts.get(name, 0)), "faces": int(face_counts.get(name, 0))}
        few = [f"{count} {kind}" for kind, count in counts.items() if count < fewest_items]
        if few:
            left_out[name] = f"only {' and '.join(few)}"
        else:
            names.append(name)
    return tuple(names), left_out


def _labelled_items(store: EmbeddingStore, items: pd.DataFrame, names: Sequence[str]) -> LabelledItems:
    items = items[items["identity"].isin(names)].rename_axis("key").reset_index()
    items = items.sort_values(["identity", "video", "key"], kind="stable")
    first, count = items["first"].to_numpy(np.int64), items["count"].to_numpy(np.int64)
    unusable = np.append(0, np.cumsum(~np.isfinite(store.vectors).all(axis=1)))
    wrong = items["key"][unusable[first + count] > unusable[first]].tolist()
    if wrong:
        raise TrainingError(
            f"{store.folder}: {len(wrong)} items have numbers that are not finite: {', '.join(wrong[:5])}. "
            "Extract them again: python -m features WORK"
        )
    places = {name: place for place, name in enumerate(names)}
    return LabelledItems(
        items["identity"].map(places).to_numpy(np.int64),
        items.groupby(["identity", "video"], sort=True).ngroup().to_numpy(np.int64),
        first,
        count,
    )
