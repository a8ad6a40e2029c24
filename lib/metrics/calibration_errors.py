"""Calibration errors: how far probabilities are from the share of rows that come true (H-M6).

Each is a function of probabilities and of how many of the rows with them are positive, so that it can be computed anew
for labels that are drawn: under "calibrated" that is its noise floor.

References: Dimitriadis, Gneiting and Jordan (2021) for CORP and its decomposition; Naeini, Cooper and Hauskrecht (2015)
for ECE and MCE; Nixon et al. (2019) for ACE; Kumar, Liang and Ma (2019) for the debiased error; Błasiok and Nakkiran
(2023) for smooth ECE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft, special

from lib.metrics.estimates import FloatArray, IntArray, add_up, divide
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import kish_n
from lib.metrics.log_odds import along
from lib.metrics.reliability import isotonic_of_each

SMOOTH_POINTS = 2**10
"""Into how many steps of p the residuals are put before they are smoothed."""
NARROWEST = 1e-3
"""The least bandwidth of smoothing: where smooth ECE is below it, it is 0 for what is asked here."""
POINTS_PER_WIDTH, LEAST_POINTS = 6.0, 128
WIDE_BINS, FIRST_SLOPE, SMOOTHINGS = 16, -1.25, 9
"""Each step at least halves how far, in logarithms, the width is from the one that is sought."""
CLOSE = 0.005
"""How far, in logarithms, an error may be from its width; the next step is far closer."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What came, or might have come, of the same probabilities, R times.

    Attributes:
        forecasts: the probabilities, in M bins.
        weight: shape (R, M), of all rows.
        positive: shape (R, M), of the positive ones.
        by_chance: whether chance had a part in these; not where they are what is expected.
    """

    forecasts: Forecasts
    weight: FloatArray
    positive: FloatArray
    by_chance: bool = True

    @classmethod
    def seen(cls, forecasts: Forecasts) -> Outcomes:
        """What did come of them: R = 1."""
        return cls(forecasts, forecasts.weight[None], forecasts.positive[None])

    @classmethod
    def expected(cls, forecasts: Forecasts, share: FloatArray) -> Outcomes:
        """What very many rows would show if a `share`, shape (M,), of each bin were positive: R = 1."""
        return cls(forecasts, forecasts.weight[None], (forecasts.weight * share)[None], by_chance=False)

    @property
    def total(self) -> FloatArray:
        """Shape (R,): weight of all rows."""
        return self.weight.sum(axis=1)

    @property
    def base(self) -> FloatArray:
        """Shape (R,): share of positive rows."""
        return divide(self.positive.sum(axis=1), self.total)

    @cached_property
    def fit(self) -> FloatArray:
        """Shape (R, M): the isotonic fit, 0 where there is no weight at all."""
        return np.nan_to_num(isotonic_of_each(self.weight, self.positive))

    @property
    def log_loss(self) -> FloatArray:
        """Shape (R,): the mean of −log of the probability given to the true class; those lie within (0, 1)."""
        p = self.forecasts.probability
        negative = self.weight - self.positive
        # Not as a product of matrices: see log_odds.
        return divide(-along(self.positive, np.log(p)) - along(negative, np.log1p(-p)), self.total)

    @property
    def fitted_log_loss(self) -> FloatArray:
        """Shape (R,): the same of the isotonic fit, which may well be 0 or 1."""
        terms = special.xlogy(self.positive, self.fit) + special.xlog1py(self.weight - self.positive, -self.fit)
        return divide(-terms.sum(axis=1), self.total)


Statistic = Callable[[Outcomes], FloatArray]
"""Outcomes to one number each, shape (R,); NaN where there are no rows."""


def brier_miscalibration(outcomes: Outcomes) -> FloatArray:
    """How much the Brier score falls when each probability is replaced by its isotonic fit; ≥ 0."""
    p, fit = outcomes.forecasts.probability, outcomes.fit
    lost = ((p - fit) * (outcomes.weight * (p + fit) - 2 * outcomes.positive)).sum(axis=1)
    return np.maximum(divide(lost, outcomes.total), 0.0)


def brier_discrimination(outcomes: Outcomes) -> FloatArray:
    """How much lower the Brier score of the isotonic fit is than that of the base rate in every row; ≥ 0."""
    spread = (outcomes.weight * (outcomes.fit - outcomes.base[:, None]) ** 2).sum(axis=1)
    return divide(spread, outcomes.total)


def brier_uncertainty(outcomes: Outcomes) -> FloatArray:
    """The Brier score of the base rate in every row: ȳ(1 − ȳ)."""
    return outcomes.base * (1 - outcomes.base)


def log_miscalibration(outcomes: Outcomes) -> FloatArray:
    """How much the log loss falls when each probability is replaced by its isotonic fit; ≥ 0."""
    return np.maximum(outcomes.log_loss - outcomes.fitted_log_loss, 0.0)


def log_discrimination(outcomes: Outcomes) -> FloatArray:
    """How much lower the log loss of the isotonic fit is than that of the base rate in every row; ≥ 0."""
    return np.maximum(log_uncertainty(outcomes) - outcomes.fitted_log_loss, 0.0)


def log_uncertainty(outcomes: Outcomes) -> FloatArray:
    """The log loss of the base rate in every row: its entropy, in nats."""
    return special.entr(outcomes.base) + special.entr(1 - outcomes.base)


def _by_bin(outcomes: Outcomes, n_bins: int, *, by_mass: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Σw(p − y), Σw and Σwy of each bin of p, shape (R, n_bins)."""
    forecasts = outcomes.forecasts
    place = forecasts.mass_bins(n_bins) if by_mass else forecasts.width_bins(n_bins)
    # Bins are in order of p, so that those of one part stand together.
    first = np.concatenate(([0], np.flatnonzero(np.diff(place)) + 1))

    def add(values: FloatArray) -> FloatArray:
        result = np.zeros((len(values), n_bins))
        result[:, place[first]] = np.add.reduceat(values, first, axis=1)
        return result

    within, hits = add(outcomes.weight), add(outcomes.positive)
    return add(outcomes.weight * forecasts.probability) - hits, within, hits


