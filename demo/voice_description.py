"""What a voice is made of, and how espeak-ng is told: a variant file with continuous values."""

from dataclasses import dataclass, replace

import numpy as np

from demo.identity_model import VOICE_PARAMETERS, LatentIdentity

_FORMANT_CENTRES_HZ = np.array([500.0, 1500.0, 2500.0, 3500.0, 4500.0])
_BREATH_WIDTHS_HZ = (150, 150, 200, 200, 400, 400, 600, 600)


@dataclass(frozen=True, kw_only=True)
class VoiceDescription:
    """A voice in physical terms.

    female: whether espeak-ng starts from its female settings.
    pitch_hz: middle of the intonation range.
    intonation_semitones: width of that range.
    tract_length: vocal tract relative to an adult man's; formants scale by its inverse.
    formant_offsets: shape (5,), each formant's own deviation as a log ratio.
    tilt_db_per_octave: slope of the formant heights above 500 Hz; negative is darker.
    breathiness, roughness: 0 to 1.
    words_per_minute: speaking rate.
    consonant_percent: strength of the consonants relative to espeak's own.
    """

    female: bool
    pitch_hz: float
    intonation_semitones: float
    tract_length: float
    formant_offsets: np.ndarray
    tilt_db_per_octave: float
    breathiness: float
    roughness: float
    words_per_minute: float
    consonant_percent: float


def describe_voice(identity: LatentIdentity) -> VoiceDescription:
    """Turn a person's voice parameters (z-scores) into a voice."""
    value = dict(zip(VOICE_PARAMETERS, identity.voice.tolist(), strict=True))
    return VoiceDescription(
        female=value["pitch"] > 0,
        pitch_hz=155.5 * float(np.exp(0.15 * value["pitch"])),
        intonation_semitones=_clip(6.5 + 2 * value["intonation_range"], 1.5, 14),
        tract_length=0.93 * float(np.exp(0.045 * value["tract_length"])),
        formant_offsets=0.05 * np.array([value[f"formant_{number}"] for number in range(1, 6)]),
        tilt_db_per_octave=-2 + 1.5 * value["spectral_tilt"],
        breathiness=_clip(0.25 + 0.15 * value["breathiness"], 0, 1),
        roughness=_clip(0.2 + 0.15 * value["roughness"], 0, 1),
        words_per_minute=_clip(165 + 18 * value["speaking_rate"], 105, 230),
        consonant_percent=_clip(100 + 15 * value["consonant_strength"], 50, 150),
    )


def vary_by_session(voice: VoiceDescription, stream: np.random.Generator) -> VoiceDescription:
    """The same person on another day: mood, health and effort shift the voice a little."""
    return replace(
        voice,
        pitch_hz=voice.pitch_hz * float(np.exp(stream.normal(0, 0.04))),
        words_per_minute=voice.words_per_minute * float(np.exp(stream.normal(0, 0.06))),
        intonation_semitones=voice.intonation_semitones * float(np.exp(stream.normal(0, 0.15))),
        tilt_db_per_octave=voice.tilt_db_per_octave + float(stream.normal(0, 0.7)),
        breathiness=_clip(voice.breathiness + float(stream.normal(0, 0.05)), 0, 1),
        tract_length=voice.tract_length * float(np.exp(stream.normal(0, 0.008))),
    )


def variant_file(voice: VoiceDescription, name: str) -> str:
    """The text of an espeak-ng voice variant (docs/voices.md of espeak-ng) that sounds like `voice`."""
    half_range = 2 ** (voice.intonation_semitones / 24)
    scale = 100 / voice.tract_length
    frequencies = np.rint(scale * np.exp(voice.formant_offsets)).astype(int)
    octaves = np.log2(_FORMANT_CENTRES_HZ / _FORMANT_CENTRES_HZ[0])
    heights = np.clip(100 * 10 ** (voice.tilt_db_per_octave * octaves / 20), 20, 180).astype(int)
    breath = round(12 * voice.breathiness)
    lines = [
        "language variant",
        f"name {name}",
        f"gender {'female' if voice.female else 'male'} 30",
        f"pitch {round(voice.pitch_hz / half_range)} {round(voice.pitch_hz * half_range)}",
        f"formant 0 {round(scale)} 100 100",
    ]
    for number, (frequency, height) in enumerate(zip(frequencies, heights, strict=True), 1):
        lines.append(f"formant {number} {frequency} {height} 100")
    lines += [f"formant {number} {round(scale)} {heights[-1]} 100" for number in (6, 7, 8)]
    lines += [
        f"flutter {round(1 + 14 * voice.roughness)}",
        f"roughness {round(5 * voice.roughness)}",
        f"voicing {round(100 - 45 * voice.breathiness)}",
        f"consonants {int(voice.consonant_percent)} {int(voice.consonant_percent)}",
    ]
    if breath:
        strengths = [0, breath, breath, breath, breath, breath, breath // 2, breath // 2]
        lines.append("breath " + " ".join(map(str, strengths)))
        lines.append("breathw " + " ".join(map(str, _BREATH_WIDTHS_HZ)))
    lines.append("stressAdd 0 0 0 0 0 0 0 0")
    return "\n".join(lines) + "\n"


def _clip(value: float, lowest: float, highest: float) -> float:
    return float(np.clip(value, lowest, highest))
