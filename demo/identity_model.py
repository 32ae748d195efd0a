"""The shared-latent identity model: what a person's face and voice have in common, and how much.

A person is drawn as a class (sex and appearance group, eight equally likely ones) and three standard
normal traits (age, body size, vigour). Both modalities are linear in the traits,

    face  = face_mean[class]  + face_loading  · traits + own noise
    voice = voice_mean[class] + voice_loading · traits + own noise

with unit variance of every parameter within a class. Face and voice are conditionally Gaussian, so the
log-likelihood ratio "one person" against "two people" is exact, and scoring trials by it gives the
Bayes-optimal error: no system that sees only photographs and recordings can do better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

SEXES = ("male", "female")
APPEARANCE_GROUPS = ("A", "B", "C", "D")
TRAITS = ("age", "size", "vigour")
FACE_PARAMETERS = (
    "sex_appearance",
    "apparent_age",
    "face_height",
    "jaw_width",
    "fullness",
    "nose_length",
    "nose_width",
    "lip_thickness",
    "skin_darkness",
    "hair_darkness",
    "smile",
    "brow_height",
    "eye_distance",
    "eye_size",
    "mouth_width",
    "cheek_width",
)
VOICE_PARAMETERS = (
    "pitch",
    "tract_length",
    "breathiness",
    "roughness",
    "speaking_rate",
    "intonation_range",
    "spectral_tilt",
    "formant_1",
    "formant_2",
    "formant_3",
    "formant_4",
    "formant_5",
    "consonant_strength",
)

# Loadings on (age, size, vigour); a parameter that is not named is the modality's own.
_FACE_LOADINGS = {
    "apparent_age": (0.92, 0.0, 0.0),
    "nose_length": (0.15, 0.65, 0.0),
    "face_height": (0.0, 0.60, 0.0),
    "fullness": (0.15, 0.60, 0.0),
    "jaw_width": (0.1, 0.4, 0.0),
    "eye_distance": (0.0, 0.0, 0.75),
    "cheek_width": (-0.1, 0.1, 0.60),
    "eye_size": (-0.1, 0.0, 0.60),
    "smile": (0.0, 0.0, 0.5),
    "brow_height": (-0.15, 0.0, 0.45),
}
_VOICE_LOADINGS = {
    "pitch": (-0.30, -0.65, 0.10),
    "tract_length": (0.05, 0.80, 0.0),
    "breathiness": (0.40, 0.0, -0.10),
    "roughness": (0.55, 0.0, 0.0),
    "speaking_rate": (-0.60, 0.0, 0.40),
    "intonation_range": (-0.15, 0.0, 0.80),
    "spectral_tilt": (-0.65, 0.0, 0.45),
    "consonant_strength": (-0.2, 0.0, 0.3),
    "formant_4": (0.0, 0.5, 0.0),
    "formant_5": (0.0, 0.0, 0.5),
}
# Mean of each appearance group, and the shift of a sex (added for women, subtracted for men).
_FACE_GROUP_MEANS = {
    "skin_darkness": (-1.8, -0.6, 0.6, 1.8),
    "hair_darkness": (-1.2, 0.0, 0.6, 0.6),
    "nose_width": (-0.6, -0.1, -0.2, 0.9),
    "lip_thickness": (-0.5, -0.2, -0.1, 0.8),
}
_VOICE_GROUP_MEANS = {
    "formant_1": (-1.0, 0.4, 1.0, -0.4),
    "formant_2": (0.9, -1.0, 0.2, -0.1),
    "formant_3": (-0.3, 0.9, -1.0, 0.4),
    "speaking_rate": (0.0, 0.5, -0.5, 0.0),
    "intonation_range": (-0.3, 0.3, 0.3, -0.3),
}
_FACE_SEX_SHIFTS = {"sex_appearance": 2.0}
_VOICE_SEX_SHIFTS = {"pitch": 1.85, "tract_length": -1.6, "breathiness": 0.25, "spectral_tilt": -0.4}


@dataclass(frozen=True, kw_only=True)
class LatentIdentity:
    """One person of the model.

    person_class: index of sex × group, `sex * 4 + group`.
    traits: shape (3,), age, size and vigour as z-scores.
    face, voice: the parameters of each modality, in the order of FACE_PARAMETERS and VOICE_PARAMETERS.
    """

    person_class: int
    traits: np.ndarray
    face: np.ndarray
    voice: np.ndarray

    @property
    def sex(self) -> str:
        """`male` or `female`."""
        return SEXES[self.person_class // len(APPEARANCE_GROUPS)]

    @property
    def appearance_group(self) -> str:
        """One of APPEARANCE_GROUPS."""
        return APPEARANCE_GROUPS[self.person_class % len(APPEARANCE_GROUPS)]


@dataclass(frozen=True, kw_only=True)
class SharedLatentModel:
    """Means (classes, parameters), loadings (parameters, traits) and own noise (parameters,) of both sides."""

    face_means: np.ndarray
    face_loadings: np.ndarray
    face_noise_std: np.ndarray
    voice_means: np.ndarray
    voice_loadings: np.ndarray
    voice_noise_std: np.ndarray

    @property
    def class_count(self) -> int:
        """Number of equally likely classes."""
        return len(self.face_means)

    def sample(self, person_class: int, stream: np.random.Generator) -> LatentIdentity:
        """Draw one person of a class."""
        traits = stream.standard_normal(self.face_loadings.shape[1:])
        face_noise = stream.normal(size=len(self.face_noise_std)) * self.face_noise_std
        voice_noise = stream.normal(size=len(self.voice_noise_std)) * self.voice_noise_std
        return LatentIdentity(
            person_class=person_class,
            traits=traits,
            face=self.face_means[person_class] + self.face_loadings @ traits + face_noise,
            voice=self.voice_means[person_class] + self.voice_loadings @ traits + voice_noise,
        )

    def log_likelihood_ratio(self, faces: np.ndarray, voices: np.ndarray) -> np.ndarray:
        """Exact log p(face, voice | one person) − log p(face) p(voice), natural logarithm.

        faces: shape (trials, face parameters); voices: (trials, voice parameters). Returns (trials,).
        """
        face_covariance = _covariance(self.face_loadings, self.face_noise_std)
        voice_covariance = _covariance(self.voice_loadings, self.voice_noise_std)
        cross_covariance = self.face_loadings @ self.voice_loadings.T
        joint_covariance = np.block(
            [[face_covariance, cross_covariance], [cross_covariance.T, voice_covariance]]
        )
        joint, face_alone, voice_alone = [], [], []
        for face_mean, voice_mean in zip(self.face_means, self.voice_means, strict=True):
            face_deviations, voice_deviations = faces - face_mean, voices - voice_mean
            joint.append(
                _gaussian_log_density(np.hstack([face_deviations, voice_deviations]), joint_covariance)
            )
            face_alone.append(_gaussian_log_density(face_deviations, face_covariance))
            voice_alone.append(_gaussian_log_density(voice_deviations, voice_covariance))
        return np.asarray(
            logsumexp(joint, axis=0)
            - logsumexp(face_alone, axis=0)
            - logsumexp(voice_alone, axis=0)
            + np.log(self.class_count)
        )


def standard_model() -> SharedLatentModel:
    """The model of the generated world: Bayes-optimal EER about 12.9 %, 19 % within a sex."""
    face_loadings = _table(_FACE_LOADINGS, FACE_PARAMETERS, len(TRAITS))
    voice_loadings = _table(_VOICE_LOADINGS, VOICE_PARAMETERS, len(TRAITS))
    return SharedLatentModel(
        face_means=_class_means(FACE_PARAMETERS, _FACE_GROUP_MEANS, _FACE_SEX_SHIFTS),
        face_loadings=face_loadings,
        face_noise_std=np.sqrt(1 - (face_loadings**2).sum(axis=1)),
        voice_means=_class_means(VOICE_PARAMETERS, _VOICE_GROUP_MEANS, _VOICE_SEX_SHIFTS),
        voice_loadings=voice_loadings,
        voice_noise_std=np.sqrt(1 - (voice_loadings**2).sum(axis=1)),
    )


def sample_balanced(
    model: SharedLatentModel, count: int, stream: np.random.Generator
) -> list[LatentIdentity]:
    """Draw `count` people whose classes are as equally frequent as `count` allows, in random order."""
    rounds = -(-count // model.class_count)
    classes = np.concatenate([stream.permutation(model.class_count) for _ in range(rounds)])[:count]
    return [model.sample(int(person_class), stream) for person_class in stream.permutation(classes)]


def equal_error_rate(same_person_scores: np.ndarray, different_person_scores: np.ndarray) -> float:
    """EER, from 0 to 1, of scores where HIGHER means the same person (log-likelihood ratios)."""
    thresholds = np.unique(np.concatenate([same_person_scores, different_person_scores]))
    misses = np.searchsorted(np.sort(same_person_scores), thresholds) / len(same_person_scores)
    false_alarms = 1 - np.searchsorted(np.sort(different_person_scores), thresholds) / len(
        different_person_scores
    )
    crossing = int(np.argmin(np.abs(misses - false_alarms)))
    return float(misses[crossing] + false_alarms[crossing]) / 2


def _covariance(loadings: np.ndarray, noise_std: np.ndarray) -> np.ndarray:
    return np.asarray(loadings @ loadings.T + np.diag(noise_std**2))


def _gaussian_log_density(deviations: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    factor = np.linalg.cholesky(covariance)
    whitened = solve_triangular(factor, deviations.T, lower=True)
    log_normaliser = np.log(np.diag(factor)).sum() + len(covariance) / 2 * np.log(2 * np.pi)
    return np.asarray(-(whitened**2).sum(axis=0) / 2 - log_normaliser)


def _table(rows: Mapping[str, Sequence[float]], names: Sequence[str], width: int) -> np.ndarray:
    return np.array([rows.get(name, (0.0,) * width) for name in names])


def _class_means(
    names: Sequence[str], group_means: Mapping[str, Sequence[float]], sex_shifts: Mapping[str, float]
) -> np.ndarray:
    groups = _table(group_means, names, len(APPEARANCE_GROUPS)).T
    shifts = np.array([sex_shifts.get(name, 0.0) for name in names])
    return np.concatenate([groups - shifts, groups + shifts])
