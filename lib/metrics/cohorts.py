"""Whom the model fails: each cohort against the rest, never against the total that contains it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.cells import Cells
from lib.grid import RESOLUTIONS
from lib.metrics.catalogue import Metric, MetricSettings, metric_named
from lib.metrics.estimates import BoolArray, Estimates, FloatArray, IntArray, estimates
from lib.metrics.intervals import benjamini_hochberg, excess_p_value, mover
from lib.metrics.parts import Counts, count_usable, family_of, others_of, say_what_is_missing
from lib.schema import VERSION, cohort_column

SMALL = 30
"""A cohort with fewer labelled rows than this is folded away."""

NO_REST = "no other rows to compare with"
MOST_REST_CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class CohortContrast:
    """Each group against the rest: the rows that share all its other keys and differ in the cohort.

    Attributes:
        groups: key values, each shape (G,).
        key: the cohort's key among them.
        metric: what is compared.
        n_labelled: shape (G,), labelled rows of the group.
        estimate: the metric in the group.
        rest: the metric in the rest.
        excess: group − rest, with its unpaired interval.
        p: shape (G,), Fisher's exact one-sided test that the group is worse than the rest; NaN where the metric is no
            rate, or one of the two is undefined. "Worse" follows the metric's direction, neutral being "more".
        p_adjusted: shape (G,), Benjamini–Hochberg within a version.
        rank: shape (G,), 1 for the group that is worse beyond doubt by most (lower end of the excess, in the direction
            of worse) within its version; groups without one come last.
        small: shape (G,), fewer than `SMALL` labelled rows.
    """

    groups: dict[str, NDArray[np.generic]]
    key: str
    metric: Metric
    n_labelled: FloatArray
    estimate: Estimates
    rest: Estimates
    excess: Estimates
    p: FloatArray
    p_adjusted: FloatArray
    rank: IntArray
    small: BoolArray

    def frame(self) -> pd.DataFrame:
        """One row per group, in order of version and rank."""
        table = pd.DataFrame(
            {
                **self.groups,
                "metric": self.metric.name,
                "n_labelled": self.n_labelled.astype(np.int64),
                "n": self.estimate.n.astype(np.int64),
                "value": self.estimate.value,
                "lower": self.estimate.lower,
                "upper": self.estimate.upper,
                "reason": list(self.estimate.reason),
                "rest": self.rest.value,
                "excess": self.excess.value,
                "excess_lower": self.excess.lower,
                "excess_upper": self.excess.upper,
                "p": self.p,
                "p_adjusted": self.p_adjusted,
                "rank": self.rank,
                "small": self.small,
            }
        )
        order = [*((VERSION,) if VERSION in self.groups else ()), "rank"]
        return table.sort_values(order, ignore_index=True, kind="stable")


def contrast_cohorts(
    cells: Cells,
    metric: str | Metric = "violation_rate",
    settings: MetricSettings = MetricSettings(),
    key: str | None = None,
) -> CohortContrast:
    """Contrast each value of a cohort key with the rest.

    Args:
        cells: keyed by exactly one cohort (or by the `key` named) and anything else, such as version and window; rows
            that differ in those are never each other's rest.
        metric: any scalar metric; those that are no rates have no p-value.
        settings: γ and the score kind.
        key: the key that tells cohorts apart; by default the only one that begins with `cohort:`.

    Raises:
        ValueError: there is not exactly one cohort key and none is named.
    """
    chosen = metric_named(metric) if isinstance(metric, str) else metric
    cohort = _cohort_key(cells, key)
    family = family_of(cells, [each for each in cells.keys if each != cohort])
    p = np.full(cells.n_groups, np.nan)
    if chosen.parts is not None and chosen.finish is not None and chosen.is_of(settings):
        parts = chosen.parts(cells, settings)
        others = parts.rest_of(family)
        value, rest = chosen.finish(parts, settings), chosen.finish(others, settings)
        if isinstance(parts, Counts) and isinstance(others, Counts):
            p = _excess(parts, others, higher_is_better=chosen.direction == "higher")
        alone = others.n == 0
    else:
        value = chosen.estimate(cells, settings)
        rest = chosen.estimate(rest_of_cells(cells, family), settings)
        alone = rest.n == 0
    usable = count_usable(cells)
    labelled = usable[0]
    value = say_what_is_missing(value, *usable)
    rest = say_what_is_missing(rest, *(others_of(each, family) for each in usable))
    rest = replace(rest, reason=tuple(NO_REST if none else text for none, text in zip(alone, rest.reason, strict=True)))
    excess = _difference(value, rest)
    badness = -excess.upper if chosen.direction == "higher" else excess.lower
    versions = family_of(cells, [VERSION] if VERSION in cells.groups else [])
    p_adjusted, rank = np.full(len(p), np.nan), np.zeros(len(p), np.int64)
    for version in range(int(versions.max()) + 1 if len(versions) else 0):
        here = np.flatnonzero(versions == version)
        p_adjusted[here] = benjamini_hochberg(p[here])
        rank[here[np.argsort(-badness[here], kind="stable")]] = np.arange(1, len(here) + 1)
    return CohortContrast(
        cells.groups, cohort, chosen, labelled, value, rest, excess, p, p_adjusted, rank, labelled < SMALL
    )


def _cohort_key(cells: Cells, key: str | None) -> str:
    if key is not None:
        if key not in cells.keys:
            raise ValueError(f"cells keyed by {cells.keys} have no key {key!r}")
        return key
    found = [each for each in cells.keys if cohort_column(each) is not None]
    if len(found) != 1:
        raise ValueError(f"cells keyed by {cells.keys} have {len(found)} cohort keys; name the one to contrast")
    return found[0]


def _excess(parts: Counts, others: Counts, *, higher_is_better: bool) -> FloatArray:
    """The exact test on counts, or on effective counts with weights, of the worse outcome."""
    sides: list[FloatArray] = []
    for each in (parts, others):
        n = each.n_effective
        hits = np.nan_to_num(each.rate) * n
        sides += [n - hits if higher_is_better else hits, n]
    return excess_p_value(*sides)


def _difference(value: Estimates, rest: Estimates) -> Estimates:
    difference, lower, upper = mover((value.value, value.lower, value.upper), (rest.value, rest.lower, rest.upper))
    result = estimates(difference, lower, upper, value.n, bound=value.bound + rest.bound)
    reasons = tuple(
        own or (f"the rest: {other}" if other and other != NO_REST else other)
        for own, other in zip(value.reason, rest.reason, strict=True)
    )
    return replace(result, reason=reasons)


def rest_of_cells(cells: Cells, family: IntArray) -> Cells:
    """A table with the same groups, in which each holds the rows of all other groups of its family.

    Where that would be more than `MOST_REST_CELLS` cells, at the next coarser resolution.

    Args:
        cells: the table.
        family: shape (G,), the number of the family of each group.
    """
    own = cells.block // 3
    label = cells.block % 3
    # Off exact resolution the score of a cell is its rows' mean, and differs between groups.
    exactly = cells.score if cells.resolution.is_exact else np.zeros(len(own))
    order = np.lexsort((exactly, cells.probability_bin, cells.score_bin, label, family[own]))
    first = np.arange(len(order)) == 0
    for column in (family[own], label, cells.score_bin, cells.probability_bin, exactly):
        first[1:] |= np.diff(column[order]) != 0
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(first) - 1
    leading = order[first]
    of_family = np.searchsorted(family[own][leading], np.arange(family.max() + 2 if len(family) else 1))
    sizes = np.diff(of_family)[family] if len(family) else np.zeros(0, np.int64)
    finer = cells.resolution.order + 1 < len(RESOLUTIONS)
    if sizes.sum() > MOST_REST_CELLS and finer:
        return rest_of_cells(cells.coarsen(RESOLUTIONS[cells.resolution.order + 1]), family)
    whole = np.zeros((len(leading), cells.sums.shape[1]))
    np.add.at(whole, place, cells.sums)
    begin = np.cumsum(sizes) - sizes
    group = np.repeat(np.arange(cells.n_groups), sizes)
    taken = np.arange(sizes.sum()) - begin[group] + (of_family[family])[group]
    sums = whole[taken]
    mine = begin[own] + place - of_family[family[own]]
    sums[mine] -= cells.sums
    kept = sums[:, 0] > 0
    # What subtraction leaves of counts is exact; of weights it is never less than nothing.
    sums[:, [0, *((7, 8) if cells.weighted else ())]] = np.maximum(sums[:, [0, *((7, 8) if cells.weighted else ())]], 0)
    block = (3 * group + label[leading[taken]])[kept]
    chosen = leading[taken[kept]]
    score = cells.score[chosen]
    if not cells.resolution.is_exact:
        score = np.where(sums[kept, 0] > 0, sums[kept, 1] / sums[kept, 0], 0.0)
    return Cells(
        groups=cells.groups,
        starts=np.searchsorted(block, np.arange(3 * cells.n_groups + 1)).astype(np.int64),
        score_bin=cells.score_bin[chosen],
        probability_bin=cells.probability_bin[chosen],
        score=score,
        sums=sums[kept],
        resolution=cells.resolution,
        weighted=cells.weighted,
    )
