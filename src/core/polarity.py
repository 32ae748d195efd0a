"""The one place that says what a score means.

The challenges' evaluation (EER as the root of 1 - x = ROC(x) on the ROC of `-score`) and the baseline's L2
distance agree: **the lower the score, the more likely the voice and the face are one person**. Models may
produce similarities (the higher, the more alike); they pass through here before they reach a file.
"""

from typing import TypeVar

import numpy as np
import torch

Numbers = TypeVar("Numbers", float, np.ndarray, torch.Tensor)


def score_from_similarity(similarity: Numbers) -> Numbers:
    """Turn a similarity (high = same person) into a challenge score (low = same person)."""
    return -similarity


def similarity_from_score(score: Numbers) -> Numbers:
    """Turn a challenge score (low = same person) into a similarity (high = same person)."""
    return -score
