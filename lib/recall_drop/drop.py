"""What happened to recall: everything that is told of one pair of versions, made in one go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import Estimate, IntArray
from lib.metrics.hypotheses.finding import NAMES, Finding, Hypothesis, Verdict
from lib.metrics.hypotheses.histories import judge_histories
from lib.metrics.hypotheses.rows import row_states
from lib.metrics.hypotheses.sets import GalleryRows, judge_mix, judge_sets
from lib.metrics.hypotheses.shared import shared_rows
from lib.metrics.hypotheses.values import cohort_of, is_off, judge_values, value_states
from lib.metrics.lost_groups import LostGroups
from lib.metrics.recall_parts import PartsSide, RecallParts, recall_parts
from lib.neighbours.graph import Report
from lib.neighbours.space import Space
from lib.recall_drop.crossed import Crossed, compute_crossed
from lib.recall_drop.explained import Counterfactual, Recalls, explained
from lib.recall_drop.lost import LostQueries, lost_queries
from lib.recall_drop.question import Answers, Asked, Side, answer
from lib.recall_drop.remedies import Found
from lib.vectors import Distance

NO_COHORT = "all"


@dataclass(frozen=True, eq=False)
class RecallDrop:
    """What happened to recall@k between two versions.

    Attributes:
        k: of recall@k, the share of queries with a right answer among the first k.
        distance: what near means.
        share: of the queries that were asked, 1 where it is all.
        before, after: recall of baseline and candidate, by exact search, with Wilson's interval.
        hypotheses: all of `NAMES`, in their order.
        counterfactuals: recall of the candidate if it were otherwise.
        crossed: old and new queries in old and new gallery.
        parts: the change in parts that add up to it.
        parts_column: the cohort column of the parts, the one whose mix changed most; "all" without one.
        lost: what became of the queries that were lost.
        groups: queries that lost the same neighbours.
        history: shape (n,), of each row of the candidate the `Kind` of its history; −1 where the baseline has
            no such id.
    """

    k: int
    distance: Distance
    share: float
    before: Estimate
    after: Estimate
    hypotheses: tuple[Hypothesis, ...]
    counterfactuals: tuple[Counterfactual, ...]
    crossed: Crossed
    parts: RecallParts
    parts_column: str
    lost: LostQueries
    groups: LostGroups
    history: IntArray


def compute_recall_drop(asked: Asked, report: Report) -> RecallDrop:
    """Find out what happened to recall.

    Args:
        asked: two versions and what is asked; a sample of the queries is drawn if there are too many.
        report: told how far the work is; what it raises ends the work.

    Raises:
        SettingsError: k is below 1.
    """
    asked = asked.sampled()
    stage = _Stage(report)
    stage.begin(0.0, 0.1)
    before = answer(asked.before.vectors, asked.before.truth, asked.distance, asked.k, stage)
    stage.begin(0.1, 0.2)
    after = answer(asked.after.vectors, asked.after.truth, asked.distance, asked.k, stage)
    report(0.2, "Comparing the rows of both versions")
    rows = shared_rows(asked.before.vectors, asked.after.vectors, asked.first, asked.second)
    values = value_states(rows, asked.before.vectors, asked.after.vectors) if rows.n else None
    cohorts = {name: each[rows.second] for name, each in asked.after.cohorts.items()}
    place = cohort_of(is_off(rows), cohorts)
    is_odd = cohorts[place[0]] == place[1] if place else np.zeros(rows.n, np.bool_)
    found = Found(rows, row_states(rows), values, _galleries(asked), is_odd)
    recalls = Recalls(asked, found, before, after, stage)
    findings, column = _findings(recalls, cohorts)
    stage.begin(0.3, 0.8, "Working out what recall would be")
    parts = _parts(recalls, column)
    explains, counterfactuals = explained(recalls, findings, parts)
    stage.begin(0.8, 0.95, "Crossing queries and galleries")
    crossed = compute_crossed(asked, rows, found.states.rotation, stage)
    report(0.95, "Grouping lost queries")
    history = np.full(asked.after.vectors.n, -1, np.int64)
    history[rows.second] = found.states.kind
    lost, groups = lost_queries(asked, before.graph, after.graph, history)
    hypotheses = tuple(
        Hypothesis(each.name, each.verdict, share, each.evidence, each.sentence, reason)
        for each in findings
        for share, reason in [explains[each.name]]
    )
    return RecallDrop(
        asked.k,
        asked.distance,
        asked.share,
        recalls.before,
        recalls.after,
        hypotheses,
        counterfactuals,
        crossed,
        parts,
        column or NO_COHORT,
        lost,
        groups,
        history,
    )


class _Stage:
    """A report of a part of the work: how far that is is told as a stretch of the whole."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._from, self._to, self._what = 0.0, 0.0, ""

    def begin(self, begin: float, end: float, what: str = "") -> None:
        """A new part; with words of its own it may hold several searches, and says where it begins."""
        self._from, self._to, self._what = begin, end, what

    def __call__(self, share: float, what: str) -> None:
        if self._what:
            self._report(self._from, self._what)
        else:
            self._report(self._from + share * (self._to - self._from), what)


