"""The first look at prepared rows: what they are of, over which time, and what could not be used."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb

from lib.errors import DataError, MisreadError
from lib.grid import EPSILON
from lib.scan.compute import PROBE_ROWS, PreparedRows
from lib.scan.facts import Facts, InputFile
from lib.scan.order import order_splits, order_versions
from lib.scan.row_ids import has_number_ids
from lib.scan.row_problems import PROBLEMS
from lib.scan.rows import Categories, Gathered
from lib.scan.windows import choose_windows
from lib.schema import MISSING_KEY, SPLIT, VERSION, Mapping, ScoreKind
from lib.sources import Dataset
from lib.sources.columns import format_share
from lib.sources.scores import is_like_percent

STRUCTURAL = "not-a-record"
"""The problem code of lines that could not be read as records at all."""

MENDED_BY = {
    "score-unreadable": ("another score column", ("score",)),
    "score-infinite": ("another score column", ("score",)),
    "score-not-a-probability": ("another score kind or score column", ("score_kind", "score")),
    "probabilities-sum": ("another score kind or score column", ("score_kind", "score")),
    "label-unknown": ("another label column or positive class", ("label", "pos_label")),
    "class-unknown": ("another label column, or another score", ("label", "score")),
    "weight-invalid": ("another weight column or none", ("weight",)),
}
"""What to choose where rows cannot be used, by the code of the problem: in words, and the topics of the mapping."""

LEAST_USABLE = 10
"""Where fewer than one record in so many can be used, what is left is there by accident."""


def look_at(
    cursor: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    path: Path,
    categories: Categories,
    gathered: Gathered,
    budget: int,
) -> tuple[Facts, PreparedRows]:
    """The frame of a dataset, and what is needed to group its prepared rows.

    Args:
        cursor: on which `prepared` is a view of them.
        dataset: whose rows.
        path: where they lie.
        categories: the texts that their numbers stand for.
        gathered: what texts beyond those are gathered under.
        budget: how many cells a table may have.

    Raises:
        DataError: hardly any row is usable.
    """
    mapping = dataset.mapping
    time = "min(epoch(time)), max(epoch(time)), count(time)" if mapping.time else "NULL, NULL, 0"
    grouped = [
        (categories[VERSION][version], categories[SPLIT][split], *rest)
        for version, split, *rest in cursor.execute(
            f"SELECT version, split, count(*), {time}, {_count_clipped(mapping)} FROM prepared WHERE usable "
            "GROUP BY version, split"
        ).fetchall()
    ]
    problems = {
        (int(file), str(code)): int(count)
        for file, code, count in cursor.execute(
            "SELECT file, problem, count(*) FROM prepared WHERE problem IS NOT NULL GROUP BY file, problem"
        ).fetchall()
    }
    n_rows = sum(int(row[2]) for row in grouped)
    n_records = dataset.n_rows + dataset.n_rejected
    if not n_rows or n_rows * LEAST_USABLE < n_records:
        raise _hardly_usable(dataset, n_rows, n_records, problems)
    starts, ends = _find_spans(grouped)
    present = {str(row[0]) for row in grouped}
    # Of files that are versions the person has said the order.
    in_files = tuple(table.stem for table in dataset.tables if table.stem in present)
    firsts = [float(row[3]) for row in grouped if row[3] is not None]
    lasts = [float(row[4]) for row in grouped if row[4] is not None]
    windows = choose_windows(min(firsts), max(lasts), sum(int(row[5]) for row in grouped)) if firsts else None
    probe = cursor.execute(
        f"SELECT count(DISTINCT score) FROM (SELECT score FROM prepared LIMIT {PROBE_ROWS})"
    ).fetchall()
    named = dict.fromkeys((*mapping.roles().values(), *mapping.cohorts, *mapping.features))
    if mapping.is_multiclass:
        del named[mapping.score]
    facts = Facts(
        name=dataset.name,
        key=dataset.key,
        inputs=tuple(
            InputFile(
                table.name,
                table.sha256,
                table.n_rows + table.n_rejected,
                table.n_rejected
                + sum(count for (file, code), count in problems.items() if file == index and not PROBLEMS[code][0]),
                table.notes,
                tuple(column for column in named if not table.has_column(column)),
            )
            for index, table in enumerate(dataset.tables)
        ),
        mapping=mapping,
        n_rows=n_rows,
        versions=in_files if mapping.version is None else order_versions(present, starts, ends),
        splits=order_splits({str(row[1]) for row in grouped} - {MISSING_KEY}),
        cohorts=mapping.cohorts,
        windows=windows,
        first=int(min(firsts)) if firsts else None,
        last=int(max(lasts)) if lasts else None,
        weighted=mapping.weight is not None,
        problems=_problem_counts(dataset, problems),
        version_starts=starts,
        version_ends=ends,
        n_clipped=sum(int(row[6]) for row in grouped),
    )
    prepared = PreparedRows(
        path=path,
        n_rows=n_rows,
        weighted=facts.weighted,
        has_time=mapping.time is not None,
        has_id=mapping.id is not None,
        has_number_ids=has_number_ids(dataset),
        categories=categories,
        gathered=gathered,
        class_names=mapping.class_names,
        few_scores=int(probe[0][0]) <= min(budget, PROBE_ROWS * 2 // 3),
    )
    return facts, prepared


def _hardly_usable(dataset: Dataset, n_rows: int, n_records: int, problems: dict[tuple[int, str], int]) -> DataError:
    if not n_records:
        return DataError(f"{dataset.name} has no records. Give a file with at least one.")
    counts = _problem_counts(dataset, problems)
    reasons = sorted(
        (code for code in counts if code == STRUCTURAL or not PROBLEMS[code][0]), key=lambda code: counts[code]
    )
    said = [
        f"{'the line is not a record' if code == STRUCTURAL else PROBLEMS[code][1]} ({counts[code]:,})"
        for code in reversed(reasons)
    ]
    choice, topics = MENDED_BY.get(reasons[-1], ("", ()))
    part = f"Only {format_share(n_rows, n_records)}" if n_rows else "None"
    remedy = f"Choose {choice}, or mend the file." if choice else "Mend the file."
    if reasons[-1] == "score-not-a-probability" and is_like_percent(dataset.score_columns):
        remedy = f"Divide per cent by 100 in the file, or choose {choice}."
    return MisreadError(
        f"{part} of the {n_records:,} records of {dataset.name} can be used: {'; '.join(said)}. {remedy}",
        topics,
    )


def _problem_counts(dataset: Dataset, problems: dict[tuple[int, str], int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    structural = sum(table.n_rejected for table in dataset.tables)
    if structural:
        counts[STRUCTURAL] = structural
    for (_file, code), count in sorted(problems.items()):
        counts[code] = counts.get(code, 0) + count
    return counts


def _count_clipped(mapping: Mapping) -> str:
    """How many prepared rows have a probability that was clipped before its logit."""
    if mapping.score_kind is not ScoreKind.PROBABILITY:
        return "0"
    if mapping.is_multiclass:
        least = math.log(EPSILON / (1 - EPSILON)) * (1 - 1e-12)
        return f"count(*) FILTER (list_min(class_scores) <= {least!r})"
    return f"count(*) FILTER (probability <= '{EPSILON!r}'::DOUBLE OR probability >= '{1 - EPSILON!r}'::DOUBLE)"


def _find_spans(grouped: list[tuple[object, ...]]) -> tuple[dict[str, float], dict[str, float]]:
    """The first and the last time of each version that has one."""
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    for version, _split, _n, first, last, *_ in grouped:
        if first is not None:
            starts[str(version)] = min(starts.get(str(version), math.inf), float(str(first)))
            ends[str(version)] = max(ends.get(str(version), -math.inf), float(str(last)))
    return starts, ends
