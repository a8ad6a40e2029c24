"""A dataset, scanned: rows are prepared once, cells are computed from them on demand and kept."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lib.cells import Cells
from lib.errors import DataError
from lib.grid import COARSE, EXACT, FINE, Resolution
from lib.scan.compute import (
    CELL_BUDGET,
    CELLS_SCHEMA_VERSION,
    PROBE_ROWS,
    USUAL_BINS,
    PreparedRows,
    compute_cells,
    may_be_exact,
    to_sql,
)
from lib.scan.facts import Facts, InputFile
from lib.scan.held import HeldTables
from lib.scan.rows import PROBLEMS, ROW_INDEX, Categories, category_texts, columns_read, prepared_rows
from lib.scan.windows import choose_windows
from lib.schema import EVERYTHING, MISSING_KEY, SPLIT, VERSION, WINDOW, Filter, cohort_column, cohort_key
from lib.sources import Dataset, RawTable
from lib.sources.engine import Run

Progress = Callable[[float, str], None]

STRUCTURAL = "not-a-record"
"""The problem code of lines that could not be read as records at all."""

_WRITTEN = "(FORMAT parquet, COMPRESSION uncompressed, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1)"
SPLIT_ORDER = ("train", "training", "fit", "validation", "valid", "val", "dev", "test", "holdout", "production")


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key by which "v10" comes after "v9"."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts]


def quoted(path: Path) -> str:
    """A path as a string literal of the engine."""
    return "'" + str(path).replace("'", "''") + "'"


def default_tables(cohorts: Sequence[str], *, has_time: bool) -> list[tuple[tuple[str, ...], Resolution]]:
    """The tables behind the first overview: keys, and the resolution at which to begin.

    The whole, one per cohort column, one over windows, and one coarse cohort x window table per cohort column,
    because a fault confined to one cohort for three days shows nowhere else.
    """
    base = (VERSION, SPLIT)
    tables: list[tuple[tuple[str, ...], Resolution]] = [(base, EXACT)]
    tables += [((*base, cohort_key(column)), EXACT) for column in cohorts]
    if has_time:
        tables.append(((*base, WINDOW), EXACT))
        tables += [((*base, cohort_key(column), WINDOW), COARSE) for column in cohorts]
    return tables


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
            DataError: no row is usable.
        """
        super().__init__()
        self.dataset = dataset
        # The run of the thread that warms, so that its owner can cancel it and nobody else's work.
        self._working = threading.local()
        self._budget = budget
        self._path = store / f"rows-{dataset.key}-{CELLS_SCHEMA_VERSION}.parquet"
        report = on_progress or (lambda _share, _words: None)
        work = run or Run()
        categories = self._find_categories(work)
        if not self._path.exists():
            self._prepare(work, report, categories)
        with work.cursor() as cursor:
            self.facts, self.prepared = self._look(cursor, categories)

    def _find_categories(self, run: Run) -> Categories:
        """The versions, splits and cohort values that the records have, in ascending order."""
        found: dict[str, set[str]] = {}
        for index, table in enumerate(self.dataset.tables):
            texts = category_texts(self.dataset, index)
            with self._raw(run, table) as cursor:
                for key in texts.columns:
                    rows = cursor.execute(to_sql(texts.select(key).distinct())).fetchall()
                    found.setdefault(key, set()).update(str(text) for (text,) in rows)
        return {key: tuple(sorted(texts)) for key, texts in found.items()}

    @contextmanager
    def _raw(self, run: Run, table: RawTable) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on which `raw` is a view of the columns of a file that the mapping needs."""
        with run.cursor() as cursor:
            columns = ", ".join(
                '"' + name.replace('"', '""') + '"' for name in columns_read(table, self.dataset.mapping)
            )
            cursor.execute(
                f"CREATE OR REPLACE TEMP VIEW raw AS SELECT {columns}, {ROW_INDEX} "
                f"FROM read_parquet({quoted(table.parquet)}, file_row_number = true)"
            )
            yield cursor

    def _prepare(self, run: Run, report: Progress, categories: Categories) -> None:
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
                with self._raw(run, table) as cursor:
                    query = to_sql(prepared_rows(self.dataset, index, categories))
                    cursor.execute(f"COPY ({query}) TO {quoted(partial)} {_WRITTEN}")
            if len(parts) == 1:
                parts[0].replace(final)
            else:
                joined = final.with_name(f"{final.name}.{os.getpid()}-{threading.get_ident()}.partial")
                with run.cursor() as cursor:
                    files = ", ".join(quoted(part) for part in parts)
                    cursor.execute(f"COPY (SELECT * FROM read_parquet([{files}])) TO {quoted(joined)} {_WRITTEN}")
                joined.replace(final)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)

    @contextmanager
    def rows(self, run: Run | None = None) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on which `prepared` is a view of the prepared rows."""
        with (run or Run()).cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE TEMP VIEW prepared AS SELECT * FROM read_parquet({quoted(self._path)})")
            yield cursor

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
        facts, count = self.facts, 1
        for key in keys:
            count *= max(1, len(self.prepared.categories.get(key, ())))
        if WINDOW in keys and facts.windows is not None and facts.first is not None and facts.last is not None:
            count *= (facts.windows.start(facts.last) - facts.windows.start(facts.first)) // facts.windows.width + 1
        return count

    def _default_tables(self) -> list[tuple[tuple[str, ...], Resolution]]:
        return default_tables(self.facts.cohorts, has_time=self.facts.windows is not None)

    def warm(self, where: Filter = EVERYTHING, *, run: Run | None = None, on_progress: Progress | None = None) -> None:
        """Compute the default tables of the rows that pass a filter, telling how far it is.

        Raises:
            Cancelled: `run` was cancelled; the tables made so far are kept.
        """
        tables = self._default_tables()
        for index, (keys, finest) in enumerate(tables):
            if on_progress is not None:
                on_progress(index / len(tables), f"Summarising by {words_of(keys)}")
            if run is not None:
                run.check()
            self._working.run = run
            try:
                self.cells(keys, where, finest=finest)
            finally:
                self._working.run = None

    def is_warm(self, where: Filter) -> bool:
        """Whether the default tables of that filter are held."""
        return all(self.holds(keys, where, finest) for keys, finest in self._default_tables())

    def _look(self, cursor: duckdb.DuckDBPyConnection, categories: Categories) -> tuple[Facts, PreparedRows]:
        mapping = self.dataset.mapping
        cursor.execute(f"CREATE OR REPLACE TEMP VIEW prepared AS SELECT * FROM read_parquet({quoted(self._path)})")
        time = "min(epoch(time)), max(epoch(time)), count(time)" if mapping.time else "NULL, NULL, 0"
        grouped = [
            (categories[VERSION][version], categories[SPLIT][split], *rest)
            for version, split, *rest in cursor.execute(
                f"SELECT version, split, count(*), {time} FROM prepared WHERE usable GROUP BY version, split"
            ).fetchall()
        ]
        problems = {
            (int(file), str(code)): int(count)
            for file, code, count in cursor.execute(
                "SELECT file, problem, count(*) FROM prepared WHERE problem IS NOT NULL GROUP BY file, problem"
            ).fetchall()
        }
        n_rows = sum(int(row[2]) for row in grouped)
        if not n_rows:
            raise DataError(self._nothing_usable(problems))
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
                )
                for index, table in enumerate(self.dataset.tables)
            ),
            mapping=mapping,
            n_rows=n_rows,
            versions=_in_order(grouped),
            splits=tuple(
                sorted(
                    {str(row[1]) for row in grouped} - {MISSING_KEY},
                    key=lambda name: (
                        SPLIT_ORDER.index(name.lower()) if name.lower() in SPLIT_ORDER else len(SPLIT_ORDER),
                        natural(name),
                    ),
                )
            ),
            cohorts=mapping.cohorts,
            windows=windows,
            first=int(min(firsts)) if firsts else None,
            last=int(max(lasts)) if lasts else None,
            weighted=mapping.weight is not None,
            problems=self._problem_counts(problems),
        )
        prepared = PreparedRows(
            path=self._path,
            n_rows=n_rows,
            weighted=facts.weighted,
            has_time=mapping.time is not None,
            categories=categories,
            few_scores=int(probe[0][0]) <= min(self._budget, PROBE_ROWS * 2 // 3),
        )
        return facts, prepared

    def _nothing_usable(self, problems: dict[tuple[int, str], int]) -> str:
        said = [
            f"{PROBLEMS[code][1] if code in PROBLEMS else 'the line is not a record'} ({count:,})"
            for code, count in self._problem_counts(problems).items()
        ]
        if not said:
            return f"{self.dataset.name} has no records. Give a file with at least one."
        return (
            f"None of the records of {self.dataset.name} can be used: {'; '.join(said)}. "
            "Read its columns otherwise, or mend the file."
        )

    def _problem_counts(self, problems: dict[tuple[int, str], int]) -> dict[str, int]:
        counts: dict[str, int] = {}
        structural = sum(table.n_rejected for table in self.dataset.tables)
        if structural:
            counts[STRUCTURAL] = structural
        for (_file, code), count in sorted(problems.items()):
            counts[code] = counts.get(code, 0) + count
        return counts


def words_of(keys: Sequence[str]) -> str:
    """Keys of cells as one says them: "version, language and window"."""
    names = [key.split(":", 1)[-1] for key in keys if key != SPLIT]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _in_order(grouped: list[tuple[object, ...]]) -> tuple[str, ...]:
    """Versions by their first time; natural order where no row has one."""
    first: dict[str, float] = {}
    for row in grouped:
        version, time = str(row[0]), row[3]
        seen = float("inf") if time is None else float(time)  # type: ignore[arg-type]
        first[version] = min(first.get(version, float("inf")), seen)
    return tuple(sorted(first, key=lambda version: (first[version], natural(version))))
