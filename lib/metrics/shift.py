"""Two samples of one column: how far apart their distributions are, and whether chance could do that.

Counts stand by bin, stratum by stratum: the reference is given the sample's mix of strata before the two are compared,
so that a version that was tried on other splits is not taken for one that gets other inputs. Bins are a fixed cut, so
every distance has a bound: how far it may be from that of the rows themselves.

References: Kolmogorov–Smirnov with Stephens' (1970) finite-size correction; Pearson's chi-square; the population
stability index, whose noise is chi-square (Yurdakul 2018); Wasserstein-1, whose noise is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lib.cells import ValueBins
from lib.metrics.estimates import FloatArray, IntArray, divide
from lib.metrics.intervals import excess_p_value

NOISE_LEVEL = 0.01
"""Noise floors are exceeded this often by two samples of one population."""
LEAST_EXPECTED = 5.0
DRAWS = 500
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Pair:
    """A sample and its reference by bin, the latter with the sample's mix of strata; any leading shape.

    Attributes:
        p, r: shape (…, B), shares of the bins in the sample and the reference.
        n: shape (…), rows of the sample in strata that the reference has too.
        m: shape (…), the reference's rows, as many unstratified ones as tell as much.
    """

    p: FloatArray
    r: FloatArray
    n: FloatArray
    m: FloatArray

    @classmethod
    def of(cls, sample: FloatArray, reference: FloatArray) -> Pair:
        """From counts of shape (…, S, B)."""
        n, m = sample.sum(axis=-1), reference.sum(axis=-1)
        n = np.where(m > 0, n, 0.0)
        total = n.sum(axis=-1)
        weight = _share(n, total[..., None])
        p = _share(np.where(n[..., None] > 0, sample, 0.0).sum(axis=-2), total[..., None])
        r = (weight[..., None] * _share(reference, m[..., None])).sum(axis=-2)
        noise = (weight**2 * _share(1.0, m)).sum(axis=-1)
        return cls(p, r, total, _share(1.0, noise))

    @property
    def noise(self) -> FloatArray:
        """Shape (…): 1/n + 1/m, infinite where one side is empty."""
        empty = (self.n <= 0) | (self.m <= 0)
        return np.where(empty, np.inf, 1 / np.where(empty, 1.0, self.n) + 1 / np.where(empty, 1.0, self.m))


def _share(part: ArrayLike, whole: FloatArray) -> FloatArray:
    """Elementwise division, 0 where the whole is."""
    quotient: FloatArray = np.zeros(np.broadcast_shapes(np.shape(part), whole.shape))
    return np.divide(part, whole, out=quotient, where=whole != 0)


def ks_distance(pair: Pair) -> FloatArray:
    """Shape (…): the largest distance of the two distribution functions at the edges of bins."""
    distance = np.abs(np.cumsum(pair.p - pair.r, axis=-1)).max(axis=-1, initial=0.0)
    # What is left of two equal samples is the rounding of their shares.
    return np.where(distance < ROUNDING, 0.0, distance)


def ks_bound(pair: Pair, bins: ValueBins) -> FloatArray:
    """Shape (…): by how much the distance between rows may exceed that at the edges."""
    high, low = np.cumsum(pair.p, axis=-1), np.cumsum(pair.r, axis=-1)
    inside = np.maximum(high - (low - pair.r), low - (high - pair.p))
    most = np.where(bins.lower < bins.upper, inside, 0.0).max(axis=-1, initial=0.0)
    return np.maximum(most - ks_distance(pair), 0.0)


def ks_p_value(pair: Pair) -> FloatArray:
    """Shape (…): how often two samples of one population are so far apart; conservative where values repeat."""
    root = np.sqrt(1 / pair.noise)
    scale = root + 0.12 + np.where(root > 0, divide(0.11, np.where(root > 0, root, 1.0)), 0.0)
    return np.where(root > 0, special.kolmogorov(scale * ks_distance(pair)), 1.0)


def ks_floor(pair: Pair, choices: float = 1.0) -> FloatArray:
    """Shape (…): the distance that chance exceeds with `NOISE_LEVEL` in the largest of so many pairs."""
    return np.minimum(special.kolmogi(NOISE_LEVEL / choices) * np.sqrt(pair.noise), 1.0)


def pool_rare(pair: Pair) -> Pair:
    """Categories of which too few rows are to be expected for chi-square, as one; for a pair without leading shape."""
    pooled = (pair.n * pair.p + pair.m * pair.r) / max(float(pair.n + pair.m), 1.0)
    rare = pooled * min(pair.n, pair.m) < LEAST_EXPECTED
    p, r = (np.append(each[~rare], each[rare].sum()) for each in (pair.p, pair.r))
    if pooled[rare].sum() * min(pair.n, pair.m) < LEAST_EXPECTED and len(p) > 1:
        p, r = (np.append(each[:-2], each[-2] + each[-1]) for each in (p, r))
    return Pair(p, r, pair.n, pair.m)


def chi_square(pair: Pair) -> FloatArray:
    """Shape (…): Pearson's statistic of the two rows of shares; of plain counts exactly his."""
    pooled = (pair.n[..., None] * pair.p + pair.m[..., None] * pair.r) / np.maximum(pair.n + pair.m, 1.0)[..., None]
    terms = _share((pair.p - pair.r) ** 2, pooled)
    return terms.sum(axis=-1) / pair.noise


