"""Intervals, tests and corrections, all elementwise over arrays and free of warnings.

References: Wilson (1927); Newcombe (1998), methods 3 and 10, and (1998b) for paired rates; Zou and Donner (2008) for
square-and-add; Woodruff (1952) for weighted quantiles; Altman and Bland (2011), BMJ 343:d2304, for p from an interval;
Benjamini and Hochberg (1995); Holm (1979).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lib.metrics.estimates import BoolArray, FloatArray, divide

LEVEL = 0.95
FIRST_BLOCK, LARGEST_BLOCK = 16, 512
"""How many terms of a tail are summed at a time."""


def normal_quantile(level: float = LEVEL) -> float:
    """The z of a two-sided interval: 1.96 at 95 %."""
    return float(special.ndtri((1 + level) / 2))


def kish_n(w: ArrayLike, w2: ArrayLike) -> FloatArray:
    """Kish's effective number of rows (Σw)²/Σw²; n without weights, 0 without rows."""
    total = np.asarray(w, np.float64)
    return np.nan_to_num(divide(total**2, w2))


def rate_n(rate: ArrayLike, n: ArrayLike, w: ArrayLike, w2: ArrayLike, w2_hits: ArrayLike) -> FloatArray:
    """The effective number of rows behind a weighted rate μ: μ(1 − μ)/var with var = Σw²(x − μ)²/(Σw)².

    Kish's where μ is 0 or 1. Never more than n: a hit of very small weight is not evidence of a large sample.
    Equal to n without weights.

    Args:
        rate: Σwx/Σw with x in {0, 1}, any shape.
        n: raw number of rows.
        w: Σw.
        w2: Σw².
        w2_hits: Σw²x.
    """
    mu = np.asarray(rate, np.float64)
    squares = (1 - 2 * mu) * np.asarray(w2_hits, np.float64) + mu**2 * np.asarray(w2, np.float64)
    design = divide(mu * (1 - mu) * np.asarray(w, np.float64) ** 2, squares)
    inner = (mu > 0) & (mu < 1) & (squares > 0)
    return np.minimum(np.where(inner, design, kish_n(w, w2)), n)


