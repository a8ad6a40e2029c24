"""The tables of a report on what was read: the inputs, the mapping, rows with a problem."""

from __future__ import annotations

from lib.checks.words import problem
from lib.figures.format import format_count, format_plural
from lib.reports.outline import Column, Table
from lib.reports.report import Report
from lib.scan import PROBLEMS, STRUCTURAL
from lib.schema import SINGLE_ROLES
from lib.sources.names import EXACT, match_role

MOST_UNUSED = 6
"""Columns without a role that are named, each with the reason."""


def inputs_table(report: Report) -> Table:
    """Each file with its records and its hash."""
    columns = (
        Column("Input", is_number=False, is_data=True),
        Column("Records"),
        Column("Rejected"),
        Column("SHA-256", is_number=False, is_extra=True),
    )
    rows = tuple(
        (each.name, format_count(each.n_rows), format_count(each.n_rejected), each.sha256[:16])
        for each in report.facts.inputs
    )
    notes = [f"{each.name}: {note}" for each in report.facts.inputs for note in each.notes]
    if clipped := report.facts.n_clipped:
        rows_of = "row has a probability" if clipped == 1 else "rows have probabilities"
        notes.append(f"{format_count(clipped)} {rows_of} so near 0 or 1 that it is clipped, as scikit-learn does.")
    if report.facts.saved:
        notes.append("Read from saved cells: there are no rows to ask.")
    return Table("Inputs", columns, rows, tuple(notes))


def mapping_table(report: Report) -> Table:
    """The column that plays each role, what its values are read as, and columns without a role."""
    mapping = report.facts.mapping
    read_as = {"score": f"{mapping.score_kind.value}"}
    if mapping.label_encoding is not None:
        positive, negative = (
            ", ".join(texts) for texts in (mapping.label_encoding.positive, mapping.label_encoding.negative)
        )
        read_as["label"] = f"positive: {positive}; negative: {negative}"
    if mapping.is_multiclass:
        read_as["score"] = f"{mapping.score_kind.value}, one for each of {len(mapping.classes)} classes"
        read_as["label"] = f"classes: {', '.join(mapping.class_names)}"
    if mapping.unlabelled:
        read_as["label"] += f"; no label: {', '.join(mapping.unlabelled)}"
    if mapping.time_format is not None:
        read_as["time"] = f"{mapping.time_format.pattern}, {mapping.time_format.timezone}"
    rows = [(role, column, read_as.get(role, "")) for role, column in mapping.roles().items()]
    rows += [("cohort", column, "") for column in mapping.cohorts]
    if mapping.features:
        rows.append(("feature", ", ".join(mapping.features), ""))
    columns = (
        Column("Role", is_number=False),
        Column("Column", is_number=False, is_data=True),
        Column("Read as", is_number=False, is_data=True),
    )
    # Those first that are named like a role.
    unused = sorted(
        mapping.unused, key=lambda each: not any(match_role(each[0], role) == EXACT for role in SINGLE_ROLES)
    )
    notes = [f"Without a role: {column} ({reason})." for column, reason in unused[:MOST_UNUSED]]
    if len(unused) > MOST_UNUSED:
        notes.append(f"Without a role: {format_plural(len(unused) - MOST_UNUSED, 'more column', 'more columns')}.")
    return Table("Mapping", columns, tuple(rows), tuple(notes))


def rejected_table(report: Report) -> Table | None:
    """How many rows have each problem; None where no row has one."""
    if not report.facts.problems:
        return None
    rows = tuple(
        (code, format_count(count), "yes" if code != STRUCTURAL and PROBLEMS[code][0] else "no", problem(code))
        for code, count in report.facts.problems.items()
    )
    columns = (
        Column("Problem", is_number=False),
        Column("Rows"),
        Column("Kept", is_number=False),
        Column("Reason", is_number=False),
    )
    return Table("Rows with a problem", columns, rows)
