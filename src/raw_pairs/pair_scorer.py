"""From two media files to a score and a probability, through the stages' own functions.

scorer = PairScorer.load("checkpoints/English")
print(scorer.score("voice.mp4", "face.jpg").probability)
"""

import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.artifacts.checkpoints import load_checkpoint
from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.trials import Trial
from src.core.device import choose_device
from src.core.errors import DatasetError, ListError, MediaError
from src.core.stage import DONE, FAILED, StageSummary
from src.metrics.calibration import LogisticCalibration
from src.raw_pairs.media_embedding import EmbeddedMedia, MediaEmbedder
from src.raw_pairs.media_files import MediaPath, media_key
from src.raw_pairs.media_worker import WeightPaths
from src.raw_pairs.reasons import explained
from src.raw_pairs.recipe import MediaRecipe
from src.scoring.checkpoint_calibration import load_calibration
from src.scoring.trial_scoring import FeatureStores, TrialScorer, refuse_other_recipe

FEATURES = "features"


@dataclass(frozen=True, kw_only=True)
class PairScore:
    """What is said of one pair.

    score: lower = same person. log_likelihood_ratio: natural logarithm, higher = same person. probability: of one
    person, at the prior that was asked for. All three are None where a file could not be used; `reason` says why.
    """

    voice: str
    face: str
    score: float | None = None
    log_likelihood_ratio: float | None = None
    probability: float | None = None
    reason: str = ""

    @property
    def status(self) -> str:
        """`done` or `failed`, as in every manifest."""
        return FAILED if self.reason else DONE


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs in the order in which they were given; counts of voices and of faces, and of pairs."""

    pairs: list[PairScore]
    files: list[StageSummary]
    summary: StageSummary


class PairScorer:
    """Scores pairs of media files with one checkpoint; its networks are loaded once.

    A video serves as a voice, by its sound, or as a face: the scores of its frames are averaged.
    """

    def __init__(
        self,
        recipe: MediaRecipe,
        calibration: LogisticCalibration,
        *,
        device: str,
        weights: WeightPaths,
        work: Path | None,
    ) -> None:
        """See `load`."""
        self.checkpoint, self.calibration, self.device = recipe.checkpoint, calibration, device
        self.keeps_work = work is not None
        self.folder = Path(tempfile.mkdtemp(prefix="voxface-")) if work is None else _claimed(work)
        if not self.keeps_work:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.embedders = {
            modality: MediaEmbedder(modality, recipe, weights, self.folder, device, keep=self.keeps_work)
            for modality in MODALITIES
        }

    @classmethod
    def load(
        cls,
        checkpoint: str | Path,
        *,
        device: str = "auto",
        weights: WeightPaths | None = None,
        work: Path | None = None,
    ) -> "PairScorer":
        """Read a checkpoint folder with its calibration.

        device: auto, cpu or cuda. weights: where networks are read from. work: a folder that keeps clean media and
        embeddings, so that the same pairs go on where they were stopped; None keeps nothing.
        Raises CheckpointError for what is no checkpoint of a head, has no calibration, or does not say how its media were
        made. Weights are looked at when the first pair is scored.
        """
        choose_device(device)
        read = load_checkpoint(Path(checkpoint))
        refuse_other_recipe(read, None)
        recipe, calibration = MediaRecipe.of(read), load_calibration(Path(checkpoint))
        return cls(recipe, calibration, device=device, weights=weights or WeightPaths(), work=work)

    def score(self, voice: MediaPath, face: MediaPath, *, same_prior: float = 0.5) -> PairScore:
        """Score one pair. Raises MediaError that says which file cannot be used and why; else as `score_pairs`."""
        pair = self.score_pairs([(voice, face)], same_prior=same_prior).pairs[0]
        if pair.reason:
            raise MediaError(pair.reason, _failure_message(pair))
        return pair

    def score_pairs(
        self, pairs: Sequence[tuple[MediaPath, MediaPath]], *, same_prior: float = 0.5, workers: int = 1
    ) -> ScoredPairs:
        """Score many pairs of a voice and a face; each distinct file is processed once.

        same_prior: share of same-person pairs that is expected where the probabilities are used. workers: processes, 0
        for one a core; with several, a script must guard its main part by `if __name__ == "__main__"`.
        A file that cannot be used is no error: its pairs say so. Raises WeightsError where weights are missing,
        CheckpointError where they are not the checkpoint's, ListError where there is no pair.
        """
        if not pairs:
            raise ListError("there is no pair to score")
        named = [(media_key(voice), media_key(face)) for voice, face in pairs]
        folder = self.folder if self.keeps_work else Path(tempfile.mkdtemp(dir=self.folder, prefix="pairs-"))
        try:
            media = {
                modality: self.embedders[modality].embed(
                    list(dict.fromkeys(pair[place] for pair in named)),
                    folder / FEATURES / modality,
                    workers,
                )
                for place, modality in enumerate(MODALITIES)
            }
            scores = self._scores(named, media, folder / FEATURES)
        finally:
            if not self.keeps_work:
                shutil.rmtree(folder)
        scored = [
            self._pair(str(voice), str(face), score, _reason(keys, media), same_prior)
            for (voice, face), keys, score in zip(pairs, named, scores, strict=True)
        ]
        failures = Counter(pair.reason for pair in scored if pair.reason)
        counts = StageSummary(name="pairs", done=len(scored) - failures.total(), failures=failures)
        return ScoredPairs(scored, [one.summary for one in media.values()], counts)

    def _scores(
        self,
        named: Sequence[tuple[str, str]],
        media: Mapping[Modality, EmbeddedMedia],
        features: Path,
    ) -> list[float | None]:
        """The score of each pair, the mean over the frames where the face is a video; None where a file has no vector."""
        trials: list[Trial] = []
        places: list[int] = []
        for place, (voice, face) in enumerate(named):
            for voice_key in media["voice"].keys[voice]:
                for face_key in media["face"].keys[face]:
                    trials.append(Trial(str(len(trials)), voice_key, face_key))
                    places.append(place)
        if not trials:
            return [None] * len(named)
        scorer = TrialScorer.load(self.checkpoint, FeatureStores.open(features), choose_device(self.device))
        scores = list(scorer.score(trials, "pairs").scores.values())
        counts = np.bincount(places, minlength=len(named))
        sums = np.bincount(places, weights=scores, minlength=len(named))
        return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]

    def _pair(self, voice: str, face: str, score: float | None, reason: str, same_prior: float) -> PairScore:
        if score is None:
            return PairScore(voice=voice, face=face, reason=reason)
        return PairScore(
            voice=voice,
            face=face,
            score=score,
            log_likelihood_ratio=float(self.calibration.log_likelihood_ratios([score])[0]),
            probability=float(self.calibration.probabilities([score], same_prior)[0]),
        )


def _reason(keys: tuple[str, str], media: Mapping[Modality, EmbeddedMedia]) -> str:
    """Why a pair has no score, such as `voice no_speech`; empty where it has one."""
    reasons = [
        f"{modality} {media[modality].reasons[key]}"
        for modality, key in zip(MODALITIES, keys, strict=True)
        if key in media[modality].reasons
    ]
    return ", ".join(reasons)


def _failure_message(pair: PairScore) -> str:
    paths = {"voice": pair.voice, "face": pair.face}
    lines = []
    for part in pair.reason.split(", "):
        modality, _, reason = part.partition(" ")
        lines.append(f"{paths[modality]}: cannot be used as a {modality}, {explained(reason)}")
    return "\n".join(lines)


def _claimed(work: Path) -> Path:
    """The folder for clean media and embeddings. Raises DatasetError for a file, and a folder of something else."""
    if work.exists() and not work.is_dir():
        raise DatasetError(f"--work {work}: is a file; name a folder")
    is_ours = (work / FEATURES).is_dir() and not (work / "preprocessing.json").exists()
    if work.is_dir() and any(work.iterdir()) and not is_ours:
        raise DatasetError(f"--work {work}: the folder holds something else; name a new one")
    work.mkdir(parents=True, exist_ok=True)
    return work
