"""The minimum of the detection cost function, as the NIST speaker recognition evaluations define it."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from src.metrics.verification import RocCurve, roc_curve


@dataclass(frozen=True, kw_only=True)
class DetectionCost:
    """What errors cost.

    same_prior: how likely a trial is a same-person trial where the system is used, above 0 and below 1.
    miss: cost of rejecting a same-person trial. false_accept: cost of accepting a different-person trial.
    """

    same_prior: float = 0.05
    miss: float = 1.0
    false_accept: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.same_prior < 1 or self.miss <= 0 or self.false_accept <= 0:
            raise ValueError(f"{self}: the prior must lie between 0 and 1, and both costs above 0")


def minimum_detection_cost(scores: ArrayLike, labels: ArrayLike, cost: DetectionCost | None = None) -> float:
    """The least normalised detection cost over all thresholds (minDCF), 0 to 1; cost: DetectionCost() if None.

    scores, labels and errors: see `src.metrics.verification.roc_curve`.
    """
    return minimum_detection_cost_of(roc_curve(scores, labels), cost)


def minimum_detection_cost_of(curve: RocCurve, cost: DetectionCost | None = None) -> float:
    """minDCF of an ROC that is there already (NIST SRE 2016 evaluation plan, equations 1 and 2).

    C(t) = miss · prior · P_reject(t) + false_accept · (1 − prior) · P_accept(t), divided by what the better of
    "reject all" and "accept all" costs.
    """
    cost = cost or DetectionCost()
    miss, false_accept = cost.miss * cost.same_prior, cost.false_accept * (1 - cost.same_prior)
    total = miss * curve.false_reject_rates + false_accept * curve.false_accept_rates
    return float(total.min() / min(miss, false_accept))
