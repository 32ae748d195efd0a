"""One member of a head in training: its network, its objective, its optimiser; steps, validation, state."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from src.models.association import AssociationModel
from src.models.media_model import MediaModel
from src.training.association_config import OptimizerConfig
from src.training.association_step import AssociationStep, BatchSource
from src.training.optimisation import learning_rate, make_optimizer
from src.training.people_validation import PeopleValidation
from src.training.processes import of_first_process, trained_together

Finish = Callable[[AssociationModel], AssociationModel]


class LossNotFiniteError(Exception):
    """A loss term stopped being finite; `step` is counted from 1, `terms` are those that did so first."""

    def __init__(self, step: int, terms: Sequence[str]) -> None:
        super().__init__(f"at step {step}: {', '.join(terms)}")


class Member:
    """Trains one network on some people and validates it on others.

    step: model and objective on their device. batches: of the training people. validation: of people apart from them.
    optimizer, steps: None and 0 where nothing is trained. finish: what is done to the averaged network before it is
    validated or kept (a fit in closed form); it must leave its argument as it is. encoder_rate_share: share of the
    learning rate that encoders which learn along take.
    """

    def __init__(
        self,
        step: AssociationStep,
        batches: BatchSource | None,
        validation: PeopleValidation,
        *,
        optimizer: OptimizerConfig | None,
        steps: int,
        weights: tuple[float, ...],
        finish: Finish | None = None,
        encoder_rate_share: float = 1.0,
    ) -> None:
        self.step, self.batches, self.validation = step, batches, validation
        self.settings, self.steps, self.finish = optimizer, steps, finish
        self.steps_taken = 0
        self.parameters = [parameter for parameter in step.parameters() if parameter.requires_grad]
        self.device = next(iter([*self.parameters, *step.buffers()])).device
        self.weights = torch.tensor(weights, device=self.device)
        self.optimizer = None
        if optimizer is not None:
            self.optimizer = make_optimizer(
                _by_rate_share(step, self.parameters, encoder_rate_share), optimizer
            )
        # One process trains the step itself, several its wrapper, which averages their gradients.
        self.trained = step if optimizer is None else trained_together(step)
        self.average = None
        if optimizer is not None and optimizer.average_decay > 0:
            averaging = get_ema_multi_avg_fn(optimizer.average_decay)
            self.average = AveragedModel(step.model, multi_avg_fn=averaging, use_buffers=True)

    @property
    def learning_rate(self) -> float:
        """The rate of the next step; 0 where nothing is trained."""
        return 0.0 if self.settings is None else learning_rate(self.settings, self.steps_taken, self.steps)

    def kept_model(self) -> AssociationModel:
        """The network that is validated and kept: averaged weights, finished."""
        model = self.step.model if self.average is None else self.average.module
        assert isinstance(model, AssociationModel)
        return model if self.finish is None else self.finish(model)

    def train(self, steps: int) -> dict[str, float]:
        """Take some steps; the mean of each loss term over them, and of their weighted sum as "loss".

        Raises LossNotFiniteError when a term stops being finite; nothing waits for the device before the last step.
        """
        assert self.batches is not None
        self.step.train()
        history = torch.stack([self._take(self.trained, batch) for batch in self.batches.draw(steps)])
        history = of_first_process(history)
        names = self.step.objective.terms
        wrong = (~history.isfinite()).cpu()
        if wrong.any():
            first = int(wrong.any(1).nonzero()[0])  # afterwards every term is spoilt
            culprits = [name for name, bad in zip(names, wrong[first], strict=True) if bad]
            raise LossNotFiniteError(self.steps_taken - steps + first + 1, culprits)
        means = history.mean(0)
        return {
            "loss": float((self.weights * means).sum()),
            **dict(zip(names, means.tolist(), strict=True)),
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides the steps to come, as tensors, numbers and text."""
        assert self.optimizer is not None
        assert self.batches is not None
        return {
            "steps_taken": self.steps_taken,
            "step": self.step.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "batches": self.batches.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        assert self.optimizer is not None
        assert self.batches is not None
        self.steps_taken = state["steps_taken"]
        self.step.load_state_dict(state["step"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.batches.load_state_dict(state["batches"])

    def _take(self, step: nn.Module, batch: Any) -> torch.Tensor:
        """One step; the terms of its batch, detached."""
        assert self.settings is not None
        assert self.optimizer is not None
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * group["rate_share"]
        low = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            terms = step(batch)
        self.optimizer.zero_grad(set_to_none=True)
        (self.weights * terms).sum().backward()
        if self.settings.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.settings.gradient_clip)
        self.optimizer.step()
        self.steps_taken += 1
        if self.average is not None:
            self.average.update_parameters(self.step.model)
        return terms.detach()


def _by_rate_share(
    step: AssociationStep, learning: Sequence[nn.Parameter], encoder_share: float
) -> dict[float, list[nn.Parameter]]:
    """The parameters by their share of the learning rate: 1, and that of encoders which learn along."""
    encoders = step.model.encoders().values() if isinstance(step.model, MediaModel) else ()
    of_encoders = {id(parameter) for encoder in encoders for parameter in encoder.parameters()}
    shares: dict[float, list[nn.Parameter]] = {}
    for parameter in learning:
        shares.setdefault(encoder_share if id(parameter) in of_encoders else 1.0, []).append(parameter)
    return shares