def expected_error(n_bins: int, *, by_mass: bool = False) -> Statistic:
    """ECE, of bins of equal mass ACE: the mean distance of mean p and positive share over bins, by their weight."""

    def statistic(outcomes: Outcomes) -> FloatArray:
        gap, within, _hits = _by_bin(outcomes, n_bins, by_mass=by_mass)
        return divide(np.abs(gap).sum(axis=1), within.sum(axis=1))

    return statistic


def maximum_error(n_bins: int) -> Statistic:
    """MCE: the largest distance of mean p and positive share over bins of equal width."""

    def statistic(outcomes: Outcomes) -> FloatArray:
        gap, within, _hits = _by_bin(outcomes, n_bins, by_mass=False)
        return np.max(np.nan_to_num(np.abs(divide(gap, within))), axis=1)

    return statistic


def debiased_error(n_bins: int) -> Statistic:
    """Root mean square distance over bins of equal mass, less what chance adds to its square; 0 where that is more.

    √max(0, Σ (wᵦ/w)·[(p̄ᵦ − ȳᵦ)² − ȳᵦ(1 − ȳᵦ)/(nᵦ − 1)]), with Kish's nᵦ under weights. Nothing is taken off of what is
    expected, to which chance has added nothing.
    """

    def statistic(outcomes: Outcomes) -> FloatArray:
        forecasts = outcomes.forecasts
        gap, within, hits = _by_bin(outcomes, n_bins, by_mass=True)
        place = forecasts.mass_bins(n_bins)
        own = add_up(place, forecasts.weight, n_bins)
        size = within * divide(kish_n(own, add_up(place, forecasts.w2.sum(axis=1), n_bins)), own)
        share = divide(hits, within)
        by_chance = divide(share * (1 - share), np.where(size > 1, size - 1, 0.0)) if outcomes.by_chance else 0.0
        squares = np.nan_to_num(within * (divide(gap, within) ** 2 - by_chance)).sum(axis=1)
        return np.sqrt(np.maximum(divide(squares, within.sum(axis=1)), 0.0))

    return statistic


