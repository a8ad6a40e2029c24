"""Recall@k at its ceiling: where nearly every query is answered it cannot tell what another measure does."""

from __future__ import annotations

from dataclasses import dataclass

from lib.embeddings.comparison import read_comparison
from lib.embeddings.diagnosis import EmbeddingDiagnosis
from lib.metrics.estimates import Estimate
from lib.metrics.retrieval import CEILING, RETRIEVAL_MEASURES

LEAST_FALL = 0.02
"""A fall of no less matters."""
JUDGED = ("r_precision", "map_at_r")
"""What looks at more of the list, the first that fell is named."""


@dataclass(frozen=True)
class Saturation:
    """A fall that recall@k does not show.

    Attributes:
        k: of recall@k.
        recall: the baseline's recall@k, at its ceiling.
        measure: the name of the measure that fell.
        before, after: its values.
        change: candidate less baseline over paired queries.
    """

    k: int
    recall: Estimate
    measure: str
    before: float
    after: float
    change: Estimate

    @property
    def sentence(self) -> str:
        """The whole in a sentence (plain text)."""
        found = "a right answer as its nearest row" if self.k == 1 else f"a right answer among the {self.k} nearest"
        label = next(each.label for each in RETRIEVAL_MEASURES if each.name == self.measure)
        return (
            f"Recall@{self.k} is at its ceiling and hides a fall: nearly every query of the baseline has {found} "
            f"({100 * self.recall.value:.1f} %); {label}, which looks at as many places as a query has right answers, "
            f"fell by {-100 * self.change.value:.1f} points, from {100 * self.before:.1f} % to "
            f"{100 * self.after:.1f} %."
        )


def read_saturation(diagnosis: EmbeddingDiagnosis) -> Saturation | None:
    """The fall that recall@k of two versions with right answers hides; None where it hides none.

    It hides one where the baseline's recall@k is at its ceiling and has not fallen far enough to matter, and a measure
    of more of the list is worse beyond chance, by `LEAST_FALL` or more.
    """
    found, key = read_comparison(diagnosis), ("recall_at_k", diagnosis.settings.k)
    if found.ledger is None:
        return None
    recall = found.before.overall[key]
    if not (recall.value >= CEILING and found.changes[key].value > -LEAST_FALL):
        return None
    for name in JUDGED:
        change, judgement = found.changes[name, None], found.judgements.get((name, None))
        if judgement is not None and judgement.word == "worse" and change.value <= -LEAST_FALL:
            before, after = (each.overall[name, None].value for each in (found.before, found.after))
            return Saturation(diagnosis.settings.k, recall, name, before, after, change)
    return None
