"""How well vectors tell unseen identities apart, and what they say linearly about attributes."""

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from src.core.polarity import score_from_similarity
from src.metrics.verification import equal_error_rate

RIDGE_PENALTIES = np.logspace(-1, 4, 11)


def pair_equal_error_rate(vectors: np.ndarray, identities: np.ndarray) -> float:
    """Equal error rate of the cosine over all pairs of items: vectors (items, d), identities (items,)."""
    directions = unit_length(vectors)
    first, second = np.triu_indices(len(directions), k=1)
    similarity = (directions @ directions.T)[first, second]
    return equal_error_rate(
        score_from_similarity(similarity), (identities[first] == identities[second]).astype(int)
    )


def identity_means(vectors: np.ndarray, identities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean direction of each identity, (identities, d), and the identities in their order."""
    names = np.unique(identities)
    directions = unit_length(vectors)
    return np.stack([directions[identities == name].mean(axis=0) for name in names]), names


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Vectors scaled to length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def attribute_correlations(
    train_means: np.ndarray,
    train_attributes: pd.DataFrame,
    unseen_means: np.ndarray,
    unseen_attributes: pd.DataFrame,
) -> dict[str, float]:
    """Correlation of a ridge regression's answer with the truth on unseen identities, by attribute.

    means: (identities, d) vectors; attributes: one row an identity, one column an attribute. The penalty is
    chosen on the training identities (generalised cross-validation).
    """
    scaler = StandardScaler().fit(train_means)
    answers: dict[str, float] = {}
    for name in train_attributes.columns:
        target = train_attributes[name].to_numpy()
        probe = RidgeCV(RIDGE_PENALTIES).fit(scaler.transform(train_means), target)
        answer = probe.predict(scaler.transform(unseen_means))
        truth = unseen_attributes[name].to_numpy()
        constant = answer.std() == 0 or truth.std() == 0
        answers[str(name)] = 0.0 if constant else float(np.corrcoef(answer, truth)[0, 1])
    return answers
