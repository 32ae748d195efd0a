"""A picture of one conversation: its spectrogram, who speaks when by each opinion, and what is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from src.artifacts.turns import SpeakerTurn
from src.core.files import atomic_path
from src.media.audio import SAMPLE_RATE_HZ
from src.media.frames import FRAME_SAMPLES, frame_count, frames_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST_PLOT_SECONDS = 300.0
# Okabe and Ito, "Color universal design", 2008: told apart by the colour-blind too
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
OTHER_COLOUR, KEPT_COLOUR = "#999999", "#000000"
_MOST_LANES = len(COLOURS)  # speakers beyond share the last lane
_FFT_SAMPLES, _COLUMNS, _RANGE_DB = 512, 2000, 60.0
_LOUD_PERCENTILE = 99.8
_WIDTH_INCHES, _SPECTROGRAM_INCHES, _LANE_INCHES, _DOTS_PER_INCH = 13.0, 2.6, 0.24, 110

Span = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One row of a plot: who, in which colour, and when."""

    label: str
    colour: str
    spans: list[Span]


def plot_conversation(
    path: Path,
    title: str,
    samples: np.ndarray,
    opinions: Mapping[str, Sequence[SpeakerTurn]],
    kept: Sequence[Span],
    longest_seconds: float = LONGEST_PLOT_SECONDS,
) -> None:
    """Write a PNG of a recording (samples,) at 16 kHz.

    opinions: turns under the name of who found them, drawn from top to bottom; the first ones, as the truth,
        set the colours, and each speaker of the others takes the colour of whom they share most time with.
    kept: what is kept of the recording.
    longest_seconds: of a longer recording its beginning is shown, and the title says so.
    """
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}):  # names may hold dollar signs
        figure = _figure(title, samples, opinions, kept, longest_seconds)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DOTS_PER_INCH, format="png")


def _figure(
    title: str,
    samples: np.ndarray,
    opinions: Mapping[str, Sequence[SpeakerTurn]],
    kept: Sequence[Span],
    longest_seconds: float,
) -> "Figure":
    from matplotlib.figure import Figure

    seconds = len(samples) / SAMPLE_RATE_HZ
    shown_seconds = min(seconds, longest_seconds)
    reference = next(iter(opinions.values()), ())
    tracks = {name: speaker_lanes(turns, reference) for name, turns in opinions.items()}
    tracks["kept"] = [Lane(label="", colour=KEPT_COLOUR, spans=list(kept))]
    heights = [_SPECTROGRAM_INCHES, *(_LANE_INCHES * (max(1, len(lanes)) + 0.4) for lanes in tracks.values())]
    figure = Figure(figsize=(_WIDTH_INCHES, sum(heights) + 1.1), layout="constrained")
    spectrogram_axes, *track_axes = figure.subplots(len(heights), sharex=True, height_ratios=heights)
    _draw_spectrogram(spectrogram_axes, samples[: round(shown_seconds * SAMPLE_RATE_HZ)], shown_seconds)
    for axes, (name, lanes) in zip(track_axes, tracks.items(), strict=True):
        _draw_lanes(axes, name, lanes)
    if shown_seconds < seconds:
        title += f"  ·  the first {shown_seconds / 60:.3g} of {seconds / 60:.3g} minutes"
    figure.suptitle(title, fontsize=11)
    track_axes[-1].set_xlabel("time (s)")
    track_axes[-1].set_xlim(0, shown_seconds)
    return figure


def speaker_lanes(turns: Sequence[SpeakerTurn], reference: Sequence[SpeakerTurn]) -> list[Lane]:
    """A lane for each speaker, by falling talk; the least of many share the last one."""
    colours = dict(zip(_by_talk(reference), COLOURS, strict=False))
    partners = _partners(turns, reference)
    free = iter(
        [colour for colour in COLOURS if colour not in {colours.get(name) for name in partners.values()}]
    )
    names = _by_talk(turns)
    lanes = [
        Lane(
            label=name,
            colour=colours.get(partners.get(name, ""), "") or next(free, OTHER_COLOUR),
            spans=_spans(turns, [name]),
        )
        for name in names[:_MOST_LANES]
    ]
    rest = names[_MOST_LANES:]
    return lanes + (
        [Lane(label=f"{len(rest)} others", colour=OTHER_COLOUR, spans=_spans(turns, rest))] if rest else []
    )


