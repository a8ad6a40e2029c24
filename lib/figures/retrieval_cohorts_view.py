"""What the Retrieval page says beside its measures: cohorts, hubs, neighbours kept, and the faults of an index."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.embeddings.retrieval import cohort_retrieval
from lib.figures.format import (
    format_change,
    format_change_interval,
    format_count,
    format_estimate,
    format_plural,
    format_share,
)
from lib.figures.retrieval_view import SHARE, RetrievalView
from lib.figures.text import MISSING, plain
from lib.metrics.ann import AnnRecall
from lib.metrics.estimates import Estimate
from lib.metrics.index_consistency import IndexReport
from lib.metrics.k_occurrence import Hubness, occurrence_bins


@dataclass(frozen=True)
class CohortRow:
    """One cohort: recall of each version, its change, and how many of its neighbours it kept.

    Without two versions there is no change and no overlap.
    """

    value: str
    estimates: tuple[Estimate | None, ...]
    change: Estimate | None
    overlap: Estimate | None

    @property
    def is_lost(self) -> bool:
        """Whether its recall fell, by its own interval."""
        return self.change is not None and self.change.is_defined and self.change.upper < 0


@dataclass(frozen=True, eq=False)
class CohortsOfQueries:
    """Recall@k by the values of a cohort column of the queries.

    Attributes:
        view: of the page.
        column: which.
        rows: those that lost most on top; of one version those with the lowest recall.
    """

    view: RetrievalView
    column: str
    rows: tuple[CohortRow, ...]

    @classmethod
    def of(cls, view: RetrievalView, column: str) -> CohortsOfQueries:
        """The cohorts of a column."""
        diagnosis, compared = view.diagnosis, view.comparison
        found: list[dict[str, Estimate]] = []
        for version in view.versions:
            one = cohort_retrieval(diagnosis, version, column, "recall_at_k", view.k)
            found.append(dict(zip(one.values, one.estimates, strict=True)))
        codes, values = diagnosis.cohort_codes(view.versions[-1], column)
        changes: dict[str, Estimate] = {}
        overlaps: dict[str, Estimate] = {}
        if compared is not None:
            if view.has_truth:
                each = compared.changes_by("recall_at_k", view.k, codes, len(values))
                changes = dict(zip(values, each, strict=True))
            overlaps = dict(zip(values, compared.overlap_by(codes, len(values)), strict=True))
        every = dict.fromkeys(value for one in found for value in one)
        rows = [
            CohortRow(value, tuple(one.get(value) for one in found), changes.get(value), overlaps.get(value))
            for value in every
        ]
        return cls(view, column, tuple(sorted(rows, key=_place_of)))

    def sentence(self) -> str:
        """Which cohort lost most, without a full stop (plain text)."""
        label = f"Recall@{self.view.k}"
        lost = [row for row in self.rows if row.is_lost]
        if self.view.comparison is None:
            told = [row for row in self.rows if row.estimates[0] is not None and row.estimates[0].is_defined]
            if not told:
                return f"{label} of no {plain(self.column)} can be told"
            worst, estimate = told[0], told[0].estimates[0]
            assert estimate is not None
            return f"{label} is lowest for {self.name(worst)}, {format_estimate(estimate, SHARE)}"
        if not lost:
            return f"{label} fell in no {plain(self.column)} beyond chance"
        worst = lost[0]
        assert worst.change is not None
        whole = "in every" if len(lost) == len(self.rows) else f"in {len(lost)} of {len(self.rows)}"
        return (
            f"{label} fell {whole} {plain(self.column)}, most for {self.name(worst)}: "
            f"{format_change(worst.change.value, SHARE)} "
            f"({format_change_interval(worst.change.lower, worst.change.upper, SHARE)})"
        )

    @staticmethod
    def name(row: CohortRow) -> str:
        """What a cohort is called."""
        return plain(row.value) or MISSING

    def frame(self) -> pd.DataFrame:
        """A row per cohort."""
        found: dict[str, list[object]] = {self.column: [row.value for row in self.rows]}

        def add(name: str, estimates: list[Estimate | None]) -> None:
            for end in ("value", "lower", "upper", "n"):
                found[f"{name} {end}"] = [np.nan if each is None else getattr(each, end) for each in estimates]

        for place, version in enumerate(self.view.versions):
            add(version, [row.estimates[place] for row in self.rows])
        if self.view.comparison is not None:
            add("change", [row.change for row in self.rows])
            add("neighbours kept", [row.overlap for row in self.rows])
        return pd.DataFrame(found)


def _place_of(row: CohortRow) -> tuple[float, str]:
    told = row.change or row.estimates[-1]
    return (told.value if told is not None and told.is_defined else np.inf, row.value)


@dataclass(frozen=True, eq=False)
class HubsView:
    """How places in lists are shared among the rows, in each version at one k."""

    versions: tuple[str, ...]
    baseline: str
    found: tuple[Hubness, ...]

    @classmethod
    def of(cls, view: RetrievalView) -> HubsView:
        """The hubs at the k that the page speaks of."""
        found = [next(each for each in one.hubness if each.k == view.k) for one in view.retrievals]
        return cls(view.versions, view.baseline, tuple(found))

    @property
    def k(self) -> int:
        """The length of the lists."""
        return self.found[0].k

    def sentence(self) -> str:
        """What share of the places the most frequent rows have, without a full stop (plain text)."""
        told = [(name, each) for name, each in self._pairs() if not math.isnan(each.hub_share)]
        if not told:
            return "No row is in a list of neighbours: there is no other row to be found"
        said = [f"{format_share(each.hub_share)} of all places in {plain(name)}" for name, each in told]
        return f"The most frequent 1 % of rows have {' and '.join(said)}"

    def notes(self) -> list[str]:
        """Skewness, and rows in no list, in sentences (plain text)."""
        return [
            f"{plain(name)}: skewness {format_estimate(each.skewness, 'score')} (0 where all rows are found alike); "
            f"{format_estimate(each.antihub_share, SHARE)} of {format_plural(each.antihub_share.n, 'row')} are in no "
            f"list of {each.k}."
            for name, each in self._pairs()
            if not math.isnan(each.hub_share)
        ]

    def _pairs(self) -> list[tuple[str, Hubness]]:
        return list(zip(self.versions, self.found, strict=True))

    def frame(self) -> pd.DataFrame:
        """By version and step of how many lists a row is in, how many rows."""
        parts: list[pd.DataFrame] = []
        for name, each in self._pairs():
            lowest, counts = occurrence_bins(each.k_occurrence)
            parts.append(pd.DataFrame({"version": name, "lists_from": lowest, "rows": counts}))
            parts[-1]["share"] = parts[-1]["rows"] / max(len(each.k_occurrence), 1)
        return pd.concat(parts, ignore_index=True)


def overlap_words(view: RetrievalView) -> str:
    """How many neighbours are the same in both versions, in a sentence (plain text); "" of one."""
    compared = view.comparison
    if compared is None:
        return ""
    first, second = (plain(name) for name in view.versions)
    return (
        f"Of the {compared.k} nearest of a row, {first} and {second} share "
        f"{format_estimate(compared.overlap_mean, SHARE)} (Jaccard overlap, mean over "
        f"{format_plural(compared.overlap_mean.n, 'query', 'queries')} in both); two versions that have nothing in "
        f"common would share {format_share(compared.floor)}."
    )


def index_words(report: IndexReport) -> str:
    """Whether an index is consistent, in a sentence (plain text)."""
    whole = report.n + report.n_missing
    if report.share == 1:
        return f"{plain(report.version)}: each of {format_plural(report.n, 'row')} has a vector that can be used."
    return (
        f"{plain(report.version)}: {format_share(report.share)} of {format_plural(whole, 'row')} have a vector that "
        "can be used; 100 % is expected."
    )


def ann_words(version: str, found: AnnRecall) -> list[str]:
    """How good the answers of an index are, in sentences (plain text)."""
    said = [
        f"{plain(version)}: the index gave {format_estimate(found.mean, SHARE)} of the {found.recall.k} exact "
        f"neighbours of {format_plural(found.mean.n, 'query', 'queries')}."
    ]
    counted = {
        "answers are the query itself": found.n_itself,
        "answers stand twice in a list": found.n_repeated,
        "answers are not in the gallery": found.n_strange,
        "lists are too short": found.n_short,
    }
    odd = [f"{format_count(n)} {words}" for words, n in counted.items() if n]
    return said + ([f"What is odd: {', '.join(odd)}."] if odd else [])
