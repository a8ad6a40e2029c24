"""Queries that a version lost or gained, row by row: what took the places, and the lists before and after."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.embeddings.diagnosis import EmbeddingDiagnosis
from lib.embeddings.projection import Numbering
from lib.embeddings.row_measures import column_texts
from lib.embeddings.samples import ID, VERSIONS, list_neighbours, list_samples
from lib.metrics.estimates import BoolArray
from lib.metrics.query_ledger import QueryLedger
from lib.metrics.relevance import Relevance
from lib.vectors import NO_ROW, Rows

LOST, GAINED = "lost", "gained"
RIGHT, DISPLACER = "right answer", "displaced by"
TOOK, SHARE, IS_NEW = "took places of", "share of lost", "new in the gallery"


def queries_of(ledger: QueryLedger, kind: str) -> BoolArray:
    """Which paired queries are of a kind, shape (p,)."""
    return ledger.is_lost if kind == LOST else ledger.is_gained


def list_queries(
    diagnosis: EmbeddingDiagnosis, numbering: Numbering, ledger: QueryLedger, kind: str, most: int | None = None
) -> tuple[pd.DataFrame, Rows]:
    """Queries that were lost or gained with their metadata, lost ones with what displaced the right answer.

    Returns:
        A row per query, in the order of their numbers, and their numbers; at most `most`.
    """
    candidate = diagnosis.settings.candidate
    at = np.flatnonzero(queries_of(ledger, kind))
    numbers = numbering.rows[candidate][ledger.second[at]]
    order = np.argsort(numbers, kind="stable")[:most]
    frame = list_samples(diagnosis, numbering, numbers[order]).drop(columns=VERSIONS)
    if kind == LOST:
        for place, (name, values) in enumerate(_named(diagnosis, ledger.displacer[at[order]]).items(), start=1):
            frame.insert(place, name, values, allow_duplicates=True)
    return frame, numbers[order]


def _named(diagnosis: EmbeddingDiagnosis, rows: Rows) -> dict[str, list[str]]:
    """The id of rows of the candidate, and what its label and its text are; nothing where there is no row."""
    candidate, roles = diagnosis.settings.candidate, diagnosis.embeddings.roles
    texts = {DISPLACER: diagnosis.vectors(candidate).ids.astype(str)}
    for role in ("label", "text"):
        if (column := roles.column(role)) is not None:
            texts[f"its {role}"] = column_texts(diagnosis, candidate, column)
    there = rows != NO_ROW
    return {
        name: [str(values[row] or "") if is_there else "" for row, is_there in zip(rows, there, strict=True)]
        for name, values in texts.items()
    }


def list_displacers(diagnosis: EmbeddingDiagnosis, ledger: QueryLedger, most: int | None = None) -> pd.DataFrame:
    """The rows that displaced right answers, the most frequent first: id, label, text, of how many lost queries."""
    found = ledger.displacers
    rows = found.rows[:most]
    named = _named(diagnosis, rows)
    total = int(found.counts.sum()) + found.n_without
    return pd.DataFrame(
        {
            ID: named.pop(DISPLACER),
            **{name.removeprefix("its "): values for name, values in named.items()},
            TOOK: found.counts[:most],
            SHARE: found.counts[:most] / max(total, 1),
            IS_NEW: np.where(found.is_new[:most], "yes", "no"),
        }
    )


def name_answers(diagnosis: EmbeddingDiagnosis, rows: Rows) -> list[str]:
    """Rows of the candidate by their ids, each with its label where there is one."""
    named = _named(diagnosis, rows)
    labels = named.get("its label", [""] * len(rows))
    return [f"{name} ({label})" if label else name for name, label in zip(named[DISPLACER], labels, strict=True)]


def list_answers(diagnosis: EmbeddingDiagnosis, numbering: Numbering, number: int) -> dict[str, pd.DataFrame | None]:
    """The k nearest rows of a query by version, and which of them are right answers; None where it did not ask.

    Needs the graphs of both versions.
    """
    found = list_neighbours(diagnosis, numbering, number)
    for version, frame in found.items():
        truth = diagnosis.truth(version)
        if frame is None or truth is None:
            continue
        graph = diagnosis.graph(version)
        query = np.flatnonzero(numbering.rows[version] == number)
        near = graph.rows[np.searchsorted(graph.queries, query), : diagnosis.settings.k].astype(np.int64)
        relevance = Relevance(truth, diagnosis.vectors(version).n, diagnosis.gallery(version))
        is_right = relevance.holds(query, near[near != NO_ROW][None])[0]
        frame.insert(1, RIGHT, np.where(is_right, "yes", "no"), allow_duplicates=True)
    return found
