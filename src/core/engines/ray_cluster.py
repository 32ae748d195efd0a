"""The ray engine: workers are actors of a Ray cluster, each with its networks loaded and a GPU where the cluster has them.

Parts are handed out a few at a time; tables come back to the process that was started, which alone writes them. What belongs
to a node that is gone goes to another. Media lie in a folder that every node has under the same path.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from src.core.engines.contract import WORKER_DIED, Answer, Lost, PartWorker, Task, WorkerPool, answer
from src.core.engines.local import set_threads
from src.core.errors import EngineError, VoxfaceError

LOGGER = logging.getLogger(__name__)
OWN_CLUSTER = "local"
_TASKS_AHEAD = 2
_LOOK_SECONDS = 5.0
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class RayEngine:
    """Actors of a cluster.

    address: of its head, HOST:PORT, or `auto` for the one that runs here; `local` starts one on this machine for this run.
    device: `cpu` leaves the cluster's GPUs alone; else each worker gets one, where there are any.
    """

    address: str = OWN_CLUSTER
    device: str = "auto"

    def open(
        self, make_worker: Callable[[], PartWorker[Any]], workers: int, tasks: int, libraries: Sequence[str]
    ) -> WorkerPool:
        """Connect and start the actors. Raises EngineError when Ray is not installed or the cluster cannot be reached."""
        ray = _connected(self.address)
        resources = ray.cluster_resources()
        processors, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
        gpus = 0 if self.device == "cpu" else gpus
        count = max(1, min(workers or gpus or processors, tasks))
        arguments = make_worker, max(1, processors // count), list(libraries)
        return ActorPool(ray, arguments, count, gpus_each=1 if gpus else 0)

    def description(self) -> dict[str, Any]:
        """Its name and address."""
        return {"engine": "ray", "ray_address": self.address}


def _connected(address: str) -> Any:
    """The module `ray`, connected."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing phones home
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # the default is to stand behind all else
    try:
        import ray
    except ImportError as error:
        raise EngineError(
            "--engine ray needs Ray, which is not installed: pip install -r requirements-cluster.txt"
        ) from error
    options: dict[str, Any] = {"include_dashboard": False} if address == OWN_CLUSTER else {}
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise EngineError(
            f"--ray-address {address}: no Ray cluster answers ({error}). Start one with `ray start --head` (docs/cluster.md), "
            "or leave --ray-address out"
        ) from error
    return ray


class _Actor:
    """What runs in the cluster."""

    def __init__(
        self, make_worker: Callable[[], PartWorker[Any]], threads: int, libraries: Sequence[str]
    ) -> None:
        self._make_worker = make_worker
        self._threads = threads
        self._libraries = libraries
        self._worker: PartWorker[Any] | None = None

    def node(self) -> str:
        """Where it is; called first."""
        import ray

        set_threads(self._threads, self._libraries)
        return str(ray.get_runtime_context().get_node_id())

    def run(self, records: Sequence[Any]) -> Answer | VoxfaceError:
        """An answer, or the error that ends the stage."""
        try:
            if self._worker is None:
                self._worker = self._make_worker()
            return answer(self._worker, records)
        except VoxfaceError as error:
            return error


_Given = tuple[Task, Sequence[Any]]


@dataclass
class _Place:
    """One actor and what it was given, in the order in which it does it. node: where it is; empty while it starts."""

    actor: Any
    started: Any
    node: str = ""
    waiting: deque[tuple[_Given, Any]] = field(default_factory=deque)


class ActorPool:
    """Actors, each replaced when it dies."""

    def __init__(self, ray: Any, arguments: tuple[Any, ...], count: int, *, gpus_each: int) -> None:
        self._ray = ray
        self._needs = f"a processor{' and a GPU' if gpus_each else ''}"
        self._remote = ray.remote(num_cpus=1, num_gpus=gpus_each)(_Actor)
        self._arguments = arguments
        self._places = [self._start() for _ in range(count)]
        self._backlog: deque[_Given] = deque()
        self._idle_since = time.monotonic()

    def room(self) -> int:
        """Two an actor that has started; one where there is none yet."""
        free = sum(_TASKS_AHEAD - len(place.waiting) for place in self._places if place.node)
        return max(0, free - len(self._backlog)) or int(not self._holds_tasks)

    @property
    def _holds_tasks(self) -> bool:
        return bool(self._backlog) or any(place.waiting for place in self._places)

    def submit(self, task: Task, records: Sequence[Any]) -> None:
        """Give it to the actor with the fewest, or keep it until one has started."""
        self._backlog.append((task, records))
        self._hand_out()

    def answers(self) -> list[tuple[Task, Answer]]:
        """Those of all actors. What was on a node that is gone is done anew elsewhere."""
        ready: list[tuple[Task, Answer]] = []
        while not ready:
            awaited = [place.waiting[0][1] for place in self._places if place.waiting]
            awaited += [place.started for place in self._places if not place.node]
            finished, _ = self._ray.wait(awaited, timeout=_LOOK_SECONDS)
            for place in list(self._places) if finished else []:
                if not place.node:
                    self._greet(place)
                ready.extend(self._received(place))
            self._hand_out()
            self._complain_of_waiting()
        return ready

    def close(self, *, at_once: bool) -> None:  # noqa: ARG002 - nothing is in work any more when it is orderly
        """End the actors and leave the cluster."""
        for place in self._places:
            self._ray.kill(place.actor)
        self._ray.shutdown()

    def _start(self) -> _Place:
        actor = self._remote.remote(*self._arguments)
        return _Place(actor, actor.node.remote())

    def _replace(self, place: _Place) -> None:
        """A new actor in the place of one that died; what that one had waiting comes first."""
        self._ray.kill(place.actor)
        self._backlog.extendleft(reversed([task for task, _ in place.waiting]))
        self._places[self._places.index(place)] = self._start()

    def _greet(self, place: _Place) -> None:
        if not self._ray.wait([place.started], timeout=0)[0]:
            return
        try:
            place.node = self._ray.get(place.started)
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError:  # its node went before it had started
            self._replace(place)

    def _received(self, place: _Place) -> list[tuple[Task, Answer]]:
        received: list[tuple[Task, Answer]] = []
        while place.waiting and self._ray.wait([place.waiting[0][1]], timeout=0)[0]:
            task, reference = place.waiting[0]
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError:
                raise
            except self._ray.exceptions.RayError as error:
                if self._is_alive(place.node):
                    place.waiting.popleft()
                    received.append((task[0], Lost(WORKER_DIED, str(error))))
                else:
                    LOGGER.warning("a node of the cluster is gone; its parts are done elsewhere")
                self._replace(place)
                return received
            place.waiting.popleft()
            if isinstance(result, VoxfaceError):
                raise result
            received.append((task[0], result))
        return received

    def _is_alive(self, node: str) -> bool:
        return any(one["NodeID"] == node and one["Alive"] for one in self._ray.nodes())

    def _hand_out(self) -> None:
        while self._backlog:
            ready = [place for place in self._places if place.node and len(place.waiting) < _TASKS_AHEAD]
            if not ready:
                return
            place = min(ready, key=lambda place: len(place.waiting))
            task = self._backlog.popleft()
            place.waiting.append((task, place.actor.run.remote(task[1])))

    def _complain_of_waiting(self) -> None:
        if any(place.node for place in self._places):
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > _PATIENCE_SECONDS:
            LOGGER.warning("waiting for the cluster to have room for a worker, which needs %s", self._needs)
            self._idle_since = time.monotonic()
