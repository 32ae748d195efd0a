"""The light of a photograph, the same for everybody in it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Light:
    """direction: towards the light, a unit vector (3,). ambient: share of light from everywhere."""

    direction: np.ndarray
    ambient: float

    @property
    def half_way(self) -> np.ndarray:
        """Unit vector between the light and the camera, for gloss (Blinn, SIGGRAPH 1977)."""
        half = self.direction + np.array([0, 0, 1], np.float32)
        return np.asarray(half / np.linalg.norm(half), dtype=np.float32)


def draw_light(stream: np.random.Generator) -> Light:
    """From the front, mostly from above."""
    azimuth, elevation = stream.uniform(-1.0, 1.0), stream.uniform(-0.1, 0.9)
    direction = np.array(
        [np.sin(azimuth), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation) + 0.35], np.float32
    )
    return Light(direction=direction / np.linalg.norm(direction), ambient=float(stream.uniform(0.35, 0.6)))
