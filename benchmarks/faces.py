"""How well the face half of preprocessing does on a generated world.

    python -m benchmarks.faces WORK TRUTH [--out faces.json]

Found: a portrait's true box overlaps a detected one by at least half (intersection over union). Right person: the
chosen face is the main person's, among all portraits with a crop, and among those with bystanders. Speed: the
detector alone, on the portraits of the data set, in one process.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.results_file import write_results
from preprocessing.face_cascade import MtcnnDetector
from preprocessing.face_settings import FaceSettings
from src.core.command_line import run_command
from src.core.device import choose_device
from src.core.errors import DatasetError
from src.core.files import read_json
from src.core.stage import read_parts
from src.media.image import read_image

SMALLEST_OVERLAP = 0.5
BOX = ["left", "top", "right", "bottom"]
MAIN = "main"


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair of boxes, (n, 4) and (m, 4) → (n, m)."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(far - corner, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def measure_choices(manifest: pd.DataFrame, detections: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    """Counts and shares of portraits found, and of right persons among the chosen."""
    detected = dict(iter(detections.groupby("key")))
    processed = set(manifest["key"])
    people = with_crop = right = crowds = right_in_crowd = found_people = found_bystanders = bystanders = (
        false_boxes
    ) = 0
    for key, sitters in truth[truth["key"].isin(processed)].groupby("key"):
        boxes = detected.get(key, detections.iloc[:0])
        overlaps = overlap(sitters[BOX].to_numpy(np.float64), boxes[BOX].to_numpy(np.float64))
        hits = np.any(overlaps >= SMALLEST_OVERLAP, axis=1)
        is_main = np.asarray(sitters["role"] == MAIN)
        false_boxes += int((~(overlaps >= SMALLEST_OVERLAP).any(axis=0)).sum())
        people += 1
        found_people += bool(hits[is_main].all())
        bystanders += int((~is_main).sum())
        found_bystanders += int(hits[~is_main].sum())
        chosen = np.flatnonzero(boxes["chosen"].to_numpy(bool))
        if not len(chosen):
            continue
        is_right = bool(
            is_main[overlaps[:, chosen[0]].argmax()] and overlaps[:, chosen[0]].max() >= SMALLEST_OVERLAP
        )
        with_crop += 1
        right += is_right
        if len(sitters) > 1:
            crowds += 1
            right_in_crowd += is_right
    return {
        "portraits": people,
        "found_share": found_people / people,
        "crop_share": with_crop / people,
        "right_person_share": right / max(with_crop, 1),
        "portraits_with_bystanders": crowds,
        "right_person_share_with_bystanders": right_in_crowd / max(crowds, 1),
        "bystanders_found_share": found_bystanders / max(bystanders, 1),
        "false_boxes": false_boxes,
    }


def measure_speed(dataset: Path, keys: list[str], settings: FaceSettings, device: torch.device) -> float:
    """Images a second of the detector alone, after one batch to warm up."""
    images = [read_image(dataset / key) for key in keys]
    detector = MtcnnDetector(settings, device)
    batches = [images[first : first + 64] for first in range(0, len(images), 64)]
    detector.detect(batches[0])
    started = time.perf_counter()
    for batch in batches:
        detector.detect(batch)
    return len(images) / (time.perf_counter() - started)


def main() -> int:
    """Measure, print and write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faces", description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="work folder of a generated world, preprocessed")
    parser.add_argument("truth", type=Path, help="the world's truth folder (it holds faces.parquet)")
    parser.add_argument(
        "--out", type=Path, help="where to write the JSON (default: WORK/benchmark_faces.json)"
    )
    parser.add_argument(
        "--images", type=int, default=256, help="images of the speed measurement (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of the speed measurement (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    options = parser.parse_args()
    if not (options.truth / "faces.parquet").is_file():
        raise DatasetError(
            f"{options.truth}: no faces.parquet. Name the `truth` folder of a generated world."
        )
    manifest, detections = (
        read_parts(options.work / "face" / name).to_pandas() for name in ("manifest", "detections")
    )
    results = measure_choices(manifest, detections, pd.read_parquet(options.truth / "faces.parquet"))
    record = read_json(options.work / "preprocessing.json")
    torch.set_num_threads(options.threads)
    keys = manifest["key"][manifest["status"] == "done"].tolist()[: options.images]
    settings = FaceSettings(**record["stages"]["face"]["settings"])
    device = choose_device(options.device)
    results["images_per_second"] = measure_speed(Path(record["dataset"]), keys, settings, device)
    results |= {"speed_images": len(keys), "threads": options.threads, "device": str(device)}
    write_results(options.out or options.work / "benchmark_faces.json", results)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(lambda _: main()))
