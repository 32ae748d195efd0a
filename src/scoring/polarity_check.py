"""Does a submission rise where it should fall? Checked with models, on people whose answers are known.

The test lists have no answers, so the scores of a submission alone cannot tell. But the model of a training language can
be judged on its training people: pairs of one person must score lower than pairs of two. A model that passes then
scores the test list, and the submission must rise and fall with it: its rank correlation with the model's scores must
not lie below chance. Whatever made the submission, a fusion or another system, this holds if it knows anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from src.artifacts.trials import Trial
from src.core.errors import StoreError
from src.core.seeding import random_stream
from src.metrics.verification import area_under_curve
from src.scoring.trial_scoring import FeatureStores, TrialScorer

_TRAINING_PAIRS = 1000
_CHANCE_DEVIATIONS = 4.0  # of a correlation of unrelated scores, which is about 1 / sqrt(trials - 1)


@dataclass(frozen=True)
class Polarity:
    """What was found: problems that make a submission worthless, and notes."""

    problems: list[str]
    notes: list[str]


def model_polarity(scorer: TrialScorer, language: str) -> Polarity:
    """Does the model score pairs of one of its training people lower than pairs of two?

    Without training people in the embeddings that is a note.
    """
    pairs, labels = training_trials(scorer.stores, language)
    if not pairs:
        note = f"model trained on {language}: not checked, since the features hold no training people of {language}"
        return Polarity([], [note])
    scored = scorer.score(pairs, f"training pairs of {language}")
    area = area_under_curve(list(scored.scores.values()), labels)
    text = f"{len(pairs)} pairs of its training people: same-person pairs score lower in {100 * area:.1f} % of comparisons"
    if area <= 0.5:
        return Polarity([f"model trained on {language}: wrong way round on {text}"], [])
    return Polarity([], [f"model trained on {language}: {text}"])


def training_trials(stores: FeatureStores, language: str) -> tuple[list[Trial], list[int]]:
    """Voices and faces of training people, half of them pairs of one person, by chance of a fixed seed.

    Returns the trials and their labels; none where fewer than two people have both.
    """
    keys = {modality: _training_keys(stores, modality, language) for modality in ("voice", "face")}
    people = sorted(keys["voice"].keys() & keys["face"].keys())
    if len(people) < 2:
        return [], []
    stream = random_stream("polarity", language)
    trials, labels = [], []
    for number in range(_TRAINING_PAIRS):
        label = 1 - number % 2
        speaker, other = stream.choice(len(people), 2, replace=False)
        sitter = speaker if label else other
        voice = keys["voice"][people[speaker]]
        face = keys["face"][people[sitter]]
        trials.append(
            Trial(f"pair{number}", voice[stream.integers(len(voice))], face[stream.integers(len(face))])
        )
        labels.append(label)
    return trials, labels


def submission_polarity(
    name: str, scores: Mapping[str, float], trials: Sequence[Trial], scorer: TrialScorer
) -> Polarity:
    """Do the scores of one file rise and fall with those of a model that was checked?"""
    try:
        model_scores = scorer.score(trials, name, "median").scores
    except StoreError as error:
        return Polarity([], [f"{name}: polarity not checked: {error}"])
    ours = np.array([model_scores[trial.trial_id] for trial in trials])
    theirs = np.array([scores[trial.trial_id] for trial in trials])
    if np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        return Polarity([], [f"{name}: polarity not checked: all scores are the same"])
    correlation = float(spearmanr(ours, theirs).statistic)
    chance = _CHANCE_DEVIATIONS / np.sqrt(max(1, len(trials) - 1))
    text = f"rank correlation {correlation:+.2f} with the model's distances over {len(trials)} trials"
    if correlation < -min(chance, 0.9):
        return Polarity([f"{name}: wrong polarity ({text}): lower must mean the same person; negate it"], [])
    unrelated = "" if correlation > chance else ", no more than chance: is it of this model?"
    return Polarity([], [f"{name}: {text}{unrelated}"])


def _training_keys(stores: FeatureStores, modality: str, language: str) -> dict[str, list[str]]:
    items = (stores.voice if modality == "voice" else stores.face).items
    chosen = items[(items["split"] == "train") & (items["language"] == language) & (items["identity"] != "")]
    return {str(name): rows.index.tolist() for name, rows in chosen.groupby("identity", observed=True)}
