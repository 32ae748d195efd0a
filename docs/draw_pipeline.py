"""Draws docs/pipeline.png, the README's picture, from a finished demo.

python -m docs.draw_pipeline demo_output
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, FancyBboxPatch, Rectangle

from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.turns import read_turns
from src.core.stage import read_parts
from src.media.audio import SAMPLE_RATE_HZ, read_audio
from src.media.image import read_image

matplotlib.use("Agg")
KEPT, OTHERS, QUIET, INK = "#0f766e", "#d97706", "#9ca3af", "#111827"


def main() -> None:
    """Draw the picture of one training person with an interviewer and a bystander."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="folder that `make demo` wrote")
    demo = parser.parse_args().demo
    work = demo / "work"
    voice, face = choose_example(work)
    figure = Figure(figsize=(15, 5.6), dpi=110, facecolor="white")
    grid = figure.add_gridspec(
        2,
        4,
        width_ratios=[2.6, 1.7, 1.5, 1.6],
        hspace=0.42,
        wspace=0.22,
        left=0.02,
        right=0.985,
        top=0.9,
        bottom=0.06,
    )
    axes = {(row, column): figure.add_subplot(grid[row, column]) for row in (0, 1) for column in (0, 1, 2)}
    draw_conversation(axes[0, 0], demo / "world" / "dataset" / voice, work, voice)
    draw_clean(axes[0, 1], work, voice)
    draw_photograph(axes[1, 0], demo / "world" / "dataset" / face, work, face)
    axes[1, 1].imshow(read_image(work / "face" / "crops" / face))
    axes[1, 1].set_title("the right face, found by MTCNN", fontsize=11)
    for row, (modality, key, name) in enumerate(
        (("voice", voice, "ECAPA-TDNN"), ("face", face, "face network"))
    ):
        draw_tokens(
            axes[row, 2], EmbeddingStore.open(work / "features" / modality).tokens(key), f"{name}: tokens"
        )
    head = figure.add_subplot(grid[:, 3])
    draw_head(head)
    for row in (0, 1):
        connect(figure, axes[row, 0], axes[row, 1])
        connect(figure, axes[row, 1], axes[row, 2])
        connect(figure, axes[row, 2], head, end=(0.02, 0.72 if row == 0 else 0.28))
    for axis in axes.values():
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(Path("docs/pipeline.png"))


def choose_example(work: Path) -> tuple[str, str]:
    """The first training recording with other speakers, and a photograph of that person with a bystander."""
    voices = read_parts(work / "voice" / "manifest").to_pandas()
    faces = read_parts(work / "face" / "manifest").to_pandas()
    voices = voices[(voices["status"] == "done") & (voices["speakers"] >= 2) & (voices["split"] == "train")]
    crowded = faces[(faces["status"] == "done") & (faces["face_count"] >= 2) & (faces["split"] == "train")]
    both = voices.merge(crowded, on="identity", suffixes=("_voice", "_face"))
    share = both["kept_seconds"] / both["duration_seconds"]
    example = both.iloc[int((share - 0.6).abs().argmin())]
    return str(example["key_voice"]), str(example["key_face"])


def draw_conversation(axis: Axes, path: Path, work: Path, key: str) -> None:
    """The raw waveform, coloured by who speaks."""
    samples = read_audio(path)
    time_seconds = np.arange(len(samples)) / SAMPLE_RATE_HZ
    axis.plot(time_seconds, samples, color=QUIET, linewidth=0.4)
    turns = read_turns(work / "voice" / "turns" / f"{key}.rttm")
    talk = pd.Series({turn.speaker: 0.0 for turn in turns})
    for turn in turns:
        talk[turn.speaker] += turn.duration_seconds
    for turn in turns:
        span = slice(round(turn.start_seconds * SAMPLE_RATE_HZ), round(turn.end_seconds * SAMPLE_RATE_HZ))
        colour = KEPT if turn.speaker == talk.idxmax() else OTHERS
        axis.plot(time_seconds[span], samples[span], color=colour, linewidth=0.5)
    axis.set_title("a recording: who speaks when", fontsize=11)
    axis.margins(x=0)


def draw_clean(axis: Axes, work: Path, key: str) -> None:
    """The kept, cleaned speech."""
    samples = read_audio(work / "voice" / "clean" / key)
    axis.plot(np.arange(len(samples)), samples, color=KEPT, linewidth=0.4)
    axis.set_title("the main speaker, Wiener-cleaned", fontsize=11)
    axis.margins(x=0)


def draw_photograph(axis: Axes, path: Path, work: Path, key: str) -> None:
    """The raw photograph with every face that was found."""
    axis.imshow(read_image(path))
    found = read_parts(work / "face" / "detections").to_pandas()
    for box in found[found["key"] == key].itertuples():
        colour = KEPT if box.chosen else OTHERS
        size = (box.right - box.left, box.bottom - box.top)
        axis.add_patch(Rectangle((box.left, box.top), *size, fill=False, edgecolor=colour, linewidth=2.5))
    axis.set_title("a photograph: whom it is about", fontsize=11)


def draw_tokens(axis: Axes, tokens: np.ndarray, title: str) -> None:
    """Vectors as rows of colour."""
    axis.imshow(
        tokens / np.abs(tokens).max(), aspect="auto", cmap="PuOr", vmin=-1, vmax=1, interpolation="nearest"
    )
    axis.set_title(title, fontsize=11)


def draw_head(axis: Axes) -> None:
    """The association head as a box."""
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)
    axis.axis("off")
    box = FancyBboxPatch(
        (0.06, 0.08), 0.9, 0.84, boxstyle="round,pad=0.02", facecolor="#ecfdf5", edgecolor=KEPT, linewidth=1.8
    )
    axis.add_patch(box)
    lines = (
        (0.80, "voice attends to face"),
        (0.70, "face attends to voice"),
        (0.55, "gated fusion"),
        (0.42, "FOP loss in training"),
        (0.22, "score\nlower = same person"),
    )
    for height, text in lines:
        weight = "bold" if text.startswith("score") else "normal"
        axis.text(0.51, height, text, ha="center", va="center", fontsize=12, color=INK, weight=weight)


def connect(figure: Figure, left: Axes, right: Axes, end: tuple[float, float] = (-0.02, 0.5)) -> None:
    """An arrow from the right edge of one panel to another."""
    arrow = ConnectionPatch(
        (1.01, 0.5),
        end,
        "axes fraction",
        "axes fraction",
        axesA=left,
        axesB=right,
        arrowstyle="-|>",
        mutation_scale=14,
        color=INK,
    )
    figure.add_artist(arrow)


if __name__ == "__main__":
    main()
