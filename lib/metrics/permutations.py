"""What chance does to a number: its values when the sides of two samples, or the labels of rows, are dealt anew.

A p-value below what so many draws can show is read off a Pearson type III (shifted gamma) distribution with the
draws' mean, variance and skewness, as is usual for quadratic statistics (Josse, Pagès and Husson 2008).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from lib.metrics.estimates import FloatArray

DRAWS = 199
"""Draws of a null distribution, beside what was observed."""
NOISE_LEVEL = 0.01
"""Noise floors are exceeded this often where there is nothing."""
ENOUGH = 10
"""Draws beyond the observed number that make a p-value of their own."""
LEAST_SKEW = 1e-3
ROUNDING = 1e-7
"""Numbers, all without unit, that differ by no more are equal."""


def deal_sides(n: int, m: int, seed: int, draws: int = DRAWS) -> FloatArray:
    """Shape (draws + 1, n + m): which side each row is on, −1 or 1; n and m of each; the first as observed."""
    sides = np.repeat([-1.0, 1.0], [n, m])
    dealt = np.random.default_rng(seed).permuted(np.broadcast_to(sides, (draws, n + m)), axis=1)
    return np.concatenate([sides[None], dealt])


def deal_swaps(n: int, seed: int, draws: int = DRAWS) -> FloatArray:
    """The same for n pairs, the first rows and then their partners: the rows of a pair swap sides, or do not."""
    swaps = np.random.default_rng(seed).choice([-1.0, 1.0], (draws, n))
    swaps = np.concatenate([np.ones((1, n)), swaps])
    return np.concatenate([-swaps, swaps], axis=1)


def permutation_p_value(observed: float, drawn: FloatArray) -> float:
    """One-sided p that a number is as large by chance; (1 + b)/(1 + B) where `ENOUGH` draws b are as large."""
    beyond = int((drawn >= observed - ROUNDING).sum())
    plain = (1 + beyond) / (1 + len(drawn))
    spread = float(drawn.std())
    if beyond >= ENOUGH or spread <= ROUNDING:
        return plain
    return min(pearson_tail(observed, drawn), (1 + ENOUGH) / (1 + len(drawn)))


def pearson_tail(observed: float, drawn: FloatArray) -> float:
    """P(X ≥ observed) of the Pearson type III distribution with the draws' moments; normal where they are not skewed.

    A negative skewness, which would bound the number from above, counts as none.
    """
    spread = float(drawn.std())
    z = (observed - float(drawn.mean())) / spread
    skew = float((((drawn - drawn.mean()) / spread) ** 3).mean())
    if skew < LEAST_SKEW:
        return float(special.ndtr(-z))
    shape = 4 / skew**2
    return float(special.gammaincc(shape, max(shape + z * np.sqrt(shape), 0.0)))


def noise_floor(drawn: FloatArray) -> float:
    """What chance exceeds with `NOISE_LEVEL`."""
    return float(np.quantile(drawn, 1 - NOISE_LEVEL))
