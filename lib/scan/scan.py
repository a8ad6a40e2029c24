"""A dataset, scanned: rows are prepared once, cells are computed from them on demand and kept."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lib.cells import Cells, ValueBins, ValueCells
from lib.errors import DataError, MisreadError
from lib.grid import COARSE, EPSILON, EXACT, FINE, Resolution
from lib.scan.classes import class_categories
from lib.scan.compute import (
    CELL_BUDGET,
    PROBE_ROWS,
    USUAL_BINS,
    PreparedRows,
    compute_cells,
    may_be_exact,
    to_sql,
)
from lib.scan.facts import Facts, InputFile
from lib.scan.held import HeldTables, ValueQuery
from lib.scan.ids import HELD_OUT_SPLITS, TRAIN_SPLITS, count_ids
from lib.scan.lookup import Matches, Texts, choose_categories, find_values, values_of
from lib.scan.rows import (
    N_FOLDS,
    PROBLEMS,
    ROW_INDEX,
    ROWS_SCHEMA_VERSION,
    Categories,
    Gathered,
    category_texts,
    columns_read,
    has_number_ids,
    prepared_rows,
)
from lib.scan.values import RawCursor, choose_bins, compute_value_cells
from lib.scan.windows import choose_windows
from lib.schema import (
    CLASS,
    EVERYTHING,
    FOLD,
    MISSING_KEY,
    ONE_VS_REST,
    PREDICTED,
    SPLIT,
    VERSION,
    WINDOW,
    ColumnProfile,
    Filter,
    Mapping,
    ScoreKind,
    cohort_column,
    cohort_key,
)
from lib.sources import Dataset, RawTable
from lib.sources.columns import format_share
from lib.sources.engine import Run

Progress = Callable[[float, str], None]

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

_WRITTEN = "(FORMAT parquet, COMPRESSION uncompressed, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1)"
TOGETHER = 0.05
"""Versions whose first rows are less than this share of the time of all rows apart may have begun together."""
SPLIT_ORDER = (*TRAIN_SPLITS, *HELD_OUT_SPLITS, "production")


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key by which "v10" comes after "v9"."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts]


def quoted(path: Path) -> str:
    """A path as a string literal of the engine."""
    return "'" + str(path).replace("'", "''") + "'"


def default_tables(
    cohorts: Sequence[str], *, has_time: bool, is_multiclass: bool = False
) -> list[tuple[tuple[str, ...], Resolution]]:
    """The tables behind the first overview: keys, and the resolution at which to begin.

    The whole, one per cohort column, one over windows, and one coarse cohort x window table per cohort column,
    because a fault confined to one cohort for three days shows nowhere else. With several classes also one by class,
    one of each class against the rest, and a coarse one of what was answered for which, in which only rows count.
    """
    base = (VERSION, SPLIT)
    tables: list[tuple[tuple[str, ...], Resolution]] = [(base, EXACT)]
    tables += [((*base, cohort_key(column)), EXACT) for column in cohorts]
    if has_time:
        tables.append(((*base, WINDOW), EXACT))
        tables += [((*base, cohort_key(column), WINDOW), COARSE) for column in cohorts]
    if is_multiclass:
        tables += [((*base, CLASS), EXACT), ((*base, CLASS, PREDICTED), COARSE), ((*base, ONE_VS_REST), EXACT)]
    return tables


def default_tables_of(facts: Facts) -> list[tuple[tuple[str, ...], Resolution]]:
    """The default tables of a dataset."""
    return default_tables(facts.cohorts, has_time=facts.windows is not None, is_multiclass=facts.mapping.is_multiclass)


class Scan(HeldTables):
    """Cells and facts of one dataset.

    Rows are read when it is made; afterwards `cells` answers from what it holds or groups the prepared rows once
    more. Safe to use from several threads.
    """

    def __init__(
        self,
        dataset: Dataset,
        store: Path,
        *,
        run: Run | None = None,
        on_progress: Progress | None = None,
        budget: int = CELL_BUDGET,
    ) -> None:
        """Prepare the rows of `dataset` below the folder `store`; a second time this is instant.

        Raises:
            Cancelled: `run` was cancelled; nothing is left behind.
            DataError: hardly any row is usable.
        """
        super().__init__()
        self.dataset = dataset
        # The run of the thread that warms, so that its owner can cancel it and nobody else's work.
        self._working = threading.local()
        self._budget = budget
        self._bins: dict[tuple[str, int], ValueBins] = {}
        self._path = store / f"rows-{dataset.key}-{ROWS_SCHEMA_VERSION}.parquet"
        report = on_progress or (lambda _share, _words: None)
        work = run or Run()
        categories, gathered, texts = choose_categories(self._count_texts(work))
        categories |= class_categories(dataset.mapping)
        if not self._path.exists():
            self._prepare(work, report, categories, gathered)
        with work.cursor() as cursor:
            self.facts, self.prepared = self._look(cursor, categories, gathered)
        self._found = {key: self._write_values(work, key, table) for key, table in texts.items()}
        if self.prepared.has_id:
            report(1.0, "Comparing ids")
            ids = count_ids(dataset, self.prepared, self._open_raw(work), work)
            self.facts = dataclasses.replace(self.facts, ids=ids)

    def _count_texts(self, run: Run) -> dict[str, list[Texts]]:
        """The versions, splits and cohort values of each file, each with the number of its records."""
        counted: dict[str, list[Texts]] = {}
        for index, table in enumerate(self.dataset.tables):
            texts = category_texts(self.dataset, index)
            with self._raw(run, table, columns_read(table, self.dataset.mapping)) as cursor:
                for key in texts.columns:
                    counts = texts.group_by(text=texts[key]).aggregate(n=texts.count())
                    counted.setdefault(key, []).append(cursor.sql(to_sql(counts)).to_arrow_table())
        return counted

    @contextmanager
    def _raw(self, run: Run, table: RawTable, names: Sequence[str]) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on which `raw` is a view of some columns of a file, with the places of its rows."""
        with run.cursor() as cursor:
            columns = "".join(f"{_raw_column(table.column(name))}, " for name in names)
            cursor.execute(
                f"CREATE OR REPLACE TEMP VIEW raw AS SELECT {columns}{ROW_INDEX} "
                f"FROM read_parquet({quoted(table.parquet)}, file_row_number = true)"
            )
            yield cursor

    def _prepare(self, run: Run, report: Progress, categories: Categories, gathered: Gathered) -> None:
        tables = self.dataset.tables
        parts: list[Path] = []
        final = self._path
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            for index, table in enumerate(tables):
                report(index / len(tables), f"Reading the rows of {table.name}")
                part = final if len(tables) == 1 else final.with_name(f"{final.stem}-{index}.parquet")
                partial = part.with_name(f"{part.name}.{os.getpid()}-{threading.get_ident()}.partial")
                parts.append(partial)
                with self._raw(run, table, columns_read(table, self.dataset.mapping)) as cursor:
                    query = to_sql(prepared_rows(self.dataset, index, categories, gathered))
                    cursor.execute(f"COPY ({query}) TO {quoted(partial)} {_WRITTEN}")
            if len(parts) == 1:
                parts[0].replace(final)
            else:
                joined = final.with_name(f"{final.name}.{os.getpid()}-{threading.get_ident()}.partial")
                parts.append(joined)
                with run.cursor() as cursor:
                    files = ", ".join(quoted(part) for part in parts[:-1])
                    cursor.execute(f"COPY (SELECT * FROM read_parquet([{files}])) TO {quoted(joined)} {_WRITTEN}")
                joined.replace(final)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)

    def _write_values(self, run: Run, key: str, texts: Texts) -> Path:
        """All values of a cohort column that gathers some, with their usable rows, in a file for `find_values`."""
        path = self._path.with_name(f"{self._path.stem}-values-{list(self.prepared.gathered).index(key)}.parquet")
        partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
        try:
            with self.rows(run) as cursor:
                cursor.register("texts", texts)
                cursor.execute(f"COPY ({to_sql(values_of(self.prepared, key))}) TO {quoted(partial)} {_WRITTEN}")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    @property
    def gathering(self) -> tuple[str, ...]:
        """The cohort columns with values that their tables gather under one name: those to search in."""
        return tuple(column for column in self.facts.cohorts if cohort_key(column) in self._found)

    def find_values(self, column: str, part: str, run: Run | None = None) -> Matches:
        """The values of one of `gathering` that hold a text, whatever their case, with most rows first."""
        with (run or Run()).cursor() as cursor:
            path = self._found[cohort_key(column)]
            cursor.execute(f"CREATE OR REPLACE TEMP VIEW found AS SELECT * FROM read_parquet({quoted(path)})")
            return find_values(cursor, part)

    @contextmanager
    def rows(self, run: Run | None = None) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on which `prepared` is a view of the prepared rows."""
        with (run or Run()).cursor() as cursor:
            cursor.execute(self._view)
            yield cursor

    def _open_raw(self, run: Run) -> RawCursor:
        """What gives a cursor on which `prepared` and, of one file, `raw` with some of its columns are views."""

        @contextmanager
        def open_raw(table: RawTable, names: Sequence[str]) -> Generator[duckdb.DuckDBPyConnection]:
            with self._raw(run, table, names) as cursor:
                cursor.execute(self._view)
                yield cursor

        return open_raw

    @property
    def _view(self) -> str:
        return f"CREATE OR REPLACE TEMP VIEW prepared AS SELECT * FROM read_parquet({quoted(self._path)})"

    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        larger = self._larger(keys, finest)
        if larger is not None:
            table = self.cells(larger, where, finest=finest)
            if table.resolution == (FINE if finest.is_exact else finest):
                return table.rollup(list(keys))
        with self.rows(getattr(self._working, "run", None)) as cursor:
            return compute_cells(
                cursor,
                self.prepared,
                keys,
                where,
                self.facts.windows,
                finest=finest,
                budget=self._budget,
                n_groups=self.n_groups(keys),
            )

    def _make_values(self, query: ValueQuery, run: Run | None) -> ValueCells:
        open_raw = self._open_raw(run or Run())
        cut = query.column, query.most_bins
        if cut not in self._bins:
            self._bins[cut] = choose_bins(self.dataset, self.prepared, open_raw, *cut)
        n_groups = self.n_groups(tuple(key for key in query.keys if key != VERSION or not query.versions))
        return compute_value_cells(
            self.dataset,
            self.prepared,
            open_raw,
            self._bins[cut],
            query.keys,
            query.where,
            self.facts.windows,
            versions=query.versions,
            margins=query.margins,
            n_groups=n_groups * max(len(query.versions), 1),
            one_in=query.one_in,
        )

    def _larger(self, keys: tuple[str, ...], finest: Resolution) -> tuple[str, ...] | None:
        """Keys of the larger table that a default table is added up from; None where rows are grouped for it.

        Of many rows, cohort columns that fit the budget together share one pass, and the whole is a sum of any.
        """
        if may_be_exact(self.prepared, self._budget) or (keys, finest) not in self._default_tables():
            return None
        columns = {key for key in keys if cohort_column(key)}
        ending = keys[2 + len(columns) :]
        if ending and not columns:
            return None
        for shared in self._sharing(ending, FINE if finest.is_exact else finest):
            if columns <= set(shared):
                larger = (VERSION, SPLIT, *shared, *ending)
                return None if larger == keys else larger
        return None

    def _sharing(self, ending: tuple[str, ...], resolution: Resolution) -> list[tuple[str, ...]]:
        """The keys of the cohort columns, in groups whose crossing fits the budget."""
        groups: list[tuple[str, ...]] = []
        for key in map(cohort_key, self.facts.cohorts):
            grown = (*groups[-1], key) if groups else ()
            if grown and self.n_groups((VERSION, SPLIT, *grown, *ending)) * USUAL_BINS[resolution] <= self._budget:
                groups[-1] = grown
            else:
                groups.append((key,))
        return groups

    def n_groups(self, keys: tuple[str, ...]) -> int:
        """About how many combinations of key values there are."""
        facts, count = self.facts, N_FOLDS if FOLD in keys else 1
        for key in keys:
            count *= max(1, len(self.prepared.categories.get(key, ())))
        if WINDOW in keys and facts.windows is not None and facts.first is not None and facts.last is not None:
            count *= (facts.windows.start(facts.last) - facts.windows.start(facts.first)) // facts.windows.width + 1
        return count

    def _default_tables(self) -> list[tuple[tuple[str, ...], Resolution]]:
        return default_tables_of(self.facts)

    def warm(self, where: Filter = EVERYTHING, *, run: Run | None = None, on_progress: Progress | None = None) -> None:
        """Compute the default tables of the rows that pass a filter, telling how far it is.

        Raises:
            Cancelled: `run` was cancelled; the tables made so far are kept.
        """
        tables, serving = self._default_tables(), self._serving_tables()
        steps = len(tables) + len(serving)
        for index, (keys, finest) in enumerate(tables):
            if on_progress is not None:
                on_progress(index / steps, f"Summarising by {words_of(keys)}")
            if run is not None:
                run.check()
            self._working.run = run
            try:
                self.cells(keys, where, finest=finest)
            finally:
                self._working.run = None
        for keys, finest in tables:
            larger = self._larger(keys, finest)
            if larger is not None and (larger, finest) not in tables:
                self.forget(larger, where, finest)
        for index, (column, keys, versions) in enumerate(serving, start=len(tables)):
            if on_progress is not None:
                on_progress(index / steps, f"Summarising {column}")
            self.value_cells(column, keys, where, versions=versions, run=run)

    def _serving_tables(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Columns of latency and cost, their keys, and the two versions that are compared unless others are chosen."""
        versions = self.facts.versions
        ends = (versions[0], versions[-1])
        return [(column, keys, ends) for column, keys in self.facts.serving_tables] if len(versions) > 1 else []

    def is_warm(self, where: Filter) -> bool:
        """Whether the default tables of that filter are held."""
        return all(self.holds(keys, where, finest) for keys, finest in self._default_tables())

    def _look(
        self, cursor: duckdb.DuckDBPyConnection, categories: Categories, gathered: Gathered
    ) -> tuple[Facts, PreparedRows]:
        mapping = self.dataset.mapping
        cursor.execute(self._view)
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
        n_records = self.dataset.n_rows + self.dataset.n_rejected
        if not n_rows or n_rows * LEAST_USABLE < n_records:
            raise self._hardly_usable(n_rows, n_records, problems)
        starts, ends = _find_spans(grouped)
        firsts = [float(row[3]) for row in grouped if row[3] is not None]
        lasts = [float(row[4]) for row in grouped if row[4] is not None]
        windows = choose_windows(min(firsts), max(lasts), sum(int(row[5]) for row in grouped)) if firsts else None
        probe = cursor.execute(
            f"SELECT count(DISTINCT score) FROM (SELECT score FROM prepared LIMIT {PROBE_ROWS})"
        ).fetchall()
        facts = Facts(
            name=self.dataset.name,
            key=self.dataset.key,
            inputs=tuple(
                InputFile(
                    table.name,
                    table.sha256,
                    table.n_rows + table.n_rejected,
                    table.n_rejected
                    + sum(count for (file, code), count in problems.items() if file == index and not PROBLEMS[code][0]),
                    table.notes,
                )
                for index, table in enumerate(self.dataset.tables)
            ),
            mapping=mapping,
            n_rows=n_rows,
            versions=order_versions({str(row[0]) for row in grouped}, starts, ends),
            splits=order_splits({str(row[1]) for row in grouped} - {MISSING_KEY}),
            cohorts=mapping.cohorts,
            windows=windows,
            first=int(min(firsts)) if firsts else None,
            last=int(max(lasts)) if lasts else None,
            weighted=mapping.weight is not None,
            problems=self._problem_counts(problems),
            version_starts=starts,
            version_ends=ends,
            n_clipped=sum(int(row[6]) for row in grouped),
        )
        prepared = PreparedRows(
            path=self._path,
            n_rows=n_rows,
            weighted=facts.weighted,
            has_time=mapping.time is not None,
            has_id=mapping.id is not None,
            has_number_ids=has_number_ids(self.dataset),
            categories=categories,
            gathered=gathered,
            class_names=mapping.class_names,
            few_scores=int(probe[0][0]) <= min(self._budget, PROBE_ROWS * 2 // 3),
        )
        return facts, prepared

    def _hardly_usable(self, n_rows: int, n_records: int, problems: dict[tuple[int, str], int]) -> DataError:
        if not n_records:
            return DataError(f"{self.dataset.name} has no records. Give a file with at least one.")
        counts = self._problem_counts(problems)
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
        return MisreadError(
            f"{part} of the {n_records:,} records of {self.dataset.name} can be used: {'; '.join(said)}. {remedy}",
            topics,
        )

    def _problem_counts(self, problems: dict[tuple[int, str], int]) -> dict[str, int]:
        counts: dict[str, int] = {}
        structural = sum(table.n_rejected for table in self.dataset.tables)
        if structural:
            counts[STRUCTURAL] = structural
        for (_file, code), count in sorted(problems.items()):
            counts[code] = counts.get(code, 0) + count
        return counts


def _raw_column(column: ColumnProfile) -> str:
    """A column of a file as the raw relation has it: times of any precision and zone as microseconds in UTC."""
    name = '"' + column.name.replace('"', '""') + '"'
    if column.kind != "timestamp":
        return name
    # Not a cast from one to the other, which asks the calendar for every row.
    moment = f"make_timestamp(epoch_us(CAST({name} AS TIMESTAMPTZ)))" if column.zoned else f"CAST({name} AS TIMESTAMP)"
    return f"{moment} AS {name}"


def words_of(keys: Sequence[str]) -> str:
    """Keys of cells as one says them: "version, language and window"."""
    names = [key.split(":", 1)[-1] for key in keys if key != SPLIT]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def order_versions(versions: Iterable[str], starts: dict[str, float], ends: dict[str, float]) -> tuple[str, ...]:
    """Versions by their first time where times tell; those without one after them, in natural order.

    Versions that began together, within `TOGETHER` of all time, and ran side by side are in natural order: which of
    them happened to answer first says nothing.
    """
    within = TOGETHER * (max(ends.values(), default=0.0) - min(starts.values(), default=0.0))
    timed = sorted(starts, key=lambda version: (starts[version], natural(version)))
    began: dict[str, float] = {}
    begin, first_end = -math.inf, -math.inf
    for version in timed:
        if starts[version] > begin + within or starts[version] > first_end:
            begin, first_end = starts[version], ends[version]
        began[version], first_end = begin, min(first_end, ends[version])
    return tuple(sorted(versions, key=lambda version: (began.get(version, math.inf), natural(version))))


def order_splits(splits: Iterable[str]) -> tuple[str, ...]:
    """Splits in the order in which a model meets them, then the others by name."""

    def key(name: str) -> tuple[int, list[tuple[int, int, str]]]:
        known = name.lower() in SPLIT_ORDER
        return SPLIT_ORDER.index(name.lower()) if known else len(SPLIT_ORDER), natural(name)

    return tuple(sorted(splits, key=key))


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
