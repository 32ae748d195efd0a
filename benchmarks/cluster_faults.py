"""A cluster of two nodes on this machine, one of which stops in the middle; and what the ray engine costs beside processes."""

import time
from pathlib import Path
from typing import Any

from benchmarks.fault_stage import FaultRecord, fault_stage
from benchmarks.kills import differing, files_of
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


def measure_overhead(folder: Path, records: int = 320, seconds: float = 0.05) -> dict[str, Any]:
    """Seconds of each engine over the same load with the same workers; a short run tells what starting them takes."""
    figures: dict[str, Any] = {"records": records, "seconds_a_record": seconds, "workers": _WORKERS}
    for name, engine in (("local", LocalEngine()), ("ray", RayEngine(device="cpu"))):
        times: dict[str, list[float]] = {"start": [], "whole": []}
        for number in range(_ROUNDS):
            for kind, count in (("start", 4 * _WORKERS), ("whole", records)):
                listed = [FaultRecord(number=one) for one in range(count)]
                started = time.perf_counter()
                run_stage(
                    fault_stage(folder / name / f"{kind}{number}", listed, seconds=seconds), _WORKERS, engine
                )
                times[kind].append(time.perf_counter() - started)
        figures[f"{name}_start_seconds"] = round(min(times["start"]), 3)
        figures[f"{name}_whole_seconds"] = round(min(times["whole"]), 3)
        figures[f"{name}_seconds"] = round(min(times["whole"]) - min(times["start"]), 3)
    figures["overhead"] = round(figures["ray_seconds"] / figures["local_seconds"] - 1, 4)
    figures["overhead_with_start"] = round(
        figures["ray_whole_seconds"] / figures["local_whole_seconds"] - 1, 4
    )
    return figures
