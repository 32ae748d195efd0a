"""Which voices and faces of known people, in one language, a head may be trained and validated on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.sources import MODALITIES, Modality
from src.core.errors import TrainingError

TRAINING_SPLIT = "train"


@dataclass(frozen=True)
class LabelledItems:
    """Items of one modality (voices or faces), the person and the video of each, and where their tokens are.

    identities: int64 (items,), position in the list of names, ascending.
    videos: int64 (items,), numbered over all people, ascending.
    first, count: int64 (items,), the item's tokens are `store.vectors[first : first + count]`; of media, its samples or
        its crop (association_media.py).
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
    stores: dict[Modality, EmbeddingStore] = {"voice": voice_store, "face": face_store}
    refuse_test_people([store.items for store in stores.values()], language)
    items = {
        modality: training_items(store.items, language, f"{store.folder}: no {modality}")
        for modality, store in stores.items()
    }
    data = association_of(items, language, fewest_items=fewest_items, fewest_identities=fewest_identities)
    for modality, store in stores.items():
        _refuse_infinite(store, items[modality][items[modality]["identity"].isin(data.names)])
    return data


def association_of(
    items: Mapping[Modality, pd.DataFrame],
    language: str,
    *,
    fewest_items: int = 2,
    fewest_identities: int = 2,
) -> AssociationData:
    """The data of the people whom `usable_people` names.

    items: `training_items` of each modality, with where their tokens are (`first`, `count`). Raises TrainingError as there.
    """
    names, left_out = usable_people(
        items, language, fewest_items=fewest_items, fewest_identities=fewest_identities
    )
    return AssociationData(
        names, _labelled_items(items["voice"], names), _labelled_items(items["face"], names), left_out
    )


def usable_people(
    items: Mapping[Modality, pd.DataFrame],
    language: str,
    *,
    fewest_items: int = 2,
    fewest_identities: int = 2,
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Names of the people who have enough of both modalities, sorted, and why others are left out.

    items: `training_items` of each modality. Raises TrainingError when fewer than `fewest_identities` people remain.
    """
    voice_counts, face_counts = (items[one]["identity"].value_counts() for one in MODALITIES)
    names: list[str] = []
    left_out: dict[str, str] = {}
    for name in sorted({*voice_counts.index, *face_counts.index}):
        counts = {"voices": int(voice_counts.get(name, 0)), "faces": int(face_counts.get(name, 0))}
        few = [f"{count} {kind}" for kind, count in counts.items() if count < fewest_items]
        if few:
            left_out[name] = f"only {' and '.join(few)}"
        else:
            names.append(name)
    if len(names) < fewest_identities:
        examples = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:5])
        raise TrainingError(
            f"{language}: {len(names)} people have at least {fewest_items} voices and {fewest_items} faces in the "
            f"training split, at least {fewest_identities} are needed. Left out: {len(left_out)}"
            + (f" ({examples})." if examples else ".")
            + " Preprocess more people, or look at the manifests' `reason` column for files that failed."
        )
    return tuple(names), left_out


def refuse_test_people(tables: Sequence[pd.DataFrame], language: str) -> None:
    """Raise TrainingError where somebody is in the training split and in the test split: who is tested must be a stranger.

    tables: of all items, with the columns identity, language and split. Test media whose person is unknown can say
    nothing of it.
    """
    training: set[str] = set()
    tested: set[str] = set()
    for table in tables:
        items = table[table["identity"] != ""]
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


def training_items(items: pd.DataFrame, language: str, described: str) -> pd.DataFrame:
    """The rows of the training split in this language whose person is known.

    described: begins the error, "FOLDER: no voice". Raises TrainingError where there is no such row.
    """
    training = items[(items["split"] == TRAINING_SPLIT) & (items["identity"] != "")]
    found = sorted(training["language"].unique())
    if language not in found:
        raise TrainingError(
            f"{described} of the training split is in {language!r}; it has "
            f"{', '.join(found) or 'no training items at all'}. Give one of these as --language."
        )
    return training[training["language"] == language]


def _labelled_items(items: pd.DataFrame, names: Sequence[str]) -> LabelledItems:
    items = items[items["identity"].isin(names)].rename_axis("key").reset_index()
    items = items.sort_values(["identity", "video", "key"], kind="stable")
    places = {name: place for place, name in enumerate(names)}
    return LabelledItems(
        items["identity"].map(places).to_numpy(np.int64),
        items.groupby(["identity", "video"], sort=True).ngroup().to_numpy(np.int64),
        items["first"].to_numpy(np.int64),
        items["count"].to_numpy(np.int64),
    )


def _refuse_infinite(store: EmbeddingStore, items: pd.DataFrame) -> None:
    first, count = items["first"].to_numpy(np.int64), items["count"].to_numpy(np.int64)
    unusable = np.append(0, np.cumsum(~np.isfinite(store.vectors).all(axis=1)))
    wrong = sorted(items.index[unusable[first + count] > unusable[first]])
    if wrong:
        raise TrainingError(
            f"{store.folder}: {len(wrong)} items have numbers that are not finite: {', '.join(wrong[:5])}. "
            "Extract them again: python -m features WORK"
        )
