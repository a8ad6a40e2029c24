"""Calibration of many groups of rows at once: their gaps, and their errors with noise floors (H-M6).

The errors are those of `calibration_errors`. Labels are not drawn for each group: a table over time has hundreds. Under
"calibrated" an error is a sum over bins of which the mean, the spread and the lean are known, and a gamma distribution
that is shifted to have all three gives the floor. What a bin contributes comes from the binomial distribution that has
the mean and the spread of its positive rows, whose probabilities differ.

References: De Moivre (1730) for the mean distance of a binomial number from its mean, in Diaconis and Zabell (1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lib.cells import Cells
from lib.metrics.calibration import BINS, COARSE_BINS, STATISTICS, CalibrationError
from lib.metrics.calibration_errors import Outcomes
from lib.metrics.calibration_gaps import CalibrationGaps, calibration_gaps
from lib.metrics.estimates import NO_WEIGHT, Estimate, Estimates, FloatArray, divide, estimates
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import LEVEL, kish_n
from lib.metrics.parts import count_usable, say_what_is_missing

PART_ERRORS = ("expected_calibration_error", "debiased_calibration_error")
"""The errors that parts have: the common one, and the one that small parts do not make larger."""
THIRD = special.gamma(2.0) * 2**1.5 / np.sqrt(np.pi) / np.sqrt(3.0)
"""E|Z|³ of a normal Z beside √(EZ²·EZ⁴), which nothing exceeds."""


@dataclass(frozen=True, eq=False)
class PartErrors:
    """One error of each group.

    Attributes:
        error: without intervals.
        floor: shape (G,), what a calibrated model exceeds in 5 % of such groups; NaN where there is no error.
    """

    error: Estimates
    floor: FloatArray


@dataclass(frozen=True)
class CalibrationPart:
    """One group of `CalibrationParts`.

    Attributes:
        gap: positive share − mean p, with its interval.
        gap_floor, p, p_adjusted: as in `CalibrationGaps`.
        positive_share, mean_probability: what the gap is made of.
        errors: each of `PART_ERRORS`, without a p-value.
    """

    gap: Estimate
    gap_floor: float
    p: float
    p_adjusted: float
    positive_share: float
    mean_probability: float
    errors: dict[str, CalibrationError]


@dataclass(frozen=True, eq=False)
class CalibrationParts:
    """The gap of each group, and each of `PART_ERRORS`, in the same order."""

    gaps: CalibrationGaps
    errors: dict[str, PartErrors]

    @property
    def groups(self) -> dict[str, NDArray[np.generic]]:
        """Key values, each shape (G,)."""
        return self.gaps.groups

    def __getitem__(self, group: int) -> CalibrationPart:
        """One group."""
        gaps = self.gaps
        errors = {
            name: CalibrationError(each.error[group], float(each.floor[group]), np.nan)
            for name, each in self.errors.items()
        }
        return CalibrationPart(
            gap=gaps.gap[group],
            gap_floor=float(gaps.floor[group]),
            p=float(gaps.p[group]),
            p_adjusted=float(gaps.p_adjusted[group]),
            positive_share=float(gaps.positive_share[group]),
            mean_probability=float(gaps.mean_probability[group]),
            errors=errors,
        )


def calibration_parts(cells: Cells) -> CalibrationParts:
    """Of each group of cells whose p may be called a probability."""
    return CalibrationParts(calibration_gaps(cells), part_errors(cells))


@dataclass(frozen=True, eq=False)
class _Bins:
    """Bins of equal width or mass, shape (G, BINS) each: what a calibrated model's positive rows weigh there.

    Attributes:
        weight: Σw.
        size: Kish's number of rows.
        mean, spread: of the weight of the positive rows, in rows.
    """

    weight: FloatArray
    size: FloatArray
    mean: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, groups: list[Forecasts], places: list[NDArray[np.int64]]) -> _Bins:
        """Rows of each group in bins, at the places of theirs."""
        sums = np.zeros((4, len(groups), BINS))
        for at, (each, place) in enumerate(zip(groups, places, strict=True)):
            w2, p = each.w2.sum(axis=1), each.probability
            parts = (each.weight, w2, each.weight * p, w2 * p * (1 - p))
            sums[:, at] = [np.bincount(place, part, BINS) for part in parts]
        weight, w2, mean, spread = sums
        row = divide(w2, weight)
        return cls(weight, kish_n(weight, w2), *(np.nan_to_num(each) for each in (mean / row, spread / row**2)))

    def moments(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of how many rows are positive: the mean distance from the mean, third and fourth central moments."""
        # Of the binomial distribution with this mean and spread.
        share = np.clip(1 - np.divide(self.spread, self.mean, out=np.ones_like(self.mean), where=self.mean > 0), 0, 1)
        share = np.maximum(share, 1e-12)
        n = self.mean / share
        k = np.floor(self.mean) + 1
        left = np.maximum(n - k, -1 + 1e-12)
        choose = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(left + 1)
        logs = choose + special.xlogy(k, share) + special.xlog1py(left + 1, -share)
        distance = np.where(self.spread > 0, 2 * k * np.exp(logs), 0.0)
        fourth = np.maximum(self.spread * (1 + (3 * n - 6) * share * (1 - share)), self.spread**2)
        return np.minimum(distance, np.sqrt(self.spread)), self.spread * (1 - 2 * share), fourth


