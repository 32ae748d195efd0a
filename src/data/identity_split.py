"""Splitting people, never recordings: a person is on one side of a split alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.core.errors import TrainingError
from src.core.seeding import random_stream


@dataclass(frozen=True)
class IdentitySplit:
    """Who trains and who validates; sorted, disjoint, together everybody."""

    training: tuple[str, ...]
    validation: tuple[str, ...]


def identity_folds(identities: Sequence[str], folds: int, seed: int) -> list[IdentitySplit]:
    """`folds` splits in which each identity validates exactly once, by chance of the seed.

    Fold sizes differ by at most one. The order in which the identities are given does not matter.
    Raises TrainingError when an identity is named twice or there are fewer identities than folds.
    """
    names = sorted(identities)
    if len(set(names)) != len(names):
        raise TrainingError("an identity is named twice in the list to split")
    if folds < 2 or len(names) < folds:
        raise TrainingError(f"{len(names)} identities cannot be split into {folds} folds (at least 2)")
    order = random_stream("identity folds", seed).permutation(len(names))
    splits = []
    for fold in range(folds):
        chosen = set(order[fold::folds].tolist())
        splits.append(
            IdentitySplit(
                training=tuple(name for place, name in enumerate(names) if place not in chosen),
                validation=tuple(name for place, name in enumerate(names) if place in chosen),
            )
        )
    return splits