def _by_talk(turns: Sequence[SpeakerTurn]) -> list[str]:
    talk: dict[str, float] = {}
    for turn in turns:
        talk[turn.speaker] = talk.get(turn.speaker, 0.0) + turn.duration_seconds
    return sorted(talk, key=lambda name: (-talk[name], name))


def _spans(turns: Sequence[SpeakerTurn], names: Sequence[str]) -> list[Span]:
    return [(turn.start_seconds, turn.end_seconds) for turn in turns if turn.speaker in names]


def _partners(turns: Sequence[SpeakerTurn], reference: Sequence[SpeakerTurn]) -> dict[str, str]:
    """Speakers to speakers of the reference, one to one, so that they share as much time as can be."""
    names, others = _by_talk(turns), _by_talk(reference)
    shared = _activity(turns, names) @ _activity(reference, others).T
    pairs = zip(*linear_sum_assignment(-shared), strict=True)
    return {names[row]: others[column] for row, column in pairs if shared[row, column] > 0}


def _activity(turns: Sequence[SpeakerTurn], names: Sequence[str]) -> np.ndarray:
    """Who of `names` speaks in which 10 ms frame of what a plot may show: (names, frames) float32."""
    active = np.zeros((len(names), frames_of(LONGEST_PLOT_SECONDS)), np.float32)
    for turn in turns:
        active[names.index(turn.speaker), frames_of(turn.start_seconds) : frames_of(turn.end_seconds)] = 1
    return active


def spectrogram_db(samples: np.ndarray) -> np.ndarray:
    """Power of a recording (samples,) below that of its loud speech, dB: (257 bins to 8 kHz, at most 2000 columns)."""
    frames = max(1, frame_count(len(samples)))
    padded = np.zeros((frames - 1) * FRAME_SAMPLES + _FFT_SAMPLES, np.float32)
    padded[: len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::FRAME_SAMPLES]
    edges = np.unique(np.linspace(0, frames, min(frames, _COLUMNS) + 1).round().astype(int))
    taper = np.hanning(_FFT_SAMPLES).astype(np.float32)
    power = np.stack(
        [
            np.square(np.abs(np.fft.rfft(windows[first:last] * taper))).mean(axis=0)
            for first, last in pairwise(edges)
        ],
        axis=1,
    )
    loud = max(float(np.percentile(power, _LOUD_PERCENTILE)), 1e-20)  # the highest may be hum or a knock
    return np.asarray(10 * np.log10(np.maximum(power, 1e-20) / loud))


def _draw_spectrogram(axes: "Axes", samples: np.ndarray, seconds: float) -> None:
    axes.imshow(
        spectrogram_db(samples),
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, SAMPLE_RATE_HZ / 2000),
        cmap="magma",
        vmin=-_RANGE_DB,
        vmax=0,
        interpolation="nearest",
    )
    axes.set_ylabel("frequency (kHz)")
    axes.tick_params(labelbottom=False)


def _draw_lanes(axes: "Axes", name: str, lanes: Sequence[Lane]) -> None:
    for row, lane in enumerate(lanes):
        bars = [(start, end - start) for start, end in lane.spans]
        axes.broken_barh(bars, (row - 0.4, 0.8), facecolors=lane.colour, linewidth=0)
    axes.set_ylim(max(1, len(lanes)) - 0.3, -0.7)
    axes.set_yticks(range(len(lanes)), [lane.label for lane in lanes], fontsize=8)
    axes.set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
    axes.grid(axis="x", linewidth=0.4, color="#bbbbbb")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
