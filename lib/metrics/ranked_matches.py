"""Where right answers stand when the whole gallery is ranked by distance, with ties by expectation.

Rows at the same distance have no order. What depends on one is replaced by its mean over all orders: McSherry and
Najork, Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores, ECIR 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lib.metrics.estimates import BoolArray, FloatArray, IntArray, add_up, divide


@dataclass(frozen=True, eq=False)
class RankedMatches:
    """Right answers in the rankings of queries.

    Every array of numbers is worked out for all queries or, where that would take too long, for those of the sample,
    and NaN for the others. Where a query is not answerable, what is over right answers is NaN.

    Attributes:
        queries: shape (q,), the rows that asked, ascending.
        n_gallery: shape (q,), how many rows each could find: itself left out.
        n_relevant: shape (q,), how many of them are right answers; a query without any is not answerable.
        ks: the lengths of lists, ascending.
        matches: shape (q, len(ks)), how many right answers are among the first k, by expectation.
        hit: shape (q, len(ks)), the probability that one is.
        nearer: shape (q,), how many rows are strictly nearer than the nearest right answer.
        ties: shape (q,), how many are as near as it, itself among them.
        matching: shape (q,), how many of those are right answers.
        r_precision: shape (q,), share of right answers among the first R, R the number of right answers.
        average_precision_at_r: shape (q,), 1/R Σ over right answers among the first R of the precision at their rank.
        in_sample: shape (q,), which queries were drawn, each with the same probability, by label; all of them where
            nothing would have taken too long.
    """

    queries: IntArray
    n_gallery: IntArray
    n_relevant: IntArray
    ks: tuple[int, ...]
    matches: FloatArray
    hit: FloatArray
    nearer: FloatArray
    ties: FloatArray
    matching: FloatArray
    r_precision: FloatArray
    average_precision_at_r: FloatArray
    in_sample: BoolArray

    @property
    def is_answerable(self) -> BoolArray:
        """Shape (q,): where there is a right answer to be found."""
        return self.n_relevant > 0


def hit_probability(nearer: ArrayLike, ties: ArrayLike, matching: ArrayLike, k: ArrayLike) -> FloatArray:
    """The probability that the first k hold a right answer, in [0, 1].

    1 − C(ties − matching, j)/C(ties, j) with j = k − nearer places for the rows that are tied.
    """
    b, t, m, size = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (nearer, ties, matching, k)))
    j = np.clip(size - b, 0, t)
    wrong = t - m
    inner = (j > 0) & (j <= wrong)
    safe = np.where(inner, j, 0.0)
    missed = np.exp(
        special.gammaln(np.where(inner, wrong, 0.0) + 1)
        - special.gammaln(np.where(inner, wrong, 0.0) - safe + 1)
        - special.gammaln(np.where(inner, t, 0.0) + 1)
        + special.gammaln(np.where(inner, t, 0.0) - safe + 1)
    )
    return np.where(np.isnan(b), np.nan, np.where(j <= 0, 0.0, np.where(j > wrong, 1.0, 1 - missed)))


def expected_reciprocal_rank(nearer: ArrayLike, ties: ArrayLike, matching: ArrayLike) -> FloatArray:
    """The mean of 1/rank of the first right answer, over all orders of the tied rows; shape (q,), NaN where unknown."""
    rows = np.stack([np.asarray(each, np.float64) for each in (nearer, ties, matching)], axis=1)
    b, t, m = rows.T
    result = 1 / (b + 1)
    several = np.flatnonzero(t > m)
    distinct, which = np.unique(rows[several], axis=0, return_inverse=True)
    means = np.array([_mean_of_reciprocal(b, t, m) for b, t, m in distinct.tolist()])
    result[several] = means[which] if len(several) else 0.0
    return result


def _mean_of_reciprocal(nearer: float, ties: float, matching: float) -> float:
    """Σ P(J = j)/(nearer + j), J the place of the first of `matching` among `ties`."""
    j = np.arange(1, ties - matching + 1)
    ratios = (ties - matching - j + 1) / (ties - j)
    chances = matching / ties * np.concatenate([[1.0], np.cumprod(ratios)])
    return float((chances / (nearer + np.arange(1, len(chances) + 1))).sum())


@dataclass(frozen=True, eq=False)
class Tied:
    """Rows at one distance, for each of several places in rankings; all arrays of one shape.

    Attributes:
        nearer: how many rows are strictly nearer.
        ties: how many are at that distance.
        matched: how many of the nearer ones are right answers.
        matching: how many of the tied ones are.
    """

    nearer: IntArray
    ties: IntArray
    matched: IntArray
    matching: IntArray


@dataclass(frozen=True, eq=False)
class Rankings:
    """What is known of the rankings of some queries, by which all that depends on them is worked out.

    Attributes:
        query: shape (e,), ascending: an entry for each right answer, of each query at least those among the first R.
        answers: shape (e,): where it stands; along a query ascending.
        ends: shape (b, len(ks) + 1): the rows that rank k falls among, for each k and for R; the last rank where a
            query has fewer rows to find.
    """

    query: IntArray
    answers: Tied
    ends: Tied


@dataclass(frozen=True, eq=False)
class Worked:
    """Columns of `RankedMatches` of some queries, under the same names."""

    matches: FloatArray
    hit: FloatArray
    nearer: FloatArray
    ties: FloatArray
    matching: FloatArray
    r_precision: FloatArray
    average_precision_at_r: FloatArray


def tied_at(distances: ArrayLike, relevant: ArrayLike, at: ArrayLike) -> Tied:
    """The rows of a ranking at given distances.

    Args:
        distances: shape (g,), of all rows, ascending.
        relevant: shape (R,), those of right answers, ascending.
        at: which distances are looked at, each among `distances`.
    """
    all_, right, value = np.asarray(distances), np.asarray(relevant), np.asarray(at)
    nearer, matched = np.searchsorted(all_, value, "left"), np.searchsorted(right, value, "left")
    ties, matching = np.searchsorted(all_, value, "right"), np.searchsorted(right, value, "right")
    return Tied(nearer, ties - nearer, matched, matching - matched)


def work_out(rankings: Rankings, n_gallery: ArrayLike, n_relevant: ArrayLike, ks: tuple[int, ...]) -> Worked:
    """Everything that rankings say, by expectation over the orders of ties.

    Args:
        rankings: of b queries.
        n_gallery: shape (b,), rows to be found.
        n_relevant: shape (b,), right answers among them; where 0, everything but `matches` and `hit` is NaN.
        ks: lengths of lists.
    """
    r, answers, ends = np.asarray(n_relevant, np.float64), rankings.answers, rankings.ends
    sizes = np.minimum(np.column_stack([*(np.full(len(r), k) for k in ks), r]), np.asarray(n_gallery)[:, None])
    counts = ends.matched + ends.matching * divide(sizes - ends.nearer, ends.ties)
    counts = np.where(sizes > 0, counts, 0.0)
    first = np.flatnonzero(np.diff(rankings.query, prepend=-1))
    nearest = np.full((3, len(r)), np.nan)
    nearest[:, rankings.query[first]] = [answers.nearer[first], answers.ties[first], answers.matching[first]]
    hit = hit_probability(nearest[0][:, None], nearest[1][:, None], nearest[2][:, None], np.array(ks))
    return Worked(
        matches=counts[:, :-1],
        hit=np.where(np.isnan(hit), 0.0, hit),
        nearer=nearest[0],
        ties=nearest[1],
        matching=nearest[2],
        r_precision=divide(counts[:, -1], r),
        average_precision_at_r=divide(_precisions(rankings, r), r),
    )


def _precisions(rankings: Rankings, r: FloatArray) -> FloatArray:
    """Σ over ranks i ≤ R of E[right at i · right answers up to i]/i, shape (b,).

    At place p of t tied rows, m of them right, behind b others with c right ones, a row is right with chance m/t, and
    then c + 1 + (p − 1)(m − 1)/(t − 1) right ones are up to it. Summed over p; each of the m entries stands for 1/m.
    """
    inside = rankings.answers.nearer < r[rankings.query]
    query = rankings.query[inside]
    tied = rankings.answers
    b, t, c, m = (each[inside].astype(np.float64) for each in (tied.nearer, tied.ties, tied.matched, tied.matching))
    last = np.minimum(b + t, r[query])
    is_one = last - b == 1
    harmonic = np.where(is_one, 1 / (b + 1), special.digamma(last + 1) - special.digamma(b + 1))  # Σ 1/i
    places = np.where(is_one, 0.0, last - b - (b + 1) * harmonic)  # Σ (p − 1)/i
    others = (m - 1) / np.maximum(t - 1, 1)
    return add_up(query, ((c + 1) * harmonic + others * places) / t, len(r))