def _galleries(asked: Asked) -> tuple[GalleryRows, GalleryRows]:
    made: list[GalleryRows] = []
    for side, shared in ((asked.before, asked.first), (asked.after, asked.second)):
        # Rows with the same vector are one point under either distance.
        space = Space(side.vectors, asked.distance)
        is_known = np.zeros(side.vectors.n, np.bool_)
        is_known[shared] = True
        made.append(GalleryRows(space.gallery, space.point, is_known[space.gallery]))
    return made[0], made[1]


def _findings(recalls: Recalls, cohorts: dict[str, NDArray[np.str_]]) -> tuple[list[Finding], str]:
    """All findings in their order, and the column whose mix changed most."""
    asked, found = recalls.asked, recalls.found
    mix, column = judge_mix(
        *(_cohorts_asking(side, each) for side, each in zip((asked.before, asked.after), recalls.answers, strict=True))
    )
    has_fallen = recalls.has_changed and recalls.change < 0
    of_values = judge_values(found.rows, found.values, asked.distance, cohorts, has_fallen=has_fallen)
    is_rounded = found.values is not None and found.values.is_quantised
    collapsed = any(each.name == "collapse" and each.verdict is Verdict.CONFIRMED for each in of_values)
    findings = [
        *judge_histories(found.rows, found.states),
        *of_values,
        *judge_sets(*found.galleries, rounded=is_rounded or collapsed),
        mix,
    ]
    return sorted(findings, key=lambda each: NAMES.index(each.name)), column


def _cohorts_asking(side: Side, answers: Answers) -> dict[str, NDArray[np.str_]]:
    return {name: values[answers.asked] for name, values in side.cohorts.items()}


def _parts(recalls: Recalls, column: str) -> RecallParts:
    asked, before = recalls.asked, recalls.answers[0]
    copies = recalls.found.galleries[0].is_copy
    distinct = recalls.distinct_baseline() if copies.any() else before
    n, m = asked.before.vectors.n, asked.after.vectors.n
    number = np.arange(n + m)
    number[n + asked.second] = asked.first
    single = recalls.with_remedies(frozenset({"duplicates"}))
    comparable = recalls.with_remedies(frozenset({"duplicates", "gallery-growth"}))
    return recall_parts(
        _parts_side(asked.before, (before, distinct, distinct), column, number[:n]),
        _parts_side(asked.after, (recalls.answers[1], single, comparable), column, number[n:]),
    )


def _parts_side(side: Side, worlds: tuple[Answers, Answers, Answers], column: str, number: IntArray) -> PartsSide:
    rows = np.flatnonzero(side.vectors.is_query)
    exact, distinct, comparable = (each.hit[rows] for each in worlds)
    found = exact if side.hits is None else np.where(np.isfinite(exact), side.hits[rows], np.nan)
    cohort = side.cohorts[column][rows] if column else np.full(len(rows), NO_COHORT)
    return PartsSide(found, exact, distinct, comparable, cohort, number[rows])
