"""Right and wrong decisions at a threshold, and the scores of probabilities (H-M9).

A positive prediction is s > threshold, strict. Rows without a label or a score do not take part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.cells import NEGATIVE, POSITIVE, Cells, Sums
from lib.grid import MISSING_BIN, score_interval
from lib.metrics.estimates import NOT_A_PROBABILITY, Estimates, FloatArray, add_up, undefined
from lib.metrics.parts import Additive, Counts, Moments
from lib.schema import ScoreKind

Scale = Literal["score", "probability"]
NO_POSITIVES = "no positive rows"
NO_NEGATIVES = "no negative rows"
NO_POSITIVE_PREDICTIONS = "no positive predictions"
NOTHING_POSITIVE = "no positive rows and no positive predictions"

LARGEST_LOG_LOSS = float(-np.log(np.finfo(np.float64).eps))
"""p is clipped to [ε, 1 − ε] before the logarithm, so that no row can lose more than this: about 36.04."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """The four cells of the confusion table, each the sums of its rows, shape (G,)."""

    groups: dict[str, NDArray[np.generic]]
    true_positive: Sums
    false_positive: Sums
    false_negative: Sums
    true_negative: Sums

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.groups,
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )

    @property
    def whole(self) -> Sums:
        """Sums over all four."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def accuracy(self) -> Counts:
        """Right decisions among labelled rows."""
        return Counts.of(self.true_positive + self.true_negative, self.whole)

    @property
    def precision(self) -> Counts:
        """True positives among positive predictions."""
        return Counts.of(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> Counts:
        """True positives among positive rows."""
        return Counts.of(self.true_positive, self.true_positive + self.false_negative)

    @property
    def false_positive_rate(self) -> Counts:
        """False positives among negative rows."""
        return Counts.of(self.false_positive, self.false_positive + self.true_negative)

    def jaccard(self, beta: float = 1.0) -> Counts:
        """True positives among rows that are positive, predicted positive, or both.

        For F-beta a miss weighs 2β²/(1 + β²) and a false alarm 2/(1 + β²): both 1 for F1.
        """
        miss, alarm = 2 * beta**2 / (1 + beta**2), 2 / (1 + beta**2)
        hit, wrong, missed = self.true_positive, self.false_positive, self.false_negative
        return Counts(
            n=hit.n + wrong.n + missed.n,
            hits=hit.n,
            w=hit.w + alarm * wrong.w + miss * missed.w,
            w2=hit.w2 + alarm**2 * wrong.w2 + miss**2 * missed.w2,
            w_hits=hit.w,
            w2_hits=hit.w2,
            doubt=np.zeros_like(hit.n),
        )


def confusion(cells: Cells, threshold: float = 0.0, scale: Scale = "score") -> Confusion:
    """Counts of right and wrong decisions at a threshold on a step of the resolution; exact."""
    parts = cells.at(threshold, scale)
    positive, negative = parts.above, parts.below + parts.at
    return Confusion(
        groups=cells.groups,
        true_positive=positive[..., POSITIVE, :],
        false_positive=positive[..., NEGATIVE, :],
        false_negative=negative[..., POSITIVE, :],
        true_negative=negative[..., NEGATIVE, :],
    )


def accuracy_counts(cells: Cells) -> Counts:
    """Right decisions among labelled rows."""
    return confusion(cells).accuracy


def precision_counts(cells: Cells) -> Counts:
    """True positives among positive predictions."""
    return confusion(cells).precision


def recall_counts(cells: Cells) -> Counts:
    """True positives among positive rows."""
    return confusion(cells).recall


def false_positive_counts(cells: Cells) -> Counts:
    """False positives among negative rows."""
    return confusion(cells).false_positive_rate


def positive_counts(cells: Cells) -> Counts:
    """Positive rows among labelled and scored rows."""
    return Counts.of(cells.margins[..., 1, :], cells.margins.over(1))


def positive_share(cells: Cells) -> Estimates:
    """Share of labelled rows that are positive: the base rate, and the average precision of a coin."""
    return positive_counts(cells).estimates()


def predicted_positive_counts(cells: Cells) -> Counts:
    """Positive predictions among all rows with a score, labelled or not."""
    return Counts.of(cells.at(0.0).above.over(1), cells.scored.over(1))


def jaccard_counts(cells: Cells) -> Counts:
    """True positives among rows that are positive, predicted positive, or both."""
    return confusion(cells).jaccard()


def f_estimates(counts: Counts) -> Estimates:
    """F-beta = 2J/(1 + J) of the share J that `Confusion.jaccard` counts, with J's score interval carried over.

    To first order the delta method's interval, but it stays within [0, 1] and does not vanish at 0 and 1.
    """
    share = counts.estimates(NOTHING_POSITIVE)

    def carried(j: FloatArray) -> FloatArray:
        return 2 * j / (1 + j)

    return replace(share, value=carried(share.value), lower=carried(share.lower), upper=carried(share.upper))


def log_loss_moments(cells: Cells) -> Moments:
    """Moments of −log of the probability given to the true class, p clipped to [ε, 1 − ε]."""
    whole = cells.margins.over(1)
    wx, w2x, w2xx, doubt = whole.total("l"), whole.total_w2("l"), whole.total_w2("ll"), np.zeros(cells.n_groups)
    label, most = cells.block % 3 - 1, LARGEST_LOG_LOSS
    far = np.flatnonzero((label != 0) & (cells.score_bin != MISSING_BIN) & (label * cells.score < -20.0))
    if len(far):
        sums, group = Sums(cells.sums[far], cells.weighted), cells.block[far] // 3

        def add(values: FloatArray) -> FloatArray:
            return add_up(group, values, cells.n_groups)

        wx = wx + add(np.minimum(most * sums.w - sums.total("l"), 0.0))
        w2x = w2x + add(np.minimum(most * sums.w2 - sums.total_w2("l"), 0.0))
        w2xx = w2xx + add(np.minimum(most**2 * sums.w2 - sums.total_w2("ll"), 0.0))
        if not cells.resolution.is_exact:
            low, high = score_interval(cells.score_bin[far], cells.resolution)
            least = np.where(label[far] > 0, -high, low)
            greatest = np.where(label[far] > 0, -low, high)
            doubt = add(sums.w * np.clip(np.minimum(greatest - most, most - least), 0.0, None))
    return Moments(n=whole.n, w=whole.w, w2=whole.w2, wx=wx, w2x=w2x, w2xx=w2xx, doubt=doubt)


def if_probability(moments: Additive, score_kind: ScoreKind) -> Estimates:
    """The mean, where the score may be called a probability."""
    assert isinstance(moments, Moments)
    return moments.estimates(least=0.0) if score_kind.is_probabilistic else undefined(moments.n, NOT_A_PROBABILITY)


def log_loss(cells: Cells, score_kind: ScoreKind) -> Estimates:
    """Mean −log of the true class's probability; scikit-learn's `log_loss`; undefined for decision scores."""
    return if_probability(log_loss_moments(cells), score_kind)


def brier_moments(cells: Cells) -> Moments:
    """Moments of (p − y)², y in {0, 1}: Σp² for negative rows, n − 2Σp + Σp² for positive; squares to bin precision."""
    label = cells.block % 3 - 1
    cell = np.flatnonzero((label != 0) & (cells.score_bin != MISSING_BIN))
    sums, positive = Sums(cells.sums[cell], cells.weighted), label[cell] > 0
    total = np.maximum(np.where(positive, sums.w - 2 * sums.total("p"), 0.0) + sums.total("pp"), 0.0)
    mean = np.divide(total, sums.w, out=np.zeros_like(total), where=sums.w > 0)
    return Moments.of_cells(cells, cell, mean, total)


def brier_score(cells: Cells, score_kind: ScoreKind) -> Estimates:
    """Mean (p − y)²; scikit-learn's `brier_score_loss`; undefined for decision scores; interval to bin precision."""
    return if_probability(brier_moments(cells), score_kind)
