"""Hypotheses about which rows there are: duplicates, a larger gallery, another mix of cohorts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lib.metrics.estimates import BoolArray, IntArray
from lib.metrics.hypotheses.finding import Finding, Verdict

LEAST_SHARE, LEAST_ROWS = 0.01, 20
GROWN = 0.02
CHANCE = 4.0
"""In standard errors of how many rows are in one version only."""
LEVEL = 0.001
MOVED_SHARE = 0.05
"""The mix of cohorts has changed if so large a share of the queries belongs elsewhere."""


@dataclass(frozen=True, eq=False)
class GalleryRows:
    """The gallery of a version.

    Attributes:
        rows: shape (g,), ascending.
        point: shape (g,), rows with the same vector have the same number.
        is_known: shape (g,), whether the other version has a row of this id.
    """

    rows: IntArray
    point: IntArray
    is_known: BoolArray

    @property
    def is_copy(self) -> BoolArray:
        """Shape (g,): all rows of one vector but the first, those of known ids before the others."""
        order = np.lexsort((self.rows, ~self.is_known, self.point))
        point = self.point[order]
        copy = np.zeros(len(point), np.bool_)
        copy[order] = np.concatenate([[False], point[1:] == point[:-1]]) if len(point) else np.zeros(0, np.bool_)
        return copy


def judge_sets(before: GalleryRows, after: GalleryRows, *, rounded: bool) -> list[Finding]:
    """The findings on duplicates and on a larger gallery.

    Args:
        before: of the baseline.
        after: of the candidate.
        rounded: whether the candidate's values have few levels or its vectors few directions, so that rows that were
            different may have become the same: only copies under ids that are new count then.
    """
    copies = [each.is_copy for each in (before, after)]
    counted = copies[1] & ~after.is_known if rounded else copies[1]
    sizes = [max(1, len(each.rows)) for each in (before, after)]
    more = int(counted.sum()) - int(copies[0].sum())
    shares = [float(copies[0].sum()) / sizes[0], float(counted.sum()) / sizes[1]]
    evidence = {"n_copies_before": float(copies[0].sum()), "n_copies_after": float(counted.sum())}
    if more >= LEAST_ROWS and shares[1] - shares[0] >= LEAST_SHARE:
        counts = f"{int(counted.sum()):,} of {sizes[1]:,}"
        text = f"{counts} gallery rows repeat another's vector; {int(copies[0].sum()):,} did before."
        duplicates = Finding("duplicates", Verdict.CONFIRMED, text, evidence)
    else:
        text = "The gallery repeats no more vectors than before."
        duplicates = Finding("duplicates", Verdict.RULED_OUT, text, evidence)
    distinct = [int((~copy).sum()) for copy in copies]
    only = [int((~copy & ~each.is_known).sum()) for copy, each in zip(copies, (before, after), strict=True)]
    # Rows that are exchanged for as many others are no growth, nor are two samples of one set.
    grew = only[1] - only[0] > CHANCE * np.sqrt(only[1] + only[0])
    evidence = {"n_distinct_before": float(distinct[0]), "n_distinct_after": float(distinct[1])}
    if grew and distinct[1] - distinct[0] >= max(LEAST_ROWS, GROWN * distinct[0]):
        sizes_told = f"from {distinct[0]:,} to {distinct[1]:,} different vectors"
        text = f"The gallery grew {sizes_told}: there is more to be mistaken for."
        return [duplicates, Finding("gallery-growth", Verdict.CONFIRMED, text, evidence)]
    text = f"The gallery has {distinct[1]:,} different vectors, and had {distinct[0]:,}."
    return [duplicates, Finding("gallery-growth", Verdict.RULED_OUT, text, evidence)]


def judge_mix(before: dict[str, NDArray[np.str_]], after: dict[str, NDArray[np.str_]]) -> tuple[Finding, str]:
    """The finding on the mix of cohorts among answerable queries, and the column in which it changed most.

    Args:
        before: by column the cohort of each query of the baseline.
        after: the same of the candidate.
    """
    name = "cohort-mix"
    best: tuple[float, float, str] = (0.0, 1.0, "")
    for column in before:
        values, codes = np.unique(np.concatenate([before[column], after[column]]), return_inverse=True)
        counts = [
            np.bincount(part, minlength=len(values)).astype(np.float64)
            for part in (codes[: len(before[column])], codes[len(before[column]) :])
        ]
        shares = [each / max(each.sum(), 1) for each in counts]
        moved = float(np.abs(shares[0] - shares[1]).sum()) / 2
        table = np.stack(counts)
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / max(table.sum(), 1)
        statistic = float(((table - expected) ** 2 / np.where(expected > 0, expected, 1)).sum())
        p = float(special.chdtrc(max(1, len(values) - 1), statistic))
        if moved >= best[0]:
            best = moved, p, column
    moved, p, column = best
    evidence = {"moved_share": moved, "p": min(1.0, p * max(1, len(before)))}
    if not before:
        return Finding(name, Verdict.UNDECIDED, "It cannot be told: no cohort column is known.", {}), ""
    if moved >= MOVED_SHARE and evidence["p"] < LEVEL:
        share = f"{100 * moved:.0f} %"
        text = f"Other queries are asked: {share} of them would have to change their {column} to have the old mix."
        return Finding(name, Verdict.CONFIRMED, text, evidence), column
    text = f"The cohorts of {column} ask as large a share of the queries as before."
    return Finding(name, Verdict.RULED_OUT, text, evidence), column
