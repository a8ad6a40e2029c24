"""A metric's change in parts: who is there, how they are labelled, how they are ranked, where they are cut, how sure.

The path from baseline to candidate goes through counterfactual worlds, in a fixed order: the baseline's rows with the
candidate's shares of cohorts (cohort mix), then with its shares of labels within each cohort (label change), then with
its ranking within each cohort under the baseline's distribution of scores (ranking), then with its decisions
(threshold), then with its own scores (calibration). The path back is told the same way, and each part is the mean of
both, so that exchanging the versions turns every sign. Parts add up to the change exactly, whatever the rows are.

Intervals come from Poisson draws of the counts of at most 2,000 cells of each version; where rows are paired by id both
counts of a pair are drawn together.

References: Kitagawa (1955) and Oaxaca (1973) for mix and within; Simpson (1951).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.cells import Cells, PairCells
from lib.grid import COARSE, coarsen_id
from lib.metrics.catalogue import Metric, MetricSettings
from lib.metrics.estimates import Estimate, Estimates, FloatArray, add_up
from lib.metrics.intervals import normal_quantile
from lib.metrics.summary import unpaired_changes
from lib.metrics.worlds import Fraction, Path, Sample

PARTS = ("mix", "labels", "ranking", "threshold", "calibration")
"""The parts in the order of the path; all but the first are within cohorts."""
DRAWS = 200
MOST_CELLS = 2_000
NOT_A_RATIO = "it is neither a rate nor a mean over rows, so it has no parts that add up"
OF_SEVERAL = "of several classes it is a mean over classes"
RELATIVE = "it depends on the median score of the version, which is another in every world"
NO_WORLD = "it is undefined in one of the worlds between the two versions"


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A metric's change in parts that add up to it.

    Attributes:
        change: candidate − baseline, the sum of the parts.
        parts: name to part, in the order of `PARTS`, with an interval; n is the rows of the smaller version. Of several
            classes only the mix.
        within: what is not cohort mix, with its interval.
        values: V cohort values of either version.
        share_before, share_after: shape (V,), of the rows that take part.
        before, after, changes: V numbers each; changes are of independent samples.
        reversed: whether every cohort that is in both changed against the sign of the whole (Simpson's paradox).
    """

    change: float
    parts: dict[str, Estimate]
    within: Estimate
    values: tuple[str, ...]
    share_before: FloatArray
    share_after: FloatArray
    before: Estimates
    after: Estimates
    changes: Estimates
    reversed: bool


def why_not(metric: Metric, settings: MetricSettings) -> str:
    """Why a metric has no parts; "" where it has."""
    if not metric.is_of(settings):
        return OF_SEVERAL
    if metric.parts is None:
        return NOT_A_RATIO
    if metric.name == "confident_error_rate" and not settings.score_kind.is_probabilistic:
        return RELATIVE
    return ""


