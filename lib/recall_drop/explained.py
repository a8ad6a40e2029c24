"""How much of the change of recall each hypothesis accounts for: recall with its remedy, and without it alone.

A remedy's gain depends on what else is remedied. What a hypothesis explains is the mean of two gains: of its remedy
alone, and of its remedy when all other confirmed hypotheses are remedied already. Of two hypotheses that is Shapley's
value, and both add up to the gain of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lib.metrics.estimates import Estimate
from lib.metrics.hypotheses.finding import Finding, Verdict
from lib.metrics.hypotheses.values import quantise
from lib.metrics.recall_parts import RecallParts
from lib.neighbours.graph import Report
from lib.recall_drop.crossed import recall_estimate
from lib.recall_drop.question import Answers, Asked, answer
from lib.recall_drop.remedies import REMEDIES, Found, centred, remedied, surplus
from lib.vectors import Distance, Vectors

UNCHANGED = "recall did not change beyond chance"
UNKNOWN = "it was not decided"
LEAST_CHANGE = 0.005


@dataclass(frozen=True)
class Counterfactual:
    """Recall of the candidate if it were otherwise.

    Attributes:
        name: of the hypotheses that are remedied, joined by " + ", or "hubs-corrected".
        text: what is otherwise.
        recall: with Wilson's interval.
        restored: share of the change of recall that is undone; NaN where recall did not change beyond chance.
    """

    name: str
    text: str
    recall: Estimate
    restored: float


class Recalls:
    """Recall of either version, and of the candidate with remedies, each worked out once."""

    def __init__(self, asked: Asked, found: Found, before: Answers, after: Answers, report: Report) -> None:
        """Take the answers of the versions as they are."""
        self.asked, self.found, self._report = asked, found, report
        self.answers = (before, after)
        self._remedied: dict[frozenset[str], Answers] = {frozenset(): after}

    @property
    def before(self) -> Estimate:
        """Of the baseline."""
        return recall_estimate(self.answers[0].hit)

    @property
    def after(self) -> Estimate:
        """Of the candidate."""
        return recall_estimate(self.answers[1].hit)

    @property
    def change(self) -> float:
        """Candidate less baseline."""
        return self.after.value - self.before.value

    @property
    def z(self) -> float:
        """The change in standard errors, of paired queries where most are; 0 where it is undefined."""
        one, two = (each.hit for each in self.answers)
        first, second = self.asked.first, self.asked.second
        both = np.isfinite(one[first]) & np.isfinite(two[second])
        n = [int(np.isfinite(each).sum()) for each in (one, two)]
        if min(n) < 2:
            return 0.0
        if 2 * both.sum() > max(n):
            apart = two[second[both]] - one[first[both]]
            error = float(apart.std() / math.sqrt(len(apart)))
        else:
            error = math.sqrt(sum(np.nanvar(each) / size for each, size in zip((one, two), n, strict=True)))
        return self.change / error if error > 0 else math.copysign(math.inf, self.change) if self.change else 0.0

    @property
    def has_changed(self) -> bool:
        """Whether recall changed beyond chance, and enough to be told."""
        return abs(self.z) > 1.96 and abs(self.change) >= LEAST_CHANGE

    def with_remedies(self, names: frozenset[str]) -> Answers:
        """The answers of the candidate with some of `REMEDIES`, those left out that change nothing."""
        names = names - {name for name in ("duplicates", "gallery-growth") if not surplus(self.found, name)}
        if names not in self._remedied:
            vectors = remedied(self.asked.after.vectors, self.found, set(names))
            self._remedied[names] = self._answer(vectors)
        return self._remedied[names]

    def without_hubs(self) -> Estimate:
        """Recall of the candidate with centred vectors of length 1."""
        vectors = self.asked.after.vectors
        return recall_estimate(self._answer(centred(vectors, vectors.is_gallery)).hit)

    def distinct_baseline(self) -> Answers:
        """The answers of the baseline with each vector once in the gallery."""
        vectors, gallery = self.asked.before.vectors, self.found.galleries[0]
        kept = vectors.is_gallery.copy()
        kept[gallery.rows[gallery.is_copy]] = False
        return self._answer_of(replace(vectors, is_gallery=kept), before=True)

    def quantised_baseline(self) -> float:
        """Recall of the baseline with as few levels as the candidate has."""
        assert self.found.values is not None
        side = self.asked.before
        made = quantise(np.asarray(side.vectors.matrix), self.found.values.step)
        return self._answer_of(replace(side.vectors, matrix=made), before=True).recall

    def _answer(self, vectors: Vectors) -> Answers:
        return self._answer_of(vectors, before=False)

    def _answer_of(self, vectors: Vectors, *, before: bool) -> Answers:
        side = self.asked.before if before else self.asked.after
        return answer(vectors, side.truth, self.asked.distance, self.asked.k, self._report)


def explained(
    recalls: Recalls, findings: list[Finding], parts: RecallParts
) -> tuple[dict[str, tuple[float, str]], tuple[Counterfactual, ...]]:
    """By hypothesis the share of the change that it explains, with the reason where that is unknown; and the table.

    Args:
        recalls: of the two versions.
        findings: all of them.
        parts: of the change.
    """
    confirmed = frozenset(each.name for each in findings if each.verdict is Verdict.CONFIRMED)
    curable = confirmed & set(REMEDIES)
    found: dict[str, tuple[float, str]] = {}
    for each in findings:
        if each.verdict is Verdict.RULED_OUT:
            found[each.name] = 0.0, ""
        elif each.verdict is Verdict.UNDECIDED:
            found[each.name] = math.nan, UNKNOWN
        elif not recalls.has_changed:
            found[each.name] = math.nan, UNCHANGED
        else:
            found[each.name] = _gain(recalls, each.name, curable, parts) / -recalls.change, ""
    return found, tuple(_table(recalls, curable))


def _gain(recalls: Recalls, name: str, curable: frozenset[str], parts: RecallParts) -> float:
    """By how much recall would be higher without what a hypothesis says."""
    if name == "rotation":
        return 0.0  # distances are what they were
    if name == "cohort-mix":
        return -parts.parts["cohort_mix"].value
    if name == "quantised":
        return recalls.before.value - recalls.quantised_baseline()
    one = frozenset({name})
    alone = recalls.with_remedies(one).recall - recalls.after.value
    last = recalls.with_remedies(curable).recall - recalls.with_remedies(curable - one).recall
    return (alone + last) / 2


def _table(recalls: Recalls, curable: frozenset[str]) -> list[Counterfactual]:
    rows = [(name, text, frozenset({name})) for name, text in REMEDIES.items() if name in curable]
    if recalls.asked.distance is Distance.EUCLIDEAN and "not-normalised" not in curable and recalls.found.rows.n:
        rows.append(("not-normalised", REMEDIES["not-normalised"], frozenset({"not-normalised"})))
    if len(curable) > 1:
        names = [name for name in REMEDIES if name in curable]
        rows.append((" + ".join(names), "all of these together", curable))
    made = [(name, text, recall_estimate(recalls.with_remedies(names).hit)) for name, text, names in rows]
    made.append(
        ("hubs-corrected", "vectors are centred and of length 1, which makes hubs fewer", recalls.without_hubs())
    )
    return [Counterfactual(name, text, recall, _restored(recalls, recall.value)) for name, text, recall in made]


def _restored(recalls: Recalls, recall: float) -> float:
    return (recall - recalls.after.value) / -recalls.change if recalls.has_changed else math.nan
