"""Colours of people, RGB 0 to 255."""

import numpy as np

SKIN_COLOURS = np.array(
    [[236, 200, 178], [224, 180, 150], [203, 152, 118], [172, 120, 86], [128, 84, 58], [92, 60, 44]],
    np.float32,
)
HAIR_COLOURS = np.array(
    [[24, 20, 18], [48, 34, 26], [88, 60, 38], [150, 108, 62], [206, 168, 108], [140, 62, 34]], np.float32
)
GREY_HAIR = np.array([150, 148, 146], np.float32)
IRIS_COLOURS = np.array([[62, 38, 24], [74, 108, 120], [92, 104, 58]], np.float32)
EYE_WHITE = np.array([226, 216, 208], np.float32)
TEETH = np.array([226, 220, 208], np.float32)
LIPSTICK = np.array([168, 40, 52], np.float32)
LIP_OF_SKIN = np.array([0.86, 0.58, 0.56], np.float32)
GLASSES_FRAME = np.array([28, 26, 30], np.float32)


def skin_colour(tone: float) -> np.ndarray:
    """Colour between the two nearest of SKIN_COLOURS; `tone` from 0 to 5."""
    index = int(min(tone, 4.999))
    share = np.float32(min(tone, 4.999) - index)
    return np.asarray(SKIN_COLOURS[index] * (1 - share) + SKIN_COLOURS[index + 1] * share)


def hair_colour(index: int, age_years: float) -> np.ndarray:
    """Hair that greys from 45 years on."""
    grey = np.float32(np.clip((age_years - 45) / 25, 0, 1) * 0.85)
    return np.asarray(HAIR_COLOURS[index] * (1 - grey) + GREY_HAIR * grey)


def random_colour(
    stream: np.random.Generator, highest_saturation: float, darkest: float = 30, lightest: float = 230
) -> np.ndarray:
    """A colour of clothes and things, float32 RGB."""
    value, hue = stream.uniform(darkest, lightest), stream.random()
    saturation = stream.uniform(0, highest_saturation)
    wheel = np.abs(((hue + np.array([0, 1 / 3, 2 / 3])) % 1) * 6 - 3) - 1
    return np.asarray(value * (1 - saturation * np.clip(wheel, 0, 1)), dtype=np.float32)
