"""The 10-fold protocol trial by trial, as its definition reads: what the fast form is measured against."""

from collections.abc import Sequence


def sweep_accuracies(
    scores: Sequence[float], labels: Sequence[int], thresholds: Sequence[float], folds: int
) -> list[float]:
    """Accuracy of each part under the strictest of the thresholds that are best on the other parts."""
    total = len(scores)
    parts = [range(fold * total // folds, (fold + 1) * total // folds) for fold in range(folds)]
    accuracies = []
    for part in parts:
        held_out = set(part)
        others = [row for row in range(total) if row not in held_out]
        best_threshold, best_accuracy = thresholds[0], -1.0
        for threshold in thresholds:
            accuracy = _accuracy(scores, labels, others, threshold)
            if accuracy > best_accuracy:
                best_threshold, best_accuracy = threshold, accuracy
        accuracies.append(_accuracy(scores, labels, part, best_threshold))
    return accuracies


def _accuracy(scores: Sequence[float], labels: Sequence[int], rows: Sequence[int], threshold: float) -> float:
    right = 0
    for row in rows:
        accepted = 1 if float(scores[row]) < threshold else 0
        right += accepted == int(labels[row])
    return right / len(rows)
