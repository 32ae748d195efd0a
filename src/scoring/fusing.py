"""Several systems' scores of the same trials as one: score files, or whole submissions cell by cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.artifacts.checkpoints import load_validation_scores
from src.artifacts.scores import read_scores
from src.core.errors import ListError
from src.metrics.calibration import LogisticCalibration, fit_calibration
from src.metrics.fusion import logistic_fusion, rank_fusion
from src.metrics.member_calibration import MemberScores
from src.scoring.truth import join_truth, read_truth_of

Fuse = Callable[[np.ndarray], np.ndarray]
"""Scores (trials, systems) to fused scores (trials,), both lower = same person."""

_PAIR_COLUMNS = ["label", "voice_identity", "face_identity", "member"]
_SHOWN = 5


@dataclass(frozen=True)
class LogisticFusion:
    """Fusion fitted on validation pairs.

    calibration: of the systems' standardised scores. midpoints, deviations: (systems,), what standardises them.
    """

    calibration: LogisticCalibration
    midpoints: np.ndarray
    deviations: np.ndarray

    def __call__(self, table: np.ndarray) -> np.ndarray:
        """Minus the log likelihood ratio of all systems together; see `Fuse`. Raises ListError for other systems."""
        if table.shape[1] != len(self.midpoints):
            raise ListError(f"scores of {table.shape[1]} systems, but {len(self.midpoints)} were fitted")
        return logistic_fusion(self.calibration, (table - self.midpoints) / self.deviations)

    @property
    def weights(self) -> dict[str, list[float]]:
        """What the fit says of each system, on standardised scores, ready for JSON."""
        return {"weights": list(self.calibration.weights)}


def fit_on_checkpoints(folders: Sequence[Path]) -> LogisticFusion:
    """Fit on the validation scores that training left in each system's checkpoint folder.

    Members are standardised as in `src.metrics.member_calibration`; what is fitted on are the folds that every system
    held out. Raises CheckpointError where a folder has no validation scores, ListError where they are not of the same
    pairs in the same order.
    """
    tables = [load_validation_scores(folder) for folder in folders]
    scales = [MemberScores.of(table["score"], table["label"], table["member"]) for table in tables]
    shared = set.intersection(*(set(table["member"]) for table in tables))
    kept = [table["member"].isin(shared).to_numpy() for table in tables]
    pairs = [
        table.loc[own, _PAIR_COLUMNS].reset_index(drop=True) for table, own in zip(tables, kept, strict=True)
    ]
    for folder, found in zip(folders, pairs, strict=True):
        if not shared or not found.equals(pairs[0]):
            raise ListError(
                f"{folders[0]} and {folder} were validated on different pairs. Train them on the same features with the same "
                "--seed and folds, or give scores of one validation list: --validation A.txt --validation B.txt --truth FILE"
            )
    columns = [scale.standardised[own] for scale, own in zip(scales, kept, strict=True)]
    return _fitted(columns, pairs[0]["label"].to_numpy(), scales)


def fit_on_scores(files: Sequence[Path], truth: Path) -> LogisticFusion:
    """Fit on score files of one validation list. Raises ListError where they do not cover the truth, or each other."""
    known = read_truth_of(truth)
    joined = [join_truth(read_scores(file), known, str(file)) for file in files]
    labels = joined[0]["label"].to_numpy()
    scales = [MemberScores.of(table["score"].to_numpy(), labels, np.zeros(len(labels))) for table in joined]
    return _fitted([scale.standardised for scale in scales], labels, scales)


def _fitted(
    columns: Sequence[np.ndarray], labels: np.ndarray, scales: Sequence[MemberScores]
) -> LogisticFusion:
    return LogisticFusion(
        fit_calibration(np.stack(columns, axis=1), labels),
        np.array([scale.midpoint for scale in scales]),
        np.array([scale.deviation for scale in scales]),
    )


def fuse_scores(systems: Sequence[Mapping[str, float]], names: Sequence[str], fuse: Fuse) -> dict[str, float]:
    """Fused scores by trial id, in the order of the first system.

    names: what errors call the systems. Raises ListError where they do not have the same trials.
    """
    ids = list(systems[0])
    for name, system in zip(names, systems, strict=True):
        lost = [trial for trial in ids if trial not in system]
        foreign = [trial for trial in system if trial not in systems[0]]
        if lost or foreign:
            parts = [
                f"{len(trials)} {what}: {', '.join(trials[:_SHOWN])}{' …' if len(trials) > _SHOWN else ''}"
                for trials, what in ((lost, "trials are missing"), (foreign, "trials stand in it alone"))
                if trials
            ]
            raise ListError(
                f"{name} does not have the trials of {names[0]}: {'; '.join(parts)}. "
                "Systems are fused on one list"
            )
    table = np.array([[system[trial] for system in systems] for trial in ids])
    return dict(zip(ids, fuse(table).tolist(), strict=True))


def fuse_ranks(table: np.ndarray) -> np.ndarray:
    """Mean rank over systems, 0 to 1; see `Fuse`."""
    return rank_fusion(table)
