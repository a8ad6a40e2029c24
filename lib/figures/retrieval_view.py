"""What the Retrieval page says: its sentence, every measure of both versions, and who was asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.comparison import EmbeddingComparison, read_comparison
from lib.embeddings.retrieval import Retrieval, read_retrieval
from lib.figures.format import (
    format_change,
    format_change_interval,
    format_count,
    format_estimate,
    format_plural,
    format_share,
)
from lib.figures.text import plain
from lib.metrics.estimates import Estimate
from lib.metrics.retrieval import RETRIEVAL_MEASURES, RetrievalMeasure
from lib.metrics.verdicts import Judgement

MEASURES = {each.name: each for each in RETRIEVAL_MEASURES}
RECALLS = ("recall_at_k", "ir_recall_at_k")
SHARE = "share"


@dataclass(frozen=True)
class MeasureRow:
    """One measure of baseline and candidate, or of the only version.

    Attributes:
        measure: which.
        k: the length of the lists, None where none plays a part.
        estimates: of each version.
        change: candidate less baseline over paired queries; None without two versions.
        judgement: whether that is better or worse; None where it cannot be judged.
    """

    measure: RetrievalMeasure
    k: int | None
    estimates: tuple[Estimate, ...]
    change: Estimate | None
    judgement: Judgement | None

    @property
    def label(self) -> str:
        """What it is called, with its k."""
        return label_of(self.measure.name, self.k)

    @property
    def tone(self) -> str:
        """How its change is marked: "better", "worse" or nothing."""
        word = "" if self.judgement is None else self.judgement.word
        return word if word in ("better", "worse") else ""


def label_of(name: str, k: int | None) -> str:
    """What a measure is called, with its k: "Recall@10 (hit rate)", "kNN accuracy, k = 5"."""
    label = MEASURES[name].label
    if k is None:
        return label
    return label.replace("@k", f"@{k}") if "@k" in label else f"{label}, k = {k}"


@dataclass(frozen=True, eq=False)
class RetrievalView:
    """The whole page.

    Attributes:
        diagnosis: of which vectors.
        retrievals: of each version that is looked at.
        comparison: the two side by side; None of one.
    """

    diagnosis: EmbeddingDiagnosis
    retrievals: tuple[Retrieval, ...]
    comparison: EmbeddingComparison | None

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis) -> RetrievalView:
        """The view of a diagnosis whose retrieval was read."""
        if diagnosis.is_compared:
            found = read_comparison(diagnosis)
            return cls(diagnosis, (found.before, found.after), found)
        return cls(diagnosis, (read_retrieval(diagnosis, diagnosis.settings.candidate),), None)

    @property
    def k(self) -> int:
        """The length of the lists that the page speaks of."""
        return self.diagnosis.settings.k

    @property
    def versions(self) -> tuple[str, ...]:
        """The names of the versions."""
        return self.diagnosis.settings.versions

    @property
    def baseline(self) -> str:
        """The name of the baseline."""
        return self.diagnosis.settings.baseline

    @property
    def has_truth(self) -> bool:
        """Whether right answers are known in every version."""
        return all(each.ranked is not None for each in self.retrievals)

    def rows(self) -> list[MeasureRow]:
        """Every measure that each version has, in the order of the catalogue, those at other k than the page's last."""
        if not self.has_truth:
            return []
        held = [each for each in self.retrievals[0].overall if all(each in one.overall for one in self.retrievals)]
        order = list(MEASURES)
        made: list[MeasureRow] = []
        for name, k in sorted(held, key=lambda key: (key[1] not in (None, self.k), order.index(key[0]), key[1] or 0)):
            estimates = tuple(one.overall[name, k] for one in self.retrievals)
            compared = self.comparison
            change = None if compared is None else compared.changes[name, k]
            judgement = None if compared is None else compared.judgements.get((name, k))
            made.append(MeasureRow(MEASURES[name], k, estimates, change, judgement))
        return made

    def row(self, name: str, k: int | None) -> MeasureRow:
        """One of them."""
        return next(each for each in self.rows() if (each.measure.name, each.k) == (name, k))

    def answer(self) -> str:
        """What the page says, in a sentence or two (plain text)."""
        if not self.has_truth:
            without = [plain(one.version) for one in self.retrievals if one.ranked is None]
            return (
                f"How well right answers are found cannot be told: in {' and '.join(without)} nothing says which rows "
                "are right answers, no label and no pairs. What stands below needs none."
            )
        row = self.row("recall_at_k", self.k)
        last = row.estimates[-1]
        if row.change is None:
            found = "the nearest row is a right answer" if self.k == 1 else f"one is among the {self.k} nearest"
            asked = format_plural(last.n, "query", "queries")
            return f"For {format_estimate(last, SHARE)} of {asked} with a right answer to find, {found}."
        return f"{recall_change_words(self.k, self.versions, row.estimates, row.change, row.tone != '')} {self._more()}"

    def _more(self) -> str:
        """How many other measures changed, in a sentence."""
        tones = [row.tone for row in self.rows()]
        worse, better = tones.count("worse"), tones.count("better")
        if not worse + better:
            return f"None of {format_plural(len(tones), 'number')} changed beyond chance."
        if len(tones) in (worse, better):
            return f"The candidate is {'worse' if worse else 'better'} in each of {len(tones)} numbers, beyond chance."
        said = [f"{word} in {n}" for word, n in (("worse", worse), ("better", better)) if n]
        return f"Of {format_plural(len(tones), 'number')} the candidate is {' and '.join(said)}, beyond chance."

    def notes(self) -> list[str]:
        """Who asks, who is left out, and what was drawn, in sentences (plain text)."""
        asked = [(plain(one.version), _asked_words(one)) for one in self.retrievals if one.ranked is not None]
        if len({words for _name, words in asked}) == 1:
            asked = [(" and ".join(name for name, _words in asked), asked[0][1])]
        said = [f"{name}: {words}." for name, words in asked]
        for version in self.versions:
            graph = self.diagnosis.graph(version)
            if graph.n_measured:
                said.append(
                    f"Neighbours of {plain(version)} are approximate: they hold {format_share(graph.recall)} of the "
                    f"exact ones, measured by {format_count(graph.n_measured)} queries."
                )
        if self.comparison is not None:
            paired = self.comparison.paired
            said.append(
                f"Changes are over {format_plural(len(paired.first), 'query', 'queries')} of the same id in both"
                + (
                    f"; {format_count(paired.n_left_out)} of the baseline have no partner."
                    if paired.n_left_out
                    else "."
                )
            )
        return said

    def frame(self) -> pd.DataFrame:
        """A row per measure."""
        rows = self.rows()
        found: dict[str, list[object]] = {
            "measure": [row.measure.name for row in rows],
            "k": [row.k for row in rows],
        }
        for place, version in enumerate(self.versions):
            for end in ("value", "lower", "upper", "n"):
                found[f"{version} {end}"] = [getattr(row.estimates[place], end) for row in rows]
        if self.comparison is not None:
            for end in ("value", "lower", "upper", "n"):
                found[f"change {end}"] = [np.nan if row.change is None else getattr(row.change, end) for row in rows]
            found["verdict"] = ["" if row.judgement is None else row.judgement.word for row in rows]
        return pd.DataFrame(found)


