"""Pairs and triplets: how far apart right and wrong answers are, and what the usual losses make of it.

Triplets are drawn: an anchor of those that have a right and a wrong answer, one of its right answers, and one of the
rows that are none, each evenly. The triplet margin is d(anchor, negative) − d(anchor, positive).

References: Hadsell, Chopra and LeCun (2006) for the contrastive loss; Schroff, Kalenichenko and Philbin (2015) for
triplets and semi-hard ones; Movshovitz-Attias et al. (2017) for proxy-NCA.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.sample_means import mean_of, rate_of
from lib.metrics.vector_rows import blocks, draw_rows, squared_distances, take
from lib.vectors import NO_LABEL, Distance, Matrix, Rows, Truth

TRIPLETS = 20_000
PROXY_ROWS = 5_000
MOST_PROXIES = 5_000
TRIES = 64
NOBODY: Rows = np.zeros(0, np.int64)
NO_TRIPLETS = "no row has both a right and a wrong answer"
NO_PROXIES = "fewer than two labels have a vector with a direction"


@dataclass(frozen=True, eq=False)
class Triplets:
    """Triplets that were drawn.

    Attributes:
        anchor, positive, negative: shape (t,), rows.
        d_positive, d_negative: shape (t,), distances of the anchor to them: pairs that belong together, and
            pairs that do not.
        n_anchors: how many rows could be an anchor.
        seed: of what was drawn.
    """

    anchor: Rows
    positive: Rows
    negative: Rows
    d_positive: FloatArray
    d_negative: FloatArray
    n_anchors: int
    seed: int

    @property
    def triplet_margin(self) -> FloatArray:
        """Shape (t,): d(anchor, negative) − d(anchor, positive)."""
        return self.d_negative - self.d_positive

    @property
    def medians(self) -> tuple[float, float]:
        """Median distance of pairs that belong together, and of pairs that do not; NaN without triplets."""
        if not len(self.anchor):
            return float("nan"), float("nan")
        return float(np.median(self.d_positive)), float(np.median(self.d_negative))


@dataclass(frozen=True)
class TripletShares:
    """Triplets at a margin α > 0, over t triplets.

    Attributes:
        margin: α.
        violation_rate: share with a triplet margin below α, strictly.
        easy: the others; semi_hard: the negative is further than the positive, by less than α; hard: it is not further.
        triplet_loss: mean of max(0, α − triplet margin).
        contrastive_loss: mean of ½·d(positive)² over positive pairs and of ½·max(0, α − d(negative))² over negative
            ones, as many of each.
    """

    margin: float
    violation_rate: Estimate
    easy: Estimate
    semi_hard: Estimate
    hard: Estimate
    triplet_loss: Estimate
    contrastive_loss: Estimate


def draw_triplets(
    matrix: Matrix, rows: Rows, truth: Truth, distance: Distance, most: int = TRIPLETS, seed: int = 0
) -> Triplets:
    """Draw triplets among rows.

    Args:
        matrix: shape (N, d).
        rows: usable rows, ascending.
        truth: labels, shape (N,), or right answers by row; a row without a label is in no triplet. Of a list, every
            row that is not listed is a wrong answer.
        distance: between vectors.
        most: how many are drawn; a few less where a wrong answer is hard to find.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    if truth.labels is not None:
        anchor, positive, negative, n_anchors = _by_label(rows, truth.labels, most, rng)
    else:
        anchor, positive, negative, n_anchors = _by_list(rows, truth, most, rng)
    apart = np.zeros((2, len(anchor)))
    for place in blocks(len(anchor), 3 * matrix.shape[1]):
        x = take(matrix, anchor[place], distance)
        for side, other in enumerate((positive, negative)):
            gap = x - take(matrix, other[place], distance)
            squares = np.einsum("ij,ij->i", gap, gap)
            apart[side, place] = squares / 2 if distance is Distance.COSINE else np.sqrt(squares)
    return Triplets(anchor, positive, negative, apart[0], apart[1], n_anchors, seed)


def shares_at(triplets: Triplets, margin: float) -> TripletShares:
    """What the triplets are at a margin."""
    gap = triplets.triplet_margin
    violation = np.maximum(margin - gap, 0.0)
    pulled, pushed = triplets.d_positive**2 / 2, np.maximum(margin - triplets.d_negative, 0.0) ** 2 / 2
    return TripletShares(
        margin=margin,
        violation_rate=rate_of(gap < margin, NO_TRIPLETS),
        easy=rate_of(gap >= margin, NO_TRIPLETS),
        semi_hard=rate_of((gap > 0) & (gap < margin), NO_TRIPLETS),
        hard=rate_of((gap <= 0) & (gap < margin), NO_TRIPLETS),
        triplet_loss=mean_of(violation, NO_TRIPLETS),
        contrastive_loss=mean_of((pulled + pushed) / 2, NO_TRIPLETS),
    )


