"""The state of a training that is not over, so that it can go on where it was stopped."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from src.core.errors import TrainingError
from src.core.files import atomic_path

STATE_FILE = "unfinished_training.pt"


class TrainingProgress:
    """OUT/unfinished_training.pt, written after each epoch and removed at the end.

    config: resolved settings; a state of other settings is not gone on with.
    """

    def __init__(self, out: Path, config: Mapping[str, Any]) -> None:
        self.path = out / STATE_FILE
        self._settings = json.dumps(config, sort_keys=True, default=str)

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the state; a kill in between leaves the former one."""
        with atomic_path(self.path) as temporary:
            torch.save({"settings": self._settings, **state}, temporary)

    def load(self) -> dict[str, Any] | None:
        """The state, or None where there is none. Raises TrainingError for one of other settings or a damaged one.

        Nothing in the file is executed: it is read as tensors, numbers and text alone.
        """
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = dict(torch.load(self.path, map_location="cpu", weights_only=True))
        except Exception as error:  # damaged bytes make the parser raise nearly anything
            raise TrainingError(
                f"{self.path}: damaged; remove it to train anew ({type(error).__name__})"
            ) from error
        if state.pop("settings", None) != self._settings:
            raise TrainingError(
                f"{self.path}: the training that was stopped there had other settings. "
                "Give the same ones to go on, remove this file to train anew, or choose another --out."
            )
        return state

    def refuse_unfinished(self) -> None:
        """Raise TrainingError where there is a state, which a training from the start would make worthless."""
        if self.path.is_file():
            raise TrainingError(
                f"{self.path}: a training was stopped there. Go on with --resume, remove this file to train anew, or "
                "choose another --out."
            )

    def remove(self) -> None:
        """Forget the state of a training that is over."""
        self.path.unlink(missing_ok=True)
