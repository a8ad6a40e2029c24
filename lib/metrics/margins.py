"""Hinge loss and margins: H-M1 to H-M4, support vectors, and the share of rows hinge has stopped learning from.

The margin of a row is m = y·s with y in {−1, +1} and s the decision score. Rows without a label or a score do not
take part. Every margin target must lie on a step of the cells' resolution, except for quantiles, which take any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.cells import Cells, Sums
from lib.metrics.estimates import Estimates, FloatArray
from lib.metrics.ordering import ordered_bins, quantile
from lib.metrics.parts import Counts, Moments

SUPPORT_VECTOR_TOLERANCE = 1e-3
"""Solvers stop short of the margin by about this much."""


def hinge_moments(cells: Cells, margin_target: float = 1.0) -> Moments:
    """What the mean of max(0, γ − m) is made of: below γ, Σ(γ − m) = γn − Σm and Σ(γ − m)² = γ²n − 2γΣm + Σm²."""
    below, whole = cells.at_margin(margin_target).below.over(1), cells.margins.over(1)
    gamma = margin_target
    return Moments(
        n=whole.n,
        w=whole.w,
        w2=whole.w2,
        wx=np.maximum(gamma * below.w - below.total("s"), 0.0),
        w2x=np.maximum(gamma * below.w2 - below.total_w2("s"), 0.0),
        w2xx=np.maximum(gamma**2 * below.w2 - 2 * gamma * below.total_w2("s") + below.total_w2("ss"), 0.0),
        doubt=np.zeros(cells.n_groups),
    )


def average_hinge_loss(cells: Cells, margin_target: float = 1.0) -> Estimates:
    """H-M1: mean of max(0, γ − m), exact at every step of the resolution; at γ = 1 scikit-learn's `hinge_loss`."""
    return hinge_moments(cells, margin_target).estimates(least=0.0)


def violation_counts(cells: Cells, margin_target: float = 1.0) -> Counts:
    """Rows with m < γ, strict, among labelled and scored rows."""
    return Counts.of(cells.at_margin(margin_target).below.over(1), cells.margins.over(1))


def violation_rate(cells: Cells, margin_target: float = 1.0) -> Estimates:
    """H-M2: share of rows with m < γ (strict), exact at every step of the resolution."""
    return violation_counts(cells, margin_target).estimates()


def violation_rate_by_class(cells: Cells, margin_target: float = 1.0) -> dict[int, Estimates]:
    """H-M2 for each class, −1 and +1: imbalance hides in the total."""
    below, whole = cells.at_margin(margin_target).below, cells.margins
    return {
        label: Counts.of(_of_label(below, index), _of_label(whole, index)).estimates(
            f"no labelled, scored rows of class {label:+d}"
        )
        for index, label in enumerate((-1, 1))
    }


def _of_label(sums: Sums, index: int) -> Sums:
    return Sums(sums.values[..., index, :], sums.weighted)


def zero_gradient_counts(cells: Cells, margin_target: float = 1.0) -> Counts:
    """Rows with m ≥ γ, among labelled and scored rows: those from which hinge loss has stopped learning (H-M8).

    At m = γ the subgradient may be anything in [−1, 0]; it is taken as 0, as solvers do.
    """
    parts = cells.at_margin(margin_target)
    return Counts.of((parts.at + parts.above).over(1), cells.margins.over(1))


def support_vector_counts(cells: Cells) -> Counts:
    """Rows with m ≤ 1 + tolerance; off exact resolution rows with m ≤ 1, in doubt those in the bin that follows."""
    whole = cells.margins.over(1)
    if cells.resolution.is_exact:
        parts = cells.at_margin(1.0 + SUPPORT_VECTOR_TOLERANCE)
        return Counts.of((parts.below + parts.at).over(1), whole)
    parts = cells.at_margin([1.0, 1.0 + cells.resolution.step])
    hits = (parts.below[0] + parts.at[0]).over(1)
    return Counts.of(hits, whole, doubt=np.maximum(parts.below[1].over(1).w - hits.w, 0.0))


def margin_quantile(cells: Cells, q: float) -> Estimates:
    """The q-quantile of the margin, `linear` unweighted, `inverted_cdf` weighted; to bin precision, with its bound."""
    return quantile(ordered_bins(cells, "margin"), q)


def median_margin(cells: Cells) -> Estimates:
    """H-M3: the median margin."""
    return margin_quantile(cells, 0.5)


def hinge_loss_quantile(cells: Cells, q: float, margin_target: float = 1.0) -> Estimates:
    """The q-quantile of max(0, γ − m), any γ; as `margin_quantile` from the other end."""
    return quantile(ordered_bins(cells, "margin").negated, q, lambda value: np.maximum(value + margin_target, 0.0))


def hinge_loss_p90(cells: Cells, margin_target: float = 1.0) -> Estimates:
    """H-M4: the 90th percentile of the hinge loss, the tail."""
    return hinge_loss_quantile(cells, 0.9, margin_target)


@dataclass(frozen=True, eq=False)
class MarginHistogram:
    """Rows by margin and class, bins closed on the left.

    Attributes:
        groups: key values, each shape (G,).
        edges: shape (E,).
        n, w: shape (G, 2, E − 1), rows and weight of class −1 and +1 with edge ≤ m < next edge.
        n_below, n_above: shape (G, 2), rows with m < first edge and m ≥ last edge.
    """

    groups: dict[str, NDArray[np.generic]]
    edges: FloatArray
    n: FloatArray
    w: FloatArray
    n_below: FloatArray
    n_above: FloatArray


def margin_histogram(cells: Cells, edges: ArrayLike) -> MarginHistogram:
    """Counts of margins between ascending edges, which lie on steps of the resolution; exact."""
    at = np.asarray(edges, np.float64)
    below, whole = cells.at_margin(at).below, cells.margins
    n, w = np.moveaxis(below.n, 0, -1), np.moveaxis(below.w, 0, -1)
    return MarginHistogram(
        groups=cells.groups,
        edges=at,
        n=np.diff(n, axis=-1),
        w=np.maximum(np.diff(w, axis=-1), 0.0),
        n_below=n[..., 0],
        n_above=whole.n - n[..., -1],
    )
