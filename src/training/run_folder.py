"""What a training leaves besides its checkpoint: environment, log, TensorBoard events, curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from src.artifacts.checkpoints import LOG_FILE
from src.core.files import atomic_path, write_json, write_text
from src.core.provenance import environment

ENVIRONMENT_FILE, CURVES_FILE, EVENTS_FOLDER = "environment.json", "training_curves.png", "tensorboard"
LOSS_SUFFIX = "_loss"
_PLACES = ("member", "epoch", "step")


class RunFolder:
    """OUT of a training, written while it goes on; nothing is written before the first epoch is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._events: dict[int, Any] = {}

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for events in self._events.values():
            events.close()

    def log(self, rows: Sequence[Mapping[str, float]], new: Sequence[Mapping[str, float]]) -> None:
        """Write all rows of the log, and the new ones among them as TensorBoard events, a run a member."""
        self._write_log(pd.DataFrame(rows))
        for row in new:
            events = self._events_of(int(row["member"]), int(row["step"]))
            for name, value in row.items():
                if name not in _PLACES:
                    events.add_scalar(name, value, int(row["step"]))
            events.flush()

    def finish(self, log: pd.DataFrame) -> None:
        """Write the final log, its curves, and what the run was made with."""
        self._write_log(log)
        write_json(self.folder / ENVIRONMENT_FILE, environment())
        draw_curves(log, self.folder / CURVES_FILE)

    def _write_log(self, log: pd.DataFrame) -> None:
        write_text(self.folder / LOG_FILE, log.to_csv(index=False, float_format="%.6g", lineterminator="\n"))

    def _events_of(self, member: int, step: int) -> Any:
        """The open event file of a member; events of a former run from `step` on are void."""
        if member not in self._events:
            from torch.utils.tensorboard import SummaryWriter  # takes a second, and is not needed before

            folder = self.folder / EVENTS_FOLDER / f"member_{member}"
            self._events[member] = SummaryWriter(str(folder), purge_step=step)
        return self._events[member]


def draw_curves(log: pd.DataFrame, path: Path) -> None:
    """A panel for the validation error, the loss, each of its terms and the learning rate; a line a member."""
    from matplotlib.figure import Figure

    terms = [name for name in log.columns if name.endswith(LOSS_SUFFIX)]
    panels = ["validation_eer", *(["loss", *terms, "learning_rate"] if "loss" in log else [])]
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.4 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, name in zip(axes, panels, strict=False):
        for _, of_member in log.groupby("member"):
            axis.plot(of_member["step"], of_member[name], marker=".", linewidth=1)
        axis.set_title(name.removesuffix(LOSS_SUFFIX).replace("_", " "), fontsize=9)
        axis.set_xlabel("step", fontsize=8)
        axis.tick_params(labelsize=7)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
