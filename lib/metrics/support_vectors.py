"""Support vectors from predictions (H-F10): what a hinge-trained model rests on, and what theory says of their share.

A row with margin m is *on the margin* where |m − 1| ≤ tolerance, *inside* it below that and on the right side, *on the
wrong side* where its decision is wrong (m < 0, and m = 0 of a positive row, since a positive prediction is s > 0), and
*free* beyond. Support vectors are all but the free ones. The margin is 1 whatever γ is: that is what solvers train to.

Of a soft margin ½·|w|² + C·Σ max(0, 1 − m) on n rows every row has a weight α in [0, C] (Karush, Kuhn and Tucker): 0
where m > 1, C where m < 1, between them where m = 1. With ν = Σα/(nC), the share of rows with m < 1 is at most ν and
that of support vectors at least ν (Schölkopf et al. 2000). Where the intercept is free and both classes have the same
C, Σα is the same in both, so ν is at most twice the share of the rarer class (Crisp and Burges 2000). Leaving out a
row that is no support vector changes nothing, so that the leave-one-out error is at most the share of support vectors
(Luntz and Brailovsky 1969; Vapnik 1998, theorem 10.5). In large samples and with a kernel that can follow anything that
share tends to twice the least error that any rule can have (Steinwart 2003).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.cells import Cells, Sums
from lib.grid import LINEAR_LIMIT, score_at, score_axis
from lib.metrics.estimates import Estimates, FloatArray, divide
from lib.metrics.margins import (
    SUPPORT_VECTOR_TOLERANCE,
    hinge_loss_quantile,
    hinge_moments,
    margin_histogram,
    support_vector_counts,
)
from lib.metrics.parts import Counts

Kind = Literal["wrong_side", "inside", "on_margin", "free"]
KINDS: tuple[Kind, ...] = ("wrong_side", "inside", "on_margin", "free")
"""In the order of the margin."""
BEGINS: dict[Kind, float] = {
    "inside": 0.0,
    "on_margin": 1.0 - SUPPORT_VECTOR_TOLERANCE,
    "free": float(np.nextafter(1.0 + SUPPORT_VECTOR_TOLERANCE, 2.0)),
}
"""The least margin of each kind but the first; at 0 only a negative row is on the right side."""
SLACK_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99)


def kind_of(label: FloatArray, score: FloatArray) -> NDArray[np.int64]:
    """The place in `KINDS` of rows with labels −1 and +1 and their scores; any shape."""
    margin = label * score
    place = np.searchsorted(list(BEGINS.values()), margin, side="right")
    return np.where((margin == 0) & (label > 0), 0, place).astype(np.int64)


def kind_counts(cells: Cells) -> dict[Kind, Counts]:
    """Rows of each kind among labelled and scored rows, in the order of `KINDS`.

    Off exact resolution the rows with m = 1 are on the margin, and those of the bins on either side are in doubt.
    """
    whole, zero = cells.margins.over(1), cells.at_margin(0.0)
    # The second label is the positive one, for which a score of 0 is no positive prediction.
    wrong = zero.below.over(1) + _positive(zero.at)
    if cells.resolution.is_exact:
        below = cells.at_margin(BEGINS["on_margin"]).below.over(1)
        upto = cells.at_margin(1.0 + SUPPORT_VECTOR_TOLERANCE)
        reached = (upto.below + upto.at).over(1)
        left = right = np.zeros(cells.n_groups)
    else:
        step = cells.resolution.step
        one, around = cells.at_margin(1.0), cells.at_margin([1.0 - step, 1.0 + step])
        below, reached = one.below.over(1), (one.below + one.at).over(1)
        left = np.maximum(below.w - (around.below[0] + around.at[0]).over(1).w, 0.0)
        right = np.maximum(around.below[1].over(1).w - reached.w, 0.0)
    doubts = {"wrong_side": 0.0, "inside": left, "on_margin": left + right, "free": right}
    parts = {"wrong_side": wrong, "inside": below - wrong, "on_margin": reached - below, "free": whole - reached}
    return {kind: Counts.of(_cleared(parts[kind]), whole, doubts[kind]) for kind in KINDS}


def _positive(sums: Sums) -> Sums:
    return Sums(sums.values[..., 1, :], sums.weighted)


def _cleared(sums: Sums) -> Sums:
    """A difference of sums: where no row is left there is no weight either."""
    return Sums(np.where(sums.n[..., None] > 0, sums.values, 0.0), sums.weighted)


@dataclass(frozen=True, eq=False)
class SupportVectors:
    """Support vectors and slack of each group.

    Attributes:
        groups: key values, each shape (G,).
        counts: rows of each kind.
        shares: the share of each kind, with Wilson's interval.
        share: the share of support vectors, `support_vector_share`.
        slack: mean of ξ = max(0, 1 − m).
        total: shape (G,), Σξ, by weight where there are weights.
        quantiles: of ξ over all rows, by `SLACK_QUANTILES`.
    """

    groups: dict[str, NDArray[np.generic]]
    counts: dict[Kind, Counts]
    shares: dict[Kind, Estimates]
    share: Estimates
    slack: Estimates
    total: FloatArray
    quantiles: dict[float, Estimates]

    @classmethod
    def of(cls, cells: Cells) -> SupportVectors:
        """Of every group of the cells."""
        counts, moments = kind_counts(cells), hinge_moments(cells)
        return cls(
            cells.groups,
            counts,
            {kind: each.estimates() for kind, each in counts.items()},
            support_vector_counts(cells).estimates(),
            moments.estimates(least=0.0),
            moments.wx,
            {q: hinge_loss_quantile(cells, q) for q in SLACK_QUANTILES},
        )


SLACK_BARS = 40
SLACK_TAIL = 0.995
"""The last bar begins where this share of the rows with any slack lies below."""


@dataclass(frozen=True, eq=False)
class SlackHistogram:
    """Rows by slack, bars open on the left: ξ = 0 is in none.

    Attributes:
        groups: key values, each shape (G,).
        edges: shape (B + 1,), ascending from 0; the last bar is open above.
        n: shape (G, B), rows.
        share: shape (G, B), of all labelled and scored rows, by weight; NaN without any.
    """

    groups: dict[str, NDArray[np.generic]]
    edges: FloatArray
    n: FloatArray
    share: FloatArray


def slack_histogram(cells: Cells) -> SlackHistogram:
    """Counts of slack in bars on steps of the resolution, equally wide up to a margin of −20; exact.

    The axis is that of all groups, and its last bar holds the largest slacks together.
    """
    step = max(cells.resolution.step, 0.02)
    reach = float(np.nanmax(np.nan_to_num(hinge_loss_quantile(cells, SLACK_TAIL).value), initial=1.0))
    width = step * max(1, math.ceil(reach / SLACK_BARS / step))
    nominal = np.round(1.0 - width * np.arange(max(2, math.ceil(reach / width)) + 1), 10)
    factor = cells.resolution.score_factor
    snapped = score_at(np.rint(score_axis(nominal) / factor) * factor)
    on_steps = np.unique(np.where(np.abs(nominal) <= LINEAR_LIMIT, nominal, snapped))[::-1]
    edges = np.round(1.0 - on_steps, 10)
    counted = margin_histogram(cells, on_steps[::-1])
    n, w = (each.sum(axis=1)[:, ::-1] for each in (counted.n, counted.w))
    below = cells.at_margin(float(on_steps[-1])).below.over(1)
    n[:, -1] += below.n
    w[:, -1] += below.w
    return SlackHistogram(cells.groups, edges, n, divide(w, cells.margins.over(1).w[:, None]))


@dataclass(frozen=True)
class TrainingBounds:
    """What KKT and the counts of one version's training rows say, weights of rows apart.

    Attributes:
        n: labelled, scored rows.
        n_bounded: rows with m < 1, whose α is C; their slack is Σξ.
        n_support: support vectors.
        nu: the ends of ν = Σα/(nC).
        nu_balanced: the ends of ν where both classes have the same Σα; the lower above the upper where they cannot.
        nu_most: twice the share of the rarer class, the most that ν can be then.
        mean_slack: of ξ.
        norm: the ends of |w|; NaN where C is not known.
        n_given: training rows that a person has named; the rows of the log without.
    """

    n: int
    n_bounded: int
    n_support: int
    nu: tuple[float, float]
    nu_balanced: tuple[float, float]
    nu_most: float
    mean_slack: float
    norm: tuple[float, float]
    n_given: int

    @property
    def is_balanced(self) -> bool:
        """Whether both classes can have the same Σα, as a free intercept and one C for both classes make it."""
        return self.nu_balanced[0] <= self.nu_balanced[1]

    @property
    def loo_error_most(self) -> float:
        """The leave-one-out error is at most this."""
        return self.n_support / self.n

    @property
    def is_whole(self) -> bool:
        """Whether the log holds as many training rows as were named."""
        return self.n == self.n_given


def training_bounds(cells: Cells, group: int, c: float = math.nan, n: int | None = None) -> TrainingBounds | None:
    """The bounds of one group of training rows; None where it lacks rows of a class.

    Args:
        cells: any, at any resolution.
        group: which of its groups.
        c: C as scikit-learn has it, above 0; NaN where it is not known.
        n: how many rows the model was trained on; those of the group where it is not known.
    """
    by_label = cells.margins.n[group]
    if not by_label.all():
        return None
    counts = [kind_counts(cells.of_label(label)) for label in (-1, 1)]
    bounded = np.array([sum(of[kind].hits[group] for kind in ("wrong_side", "inside")) for of in counts])
    resting = np.array([of["on_margin"].hits[group] for of in counts])
    rows = float(by_label.sum())
    slack = float(cells.at_margin(1.0).below.over(1).n[group] - _margins_below_one(cells, group))
    nu = (float(bounded.sum()) / rows, float((bounded + resting).sum()) / rows)
    given = int(rows) if n is None else n
    norm = (math.nan, math.nan)
    if c > 0:
        # Σα·m = |w|², and α·m is C·m or α: |w|² = C·(n·ν − Σξ).
        low, high = (math.sqrt(max(c * given * (each - slack / rows), 0.0)) for each in nu)
        norm = (low, high)
    return TrainingBounds(
        n=int(rows),
        n_bounded=int(bounded.sum()),
        n_support=int((bounded + resting).sum()),
        nu=nu,
        nu_balanced=(2 * float(bounded.max()) / rows, 2 * float((bounded + resting).min()) / rows),
        nu_most=2 * float(by_label.min()) / rows,
        mean_slack=slack / rows,
        norm=norm,
        n_given=given,
    )


def _margins_below_one(cells: Cells, group: int) -> float:
    """Σm of the rows with m < 1, unweighted."""
    below = cells.at_margin(1.0).below
    return float(Sums(below.values[..., :7], weighted=False).over(1).total("s")[group])
