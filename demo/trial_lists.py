"""The lists of a generated world: training pairs, test trials, and the truth about the trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from demo.identity_media import MediaTask
from demo.identity_model import LatentIdentity, SharedLatentModel, equal_error_rate
from src.artifacts.trials import TrainingPair, Trial

_OTHER_VIDEO_SHARE = 0.8
_TRIAL_ID_LENGTH = 8
_TRIAL_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, kw_only=True)
class KnownTrial:
    """A trial with its answer.

    speaker, sitter: who is heard and who is seen.
    log_likelihood_ratio: of "one person", from the true parameters; the best score that there is.
    """

    trial: Trial
    speaker: str
    sitter: str
    same_sex: bool
    log_likelihood_ratio: float

    @property
    def same_person(self) -> bool:
        """The answer."""
        return self.speaker == self.sitter


@dataclass(frozen=True, kw_only=True)
class BayesLimit:
    """Least EER, 0 to 1, that any system can reach on a list: overall, and where different people share
    their sex (None when there is no such trial)."""

    equal_error_rate: float
    same_sex_equal_error_rate: float | None


def pair_training_files(
    tasks: Sequence[MediaTask], language: str, stream: np.random.Generator
) -> list[TrainingPair]:
    """Every photograph of a person with one of their recordings, mostly of another video."""
    pairs = []
    for task in tasks:
        videos = [video for video in task.videos if video.language == language]
        uses = {key: 0 for video in videos for key in video.voice_keys}
        for video in videos:
            for face in video.face_keys:
                elsewhere = [key for other in videos if other is not video for key in other.voice_keys]
                here = list(video.voice_keys)
                candidates = elsewhere if elsewhere and stream.random() < _OTHER_VIDEO_SHARE else here
                voice = min(candidates, key=lambda key: (uses[key], key))
                uses[voice] += 1
                pairs.append(
                    TrainingPair(voice=voice.removeprefix("voices/"), face=face.removeprefix("faces/"))
                )
    return pairs


def draw_trials(
    tasks: Sequence[MediaTask],
    language: str,
    wanted: int,
    model: SharedLatentModel,
    stream: np.random.Generator,
) -> list[KnownTrial]:
    """As many same-person as different-person trials, in random order; each pair of files once.

    Different people are drawn regardless of their sex. Where the files allow fewer than `wanted`
    same-person trials, the list is shorter.
    """
    voices = [(key, task.person.name) for task in tasks for key in _keys(task, language, "voice")]
    faces = [(key, task.person.name) for task in tasks for key in _keys(task, language, "face")]
    voice_owners = np.array([name for _, name in voices])
    face_owners = np.array([name for _, name in faces])
    same = voice_owners[:, None] == face_owners[None]
    matching, differing = np.argwhere(same), np.argwhere(~same)
    count = min(wanted // 2, len(matching), len(differing))
    chosen = np.concatenate(
        [
            matching[stream.choice(len(matching), count, replace=False)],
            differing[stream.choice(len(differing), count, replace=False)],
        ]
    )
    natures = {task.person.name: task.person.nature for task in tasks}
    chosen = stream.permutation(chosen)
    ratios = model.log_likelihood_ratio(
        np.stack([natures[face_owners[face]].face for _, face in chosen]),
        np.stack([natures[voice_owners[voice]].voice for voice, _ in chosen]),
    )
    trial_ids = _trial_ids(len(chosen), stream)
    return [
        _known_trial(trial_id, voices[voice], faces[face], natures, ratio)
        for trial_id, (voice, face), ratio in zip(trial_ids, chosen.tolist(), ratios.tolist(), strict=True)
    ]


def bayes_limit(trials: Sequence[KnownTrial]) -> BayesLimit:
    """The Bayes-optimal EER of a list of trials."""
    same = np.array([trial.log_likelihood_ratio for trial in trials if trial.same_person])
    different = np.array([trial.log_likelihood_ratio for trial in trials if not trial.same_person])
    hard = np.array(
        [trial.log_likelihood_ratio for trial in trials if not trial.same_person and trial.same_sex]
    )
    return BayesLimit(
        equal_error_rate=equal_error_rate(same, different),
        same_sex_equal_error_rate=equal_error_rate(same, hard) if len(hard) else None,
    )


def _keys(task: MediaTask, language: str, modality: str) -> list[str]:
    videos = [video for video in task.videos if video.language == language]
    if modality == "voice":
        return [key for video in videos for key in video.voice_keys]
    return [key for video in videos for key in video.face_keys]


def _known_trial(
    trial_id: str,
    voice: tuple[str, str],
    face: tuple[str, str],
    natures: Mapping[str, LatentIdentity],
    ratio: float,
) -> KnownTrial:
    voice_key, speaker = voice
    face_key, sitter = face
    return KnownTrial(
        trial=Trial(trial_id, voice_key, face_key),
        speaker=speaker,
        sitter=sitter,
        same_sex=natures[speaker].sex == natures[sitter].sex,
        log_likelihood_ratio=ratio,
    )


def _trial_ids(count: int, stream: np.random.Generator) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(stream.choice(list(_TRIAL_ID_CHARACTERS), _TRIAL_ID_LENGTH).tolist())] = None
    return list(names)
