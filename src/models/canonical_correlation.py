"""Linear canonical correlation of two modalities over identities, with shrinkage by held-out identities.

Directions u_k, v_k make the correlation of u_kᵀ x and v_kᵀ y over identities largest (Hotelling, 1936). With
about as many identities as numbers in an embedding almost any direction correlates by chance, so that

- each modality is first reduced to its principal components, whitened with shrunk variances;
- each direction's correlation r_k is measured on identities that took no part in the fit, and the direction is
  scaled by r_k: what does not hold for strangers is switched off.

On the way the directions are found on identities' means, and scaled by the spread of single recordings.
"""

from dataclasses import dataclass

import numpy as np

FOLDS = 5
HIGHEST_CORRELATION = 0.95


@dataclass(frozen=True)
class AlignmentSettings:
    """How the alignment is fitted.

    components: canonical directions kept, k.
    principal_components: numbers kept of each modality before.
    shrinkage: added to each principal variance before whitening, as a share of their mean.
    """

    components: int
    principal_components: int
    shrinkage: float


@dataclass(frozen=True)
class AffineMap:
    """x → (x − mean) @ projection. mean: (D,). projection: (D, k)."""

    mean: np.ndarray
    projection: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """vectors: (..., D). Returns (..., k)."""
        return (vectors - self.mean) @ self.projection


@dataclass(frozen=True)
class Alignment:
    """Maps of both modalities into one space, and how far each of its directions holds for strangers.

    voice, face: affine maps to (k,); over single items each direction has the standard deviation r_k.
    correlations: r, (k,), of identities that took no part in a fit; 0 to HIGHEST_CORRELATION.
    """

    voice: AffineMap
    face: AffineMap
    correlations: np.ndarray


@dataclass(frozen=True)
class IdentityItems:
    """Items of one modality: vectors (items, D), float64, and identities (items,), 0 to n − 1, none missing."""

    vectors: np.ndarray
    identities: np.ndarray

    def means(self) -> np.ndarray:
        """Mean vector of each identity, (n, D)."""
        counts = np.bincount(self.identities)
        sums = np.zeros((len(counts), self.vectors.shape[1]))
        np.add.at(sums, self.identities, self.vectors)
        return sums / counts[:, None]

    def of(self, chosen: np.ndarray) -> "IdentityItems":
        """Items of the identities that the mask `chosen` (n,) keeps, renumbered."""
        kept = chosen[self.identities]
        renumbered = np.cumsum(chosen) - 1
        return IdentityItems(self.vectors[kept], renumbered[self.identities[kept]])


def fit_alignment(voices: IdentityItems, faces: IdentityItems, settings: AlignmentSettings) -> Alignment:
    """Fit both maps on all identities, and their correlations by leaving out one fold of them after the other.

    Both modalities number the same identities. k is at most the number of identities in a fit less 1.
    """
    voice, face = _canonical_maps(voices, faces, settings)
    correlations = held_out_correlations(voices, faces, settings, voice.projection.shape[1])
    return Alignment(
        _rescaled(voice, voices.vectors, correlations),
        _rescaled(face, faces.vectors, correlations),
        correlations,
    )


def held_out_correlations(
    voices: IdentityItems, faces: IdentityItems, settings: AlignmentSettings, components: int
) -> np.ndarray:
    """Mean over folds of each direction's correlation over the left-out identities, (components,).

    Identity i belongs to fold i mod 5. Negative means count as 0.
    """
    voice_means, face_means = voices.means(), faces.means()
    fold = np.arange(len(voice_means)) % FOLDS
    found = np.zeros((FOLDS, components))
    for number in range(FOLDS):
        left_out = fold == number
        maps = _canonical_maps(voices.of(~left_out), faces.of(~left_out), settings)
        left, right = (
            _standardised(m(x[left_out])) for m, x in zip(maps, (voice_means, face_means), strict=True)
        )
        width = min(components, left.shape[1])
        found[number, :width] = (left * right).mean(0)[:width]
    return np.clip(found.mean(0), 0.0, HIGHEST_CORRELATION)


def _canonical_maps(
    voices: IdentityItems, faces: IdentityItems, settings: AlignmentSettings
) -> tuple[AffineMap, AffineMap]:
    whiteners = [_whitener(items.vectors, settings) for items in (voices, faces)]
    left, right = (map_(items.means()) for map_, items in zip(whiteners, (voices, faces), strict=True))
    left, right = left - left.mean(0), right - right.mean(0)
    left_directions, _, right_directions = np.linalg.svd(left.T @ right / len(left))
    width = min(settings.components, len(left) - 1, left.shape[1], right.shape[1])
    return (
        AffineMap(whiteners[0].mean, whiteners[0].projection @ left_directions[:, :width]),
        AffineMap(whiteners[1].mean, whiteners[1].projection @ right_directions[:width].T),
    )


def _whitener(vectors: np.ndarray, settings: AlignmentSettings) -> AffineMap:
    mean = vectors.mean(0)
    variances, directions = np.linalg.eigh(np.cov(vectors - mean, rowvar=False))
    width = min(settings.principal_components, len(vectors) - 1, len(variances))
    variances, directions = variances[::-1][:width], directions[:, ::-1][:, :width]
    floor = settings.shrinkage * variances.mean() + np.finfo(np.float64).tiny
    return AffineMap(mean, directions / np.sqrt(np.maximum(variances, 0.0) + floor))


def _rescaled(map_: AffineMap, vectors: np.ndarray, deviations: np.ndarray) -> AffineMap:
    spread = map_(vectors).std(0)
    return AffineMap(map_.mean, map_.projection / np.maximum(spread, np.finfo(np.float64).tiny) * deviations)


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(0)
    return centred / np.maximum(centred.std(0), np.finfo(np.float64).tiny)