def part_errors(cells: Cells) -> dict[str, PartErrors]:
    """Each of `PART_ERRORS` for every group of cells whose p may be called a probability; NaN with the reason."""
    groups = Forecasts.of_each(cells)
    rows = cells.margins
    n, w = rows.n.sum(axis=1), rows.w.sum(axis=1)
    usable, no_weight = count_usable(cells), ~(w > 0)
    coarse = np.array([each.straddles for each in groups], np.bool_)
    floors = {
        "expected_calibration_error": _floor_of_distances(_Bins.of(groups, [each.width_bins(BINS) for each in groups])),
        "debiased_calibration_error": _floor_of_squares(
            _Bins.of(groups, [each.mass_bins(BINS) if each.n_rows else each.width_bins(BINS) for each in groups])
        ),
    }
    found: dict[str, PartErrors] = {}
    for name, floor in floors.items():
        problems = [(no_weight, NO_WEIGHT)]
        if name == "expected_calibration_error":
            problems.append((coarse, COARSE_BINS))
        values = np.array([STATISTICS[name](Outcomes.seen(each))[0] if each.n_rows else np.nan for each in groups])
        error = say_what_is_missing(estimates(values, np.nan, np.nan, n, problems), *usable)
        found[name] = PartErrors(error, np.where(error.is_defined, floor, np.nan))
    return found


def _floor_of_distances(bins: _Bins) -> FloatArray:
    """Of Σ|p̄ᵦ − ȳᵦ|wᵦ/w, shape (G,)."""
    distance, _third, fourth = bins.moments()
    spread = bins.spread - distance**2
    cubes = THIRD * np.sqrt(bins.spread * fourth) - 3 * distance * bins.spread + 2 * distance**3
    row = np.nan_to_num(divide(bins.weight, bins.size))
    sums = [(row**k * each).sum(axis=1) for k, each in ((1, distance), (2, spread), (3, cubes))]
    return divide(_upper_quantile(*sums), bins.weight.sum(axis=1))


def _floor_of_squares(bins: _Bins) -> FloatArray:
    """Of √max(0, Σ[(p̄ᵦ − ȳᵦ)² − ȳᵦ(1 − ȳᵦ)/(nᵦ − 1)]wᵦ/w), shape (G,)."""
    _distance, third, fourth = bins.moments()
    has = bins.size > 1
    n = np.where(has, bins.size, 2.0)
    p, second = bins.mean / n, bins.spread / n**2
    third, fourth = third / n**3, fourth / n**4
    # With e = ȳ − p̄ a term is e²·n/(n − 1) − [p(1 − p) + e(1 − 2p)]/(n − 1).
    grown, lean = n / (n - 1), (1 - 2 * p) / (n - 1)
    mean = grown * second - p * (1 - p) / (n - 1)
    spread = grown**2 * (fourth - second**2) + lean**2 * second - 2 * grown * lean * third
    share = np.where(has, divide(bins.weight, bins.weight.sum(axis=1, keepdims=True)), 0.0)
    parts = (mean, np.maximum(spread, 0.0), 8 * (grown * second) ** 3)
    sums = [np.nan_to_num(share**k * each).sum(axis=1) for k, each in enumerate(parts, start=1)]
    return np.sqrt(np.maximum(_upper_quantile(*sums), 0.0))


def _upper_quantile(mean: FloatArray, spread: FloatArray, third: FloatArray) -> FloatArray:
    """The 95 % quantile of a sum with these cumulants, shape (G,): of a gamma distribution, shifted."""
    deviation = np.sqrt(spread)
    skewness = np.clip(np.nan_to_num(divide(third, deviation**3)), 1e-3, 3.0)
    shape = 4 / skewness**2
    return mean + deviation * (special.gammaincinv(shape, LEVEL) - shape) / np.sqrt(shape)