def wilson(rate: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Wilson's score interval of a rate; n may be an effective, fractional one. (NaN, NaN) where n is 0."""
    p, size = np.asarray(rate, np.float64), np.asarray(n, np.float64)
    z = normal_quantile(level)
    scale = divide(1.0, size + z**2)
    centre = (p * size + z**2 / 2) * scale
    half = z * np.sqrt(np.maximum(p * (1 - p) * size + z**2 / 4, 0.0)) * scale
    none = ~(size > 0)
    lower = np.where(p <= 0, 0.0, np.maximum(centre - half, 0.0))
    upper = np.where(p >= 1, 1.0, np.minimum(centre + half, 1.0))
    return np.where(none, np.nan, lower), np.where(none, np.nan, upper)


def mean_interval(
    mean: ArrayLike, standard_error: ArrayLike, degrees_of_freedom: ArrayLike, level: float = LEVEL
) -> tuple[FloatArray, FloatArray]:
    """Mean ± t·se; (NaN, NaN) where the degrees of freedom are not positive."""
    df = np.asarray(degrees_of_freedom, np.float64)
    t = np.where(df > 0, special.stdtrit(np.maximum(df, 1.0), (1 + level) / 2), np.nan)
    half = t * np.asarray(standard_error, np.float64)
    return np.asarray(mean, np.float64) - half, np.asarray(mean, np.float64) + half


def logit_interval(
    share: ArrayLike, standard_error: ArrayLike, fallback_n: ArrayLike, level: float = LEVEL
) -> tuple[FloatArray, FloatArray]:
    """Delta-method interval of a share on the logit scale, so that it stays within (0, 1).

    Where the share is 0 or 1, or its standard error is NaN, Wilson's interval over `fallback_n` rows.
    """
    x, se = np.asarray(share, np.float64), np.asarray(standard_error, np.float64)
    usual = (x > 0) & (x < 1) & np.isfinite(se)
    inner = np.where(usual, x, 0.5)
    half = normal_quantile(level) * np.where(usual, se, 0.0) / (inner * (1 - inner))
    centre = special.logit(inner)
    low, high = wilson(x, fallback_n, level)
    return np.where(usual, special.expit(centre - half), low), np.where(usual, special.expit(centre + half), high)


def quantile_ranks(n: ArrayLike, q: float, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """0-based ranks of the order statistics that enclose the q-quantile; −1 or n where no row bounds that side."""
    size = np.floor(np.asarray(n, np.float64))
    safe, tail = np.maximum(size, 1.0), (1 - level) / 2
    distinct, inverse = np.unique(safe, return_inverse=True)
    low, high = (_binomial_quantile(at, distinct, q)[inverse] for at in (tail, 1 - tail))
    return np.where(size > 0, low - 1, -1.0), np.where(size > 0, high, size)


def _binomial_quantile(level: float, n: FloatArray, share: float) -> FloatArray:
    """The least number of successes of n ≥ 1 whose distribution function reaches `level`.

    `scipy.stats.binom.ppf` to the last digit; importing that takes a third of a second, a quarter of a small file's.
    """
    most = np.ceil(special.bdtrik(level, n, share))
    below = np.maximum(most - 1, 0)
    return np.where(special.bdtr(below, n.astype(np.int64), share) >= level, below, most)


def mover(
    first: tuple[ArrayLike, ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike, ArrayLike],
    correlation: ArrayLike = 0.0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """First − second of two numbers, each (value, lower, upper), by square-and-add; independent, or so correlated.

    With Wilson intervals this is Newcombe's hybrid score interval: method 10 of independent rates, and of paired ones
    with their correlation (Newcombe 1998b).
    """
    a, a_low, a_high = (np.asarray(each, np.float64) for each in first)
    b, b_low, b_high = (np.asarray(each, np.float64) for each in second)
    rho, difference = np.asarray(correlation, np.float64), a - b

    def length(one: FloatArray, other: FloatArray) -> FloatArray:
        return np.sqrt(np.maximum(one**2 + other**2 - 2 * rho * one * other, 0.0))

    return difference, difference - length(a - a_low, b_high - b), difference + length(a_high - a, b - b_low)


def interval_p_value(value: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float = LEVEL) -> FloatArray:
    """Two-sided p that a number is 0, read off its interval: below 1 − `level` exactly where that excludes 0.

    Normal, with the width of the side that faces 0 as z standard errors (as Altman and Bland 2011, one side at a time,
    for the two may differ). NaN where the number or that side is undefined, 1 at 0.
    """
    x = np.asarray(value, np.float64)
    half = np.where(x > 0, x - np.asarray(lower, np.float64), np.asarray(upper, np.float64) - x)
    size = np.abs(x)
    # A number without any width is not 0, for certain.
    z = normal_quantile(level) * np.where(half > 0, divide(size, half), np.where(size > 0, np.inf, 0.0))
    return np.where(np.isnan(x) | np.isnan(half), np.nan, 2 * special.ndtr(-z))


def mover_sum(
    worth: FloatArray, share: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Σ worth·share over shares of the same rows that exclude one another, with an interval, by square-and-add.

    The shares are correlated as those of a multinomial sample are.

    Args:
        worth: shape (J, …), of either sign.
        share: shape (J, …), in [0, 1], of sum 1 at most.
        lower: shape (J, …), and so is `upper`: the interval of each.
        upper: see `lower`.

    Returns:
        Value, lower and upper end, shape (…).
    """
    value = (worth * share).sum(axis=0)
    down, up = worth * (share - lower), worth * (upper - share)
    below, above = np.where(worth > 0, down, up), np.where(worth > 0, up, down)
    with np.errstate(invalid="ignore"):
        odds = np.sqrt(divide(share, 1 - share))

    def length(side: FloatArray) -> FloatArray:
        total = (side**2).sum(axis=0)
        for one in range(len(side)):
            for other in range(one):
                # A share of 1 leaves the others 0, which nothing is correlated with.
                correlation = -np.nan_to_num(odds[one] * odds[other])
                total = total + 2 * correlation * side[one] * side[other]
        return np.sqrt(np.maximum(total, 0.0))

    return value, value - length(below), value + length(above)


def mcnemar_p_value(gained: ArrayLike, lost: ArrayLike) -> FloatArray:
    """McNemar's exact two-sided test that of paired rows as many gained something as lost it; 1 where none did.

    Given how many changed, how many gained is binomial with ½; twice the smaller tail, at most 1.
    """
    b, c = np.asarray(gained, np.float64), np.asarray(lost, np.float64)
    return np.minimum(2 * special.bdtr(np.minimum(b, c), (b + c).astype(np.int64), 0.5), 1.0)


def rows_for_rate(rate: ArrayLike, half_width: ArrayLike, level: float = LEVEL) -> FloatArray:
    """The number of rows at which Wilson's interval of a rate is ± `half_width`: the root of a quadratic."""
    p, h2 = np.asarray(rate, np.float64), np.asarray(half_width, np.float64) ** 2
    z2 = normal_quantile(level) ** 2
    b, c = 2 * h2 * z2 - z2 * p * (1 - p), z2**2 * (h2 - 0.25)
    return np.ceil(np.maximum((-b + np.sqrt(np.maximum(b**2 - 4 * h2 * c, 0.0))) / (2 * h2), 0.0))


def how_many_more(
    rate: ArrayLike, n: ArrayLike, half_width: ArrayLike, n_effective: ArrayLike | None = None, level: float = LEVEL
) -> FloatArray:
    """How many more rows like these a rate needs for an interval of ± `half_width`; 0 where there are enough.

    With no rows at all the rate is taken as ½, the worst case. Weighted rows count for n_effective/n of a row each.
    """
    rows = np.asarray(n, np.float64)
    value = np.asarray(rate, np.float64)
    share = np.ones_like(rows) if n_effective is None else np.where(rows > 0, divide(n_effective, rows), 1.0)
    needed = rows_for_rate(np.where(np.isnan(value), 0.5, value), half_width, level)
    return np.maximum(np.ceil(np.nan_to_num(divide(needed, share)) - rows), 0.0)


def benjamini_hochberg(p: ArrayLike) -> FloatArray:
    """Adjusted p-values that control the false discovery rate; NaN stays NaN and is no member of the family."""
    return _adjusted(p, lambda ordered, m: np.minimum.accumulate((ordered * m / np.arange(1, m + 1))[::-1])[::-1])


def holm(p: ArrayLike) -> FloatArray:
    """Adjusted p-values that control the family-wise error rate; NaN stays NaN and is no member of the family."""
    return _adjusted(p, lambda ordered, m: np.maximum.accumulate(ordered * np.arange(m, 0, -1)))


def excess_p_value(hits: ArrayLike, n: ArrayLike, rest_hits: ArrayLike, rest_n: ArrayLike) -> FloatArray:
    """Fisher's exact one-sided test that the rate in a group exceeds that in the rest; NaN where either is empty.

    P(X ≥ hits) for X hypergeometric. Effective counts, which need not be whole, are rounded so that the test stays
    conservative: the group's hits down, the rest's up. Terms are summed from the observed one outwards, in the
    direction in which they shrink, in blocks that grow: a million rows have thousands of terms, thirty a few.
    """
    arrays = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(each, np.float64)) for each in (hits, n, rest_hits, rest_n))
    )
    snapped = [np.where(np.abs(each - np.rint(each)) < 1e-6, np.rint(each), each) for each in arrays]
    size, rest = np.floor(snapped[1]), np.floor(snapped[3])
    k, other = np.minimum(np.floor(snapped[0]), size), np.minimum(np.ceil(snapped[2]), rest)
    result = np.full(k.shape, np.nan)
    able = (size > 0) & (rest > 0)
    if able.any():
        result[able] = _hypergeometric_tail(k[able], size[able], (k + other)[able], (size + rest)[able])
    return result.reshape(np.broadcast_shapes(*(np.shape(each) for each in (hits, n, rest_hits, rest_n))))


def _hypergeometric_tail(k: FloatArray, draws: FloatArray, good: FloatArray, total: FloatArray) -> FloatArray:
    """P(X ≥ k), X the good ones among `draws` of `total` of which `good` are good."""
    above = k >= draws * good / total
    upward = _tail_sum(k, draws, good, total, up=True, chosen=above)
    downward = _tail_sum(k - 1, draws, good, total, up=False, chosen=~above)
    return np.clip(np.where(above, upward, 1 - downward), 0.0, 1.0)


def _tail_sum(
    k: FloatArray, draws: FloatArray, good: FloatArray, total: FloatArray, *, up: bool, chosen: BoolArray
) -> FloatArray:
    """Σ pmf from k upwards, or from k downwards, where `chosen`."""
    result = np.zeros(len(k))
    lowest, highest = np.maximum(0.0, draws + good - total), np.minimum(draws, good)
    active = np.flatnonzero(chosen & (k >= lowest) & (k <= highest))
    x, d, g, t = k[active], draws[active], good[active], total[active]
    first = np.exp(_log_pmf(x, d, g, t))
    term, summed = np.ones(len(active)), np.ones(len(active))
    result[active] = first
    step, block = 1.0 if up else -1.0, FIRST_BLOCK
    while len(active):
        # Beyond the last possible value a ratio is 0, and with it all that follow.
        at = x[:, None] + step * np.arange(block)
        if up:
            ratios = (g[:, None] - at) * (d[:, None] - at) / ((at + 1) * ((t - g - d)[:, None] + at + 1))
        else:
            ratios = at * ((t - g - d)[:, None] + at) / ((g[:, None] - at + 1) * (d[:, None] - at + 1))
        terms = term[:, None] * np.cumprod(ratios, axis=1)
        term, summed = terms[:, -1], summed + terms.sum(axis=1)
        x = x + step * block
        result[active] = first * summed
        going = term > 1e-17 * summed
        active, x, d, g, t = active[going], x[going], d[going], g[going], t[going]
        term, summed, first = term[going], summed[going], first[going]
        block = min(2 * block, LARGEST_BLOCK)
    return result


def _log_pmf(k: FloatArray, draws: FloatArray, good: FloatArray, total: FloatArray) -> FloatArray:
    def log_choose(a: FloatArray, b: FloatArray) -> FloatArray:
        return -np.log1p(a) - special.betaln(a - b + 1, b + 1)

    return log_choose(good, k) + log_choose(total - good, draws - k) - log_choose(total, draws)


def _adjusted(p: ArrayLike, rule: Callable[[FloatArray, int], FloatArray]) -> FloatArray:
    values = np.asarray(p, np.float64)
    result = np.full(values.shape, np.nan)
    family = np.flatnonzero(~np.isnan(values))
    if len(family):
        order = family[np.argsort(values[family], kind="stable")]
        result[order] = np.minimum(rule(values[order], len(order)), 1.0)
    return result
