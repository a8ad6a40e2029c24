"""A report on embeddings, laid out for a terminal and for a pull request."""

from __future__ import annotations

from lib import __version__
from lib.figures.format import format_count, format_plural, format_share
from lib.reports.embeddings_json import EmbeddingReport
from lib.reports.outline import Column, Outline, Table


def embeddings_outline(report: EmbeddingReport) -> Outline:
    """Lay a report on embeddings out."""
    data = report.data
    n = sum(vectors.n for vectors in data.versions.values())
    faulty = [name for name, index in report.indexes.items() if index.share < 1]
    verdict = (
        f"The index is not consistent in {format_plural(len(faulty), 'version')}: {', '.join(faulty)}"
        if faulty
        else "The index is consistent: every row has a vector that can be used"
    )
    compared = "" if report.baseline == report.candidate else f"{report.candidate} against {report.baseline}"
    return Outline(
        subject=" · ".join(
            [data.name, format_plural(n, "vector"), f"{report.distance.value} distance", f"k = {_listed(report.k)}"]
        ),
        verdict=verdict,
        compared=compared,
        findings=(),
        checked=(),
        tables=(_versions(report), _mapping(report), _inputs(report)),
        provenance=" · ".join(
            [
                f"Marginalia {__version__}",
                f"dataset {data.key}",
                *(f"{each.name} sha256 {each.sha256[:10]}" for each in data.inputs[:4]),
            ]
        ),
    )


def _versions(report: EmbeddingReport) -> Table:
    columns = (
        Column("Version", is_number=False, is_data=True),
        Column("Vectors"),
        Column("Dimension"),
        Column("Stored as", is_number=False),
        Column("Index\nconsistency"),
    )
    rows = tuple(
        (
            name,
            format_count(vectors.n),
            format_count(vectors.dimension),
            vectors.stored_as,
            format_share(report.indexes[name].share),
        )
        for name, vectors in report.data.versions.items()
    )
    notes = [f"{name}: {problem.sentence}" for name, index in report.indexes.items() for problem in index.problems]
    return Table("Versions", columns, rows, tuple(notes))


def _mapping(report: EmbeddingReport) -> Table:
    roles = report.data.roles
    rows = tuple((each.topic, each.choice, each.sentence) for each in roles.evidence)
    columns = (
        Column("Role", is_number=False),
        Column("Column", is_number=False, is_data=True),
        Column("Why", is_number=False, is_data=True),
    )
    cohorts = f"Cohorts: {', '.join(roles.cohorts)}." if roles.cohorts else "No column is a cohort."
    unused = [f"{column} is not used: {reason}." for column, reason in roles.unused]
    return Table("What the columns mean", columns, rows, (cohorts, *unused, *report.data.notes))


def _inputs(report: EmbeddingReport) -> Table:
    columns = (Column("File", is_number=False, is_data=True), Column("Holds", is_number=False), Column("Rows"))
    rows = tuple((each.name, each.kind, format_count(each.rows)) for each in report.data.inputs)
    notes = [note for each in report.data.inputs for note in each.notes]
    return Table("Files", columns, rows, tuple(notes))


def _listed(values: tuple[int, ...]) -> str:
    return ", ".join(str(each) for each in values)
