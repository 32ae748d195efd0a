"""Several processes that train as one: `torchrun --nproc-per-node N train.py CONFIG …`.

Every process draws the same batch and encodes its own people of it. The encodings are then gathered from all processes
*with* their gradient, so that each computes the loss of the whole batch, whatever it couples:

    forward    x = [x_1 ‖ … ‖ x_N],  L(x) in every process
    backward   g_r = Σ over processes of ∂L/∂x_r = N · ∂L/∂x_r,  carried on through the own encoder
    update     gradient = mean over processes (PyTorch's DDP)

The mean takes the N away: of what is split over the processes each brings its share of the gradient, of what all of them
compute each brings the whole. Either way it is the gradient of one process with the whole batch, up to rounding. Batch norms
take their statistics over the whole batch. Only dropout draws differently.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from src.core.device import choose_device
from src.core.errors import ConfigError
from src.core.torchrun import launched_processes, local_rank

Value = TypeVar("Value")
Network = TypeVar("Network", bound=nn.Module)
_PEOPLE: ContextVar[int | None] = ContextVar("people of the batch whose own share is encoded", default=None)


@contextmanager
def process_group(device_name: str) -> Iterator[None]:
    """Join the processes that `torchrun` has started, NCCL on GPUs and gloo on processors; nothing to do for a single one,
    or where they are joined already.

    Each process takes the GPU of its local rank; all but the first report errors alone.
    Raises ConfigError where a machine has fewer GPUs than processes.
    """
    if launched_processes() == 1 or distributed.is_initialized():
        yield
        return
    on_gpu = choose_device(device_name).type == "cuda"
    if on_gpu:
        if local_rank() >= torch.cuda.device_count():
            raise ConfigError(
                f"torchrun started process {local_rank()} on a machine with {torch.cuda.device_count()} GPUs; give "
                "--nproc-per-node as many as there are, or train with --device cpu"
            )
        torch.cuda.set_device(local_rank())
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    level = logging.getLogger().level
    if not is_first_process():
        logging.getLogger().setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger().setLevel(level)
        distributed.destroy_process_group()


def process_count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def process_rank() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first_process() -> bool:
    """Whether this is the process that writes files and shows progress."""
    return process_rank() == 0


def trained_together(step: nn.Module) -> nn.Module:
    """What to call in training instead of `step`, so that every process ends up with the mean gradient."""
    if process_count() == 1:
        return step
    # Buffers are equal in all processes as they are, and every step goes the same way through the module.
    return DistributedDataParallel(step, broadcast_buffers=False, static_graph=True)


def of_first_process(tensor: Tensor) -> Tensor:
    """The first process's tensor, in all of them; without gradient."""
    if process_count() > 1:
        distributed.broadcast(tensor, src=0)
    return tensor


def random_states() -> list[dict[str, Tensor]]:
    """State of PyTorch's global generators in each process."""
    own = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        own["cuda"] = torch.cuda.get_rng_state()
    if process_count() == 1:
        return [own]
    states: list[Any] = [None] * process_count()
    distributed.all_gather_object(states, own)
    return states


def restore_random_state(states: list[dict[str, Tensor]]) -> None:
    """Put this process's generators where `random_states` found them."""
    own = states[process_rank()]
    torch.set_rng_state(own["cpu"])
    if "cuda" in own:
        torch.cuda.set_rng_state(own["cuda"])


def agreed(value: Value) -> Value:
    """The first process's value, in all of them: for decisions by numbers that rounding could move."""
    if process_count() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def own_share(total: int) -> slice:
    """Which of `total` people this process encodes; shares differ by one at most."""
    count, rank = process_count(), process_rank()
    return slice(rank * total // count, (rank + 1) * total // count)


def own_rows(rows: Tensor, people: int) -> Tensor:
    """The rows of this process's people, of a tensor (people · k, …) whose rows of one person follow each other."""
    if process_count() == 1:
        return rows
    return rows.unflatten(0, (people, -1))[own_share(people)].flatten(0, 1)


def gather_rows(own: Tensor, people: int) -> Tensor:
    """What `own_rows` split, from all processes and with gradient to each: (own people · k, …) → (people · k, …)."""
    if process_count() == 1:
        return own
    share = own_share(people)
    rows = own.unflatten(0, (share.stop - share.start, -1))
    # Zeros elsewhere, so that the sum over processes is the whole; shares need not be of one size.
    whole: Tensor = all_reduce(F.pad(rows, [0, 0] * (rows.ndim - 1) + [share.start, people - share.stop]))
    return whole.flatten(0, 1)


@contextmanager
def encoding_own_share(people: int) -> Iterator[None]:
    """While rows of a batch of so many people pass the networks, this process's alone: batch norms need to know."""
    token = _PEOPLE.set(people)
    try:
        yield
    finally:
        _PEOPLE.reset(token)


def with_common_batch_norms(network: Network) -> Network:
    """`network` with batch norms whose statistics are of the rows of all processes; weights and names stay.

    Those of images and sequences are PyTorch's SyncBatchNorm, which exists on GPUs alone.
    """
    if process_count() == 1:
        return network
    on_gpu = any(parameter.device.type == "cuda" for parameter in network.parameters())
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d) and on_gpu:
                setattr(module, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))
            elif isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, GatheredBatchNorm(child))
    return network


class GatheredBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm that gathers its inputs from all processes while it trains.

    norm: the one whose parameters, statistics and settings it takes over.
    """

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__(
            norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats, device="meta"
        )
        self.weight, self.bias = norm.weight, norm.bias
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.train(norm.training)

    def forward(self, own: Tensor) -> Tensor:
        """(rows, channels, …) to the same, normalised over the rows of all processes where these are a share."""
        people = _PEOPLE.get()
        if people is None or not self.training:
            return super().forward(own)
        return own_rows(super().forward(gather_rows(own, people)), people)

    def _check_input_dim(self, own: Tensor) -> None:
        if own.ndim < 2:
            raise ValueError(f"rows of channels are needed, not {tuple(own.shape)}")
