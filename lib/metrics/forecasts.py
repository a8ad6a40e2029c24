"""Probabilities and what came of them: the labelled rows of one group in order of probability, and draws of them.

Calibration is a matter of these alone. At exact resolution each distinct probability is a bin of its own, and numbers
are those of the rows; on the grid a bin is an interval of probabilities of which the mean is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special

from lib.cells import POSITIVE, Cells, Sums
from lib.grid import EPSILON, probability_id
from lib.metrics.classification import LARGEST_LOG_LOSS
from lib.metrics.estimates import BoolArray, FloatArray, IntArray, add_up, divide
from lib.metrics.intervals import kish_n
from lib.metrics.ordering import ordered_bins

MOST_DRAWN_BINS = 1_000
"""Into how many bins rows are gathered before they are drawn again: more would only cost time."""
ARRAYS = ("probability", "lower", "upper", "score", "n", "w", "w2", "squares", "logs")
"""What `Forecasts` holds for each bin."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Labelled rows of one group in M bins of rising probability.

    Attributes:
        probability: shape (M,), the mean p of each bin, in [ε, 1 − ε].
        lower, upper: shape (M,), the least and the greatest p that a row of it can have; equal where all are equal.
        score: shape (M,), the mean decision score (log odds).
        n, w, w2: shape (M, 2), rows, Σw and Σw² by label, negative and positive.
        squares, logs: shape (M, 2), Σw(p − y)² and −Σw·log of the true class's probability, by label.
        weighted: whether rows have weights.
        straddles: whether a bin may hold rows on either side of an edge of equal-width bins other than one half.
    """

    probability: FloatArray
    lower: FloatArray
    upper: FloatArray
    score: FloatArray
    n: FloatArray
    w: FloatArray
    w2: FloatArray
    squares: FloatArray
    logs: FloatArray
    weighted: bool
    straddles: bool = False

    @classmethod
    def of(cls, cells: Cells, group: int = 0) -> Forecasts:
        """The labelled, scored rows of one group of a table."""
        starts = ordered_bins(cells, "score").starts
        return cls._within(cells, slice(int(starts[group]), int(starts[group + 1])))

    @classmethod
    def of_each(cls, cells: Cells) -> list[Forecasts]:
        """The labelled, scored rows of each group of a table, which are parts of arrays that they share."""
        starts: list[int] = ordered_bins(cells, "score").starts.tolist()
        whole = cls._within(cells, slice(0, starts[-1]))
        return [
            replace(whole, **{name: getattr(whole, name)[begin:end] for name in ARRAYS})
            for begin, end in itertools.pairwise(starts)
        ]

    @classmethod
    def _within(cls, cells: Cells, here: slice) -> Forecasts:
        bins = ordered_bins(cells, "score")
        lower = special.expit(bins.lower[here])
        upper = lower if cells.resolution.is_exact else special.expit(bins.upper[here])
        weight = bins.weight[here]
        sums = Sums(cells.sums[bins.cell], cells.weighted)
        middle = (lower + upper) / 2

        def mean(total: FloatArray, otherwise: FloatArray) -> FloatArray:
            own = bins.per_bin(total)[here]
            return np.divide(own, weight, out=otherwise.copy(), where=weight > 0)

        if cells.resolution.is_exact:
            probability, score = lower, bins.lower[here]
        else:
            probability = np.clip(mean(sums.total("p"), middle), lower, upper)
            score = mean(sums.total("s"), special.logit(np.clip(middle, EPSILON, 1 - EPSILON)))
            score = np.clip(score, bins.lower[here], bins.upper[here])
        probability = np.clip(probability, EPSILON, 1 - EPSILON)
        squares, logs = (bins.w[here] * each for each in losses_at(probability))
        if not cells.resolution.is_exact:
            label = (cells.block[bins.cell] % 3 == POSITIVE).astype(np.int64)
            total = np.where(label > 0, sums.w - 2 * sums.total("p"), 0.0) + sums.total("pp")

            def by_label(values: FloatArray) -> FloatArray:
                return add_up(2 * bins.place + label, values, 2 * len(bins.group)).reshape(-1, 2)[here]

            squares = by_label(np.maximum(total, 0.0))
            logs = by_label(np.minimum(sums.total("l"), LARGEST_LOG_LOSS * sums.w))
        return cls(
            probability=probability,
            lower=lower,
            upper=upper,
            score=score,
            n=bins.n[here],
            w=bins.w[here],
            w2=bins.w2[here],
            squares=squares,
            logs=logs,
            weighted=bins.weighted,
            straddles=cells.resolution.probability_steps < 60,
        )

    @cached_property
    def rows(self) -> FloatArray:
        """Shape (M,): rows of both classes."""
        return self.n.sum(axis=1)

    @cached_property
    def weight(self) -> FloatArray:
        """Shape (M,): weight of both classes."""
        return self.w.sum(axis=1)

    @cached_property
    def positive(self) -> FloatArray:
        """Shape (M,): weight of the positive rows."""
        return self.w[:, 1]

    @property
    def n_rows(self) -> float:
        """Rows of all bins."""
        return float(self.rows.sum())

    @property
    def n_classes(self) -> int:
        """How many of the two classes have rows with weight: 0, 1 or 2."""
        return int((self.w.sum(axis=0) > 0).sum())

    @property
    def positive_share(self) -> float:
        """Weighted share of positive rows; NaN without weight."""
        return float(divide(self.positive.sum(), self.weight.sum()))

    @property
    def effective_n(self) -> float:
        """Kish's number of rows; n without weights."""
        return float(kish_n(self.weight.sum(), self.w2.sum()))

    def width_bins(self, n_bins: int) -> IntArray:
        """Shape (M,): into which of `n_bins` equal widths each bin falls, left-closed, the last closed.

        `n_bins` divides 60, so that no bin lies on both sides of an edge.
        """
        edge = probability_id((self.lower + self.upper) / 2) >> 1
        return np.minimum(edge * n_bins // 300, n_bins - 1)

    def shares_by_width(self, n_bins: int) -> FloatArray:
        """Shape (n_bins,): the share of the weight in each of so many equal widths; `n_bins` divides 60."""
        return add_up(self.width_bins(n_bins), self.weight, n_bins) / self.weight.sum()

    def mass_bins(self, n_bins: int) -> IntArray:
        """Shape (M,): into which of at most `n_bins` parts of about equally many rows each bin falls.

        scikit-learn's `quantile` strategy: the edges are linear quantiles of p, a row at an edge belongs below it, and
        rows of equal p are never parted.
        """
        order = np.cumsum(self.rows)
        position = np.arange(1, n_bins) / n_bins * max(self.n_rows - 1, 0)
        below = np.searchsorted(order, np.floor(position), side="right")
        above = np.searchsorted(order, np.minimum(np.floor(position) + 1, self.n_rows - 1), side="right")
        part = position - np.floor(position)
        p = self.probability
        edges = p[below] + (p[above] - p[below]) * part
        return np.searchsorted(edges, p, side="left").astype(np.int64)

    def gathered(self, most: int = MOST_DRAWN_BINS) -> Forecasts:
        """The same rows in at most `most` bins, neighbours together, each of about equally many rows."""
        if len(self.rows) <= most:
            return self
        before = np.cumsum(self.rows) - self.rows
        part = np.minimum((before * most / self.n_rows).astype(np.int64), most - 1)
        return self.joined(np.concatenate(([True], np.diff(part) > 0)))

    def with_probability(self, probability: FloatArray) -> Forecasts:
        """The same rows under other probabilities, shape (M,), in ascending order of these; equal ones together."""
        order = np.argsort(probability, kind="stable")
        p = np.clip(probability[order], EPSILON, 1 - EPSILON)
        w = self.w[order]
        squares, logs = (w * each for each in losses_at(p))
        moved = replace(
            self, probability=p, lower=p, upper=p, score=special.logit(p), n=self.n[order], w=w, w2=self.w2[order],
            squares=squares, logs=logs, straddles=False,
        )  # fmt: skip
        return moved.joined(_begins(p))

    def joined(self, begins: BoolArray) -> Forecasts:
        """Bins joined with those before them unless they begin anew, `begins` shape (M,)."""
        first = np.flatnonzero(begins)
        if len(first) == len(begins):
            return self

        def add(values: FloatArray) -> FloatArray:
            return np.add.reduceat(values, first, axis=0)

        weight = add(self.weight)

        def mean(values: FloatArray) -> FloatArray:
            found = np.divide(add(self.weight * values), weight, out=values[first].copy(), where=weight > 0)
            # The mean of equal numbers is that number, to the last digit.
            return np.clip(found, np.minimum.reduceat(values, first), np.maximum.reduceat(values, first))

        return replace(
            self,
            probability=mean(self.probability),
            lower=np.minimum.reduceat(self.lower, first),
            upper=np.maximum.reduceat(self.upper, first),
            score=mean(self.score),
            **{name: add(getattr(self, name)) for name in ("n", "w", "w2", "squares", "logs")},
        )

    def draw(
        self, share: FloatArray, rng: np.random.Generator, times: int, *, again: bool
    ) -> tuple[FloatArray, FloatArray]:
        """Draw the labels again, as if each row of a bin were positive with that bin's `share`.

        Args:
            share: shape (M,), in [0, 1].
            rng: where chance comes from.
            times: R.
            again: whether rows too are drawn again (Poisson), or only their labels.

        Returns:
            Weight, and weight of positive rows, shape (R, M) each. With weights, a bin counts as its Kish number of
            rows of equal weight.
        """
        size = kish_n(self.weight, self.w2.sum(axis=1)) if self.weighted else self.rows
        each = np.divide(self.weight, size, out=np.zeros_like(size), where=size > 0)
        share = np.clip(share, 0.0, 1.0)
        # Bin by bin, since what one distribution needs is computed once for all that is drawn from it in a row.
        shape = (len(size), times)
        if again:
            hits = rng.poisson((size * share)[:, None], shape)
            rows = hits + rng.poisson((size * (1 - share))[:, None], shape)
        else:
            part = size % 1.0
            rows = np.repeat(np.floor(size)[:, None], times, axis=1)
            # A fraction of a row is a row in that fraction of the draws.
            rows += rng.random(shape) < part[:, None] if part.any() else 0.0
            hits = rng.binomial(rows.astype(np.int64), share[:, None])
        return np.ascontiguousarray(rows.T, np.float64) * each, np.ascontiguousarray(hits.T, np.float64) * each


def together(parts: Sequence[Forecasts]) -> Forecasts:
    """The rows of several, at least one, in ascending order of probability; bins of equal probability are joined."""
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    order = np.argsort(joined["score"], kind="stable")
    whole = replace(parts[0], **{name: values[order] for name, values in joined.items()})
    return whole.joined(_begins(whole.score))


def losses_at(probability: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(p − y)² and −log of the true class's probability, shape (M, 2) each, by label, of p in [ε, 1 − ε]."""
    p = probability
    return np.stack([p**2, (1 - p) ** 2], axis=1), -np.stack([np.log1p(-p), np.log(p)], axis=1)


def _begins(values: FloatArray) -> BoolArray:
    """Where a sorted array has another value than before."""
    return np.concatenate((np.ones(min(len(values), 1), np.bool_), np.diff(values) > 0))
