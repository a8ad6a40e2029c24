"""Finding cards of vectors, once the checks have run: on Home all of them, on a page those of its topic."""

from __future__ import annotations

from collections.abc import Sequence

from lib.checks import CheckResult
from lib.checks.embeddings import holds_embedding_checks, run_embedding_checks
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.recall_drop import compared_cohorts
from lib.ui import state
from lib.ui.findings import show_finding, show_passed


def show_vector_findings(diagnosis: EmbeddingDiagnosis, *, topic: str | None = None) -> None:
    """Cards for what the checks found, once they have run; of one topic, or of all, and then how many passed."""
    if not holds_embedding_checks(diagnosis):
        return
    results = run_embedding_checks(diagnosis)
    raised = [each for each in results if each.is_finding and topic in (None, each.topic)]
    for index, each in enumerate(raised):
        show_finding(each, index, link_of(each, diagnosis) if topic is None else None)
    if topic is None:
        show_passed(results, "" if raised else "No findings")


def cohorts_first(diagnosis: EmbeddingDiagnosis, columns: Sequence[str]) -> str:
    """The column of cohorts that a page opens with: what the gravest finding names, if the checks have run.

    Args:
        diagnosis: of which vectors; nothing is checked because of this.
        columns: those to choose from, at least one; the first where no finding names one of them.
    """
    results = run_embedding_checks(diagnosis) if holds_embedding_checks(diagnosis) else ()
    named = (column for each in results if each.is_finding for column in each.where.cohort if column in columns)
    return next(named, columns[0])


def link_of(result: CheckResult, diagnosis: EmbeddingDiagnosis) -> dict[str, str]:
    """The view that shows a finding: the present one, of its cohort column, its sensitive one or its version."""
    view, column = state.current(), next(iter(result.where.cohort), "")
    if result.topic == "retrieval" and column in compared_cohorts(diagnosis):
        view["v_by"] = column
    if result.topic == "drift" and column:
        view["v_drift_by"] = column
    if result.name == "leakage":
        view["v_sensitive"] = str(result.evidence["column"])
    if result.version and result.name in ("duplicates", "oversized-dimension"):
        view["v_duplicates" if result.name == "duplicates" else "v_sizes"] = result.version
    return view