def proxy_loss(matrix: Matrix, rows: Rows, labels: IntArray, seed: int = 0) -> Estimate:
    """Proxy-NCA with the mean direction of each label as its proxy: −ln(e^−d(x, own) / Σ over others e^−d(x, other)).

    d is the squared distance of directions. Over at most `PROXY_ROWS` rows, drawn with `seed`, and the
    `MOST_PROXIES` labels with most rows. Lower is better; it may be negative.

    Args:
        matrix: shape (N, d).
        rows: usable rows.
        labels: shape (len(rows),), codes from 0, `NO_LABEL` where there is none.
        seed: see above.
    """
    counts = np.bincount(labels[labels != NO_LABEL])
    names = np.sort(np.argsort(-counts, kind="stable")[: min(MOST_PROXIES, int((counts > 0).sum()))])
    place = np.full(len(counts) + 1, NO_LABEL)
    place[names] = np.arange(len(names))
    code = place[labels]
    kept = np.flatnonzero(code != NO_LABEL)
    sums = np.zeros((len(names), matrix.shape[1]))
    for part in blocks(len(kept), matrix.shape[1]):
        np.add.at(sums, code[kept[part]], take(matrix, rows[kept[part]], Distance.COSINE))
    lengths = np.linalg.norm(sums, axis=1)
    has_direction = lengths > 0
    if has_direction.sum() < 2:
        return Estimate(np.nan, np.nan, np.nan, len(kept), NO_PROXIES)
    proxies = sums[has_direction] / lengths[has_direction, None]
    own = np.cumsum(has_direction) - 1
    drawn = draw_rows(kept[has_direction[code[kept]]], PROXY_ROWS, seed)
    loss = np.zeros(len(drawn))
    for part in blocks(len(drawn), matrix.shape[1] + 2 * len(proxies)):
        at = drawn[part]
        far = -squared_distances(take(matrix, rows[at], Distance.COSINE), proxies)
        each, column = np.arange(len(at)), own[code[at]]
        nearest = far[each, column]
        far[each, column] = -np.inf
        loss[part] = special.logsumexp(far, axis=1) - nearest
    return mean_of(loss, NO_PROXIES)


def _by_label(rows: Rows, labels: IntArray, most: int, rng: np.random.Generator) -> tuple[Rows, Rows, Rows, int]:
    labelled = rows[labels[rows] != NO_LABEL]
    order = labelled[np.argsort(labels[labelled], kind="stable")]
    _, start, code, count = np.unique(labels[order], return_index=True, return_inverse=True, return_counts=True)
    anchors = np.flatnonzero((count[code] > 1) & (count[code] < len(order)))
    if not len(anchors):
        return NOBODY, NOBODY, NOBODY, 0
    at = rng.choice(anchors, most)
    first, size = start[code[at]], count[code[at]]
    # Any of the label but the anchor, and any outside the label's stretch of the order.
    positive = rng.integers(0, size - 1)
    positive = first + positive + (first + positive >= at)
    negative = rng.integers(0, len(order) - size)
    negative = negative + size * (negative >= first)
    return order[at], order[positive], order[negative], len(anchors)


def _by_list(rows: Rows, truth: Truth, most: int, rng: np.random.Generator) -> tuple[Rows, Rows, Rows, int]:
    if truth.offsets is None or truth.relevant is None:
        return NOBODY, NOBODY, NOBODY, 0
    offsets, relevant = truth.offsets, truth.relevant
    usable = np.zeros(len(offsets) - 1, np.bool_)
    usable[rows] = True
    query = np.repeat(np.arange(len(usable)), np.diff(offsets))
    kept = usable[query] & usable[relevant] & (query != relevant)
    query, relevant = query[kept], relevant[kept]
    count = np.bincount(query, minlength=len(usable))
    start = np.concatenate([[0], np.cumsum(count)])
    anchors = np.flatnonzero((count > 0) & (count < len(rows) - 1))
    if not len(anchors):
        return NOBODY, NOBODY, NOBODY, 0
    anchor = rng.choice(anchors, most)
    positive = relevant[start[anchor] + rng.integers(0, count[anchor])]
    listed = query * len(usable) + relevant
    negative = np.full(most, NO_LABEL)
    for _ in range(TRIES):
        missing = np.flatnonzero(negative == NO_LABEL)
        if not len(missing):
            break
        tried = rng.choice(rows, len(missing))
        wrong = (tried != anchor[missing]) & ~np.isin(anchor[missing] * len(usable) + tried, listed)
        negative[missing[wrong]] = tried[wrong]
    found = negative != NO_LABEL
    return anchor[found], positive[found], negative[found], len(anchors)
