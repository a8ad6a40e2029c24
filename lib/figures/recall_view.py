"""What the page on a change of recall says: its causes and their shares, what would undo it, and the ledger."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.checks.embeddings.versions import explained_words
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.lost_queries import GAINED, LOST
from lib.embeddings.recall_drop import RecallHistory, has_truth, read_recall_drop
from lib.embeddings.saturation import Saturation, read_saturation
from lib.figures.format import format_count, format_plural, format_share
from lib.figures.recall_words import CAUSES
from lib.figures.retrieval_view import recall_change_words
from lib.figures.text import MISSING, plain
from lib.metrics.hypotheses.finding import Hypothesis, Verdict
from lib.metrics.lost_groups import SharedValue
from lib.metrics.query_ledger import QueryLedger
from lib.recall_drop import RecallDrop
from lib.recall_drop.explained import Counterfactual

ONE_VERSION = (
    "What happened to recall is told of two versions: choose another candidate in the sidebar, or give the files of a "
    "second version on the Home page."
)
NO_SHARED = (
    "No row has the same id in both versions: single queries, stale rows and maps from one version to the other cannot "
    "be told. What stands below is told of each version as a whole."
)


def nothing_words(diagnosis: EmbeddingDiagnosis) -> str:
    """Why there is nothing to tell, in a sentence (plain text); "" where there is."""
    if not diagnosis.is_compared:
        return ONE_VERSION
    if not has_truth(diagnosis):
        without = [plain(name) for name in diagnosis.settings.versions if diagnosis.truth(name) is None]
        return (
            f"Recall is undefined: in {' and '.join(without)} nothing says which rows are right answers. Give a label "
            "column, a file of pairs or qrels on the Home page."
        )
    return ""


@dataclass(frozen=True, eq=False)
class RecallView:
    """The whole page.

    Attributes:
        diagnosis: of which vectors.
        history: what happened.
        saturation: the fall that recall@k hides, None without one.
    """

    diagnosis: EmbeddingDiagnosis
    history: RecallHistory
    saturation: Saturation | None

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis) -> RecallView:
        """The view of a diagnosis of which that was read."""
        return cls(diagnosis, read_recall_drop(diagnosis), read_saturation(diagnosis))

    @property
    def drop(self) -> RecallDrop:
        """Everything that is told of the change."""
        return self.history.drop

    @property
    def ledger(self) -> QueryLedger:
        """What became of each query."""
        return self.drop.lost.ledger

    @property
    def names(self) -> tuple[str, str]:
        """Baseline and candidate."""
        return self.diagnosis.settings.baseline, self.diagnosis.settings.candidate

    @property
    def is_changed(self) -> bool:
        """Whether recall changed beyond chance, and enough to be explained."""
        return any(not math.isnan(each.restored) for each in self.drop.counterfactuals)

    def of_verdict(self, verdict: Verdict) -> list[Hypothesis]:
        """The hypotheses of a verdict, those that explain most first."""
        found = [each for each in self.drop.hypotheses if each.verdict is verdict]
        return sorted(found, key=lambda each: 0.0 if math.isnan(each.explains) else -abs(each.explains))

    def answer(self) -> str:
        """What happened, with its causes and their shares, in a sentence or two (plain text)."""
        drop = self.drop
        change = self.ledger.change if self.history.n_shared else drop.parts.change
        said = recall_change_words(drop.k, self.names, (drop.before, drop.after), change, self.is_changed)
        hidden = "" if self.saturation is None else f"{self.saturation.sentence} "
        return f"{hidden}{said} {self._causes()}"

    def _causes(self) -> str:
        confirmed = self.of_verdict(Verdict.CONFIRMED)
        tested = len(self.drop.hypotheses)
        open_ = len(self.of_verdict(Verdict.UNDECIDED))
        if not confirmed:
            left = f"; {open_} cannot be told" if open_ else ""
            return f"Of {tested} possible causes none is confirmed{left}."
        if not self.is_changed:
            names = _listed([CAUSES[each.name] for each in confirmed])
            harm = ", without harm to recall" if self.saturation is None else ""
            return f"What did change{harm}: {names}."
        causes = [each for each in confirmed if each.explains > 0]
        if not causes:
            names = _listed([CAUSES[each.name] for each in confirmed])
            return f"What changed explains none of it: {names}."
        parts = [f"{CAUSES[each.name]} ({self.explains_words(each)})" for each in causes]
        return f"{'Its cause is' if len(parts) == 1 else 'Its causes are'} {_listed(parts)}."

    def explains_words(self, found: Hypothesis) -> str:
        """How much of the change a hypothesis accounts for, as its finding says it (plain text)."""
        return self._share_words(found.explains)

    def undone_words(self, found: Counterfactual) -> str:
        """How much of the change is undone; "" where there is none (plain text)."""
        return "" if math.isnan(found.restored) else self._share_words(found.restored)

    def _share_words(self, share: float) -> str:
        if share <= 0:
            return f"{format_share(share, 0)} of the change"
        return explained_words(share, self.drop.after.value - self.drop.before.value)

    def notes(self) -> list[str]:
        """What the numbers are of, in sentences (plain text)."""
        drop, said = self.drop, list[str]()
        if not self.history.n_shared:
            said.append(NO_SHARED)
        found = (
            "whose nearest row is a right answer" if drop.k == 1 else f"with a right answer among the {drop.k} nearest"
        )
        said.append(
            f"Recall@{drop.k} is the share of queries {found}; exact search, n = {format_count(drop.before.n)} and "
            f"{format_count(drop.after.n)} queries."
        )
        if drop.share < 1:
            said.append(f"Of the queries {format_share(drop.share)} were drawn at random, the same ids in both.")
        return said

    def ledger_counts(self) -> dict[str, int]:
        """How many queries were lost, gained, are answered in both and in neither."""
        was, now = self.ledger.was_answered, self.ledger.is_answered
        return {
            LOST: int(self.ledger.is_lost.sum()),
            GAINED: int(self.ledger.is_gained.sum()),
            "both": int((was & now).sum()),
            "neither": int((~was & ~now).sum()),
        }

    def ledger_words(self) -> list[str]:
        """The ledger in sentences (plain text)."""
        ledger = self.ledger
        n, counts = len(ledger.first), self.ledger_counts()
        if not n:
            return ["No query of the same id can be answered in both versions."]
        chance = "beyond chance" if ledger.p_value < 0.05 else "within chance"
        said = [
            f"Of {format_plural(n, 'query', 'queries')} in both, {format_count(counts[LOST])} were lost and "
            f"{format_count(counts[GAINED])} gained, a difference {chance} (McNemar's exact p = {ledger.p_value:.2g})."
        ]
        left = {
            "have no partner of the same id": ledger.n_unpaired,
            "cannot be answered in both": ledger.n_unanswerable,
        }
        if odd := [f"{format_count(each)} {words}" for words, each in left.items() if each]:
            said.append(f"Of the other queries {_listed(odd)}.")
        return [*said, *self.drop.lost.sentences]

    def hypotheses_frame(self) -> pd.DataFrame:
        """A row per hypothesis, with its evidence."""
        found = self.drop.hypotheses
        return pd.DataFrame(
            {
                "hypothesis": [each.name for each in found],
                "verdict": [each.verdict.value for each in found],
                "explains": [each.explains for each in found],
                "sentence": [each.sentence for each in found],
                "evidence": [
                    "; ".join(f"{name} = {value:g}" for name, value in each.evidence.items()) for each in found
                ],
                "reason": [each.reason for each in found],
            }
        )

    def counterfactuals_frame(self) -> pd.DataFrame:
        """A row per counterfactual, after the two versions as they are."""
        drop = self.drop
        rows = [("baseline", "as the baseline is", drop.before, np.nan), ("candidate", "as it is", drop.after, np.nan)]
        rows += [(each.name, each.text, each.recall, each.restored) for each in drop.counterfactuals]
        return pd.DataFrame(
            {
                "name": [name for name, *_rest in rows],
                "if": [text for _name, text, *_rest in rows],
                **{end: [getattr(row[2], end) for row in rows] for end in ("value", "lower", "upper", "n")},
                "restored": [row[3] for row in rows],
            }
        )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def shared_words(shared: tuple[SharedValue, ...], most: int = 3) -> str:
    """What queries share, in words; "" where nothing is surely more frequent among them."""
    return "; ".join(
        f"{plain(each.column)} = {plain(each.value) or MISSING} ({format_share(each.share, 0)} of them, "
        f"{format_share(each.rest, 0)} of the others)"
        for each in shared[:most]
    )