def _asked_words(one: Retrieval) -> str:
    """Who asks in a version, who is left out, and what was drawn."""
    words = format_plural(one.n_queries, "query", "queries")
    if one.n_unanswerable:
        words += (
            f", of which {format_count(one.n_unanswerable)} have no right answer in the gallery and are in no number"
        )
    if one.n_ranked < one.n_queries - one.n_unanswerable:
        words += (
            f"; where the whole ranking is needed, and lists do not settle it, {format_count(one.n_ranked)} queries "
            "drawn at random were ranked"
        )
    return words


def recall_change_words(
    k: int, names: tuple[str, ...], estimates: tuple[Estimate, ...], change: Estimate, is_sure: bool
) -> str:
    """How recall@k changed, in a sentence (plain text)."""
    before, after = estimates[0], estimates[-1]
    first, second = plain(names[0]), plain(names[-1])
    if not before.is_defined or not after.is_defined:
        return f"Recall@{k} is undefined: {before.reason or after.reason}."
    values = f"from {format_share(before.value)} in {first} to {format_share(after.value)} in {second}"
    if not change.is_defined:
        return f"Recall@{k} went {values}; {change.reason}, so that chance cannot be told from change."
    around = format_change_interval(change.lower, change.upper, SHARE)
    went = "fell" if change.value < 0 else "rose"
    if not is_sure:
        return f"Recall@{k} did not change beyond chance: {values} ({around})."
    return f"Recall@{k} {went} {values}, by {format_change(abs(change.value), SHARE)[1:]} ({around})."
