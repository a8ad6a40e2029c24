"""A rate where labels lag: what the scores themselves expect of the rows that have none yet.

A row of probability p is wrong with probability min(p, 1 − p), and violates γ with probability
p·[s < γ] + (1 − p)·[−s < γ]. That takes each p at its word; a factor learnt where there are labels corrects what was
off on the whole. What breaks the meaning of p itself, such as a flipped mapping, cannot be seen so: the estimate stays
where it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import Timeline
from lib.metrics.burn_rate import RateName
from lib.metrics.estimates import NO_SCORES, Estimates, FloatArray, divide, estimates
from lib.metrics.intervals import wilson
from lib.metrics.onset import Change, find_changes

EXPECTED: dict[RateName, tuple[str, str]] = {
    "violation_rate": ("expected_violations", "expected_violations_labelled"),
    "error_rate": ("expected_errors", "expected_errors_labelled"),
}
"""The rates that scores can be asked for: what they expect of scored rows, and of the labelled ones among them."""
LEAST_HITS = 20
NO_REFERENCE = f"fewer than {LEAST_HITS} labelled rows count, so the scores cannot be checked against labels"
LAG_SHARE = 0.5
"""Labels lag where from some time on so large a share of rows has none."""


@dataclass(frozen=True, eq=False)
class ExpectedRate:
    """A rate with the unlabelled rows counted as their scores expect.

    Attributes:
        estimates: shape (W,), over all scored rows.
        factor: what labelled rows had over what was expected of them; 1 for probabilities that mean what they say.
    """

    estimates: Estimates
    factor: float


def can_expect(timeline: Timeline, metric: RateName) -> bool:
    """Whether scores say what to expect: probabilities of one of two classes, and a rate over all rows."""
    return metric in EXPECTED and bool(timeline.series(EXPECTED[metric][0]).sum() > 0)


def expected_course(
    hits: FloatArray, labelled: FloatArray, scored: FloatArray, expected: FloatArray, expected_labelled: FloatArray
) -> ExpectedRate:
    """Observed hits of labelled rows plus the corrected expectation of the others, over all scored rows.

    Args:
        hits: shape (W,), labelled rows that count.
        labelled: shape (W,), labelled and scored rows.
        scored: shape (W,), scored rows.
        expected: shape (W,), what scores expect of all scored rows.
        expected_labelled: shape (W,), what they expect of the labelled ones.
    """
    factor = float(divide(hits.sum(), expected_labelled.sum()))
    unlabelled = np.maximum(expected - expected_labelled, 0.0) * factor
    rate = np.clip(divide(hits + unlabelled, scored), 0.0, 1.0)
    unsure = np.full(len(scored), bool(hits.sum() < LEAST_HITS))
    problems = [(scored <= 0, NO_SCORES), (unsure, NO_REFERENCE)]
    return ExpectedRate(estimates(rate, *wilson(rate, scored), scored, problems), factor)


def label_lag(timeline: Timeline) -> Change | None:
    """From when on labels are missing up to the end of the log; None where they are not.

    The change is one of the share without a label among scored rows.
    """
    scored, labelled = timeline.series("scored", "labelled")
    unlabelled = scored - labelled
    if not unlabelled.sum():
        return None
    share = np.full(len(scored), float(unlabelled.sum() / scored.sum()))
    changes = find_changes(unlabelled, scored, timeline.edges, np.clip(share, 1e-9, 1 - 1e-9))
    last = changes[-1] if changes else None
    return last if last is not None and last.is_rise and last.after.value > LAG_SHARE else None
