"""E-F2: a fall that recall@k does not show, being at its ceiling."""

from __future__ import annotations

from lib.checks.result import Finding, Severity, Status, Where
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.saturation import Saturation


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
    )
