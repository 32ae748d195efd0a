"""The loop: members in step, one step chosen for all by people held out, resumable to the same bits.

All members advance together; after every `every_steps` steps (an epoch) each is validated on its own fold, and the
weights kept are those of the epoch with the lowest mean equal error rate over the folds. The test lists play no part.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor
from tqdm import tqdm

from src.core.progress import progress_bar
from src.training.association_config import AssociationConfig
from src.training.association_member import LossNotFiniteError, Member
from src.training.people_validation import ValidationResult
from src.training.processes import agreed, is_first_process, random_states, restore_random_state
from src.training.run_folder import LOSS_SUFFIX, RunFolder
from src.training.training_progress import TrainingProgress

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenEpoch:
    """An epoch that may be kept: its number from 1 (0 without training), the members' results, and all weights."""

    number: int
    results: list[ValidationResult]
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class TrainedHead:
    """What a training ends with.

    weights: of all members, at the chosen step, by the names of `build_model`'s parameters.
    log: one row a member and validation. metrics: what was measured at the chosen step.
    failure: which terms stopped being finite, and when; None where all went well.
    """

    weights: dict[str, Tensor]
    log: pd.DataFrame
    metrics: dict[str, Any]
    failure: str | None


class AssociationLoop:
    """Trains all members until the mean validation error stops falling, and keeps the best epoch.

    folder: where logs are written along the way. progress: where the state is kept after every epoch.
    """

    def __init__(
        self,
        members: Sequence[Member],
        config: AssociationConfig,
        folder: RunFolder,
        progress: TrainingProgress,
    ) -> None:
        self.members, self.config = members, config
        self.folder, self.progress = folder, progress
        self.rows: list[dict[str, float]] = []
        self.epoch = self.step = 0
        self.seconds = 0.0
        self.chosen: ChosenEpoch | None = None
        self.failure: str | None = None

    def run(self) -> TrainedHead | None:
        """Train to the end, from where the state says; None when a loss is not finite before any epoch was whole."""
        if self.config.steps == 0:
            self._validate([{} for _ in self.members], 0.0)
        with progress_bar(
            total=self.config.steps * len(self.members),
            description="training",
            unit="step",
            disable=not is_first_process(),
        ) as bar:
            bar.update(self.step * len(self.members))
            while self.step < self.config.steps and not self._patience_is_over():
                started = time.monotonic()
                steps = min(self.config.validation.every_steps, self.config.steps - self.step)
                rate = self.members[0].learning_rate
                terms = self._train(steps, bar)
                if terms is None or not self._validate(terms, rate):
                    break
                bar.set_postfix_str(f"validation EER {self.rows[-1]['validation_eer']:.1%}")
                self.seconds += time.monotonic() - started
                state = self.state_dict()
                if is_first_process():
                    self.progress.save(state)
        if self.chosen is None:
            return None
        number = self.chosen.number
        log = pd.DataFrame(self.rows).assign(chosen=lambda table: (table["epoch"] == number).astype(int))
        return TrainedHead(self.chosen.weights, log, self._metrics(self.chosen), self.failure)

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides what is still to come, as tensors, numbers and text."""
        assert self.chosen is not None
        return {
            "rows": self.rows,
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "chosen": {
                "number": self.chosen.number,
                "results": [asdict(result) for result in self.chosen.results],
                "weights": self.chosen.weights,
            },
            "members": [member.state_dict() for member in self.members],
            "random": random_states(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.rows, self.epoch, self.step = state["rows"], state["epoch"], state["step"]
        self.seconds = state["seconds"]
        chosen = state["chosen"]
        results = [ValidationResult(**result) for result in chosen["results"]]
        self.chosen = ChosenEpoch(chosen["number"], results, chosen["weights"])
        for member, of_member in zip(self.members, state["members"], strict=True):
            member.load_state_dict(of_member)
        restore_random_state(state["random"])

    def _patience_is_over(self) -> bool:
        return self.chosen is not None and self.epoch - self.chosen.number >= self.config.validation.patience

    def _train(self, steps: int, bar: "tqdm[Any]") -> list[dict[str, float]] | None:
        """Some steps of every member; their terms, or None where one is not finite."""
        terms = []
        for number, member in enumerate(self.members):
            try:
                terms.append(member.train(steps))
            except LossNotFiniteError as error:
                self.failure = f"in member {number} {error}"
                return None
            bar.update(steps)
        self.epoch, self.step = self.epoch + 1, self.step + steps
        return terms

    def _validate(self, terms: Sequence[Mapping[str, float]], rate: float) -> bool:
        """Validate all members, log, and keep the best; false where scores are not finite."""
        kept = [member.kept_model() for member in self.members]
        results = [member.validation.measure(model) for member, model in zip(self.members, kept, strict=True)]
        results = agreed(results)
        if not all(math.isfinite(result.equal_error_rate) for result in results):
            self.failure = f"after step {self.step}: the scores of the validation pairs"
            return False
        new = [
            _log_row(number, self.epoch, self.step, rate, of_member, result)
            for number, (of_member, result) in enumerate(zip(terms, results, strict=True))
        ]
        self.rows += new
        if is_first_process():
            self.folder.log(self.rows, new)
        if self.chosen is None or _mean_error(results) < _mean_error(self.chosen.results):
            weights = {
                f"members.{number}.{name}": tensor.detach().clone()
                for number, model in enumerate(kept)
                for name, tensor in model.state_dict().items()
            }
            self.chosen = ChosenEpoch(self.epoch, results, weights)
        return True

    def _metrics(self, chosen: ChosenEpoch) -> dict[str, Any]:
        return {
            "validation_eer": _mean_error(chosen.results),
            "validation_auc": float(np.mean([result.area_under_curve for result in chosen.results])),
            "validation_eer_of_members": [result.equal_error_rate for result in chosen.results],
            "validation_pairs": sum(result.pairs for result in chosen.results),
            "epoch": chosen.number,
            "epochs_trained": self.epoch,
            "training_seconds": round(self.seconds, 3),
        }


def _log_row(
    member: int, epoch: int, step: int, rate: float, terms: Mapping[str, float], result: ValidationResult
) -> dict[str, float]:
    named = {name if name == "loss" else name + LOSS_SUFFIX: value for name, value in terms.items()}
    return {
        "member": member,
        "epoch": epoch,
        "step": step,
        "learning_rate": rate,
        **named,
        "validation_eer": result.equal_error_rate,
        "validation_auc": result.area_under_curve,
    }


def _mean_error(results: Sequence[ValidationResult]) -> float:
    return float(np.mean([result.equal_error_rate for result in results]))
