"""A voice to listen to and to look at: sound, spectrogram, and what the face looked at in it."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from PIL import Image
from scipy.signal import ShortTimeFFT

from src.artifacts.embedding_store import WINDOW
from src.artifacts.voice_windows import stored_window_starts
from src.media.audio import SAMPLE_RATE_HZ
from src.media.inline import audio_data_address, image_data_address
from src.scoring.report.model_view import ModelView

EXCERPT_SECONDS = 8.0
_FRAME_SAMPLES, _HOP_SAMPLES = 512, 160  # 32 ms and 10 ms
_FLOOR_DB = -70.0
_HEADROOM = 1.5  # so that bars of equal height stand beside the line of equal shares, not under the edge
_SAME_WITHIN = 0.05  # relative to the equal share
_SPECTROGRAM_PIXELS = (320, 96)


@dataclass(frozen=True)
class AttentionWindow:
    """A window of the voice: its start and length, and its share of all that the face looked at, 0 to 1."""

    start_seconds: float
    seconds: float
    share: float


@dataclass(frozen=True)
class Attention:
    """What the face looked at. whole: share of the whole utterance's vector. alike: share if all were looked at alike."""

    whole: float
    alike: float
    windows: list[AttentionWindow]

    @property
    def strongest(self) -> AttentionWindow | None:
        """The window that was looked at most; None where the recording has none."""
        return max(self.windows, key=lambda window: window.share, default=None)

    @property
    def is_even(self) -> bool:
        """Whether no window's share differs from the equal share by more than a twentieth of it."""
        return all(abs(window.share / self.alike - 1) <= _SAME_WITHIN for window in self.windows)


@dataclass(frozen=True)
class Bar:
    """A bar of the drawing, in per cent of its width and height."""

    left: float
    width: float
    height: float


@dataclass(frozen=True)
class VoiceExcerpt:
    """Some seconds of a voice, those with the window that was looked at most.

    sound, spectrogram: `data:` addresses. start_seconds, seconds: of the excerpt. total_seconds: of the recording.
    attention: None for a model without. bars: of the windows in the excerpt; alike: height of the share if all were alike.
    """

    sound: str
    spectrogram: str
    start_seconds: float
    seconds: float
    total_seconds: float
    attention: Attention | None
    bars: list[Bar]
    alike: float


def voice_attention(view: ModelView, voice: str, face: str, length: int) -> Attention | None:
    """What the face of a pair looks at in the voice (keys), placed in a recording of `length` samples.

    None for a model without attention, and where the store does not say how its windows were cut.
    """
    shares = view.attention(voice, face)
    if shares is None:
        return None
    try:
        starts, window = stored_window_starts(length, SAMPLE_RATE_HZ, view.voice_settings())
    except KeyError:
        return None
    store = view.scorer.stores.voice
    first = int(store.items["first"].to_numpy()[store.items.index.get_loc(voice)])
    is_window = store.token_kinds[first : first + len(shares)] == WINDOW
    if int(is_window.sum()) != len(starts):
        return None
    windows = [
        AttentionWindow(start / SAMPLE_RATE_HZ, window / SAMPLE_RATE_HZ, float(share))
        for start, share in zip(starts.tolist(), shares[is_window], strict=True)
    ]
    return Attention(float(shares[~is_window].sum()), 1 / len(shares), windows)


def voice_excerpt(samples: np.ndarray, attention: Attention | None) -> VoiceExcerpt:
    """samples: the clean recording at SAMPLE_RATE_HZ."""
    total = len(samples) / SAMPLE_RATE_HZ
    start = _excerpt_start(total, None if attention is None else attention.strongest)
    shown = samples[round(start * SAMPLE_RATE_HZ) :][: round(EXCERPT_SECONDS * SAMPLE_RATE_HZ)]
    seconds = len(shown) / SAMPLE_RATE_HZ
    bars, alike = ([], 0.0) if attention is None else _bars(attention, start, seconds)
    width, height = _SPECTROGRAM_PIXELS
    return VoiceExcerpt(
        sound=audio_data_address(shown, SAMPLE_RATE_HZ),
        spectrogram=image_data_address(spectrogram_pixels(shown, width, height), width),
        start_seconds=start,
        seconds=seconds,
        total_seconds=total,
        attention=attention,
        bars=bars,
        alike=alike,
    )


def spectrogram_pixels(samples: np.ndarray, width: int, height: int) -> np.ndarray:
    """Power of 0 to 8 kHz (upwards) over time, the loudest 70 dB, as RGB uint8 (height, width, 3)."""
    window = np.hanning(_FRAME_SAMPLES)
    padded = np.pad(samples, (0, max(0, _FRAME_SAMPLES - len(samples))))
    transform = ShortTimeFFT(window, _HOP_SAMPLES, SAMPLE_RATE_HZ)
    power = transform.spectrogram(
        padded.astype(np.float64), p0=0, p1=transform.upper_border_begin(len(padded))[1]
    )
    level_db = 10 * np.log10(power / max(power.max(), 1e-12) + 1e-12)
    shade = np.clip(1 - level_db / _FLOOR_DB, 0, 1)[::-1]
    colours = matplotlib.colormaps["magma"](shade, bytes=True)[..., :3]
    image = Image.fromarray(np.ascontiguousarray(colours)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(image)


def _excerpt_start(total: float, strongest: AttentionWindow | None) -> float:
    if strongest is None or total <= EXCERPT_SECONDS:
        return 0.0
    centred = strongest.start_seconds + strongest.seconds / 2 - EXCERPT_SECONDS / 2
    return float(np.clip(centred, 0.0, total - EXCERPT_SECONDS))


def _bars(attention: Attention, start: float, seconds: float) -> tuple[list[Bar], float]:
    """A bar in the middle of each window, as wide as windows lie apart, so that overlapping ones do not hide each other."""
    strongest = attention.strongest
    if strongest is None:
        return [], 0.0
    apart = np.diff([window.start_seconds for window in attention.windows])
    width = float(apart.min()) if len(apart) else strongest.seconds
    tallest = max(strongest.share, _HEADROOM * attention.alike)
    bars = []
    for window in attention.windows:
        left = window.start_seconds + (window.seconds - width) / 2 - start
        right = min(left + width, seconds)
        left = max(left, 0.0)
        if right > left:
            bars.append(
                Bar(100 * left / seconds, 100 * (right - left) / seconds, 100 * window.share / tallest)
            )
    return bars, 100 * attention.alike / tallest