def chi_square_p_value(pair: Pair) -> float:
    """How often two samples of one population differ so much in their categories; rare ones pooled."""
    pooled = pool_rare(pair)
    filled = int(((pooled.p + pooled.r) > 0).sum())
    return float(special.chdtrc(filled - 1, chi_square(pooled))) if filled > 1 else 1.0


def telling_change(pair: Pair, least: float) -> tuple[int, float]:
    """The category whose share differs most for its noise, and by how much, with its sign.

    Of categories that change by `least` or more where there are any: a rare one that doubles matters little.
    """
    change = np.where(np.abs(pair.p - pair.r) < ROUNDING, 0.0, pair.p - pair.r)
    if not len(change):
        return 0, 0.0
    pooled = (pair.n * pair.p + pair.m * pair.r) / max(float(pair.n + pair.m), 1.0)
    noise = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12))
    large = np.abs(change) >= least
    place = int(np.argmax(np.where(large | ~large.any(), np.abs(change) / noise, -1.0)))
    return place, float(change[place])


def change_floor(pair: Pair, choices: float = 1.0) -> float:
    """The change of any category's share that chance exceeds with `NOISE_LEVEL` in the largest of so many pairs."""
    if pair.n <= 0 or pair.m <= 0:
        return 1.0
    pooled = (pair.n * pair.p + pair.m * pair.r) / float(pair.n + pair.m)
    z = float(special.ndtri(1 - NOISE_LEVEL / 2 / max(len(pooled), 1) / choices))
    return min(z * float(np.sqrt((pooled * (1 - pooled)).max(initial=0.0) * pair.noise)), 1.0)


def exact_p_value(pair: Pair, place: int) -> float:
    """Fisher's exact test of one category against all others, both sides, corrected for the choice among them."""
    n, m = float(pair.n), float(pair.m)
    if n <= 0 or m <= 0 or pair.p[place] == pair.r[place] == 0:
        return 1.0
    more, fewer = (
        float(excess_p_value(share * n, n, other * m, m))
        for share, other in ((pair.p[place], pair.r[place]), (1 - pair.p[place], 1 - pair.r[place]))
    )
    return min(2 * len(pair.p) * min(more, fewer), 1.0)


def stability_index(pair: Pair, pieces: IntArray, choices: float = 1.0) -> tuple[float, float]:
    """The population stability index over pieces, Σ (p − r)·ln(p/r), and its noise floor over so many pairs.

    Half a row is added to each piece, so that an empty one gives a large number and not an infinite one.

    Args:
        pair: without leading shape.
        pieces: shape (B,), the piece of each bin.
        choices: how many pairs this one was chosen from.
    """
    size = int(pieces.max(initial=-1)) + 1
    if size < 2 or not np.isfinite(pair.noise):
        return 0.0, float("nan")
    p, r = (np.bincount(pieces, weights=each, minlength=size) for each in (pair.p, pair.r))
    p = (pair.n * p + 0.5) / (pair.n + 0.5 * size)
    r = (pair.m * r + 0.5) / (pair.m + 0.5 * size)
    filled = int((np.bincount(pieces, weights=pair.p + pair.r, minlength=size) > 0).sum())
    floor = special.chdtri(max(filled - 1, 1), NOISE_LEVEL / choices) * pair.noise
    return float(((p - r) * np.log(p / r)).sum()), float(floor)


def wasserstein(pair: Pair, sums: FloatArray) -> tuple[float, float]:
    """Wasserstein-1, ∫|F − G|, and its bound, in the column's own unit.

    The rows of a bin are taken at their mean. Moving them there costs at most the root of their mean square distance,
    which the sums tell.

    Args:
        pair: without leading shape.
        sums: shape (B, 3), n, Σv and Σv² of both samples together.
    """
    filled, mean = _means(sums)
    n, v, vv = sums[filled].T
    spread = np.sqrt(np.maximum(vv / n - (v / n) ** 2, 0.0))
    p, r = pair.p[filled], pair.r[filled]
    distance = (np.abs(np.cumsum(p - r)[:-1]) * np.diff(mean)).sum()
    return float(distance), float(((p + r) * spread).sum())


def wasserstein_floor(pair: Pair, sums: FloatArray) -> float:
    """The distance that chance exceeds with `NOISE_LEVEL`: two samples of these sizes are drawn from both together.

    The draws are the same each time, so that a floor is a number and not a chance.
    """
    filled, mean = _means(sums)
    if len(filled) < 1 or not np.isfinite(pair.noise):
        return float("nan")
    share = sums[filled, 0] / sums[filled, 0].sum()
    draws = np.random.default_rng(20_260_321)
    drawn = [draws.multinomial(int(size), share, DRAWS) / int(size) for size in (pair.n, max(float(pair.m), 1.0))]
    apart = np.abs(np.cumsum(drawn[0] - drawn[1], axis=1)[:, :-1]) @ np.diff(mean)
    return float(np.quantile(apart, 1 - NOISE_LEVEL))


def _means(sums: FloatArray) -> tuple[IntArray, FloatArray]:
    """The bins that have rows, and the mean of each."""
    filled = np.flatnonzero(sums[:, 0] > 0)
    return filled, sums[filled, 1] / sums[filled, 0]