def smooth_error(outcomes: Outcomes) -> FloatArray:
    """Smooth ECE: ∫|residuals smoothed by a reflected Gaussian of width σ| at the σ at which it equals σ itself.

    The residuals w(p − y) are put on 1,025 points of [0, 1], each parted between its two neighbours; on these
    smoothing is a product in the cosine basis (DCT-I), so the kernel is exact.
    """
    forecasts = outcomes.forecasts
    position = forecasts.probability * SMOOTH_POINTS
    left = np.minimum(position.astype(np.int64), SMOOTH_POINTS - 1)
    part = position - left
    residual = divide(outcomes.weight * forecasts.probability - outcomes.positive, outcomes.total[:, None])
    # Bins are in order of p, so that those between the same two points stand together.
    first = np.concatenate(([0], np.flatnonzero(np.diff(left)) + 1))
    grid = np.zeros((len(residual), SMOOTH_POINTS + 1))
    grid[:, left[first]] = np.add.reduceat(residual * (1 - part), first, axis=1)
    grid[:, left[first] + 1] += np.add.reduceat(residual * part, first, axis=1)
    # The ends are their own mirror image: all of what is there stays there.
    grid[:, [0, -1]] *= 2.0
    # In single precision, twice as fast: of an error its last digits are some 10⁻⁸.
    spectrum = np.asarray(fft.dct(grid.astype(np.float32), type=1, axis=1))
    wave = (np.pi * np.arange(SMOOTH_POINTS + 1)).astype(np.float32)

    def error(which: IntArray, width: FloatArray) -> FloatArray:
        found = np.zeros(len(which))
        points = 2.0 ** np.ceil(
            np.log2(np.clip(POINTS_PER_WIDTH / np.nan_to_num(width, nan=1.0), LEAST_POINTS, SMOOTH_POINTS))
        )
        for size in np.unique(points).astype(int).tolist():
            # What is smoothed widely has no high frequencies: fewer points give the same.
            rows = np.flatnonzero(points == size)
            kernel = np.exp(-0.5 * (width[rows, None].astype(np.float32) * wave[: size + 1]) ** 2)
            smooth = np.abs(np.asarray(fft.idct(spectrum[which[rows], : size + 1] * kernel, type=1, axis=1)))
            found[rows] = smooth.sum(axis=1, dtype=np.float64) - (smooth[:, 0] + smooth[:, -1]) / 2
        return found

    # The logarithm of the error falls with that of the width, at most as fast as it: a secant finds where they meet. It
    # begins where chance alone, or the residuals of a few wide bins alone, would have them meet.
    noise = (residual**2).sum(axis=1)
    wide = np.abs(np.add.reduceat(grid, np.arange(0, SMOOTH_POINTS, SMOOTH_POINTS // WIDE_BINS), axis=1)).sum(axis=1)
    lasting = np.sqrt(np.maximum(wide**2 - 2 / np.pi * WIDE_BINS * noise, 0.0))
    width = np.clip(np.maximum(np.cbrt(noise / np.pi**1.5), lasting), NARROWEST, 1.0)
    before, gap_before = width, np.zeros(len(width))
    moving = np.arange(len(width))
    for _ in range(SMOOTHINGS):
        gap = np.log(np.clip(error(moving, width[moving]), NARROWEST, 1.0) / width[moving])
        moved = np.log(width[moving] / before[moving])
        fall = np.full(len(gap), FIRST_SLOPE)
        np.divide(gap - gap_before[moving], moved, out=fall, where=np.abs(moved) > 1e-9)
        before, gap_before[moving] = width.copy(), gap
        width[moving] *= np.exp(-gap / np.clip(fall, -2, -1))
        moving = moving[np.abs(gap) >= CLOSE]
        if not len(moving):
            break
    least = np.flatnonzero(width < NARROWEST * (1 + CLOSE))
    width[least] = error(least, width[least])
    return width
