"""E-F2: a fall that recall@k does not show, being at its ceiling."""

from __future__ import annotations

from lib.checks.result import Finding, Severity, Status, Where
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.saturation import Saturation

CAUSE = (
    "Nearly every query has some right answer among its first rows in both versions, so that recall@k cannot see what "
    "else the lists have lost: fewer of the right answers stand where all of them would fit."
)
REMEDY = (
    "Judge the candidate by R-precision or MAP@R. Before it is deployed further, ask harder: a smaller k, a larger "
    "gallery, or queries that the baseline nearly misses."
)


def hidden_fall(diagnosis: EmbeddingDiagnosis, found: Saturation) -> Finding:
    """A fall of another measure where recall@k is at its ceiling."""
    return Finding(
        Status.WARN,
        diagnosis.settings.candidate,
        Where(),
        found.sentence.removesuffix("."),
        {
            "n": int(found.change.n),
            "k": found.k,
            "recall_reference": found.recall.value,
            "metric": found.measure,
            "value": found.after,
            "value_reference": found.before,
            "change": found.change.value,
            "consequences": [],
        },
        -found.change.value,
        Severity.WARNING,
        CAUSE,
        REMEDY,
    )