def decompose(
    before: Cells,
    after: Cells,
    key: str,
    metric: Metric,
    settings: MetricSettings,
    pairs: PairCells | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Decomposition | str:
    """The parts of a metric's change, or why there are none.

    Args:
        before: cells of the baseline by one cohort key, other keys having one value.
        after: those of the candidate.
        key: the cohort key.
        metric: whose change.
        settings: what it needs.
        pairs: pairs of the two by that cohort column, if rows are paired.
        draws: how many draws of counts make the intervals.
        seed: of those draws.
    """
    reason = why_not(metric, settings)
    if reason:
        return reason
    values = np.unique(np.concatenate([each.groups[key].astype(str) for each in (before, after)]))
    samples = [Sample.of(cells, key, values, metric, settings) for cells in (before, after)]
    first, second = samples
    found = _parts(first, second, len(values), first.mass[None], second.mass[None], metric)
    if not len(first.mass) or not len(second.mass) or not np.isfinite(found).all():
        return NO_WORLD
    of_version = [
        metric.estimate(cells.rollup([name for name in cells.keys if name != key]), settings)
        for cells in (before, after)
    ]
    change = float(of_version[1].value[0] - of_version[0].value[0])
    point = found[0].copy()
    # What the worlds know to bin precision adds up to the change of the cells themselves.
    point[PARTS.index("ranking")] += change - point.sum()
    errors, within = _errors(first, second, len(values), metric, before, values, pairs, draws, seed)
    n = float(min(each.n[0] for each in of_version))
    half = normal_quantile() * np.append(errors, within)
    numbers = zip([*point.tolist(), float(point[1:].sum())], half.tolist(), strict=True)
    parts = [Estimate(value, value - width, value + width, n) for value, width in numbers]
    by_cohort = [_by_value(cells, key, values, metric, settings) for cells in (before, after)]
    changes = unpaired_changes(*by_cohort)
    shares = [add_up(each.cohort, each.mass, len(values)) / each.mass.sum() for each in samples]
    moved = changes.value[changes.is_defined & (shares[0] > 0) & (shares[1] > 0)]
    against = len(moved) > 1 and change != 0 and bool((moved * change < 0).all())
    return Decomposition(
        change,
        # Of several classes every row is told as its own class: there is neither a label nor a ranking to change.
        {"mix": parts[0]} if settings.classes else dict(zip(PARTS, parts, strict=False)),
        parts[-1],
        tuple(values.tolist()),
        shares[0],
        shares[1],
        by_cohort[0],
        by_cohort[1],
        changes,
        against,
    )


def _parts(
    first: Sample, second: Sample, n_values: int, before: FloatArray, after: FloatArray, metric: Metric
) -> FloatArray:
    """Shape (D, 5): the parts for each of D draws of the masses of the cells, shape (D, N) each."""
    there, back = Path(first, second, n_values), Path(second, first, n_values)
    rows = []
    for own, other in zip(before, after, strict=True):
        forth = np.diff([_value(each, metric) for each in there.worlds(own, other)])
        rows.append((forth - np.diff([_value(each, metric) for each in back.worlds(other, own)])) / 2)
    return np.array(rows)


def _value(of: Fraction, metric: Metric) -> float:
    if not of.bottom > 0:
        return math.nan
    ratio = of.top / of.bottom
    return 2 * ratio / (1 + ratio) if metric.name == "f1" else ratio


def _errors(
    first: Sample,
    second: Sample,
    n_values: int,
    metric: Metric,
    cells: Cells,
    values: NDArray[np.str_],
    pairs: PairCells | None,
    draws: int,
    seed: int,
) -> tuple[FloatArray, float]:
    """Standard errors of the parts, shape (5,), and of what is within cohorts."""
    rng = np.random.default_rng(seed)
    factor = COARSE.score_factor // cells.resolution.score_factor
    wider = 1
    merged = first.merged(factor), second.merged(factor)
    while max(len(each.mass) for each in merged) > MOST_CELLS and wider < 64:
        wider *= 2
        merged = first.merged(factor * wider), second.merged(factor * wider)
    counts = _draw(merged, values, pairs, wider, draws, rng)
    # Counts of weighted rows vary as much as their weights make them.
    masses = [
        np.maximum(each.mass + (n - each.n) * np.sqrt(each.w2 / each.n), 0.0)
        for each, n in zip(merged, counts, strict=True)
    ]
    found = _parts(merged[0], merged[1], n_values, masses[0], masses[1], metric)
    return np.nanstd(found, axis=0, ddof=1), float(np.nanstd(found[:, 1:].sum(axis=1), ddof=1))


def _draw(
    merged: tuple[Sample, Sample],
    values: NDArray[np.str_],
    pairs: PairCells | None,
    wider: int,
    draws: int,
    rng: np.random.Generator,
) -> list[FloatArray]:
    """Shape (draws, N) each: Poisson counts of the cells of both samples, those of pairs being drawn together."""
    if pairs is None or pairs.cohort_before is None or pairs.cohort_after is None:
        return [rng.poisson(each.n, (draws, len(each.n))).astype(np.float64) for each in merged]
    sides = (
        (pairs.cohort_before, pairs.label_before, pairs.bin_before),
        (pairs.cohort_after, pairs.label_after, pairs.bin_after),
    )
    cells = [_cell_of(each, values, *side, wider) for each, side in zip(merged, sides, strict=True)]
    distinct, joint = np.unique(np.stack(cells, axis=1), axis=0, return_inverse=True)
    n = add_up(joint.ravel(), pairs.n, len(distinct))
    together = rng.poisson(n, (draws, len(n))).astype(np.float64)
    counts: list[FloatArray] = []
    for side, each in enumerate(merged):
        # Rows that take no part, without a label for instance, have no cell.
        own, here = distinct[:, side], distinct[:, side] >= 0
        alone = np.maximum(each.n - add_up(own[here], n[here], len(each.n)), 0.0)
        drawn = rng.poisson(alone, (draws, len(each.n))).astype(np.float64)
        counts.append(drawn + np.stack([add_up(own[here], row[here], len(each.n)) for row in together]))
    return counts


def _cell_of(
    sample: Sample,
    values: NDArray[np.str_],
    cohort: NDArray[np.str_],
    label: NDArray[np.int64],
    place: NDArray[np.int64],
    wider: int,
) -> NDArray[np.int64]:
    """Shape (M,): the cell of a merged sample that each cell of pairs is of; −1 where there is none."""
    size = len(sample.score_bin)
    ids = coarsen_id(place, wider)
    at = np.minimum(np.searchsorted(sample.score_bin, ids), max(size - 1, 0))
    of = np.minimum(np.searchsorted(values, cohort), len(values) - 1)
    known = (sample.score_bin[at] == ids) & (values[of] == cohort)
    own = (sample.cohort * 3 + sample.label) * size + sample.place
    key = (of * 3 + label + 1) * size + at
    found = np.minimum(np.searchsorted(own, key), len(own) - 1)
    return np.where(known & (own[found] == key), found, -1)


def _by_value(cells: Cells, key: str, values: NDArray[np.str_], metric: Metric, settings: MetricSettings) -> Estimates:
    """The metric of each of the cohort values, those that the version lacks without rows."""
    found = metric.estimate(cells, settings)
    places = np.searchsorted(cells.groups[key].astype(str), values)
    present = np.isin(values, cells.groups[key].astype(str))
    taken = found.take(np.where(present, np.minimum(places, len(found) - 1), 0))
    return Estimates(
        value=np.where(present, taken.value, np.nan),
        lower=np.where(present, taken.lower, np.nan),
        upper=np.where(present, taken.upper, np.nan),
        n=np.where(present, taken.n, 0.0),
        reason=tuple(why if there else "no rows" for why, there in zip(taken.reason, present, strict=True)),
        bound=np.where(present, taken.bound, np.nan),
    )
