"""A reliability plot: what was predicted against what came true."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from src.core.errors import ConfigError
from src.core.files import atomic_path
from src.metrics.calibration import Reliability

_SUFFIXES = (".png", ".svg")


def write_reliability_plot(path: Path, points: Reliability, system: str, trials: str) -> None:
    """Draw the points of `src.metrics.calibration.reliability`, atomically.

    system, trials: what the title says of whose probabilities they are, and on what. Raises ConfigError for a suffix
    that is neither .png nor .svg.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f"--plot {path}: is drawn as {' or '.join(_SUFFIXES)}; name it so")
    figure = Figure(figsize=(5, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    above.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="perfect")
    above.plot(points.predicted, points.observed, color="#005f73", marker="o", label="measured")
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of same-person pairs")
    above.set_title(f"{system}\n{trials}", fontsize=9)
    above.legend(loc="upper left", frameon=False)
    below.bar(points.predicted, 100 * points.weights, width=0.06, color="#005f73")
    below.set(xlabel="predicted probability of one person", ylabel="% of weight")
    with atomic_path(path) as temporary, mpl.rc_context({"svg.hashsalt": "voxface"}):
        figure.savefig(temporary, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
