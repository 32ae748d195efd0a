"""Run train.py several times within the processes that torchrun has started: python -m torch.distributed.run … RUNS.

RUNS is a JSON file, a list of {"arguments": words after train.py, "stop_in_epoch": number or null}.
"""

import contextlib
import json
import runpy
import sys
from pathlib import Path
from unittest import mock

from src.training.association_loop import AssociationLoop
from src.training.processes import process_group

ROOT = Path(__file__).resolve().parents[2]


def main():
    # Joined once: torchrun's store would hand a second group the addresses of the first.
    with process_group("cpu"):
        train_all()


def train_all():
    for run in json.loads(Path(sys.argv[1]).read_text("utf-8")):
        sys.argv = ["train.py", *run["arguments"]]
        with stopped_in(run["stop_in_epoch"]):
            try:
                runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
            except SystemExit as end:
                assert end.code == (130 if run["stop_in_epoch"] else 0), f"{run}: exit status {end.code}"


@contextlib.contextmanager
def stopped_in(epoch):
    """As if somebody pressed Ctrl-C in this epoch."""
    if epoch is None:
        yield
        return
    train = AssociationLoop._train

    def interrupted(loop, *arguments):
        if loop.epoch + 1 == epoch:
            raise KeyboardInterrupt
        return train(loop, *arguments)

    with mock.patch.object(AssociationLoop, "_train", interrupted):
        yield


if __name__ == "__main__":
    main()
