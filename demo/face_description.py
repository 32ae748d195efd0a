"""What a face is made of, and what it does in one photograph."""

from dataclasses import dataclass

import numpy as np

from demo.identity_model import FACE_PARAMETERS, LatentIdentity

_SHAPE_LIMIT = 2.4
_OWN_SHAPE_LIMIT = 2.2
# Hair colours from blond to black (indices into HAIR_COLOURS) and the darkness from which each begins.
_HAIR_DARKNESS_STEPS = (-1.9, -1.5, -1.0, -0.3, 0.5)
_HAIR_COLOUR_BY_DARKNESS = (4, 5, 3, 2, 1, 0)


@dataclass(frozen=True, kw_only=True)
class FaceDescription:
    """A face; shapes are z-scores, 0 is average, unless said otherwise.

    femininity: 0 to 1. age_years: apparent age. skin_tone: 0 (lightest) to 4.9.
    hair_colour, hair_style, eye_colour: indices of palettes and cuts.
    beard, moustache, lipstick: 0 to 1; baldness: from 0, bald beyond 0.95.
    usual_smile, usual_brow_raise: the expression that this person mostly has.
    texture_seed: of skin, hair strands and the like.
    """

    face_height: float
    jaw_width: float
    fullness: float
    nose_length: float
    nose_width: float
    lip_thickness: float
    eye_distance: float
    eye_size: float
    mouth_width: float
    cheek_width: float
    chin_length: float
    eye_tilt: float
    eye_height: float
    brow_height: float
    brow_thickness: float
    brow_tilt: float
    nose_height: float
    mouth_height: float
    forehead_height: float
    femininity: float
    age_years: float
    skin_tone: float
    hair_colour: int
    hair_style: int
    eye_colour: int
    beard: float
    moustache: float
    lipstick: float
    baldness: float
    glasses: bool
    usual_smile: float
    usual_brow_raise: float
    texture_seed: int

    @property
    def bald(self) -> bool:
        """Whether there is no hair on top."""
        return self.baldness > 0.95

    @property
    def long_hair(self) -> bool:
        """Whether hair falls behind the neck."""
        return self.femininity > 0.5 and not self.bald

    @property
    def agedness(self) -> float:
        """0 up to 25 years, 1 from 70 on."""
        return float(np.clip((self.age_years - 25) / 45, 0, 1))


@dataclass(frozen=True, kw_only=True)
class Expression:
    """What a face does: smile −0.5 to 1.2, mouth_opening from 0, blink 0 to 0.3, gaze and brow_raise ±1."""

    smile: float = 0.0
    mouth_opening: float = 0.0
    blink: float = 0.0
    gaze: float = 0.0
    brow_raise: float = 0.0


def describe_face(identity: LatentIdentity, stream: np.random.Generator) -> FaceDescription:
    """Turn a person's face parameters into a face; what the model says nothing about is drawn."""
    value = dict(zip(FACE_PARAMETERS, identity.face.tolist(), strict=True))
    femininity = _clip(0.5 + 0.25 * value["sex_appearance"], 0, 1)
    age_years = _clip(43 + 12 * value["apparent_age"], 20, 74)
    skin_tone = _clip(2.3 + 0.75 * value["skin_darkness"], 0, 4.9)
    hair_step = int(np.searchsorted(_HAIR_DARKNESS_STEPS, value["hair_darkness"]))
    own = np.clip(stream.normal(size=9), -_OWN_SHAPE_LIMIT, _OWN_SHAPE_LIMIT).tolist()
    beard = float(stream.choice([0, 0.3, 1.0], p=[0.55, 0.25, 0.2]))
    moustache = max(beard, float(stream.random() < 0.15))
    baldness = max(0.0, float(stream.normal(0.2 + (age_years - 35) / 60, 0.3)))
    lipstick = float(stream.random() * 0.9)
    looks_male = femininity < 0.5
    shapes = {
        name: _clip(value[name], -_SHAPE_LIMIT, _SHAPE_LIMIT)
        for name in FACE_PARAMETERS
        if name in FaceDescription.__dataclass_fields__ and name != "brow_height"
    }
    return FaceDescription(
        **shapes,
        chin_length=own[0],
        eye_tilt=own[1],
        eye_height=own[2],
        brow_height=own[3],
        brow_thickness=own[4],
        brow_tilt=own[5],
        nose_height=own[6],
        mouth_height=own[7],
        forehead_height=own[8],
        femininity=femininity,
        age_years=age_years,
        skin_tone=skin_tone,
        hair_colour=_HAIR_COLOUR_BY_DARKNESS[hair_step],
        hair_style=int(stream.integers(4)),
        eye_colour=int(stream.integers(3)) if skin_tone < 2 else 0,
        beard=beard if looks_male else 0.0,
        moustache=moustache if looks_male else 0.0,
        lipstick=0.0 if looks_male else lipstick,
        baldness=baldness if looks_male else 0.0,
        glasses=bool(stream.random() < 0.15),
        usual_smile=0.15 + 0.4 * value["smile"],
        usual_brow_raise=0.8 * value["brow_height"],
        texture_seed=int(stream.integers(1 << 30)),
    )


def draw_expression(face: FaceDescription, stream: np.random.Generator) -> Expression:
    """An expression around the one that this person mostly has."""
    return Expression(
        smile=_clip(stream.normal(face.usual_smile, 0.22), -0.5, 1.2),
        mouth_opening=max(0.0, float(stream.normal(-0.2, 0.5))),
        blink=_clip(stream.normal(0.02, 0.08), 0, 0.3),
        gaze=float(stream.normal(0, 0.3)),
        brow_raise=float(stream.normal(face.usual_brow_raise, 0.35)),
    )


def _clip(value: float, lowest: float, highest: float) -> float:
    return float(np.clip(value, lowest, highest))
