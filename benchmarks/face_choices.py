"""Whether the chosen face of each photograph of a generated world is the right person's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.face_boxes import BOX, overlap
from src.core.errors import DatasetError
from src.core.stage import read_parts

SMALLEST_OVERLAP = 0.5
MAIN = "main"


def measure_right_person(work: Path, truth: Path) -> dict[str, Any]:
    """`measure_choices` of a preprocessed generated world; raises DatasetError where there is none."""
    if not (truth / "faces.parquet").is_file() or not (work / "face/manifest").is_dir():
        raise DatasetError(
            f"{work}, {truth}: no preprocessed generated world. `make demo` makes both; or name its work folder and "
            "its `truth` folder with --world"
        )
    manifest, detections = (
        read_parts(work / "face" / name).to_pandas() for name in ("manifest", "detections")
    )
    return measure_choices(manifest, detections, pd.read_parquet(truth / "faces.parquet"))


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
