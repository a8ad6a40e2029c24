"""A report on embeddings as JSON, in the frame that every report has; keys are only ever added."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lib import __version__
from lib.checks import CheckResult
from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.drift_windows import read_drift_windows
from lib.embeddings.measures import read_index
from lib.embeddings.retrieval import cohort_retrieval, read_retrieval
from lib.metrics.index_consistency import IndexReport
from lib.metrics.intervals import LEVEL
from lib.reports.checks_json import check_as_json
from lib.reports.embedding_comparison_json import comparison_as_json, drift_as_json
from lib.reports.embedding_version_json import version_as_json
from lib.reports.estimates_json import measured
from lib.reports.json import FORMAT_VERSION
from lib.reports.json_values import as_plain, moment
from lib.sources.embeddings import EmbeddingSet


@dataclass(frozen=True, eq=False)
class EmbeddingReport:
    """What `embed` tells: the embeddings under settings, everything read, and what the checks found."""

    diagnosis: EmbeddingDiagnosis
    checks: tuple[CheckResult, ...]

    @property
    def data(self) -> EmbeddingSet:
        """The embeddings."""
        return self.diagnosis.embeddings

    @property
    def settings(self) -> EmbeddingSettings:
        """What they are looked at under."""
        return self.diagnosis.settings

    @property
    def indexes(self) -> dict[str, IndexReport]:
        """Whether the index of each version is consistent."""
        return {name: read_index(self.diagnosis, name) for name in self.data.versions}


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
            "distance": report.settings.distance.value,
            "k": report.settings.ks,
            "baseline": report.settings.baseline,
            "candidate": report.settings.candidate,
            "confidence_level": LEVEL,
            "notes": report.data.notes,
            "dataset": report.data.key,
            "product_version": __version__,
        },
        "versions": {name: _version(report, name) for name in report.data.versions},
        "cohorts": _cohorts(report.diagnosis),
        "windows": _windows(report.diagnosis),
        "comparison": comparison_as_json(report.diagnosis),
        "checks": [check_as_json(result) for result in report.checks],
    }


def _cohorts(diagnosis: EmbeddingDiagnosis) -> list[dict[str, Any]]:
    """Every measure of retrieval by the values of each cohort column, and by version."""
    made: list[dict[str, Any]] = []
    for version in diagnosis.embeddings.versions:
        retrieval = read_retrieval(diagnosis, version)
        for column in diagnosis.embeddings.roles.cohorts:
            if retrieval.ranked is None or column not in diagnosis.embeddings.metadata[version].column_names:
                continue
            _codes, values = diagnosis.cohort_codes(version, column)
            found = {
                (each.name, each.k): cohort_retrieval(diagnosis, version, column, each.name, each.k).estimates
                for each in retrieval.values
            }
            for code, value in enumerate(values):
                numbers: dict[str, Any] = {}
                for (name, k), each in found.items():
                    if k is None:
                        numbers[name] = each[code]
                    else:
                        numbers.setdefault(name, {})[str(k)] = each[code]
                n = int(found["recall_at_k", diagnosis.settings.k].n[code])
                made.append({"column": column, "value": value, "version": version, "n": n, **measured(numbers)})
    return made


def _windows(diagnosis: EmbeddingDiagnosis) -> list[dict[str, Any]]:
    """Drift of the candidate's windows of time; none without times, or with too few rows for two of them."""
    found = read_drift_windows(diagnosis)
    if found is None:
        return []
    return [
        {
            "version": diagnosis.settings.candidate,
            "against": found.against.value,
            "start": moment(start),
            "end": moment(start + found.grid.width),
            **drift_as_json(each),
        }
        for start, each in zip(found.starts, found.drifts, strict=True)
    ]


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
        **version_as_json(report.diagnosis, name),
    }
