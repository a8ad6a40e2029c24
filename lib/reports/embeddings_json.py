"""A report on embeddings as JSON, in the frame that every report has; keys are only ever added."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lib import __version__
from lib.metrics.index_consistency import IndexReport
from lib.reports.json import FORMAT_VERSION, as_plain
from lib.sources.embeddings import EmbeddingSet
from lib.vectors import Distance


@dataclass(frozen=True, eq=False)
class EmbeddingReport:
    """What `embed` tells: the set, by what it was looked at, and whether each version's index is consistent."""

    data: EmbeddingSet
    distance: Distance
    k: tuple[int, ...]
    baseline: str
    candidate: str
    indexes: dict[str, IndexReport]


def render_embeddings_json(report: EmbeddingReport) -> str:
    """The report as one JSON document that ends in a line break."""
    return json.dumps(as_plain(embeddings_as_json(report)), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def embeddings_as_json(report: EmbeddingReport) -> dict[str, Any]:
    """The report as plain values, before numbers are rounded."""
    roles = report.data.roles
    return {
        "format_version": FORMAT_VERSION,
        "inputs": [
            {
                "name": each.name,
                "kind": each.kind,
                "sha256": each.sha256,
                "rows": each.rows,
                "rows_rejected": each.rows_rejected,
                "notes": each.notes,
                "mapping": {**roles.single, "cohort": roles.cohorts, "sensitive": roles.sensitive},
                "unused": dict(roles.unused),
                "time_format": None
                if roles.time_format is None
                else {"pattern": roles.time_format.pattern, "timezone": roles.time_format.timezone},
            }
            for each in report.data.inputs
        ],
        "settings": {
            "distance": report.distance.value,
            "k": report.k,
            "baseline": report.baseline,
            "candidate": report.candidate,
            "notes": report.data.notes,
            "dataset": report.data.key,
            "product_version": __version__,
        },
        "versions": {name: _version(report, name) for name in report.data.versions},
        "cohorts": [],
        "comparison": {"baseline": report.baseline, "candidate": report.candidate},
        "checks": [],
    }


def _version(report: EmbeddingReport, name: str) -> dict[str, Any]:
    vectors, index = report.data.versions[name], report.indexes[name]
    return {
        "n": vectors.n,
        "n_queries": int(vectors.is_query.sum()),
        "n_gallery": int(vectors.is_gallery.sum()),
        "dimension": vectors.dimension,
        "stored_as": vectors.stored_as,
        "sha256": index.sha256,
        "index_consistency": index.share,
        "n_fine": index.n_fine,
        "n_missing_vectors": index.n_missing,
        "index_problems": [
            {
                "name": problem.name,
                "n": problem.n,
                "is_fault": problem.is_fault,
                "places": problem.places,
                "explanation": problem.sentence,
            }
            for problem in index.problems
        ],
    }
