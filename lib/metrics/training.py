"""Numbers of training curves: best epoch, gap, plateau, oscillation, smoothing; `training_course` has the trends.

A curve is an array of values in the order of training; x are its epochs or steps, ascending. NaN and infinities are
what training gave: they are counted and otherwise left out. "Worse" and "better" follow `is_higher_better`; numbers
that say how much worse something is are positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.training_course import levels, noise

# fmt: off
_HIGHER = frozenset((
    "accuracy", "roc_auc", "average_precision", "f1", "precision", "recall", "score", "r2", "map", "mrr", "ndcg", "iou",
    "miou", "dice", "bleu", "rouge", "mcc", "kappa", "hit", "specificity", "sensitivity", "similarity", "reward",
))
_LOWER = frozenset((
    "loss", "error", "mse", "rmse", "mae", "perplexity", "nll", "hinge", "wer", "cer", "brier", "deviance", "logloss",
    "poisson", "mape",
))
# fmt: on


def is_higher_better(metric: str) -> bool | None:
    """Whether more is better, by the metric's standard word; None where it does not say, as of a learning rate."""
    words = set(metric.split("_")) | {metric}
    if words & _LOWER:
        return False
    return True if words & _HIGHER else None


def smooth(values: FloatArray, weight: float) -> FloatArray:
    """The exponential moving average, free of the bias towards its start; what is not finite weighs nothing.

    sₜ = Σ wᵗ⁻ⁱ vᵢ / Σ wᵗ⁻ⁱ over i ≤ t (the first average of Kingma and Ba 2015, section 3).

    Args:
        values: shape (n,).
        weight: w in [0, 1): 0 leaves the values as they are.

    Returns:
        Shape (n,); NaN until the first finite value.

    Raises:
        ValueError: a weight outside [0, 1).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"the weight of smoothing is in [0, 1), not {weight}")
    known = np.isfinite(values)
    total = np.asarray(lfilter([1.0], [1.0, -weight], np.where(known, values, 0.0)), np.float64)
    mass = np.asarray(lfilter([1.0], [1.0, -weight], known.astype(np.float64)), np.float64)
    return np.divide(total, mass, out=np.full(len(values), np.nan), where=np.cumsum(known) > 0)


def best_place(values: FloatArray, *, higher: bool) -> int | None:
    """The place of the best finite value, the first of several; None where none is finite."""
    known = np.isfinite(values)
    if not known.any():
        return None
    worst = -np.inf if higher else np.inf
    ranked = np.where(known, values, worst)
    return int(np.argmax(ranked) if higher else np.argmin(ranked))


def last_improvement(values: FloatArray, *, higher: bool, least: float) -> int | None:
    """The place of the last value that was better than the best before it by more than `least`; None of none finite.

    This is what early stopping waits for (Prechelt 1998; `min_delta` of Keras).
    """
    lower = np.where(np.isfinite(values), -values if higher else values, np.inf)
    records = np.flatnonzero(lower < np.concatenate([[np.inf], np.minimum.accumulate(lower)[:-1]]))
    place, best = None, math.inf
    for each in records.tolist():
        if lower[each] < best - (least if math.isfinite(best) else 0.0):
            place, best = int(each), float(lower[each])
    return place


def oscillation(values: FloatArray) -> float:
    """How much of the variance changes from one value to the next: Σ(vᵢ₊₁ − vᵢ)² / 2Σ(vᵢ − v̄)² (von Neumann 1941).

    Near 0 for a smooth curve with a trend, 1 for noise without one, 2 where values jump to and fro; in [0, 2], NaN for
    under four values and for constant ones.
    """
    known = values[np.isfinite(values)]
    if len(known) < 4:
        return math.nan
    spread = float(np.sum((known - known.mean()) ** 2))
    if spread <= (1e-12 * max(abs(float(known.mean())), 1e-300)) ** 2 * len(known):
        return math.nan
    return float(np.sum(np.diff(known) ** 2) / (2 * spread))


def align(x: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """What a curve was where another was measured: the mean of its finite values since the one before.

    Args:
        x: shape (n,), ascending.
        values: shape (n,), the curve.
        at: shape (k,), ascending.

    Returns:
        Shape (k,); the last value before where nothing was measured since, NaN where there is none at all or where what
        was measured since is no number.
    """
    known = np.isfinite(values)
    running = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    n_known = np.concatenate([[0], np.cumsum(known)])
    end = np.searchsorted(x, at, side="right")
    start = np.concatenate([[0], end[:-1]])
    n = n_known[end] - n_known[start]
    found = np.full(len(at), np.nan)
    before, several = end > 0, n > 1
    found[before] = np.where(known, values, np.nan)[end[before] - 1]
    # One value stands as it is: a difference of sums would round it.
    one = n == 1
    found[one] = values[known][n_known[end[one]] - 1]
    found[several] = (running[end[several]] - running[start[several]]) / n[several]
    return found


def gap(train: FloatArray, validation: FloatArray, *, higher: bool) -> FloatArray:
    """The train–validation gap (H-M5): how much worse the validation split is, positive = overfitting; shape (n,).

    Validation − training of a loss, training − validation of a metric of which more is better; NaN where either is.
    """
    difference = np.asarray(validation - train, np.float64)
    difference[~np.isfinite(difference)] = np.nan
    return -difference if higher else difference


FEWEST_BATCHES = 8
"""An epoch with fewer values has no distribution of batches to show."""
BATCH_BINS = 40
INNER = 0.005
"""This share of batches lies beyond the drawn range at each end."""


@dataclass(frozen=True, eq=False)
class Batches:
    """How the values of batches are distributed in each epoch.

    Attributes:
        epochs: shape (E,), of those that have at least `FEWEST_BATCHES` values, ascending.
        edges: shape (B + 1,).
        share: shape (E, B), of an epoch's finite values; what is beyond the edges is in the outer bins.
        median: shape (E,).
        n: shape (E,), finite values.
    """

    epochs: FloatArray
    edges: FloatArray
    share: FloatArray
    median: FloatArray
    n: IntArray


def batch_distributions(epoch: FloatArray, values: FloatArray) -> Batches | None:
    """Values by whole epoch; None where fewer than two epochs have a distribution.

    Args:
        epoch: shape (n,), whole or in fractions; 1.5 is in the epoch that 1 is in.
        values: shape (n,).
    """
    known = np.isfinite(values) & np.isfinite(epoch)
    values, names = values[known], np.floor(epoch[known])
    found, codes, counts = np.unique(names, return_inverse=True, return_counts=True)
    kept = np.flatnonzero(counts >= FEWEST_BATCHES)
    if len(kept) < 2:
        return None
    low, high = np.quantile(values, [INNER, 1 - INNER])
    if not high > low:
        low, high = low - 0.5 * max(abs(low), 1e-9), high + 0.5 * max(abs(high), 1e-9)
    edges = np.linspace(low, high, BATCH_BINS + 1)
    parts = [np.clip(values[codes == each], low, high) for each in kept]
    share = np.stack([np.histogram(part, edges)[0] / len(part) for part in parts])
    median = np.array([float(np.median(values[codes == each])) for each in kept])
    return Batches(found[kept], edges, share, median, counts[kept].astype(np.int64))


@dataclass(frozen=True)
class CurveSummary:
    """What is said of one curve by itself; NaN where it is undefined, with the reason in `reasons`.

    Attributes:
        n: its values; `n_undefined` of them are NaN or infinite.
        first, last: of its values, as they are.
        best, best_place: the best value and its place; None where none is finite or neither more nor less is better.
        final_versus_best: how much worse the last finite value is than the best.
        since_best: values after the best.
        since_improvement: values after the last that was better than all before by more than the noise.
        noise, oscillation: of its levels.
        higher: whether more is better; None where the metric does not say.
    """

    n: int
    n_undefined: int
    first: float
    last: float
    best: float
    best_place: int | None
    final_versus_best: float
    since_best: float
    since_improvement: float
    noise: float
    oscillation: float
    higher: bool | None
    reasons: dict[str, str]


NO_DIRECTION = "the metric's name does not say whether more or less is better"
NOTHING_FINITE = "no value is finite"
TOO_FEW = "there are fewer than four finite values"
CONSTANT = "all values are the same"


def summarise_curve(values: FloatArray, metric: str) -> CurveSummary:
    """Everything about one curve; `metric` is its standard word."""
    known = np.isfinite(values)
    higher = is_higher_better(metric)
    found = levels(values)
    spread, wave = noise(found), oscillation(found)
    place = None if higher is None else best_place(values, higher=higher)
    reasons: dict[str, str] = {}
    if place is None or higher is None:
        why = NO_DIRECTION if higher is None else NOTHING_FINITE
        reasons |= dict.fromkeys(("best", "final_versus_best", "since_best", "since_improvement"), why)
        best = worse = since = improved = math.nan
    else:
        best = float(values[place])
        final = float(values[np.flatnonzero(known)[-1]])
        worse = best - final if higher else final - best
        since = float(len(values) - 1 - place)
        last = last_improvement(values, higher=higher, least=0.0 if math.isnan(spread) else spread)
        improved = math.nan if last is None else float(len(values) - 1 - last)
    if math.isnan(spread):
        reasons["noise"] = TOO_FEW
    if math.isnan(wave):
        reasons["oscillation"] = TOO_FEW if len(found) < 4 else CONSTANT
    return CurveSummary(
        len(values),
        int((~known).sum()),
        float(values[0]),
        float(values[-1]),
        best,
        place,
        worse,
        since,
        improved,
        spread,
        wave,
        higher,
        reasons,
    )


def constant_loss(counts: FloatArray) -> float:
    """The least mean log loss of one answer for every row, −Σ πₖ ln πₖ of the class shares; NaN without rows.

    Args:
        counts: shape (K,), rows of each class; ln 2 for two equal ones, ln K for K.
    """
    total = float(np.sum(counts))
    if total <= 0:
        return math.nan
    shares = np.asarray(counts, np.float64)[np.asarray(counts) > 0] / total
    return float(-np.sum(shares * np.log(shares)))
