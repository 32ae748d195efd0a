"""A cluster of two nodes on this machine, one of which stops in the middle; and what the ray engine costs beside processes."""

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.fault_stage import PART_RECORDS, FaultRecord, fault_stage
from benchmarks.kills import differing, files_of
from src.core.engines.contract import Engine
from src.core.engines.local import LocalEngine
from src.core.engines.ray_cluster import RayEngine
from src.core.stage import run_stage

_RECORDS = 400
_WORKERS = 2
_ROUNDS = 3


def stop_a_node(folder: Path, records: int = _RECORDS, seconds: float = 0.05) -> dict[str, Any]:
    """Run on two nodes with one worker each, stop one as soon as a few parts are there, compare with local processes."""
    import threading

    from ray.cluster_utils import Cluster

    listed = [FaultRecord(number=number) for number in range(records)]
    run_stage(fault_stage(folder / "local", listed), 1)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    stage = fault_stage(folder / "cluster", listed, seconds=seconds)
    stopped_after = []

    def stop_in_the_middle() -> None:
        manifests = stage.folder / "manifest"
        while len(list(manifests.glob("part-*.parquet"))) < len(stage.parts) // 4:
            time.sleep(0.05)
        cluster.remove_node(second, allow_graceful=False)
        stopped_after.append(len(list(manifests.glob("part-*.parquet"))))

    watcher = threading.Thread(target=stop_in_the_middle, daemon=True)
    watcher.start()
    try:
        summary = run_stage(stage, _WORKERS, RayEngine(address=cluster.address, device="cpu"))
    finally:
        watcher.join(timeout=60)
        cluster.shutdown()
    return {
        "parts": len(stage.parts),
        "parts_done_when_the_node_stopped": stopped_after,
        "done": summary.done,
        "failed": summary.failed,
        "differences": differing(files_of(folder / "cluster"), files_of(folder / "local")),
    }


def measure_overhead(folder: Path, records: int = 160, seconds: float = 0.25) -> dict[str, Any]:
    """Seconds of each engine over the same work with the same workers, in turns; a short run tells what starting them takes.

    A record takes processor time, so that what an engine itself computes is felt; a part of four takes a second, less than one
    of voices or faces does, and so more of the engine for its work.
    """
    engines: dict[str, Engine] = {"local": LocalEngine(), "ray": RayEngine(device="cpu")}
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(_ROUNDS):
        for name, engine in engines.items():
            for kind, count in (("start", PART_RECORDS * _WORKERS), ("whole", records)):
                listed = [FaultRecord(number=one) for one in range(count)]
                stage = fault_stage(folder / f"{name}_{kind}_{number}", listed, seconds=seconds)
                started = time.perf_counter()
                run_stage(stage, _WORKERS, engine)
                times[f"{name}_{kind}"].append(time.perf_counter() - started)
    least = {name: min(measured) for name, measured in times.items()}
    steady = {name: least[f"{name}_whole"] - least[f"{name}_start"] for name in engines}
    first = PART_RECORDS * seconds  # each worker's first part
    return {
        "records": records,
        "processor_seconds_a_record": seconds,
        "records_a_part": PART_RECORDS,
        "workers": _WORKERS,
        "rounds": _ROUNDS,
        **{f"{name}_start_seconds": round(least[f"{name}_start"] - first, 2) for name in engines},
        **{f"{name}_steady_seconds": round(steady[name], 2) for name in engines},
        "overhead": round(steady["ray"] / steady["local"] - 1, 4),
        "overhead_with_start": round(least["ray_whole"] / least["local_whole"] - 1, 4),
    }
