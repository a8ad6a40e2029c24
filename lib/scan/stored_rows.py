"""The rows of a dataset, prepared once and kept on disk, and cursors over them and over the files they come from."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lib.scan.compute import PreparedRows, to_sql
from lib.scan.lookup import Texts, values_of
from lib.scan.raw import ROW_INDEX, columns_read
from lib.scan.rows import ROWS_SCHEMA_VERSION, Categories, Gathered, category_texts, prepared_rows
from lib.scan.values import RawCursor
from lib.schema import ColumnProfile
from lib.sources import Dataset, RawTable
from lib.sources.engine import Run
from lib.sources.sql import quote_name, quote_text, table_of

_WRITTEN = "(FORMAT parquet, COMPRESSION uncompressed, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1)"


class StoredRows:
    """The prepared rows of one dataset.

    Attributes:
        dataset: what they are of.
        path: the file that holds them, once `prepare` was called.
    """

    def __init__(self, dataset: Dataset, store: Path) -> None:
        """Rows that are kept below the folder `store`; none is read yet."""
        self.dataset = dataset
        self.path = store / f"rows-{dataset.key}-{ROWS_SCHEMA_VERSION}.parquet"

    def count_texts(self, run: Run) -> dict[str, list[Texts]]:
        """The versions, splits and cohort values of each file, each with the number of its records."""
        counted: dict[str, list[Texts]] = {}
        for index, table in enumerate(self.dataset.tables):
            texts = category_texts(self.dataset, index)
            with self.raw(run, table, columns_read(table, self.dataset.mapping)) as cursor:
                for key in texts.columns:
                    counts = texts.group_by(text=texts[key]).aggregate(n=texts.count())
                    counted.setdefault(key, []).append(cursor.sql(to_sql(counts)).to_arrow_table())
        return counted

    @contextmanager
    def raw(self, run: Run, table: RawTable, names: Sequence[str]) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on which `raw` is a view of some columns of a file, with the places of its rows."""
        with run.cursor() as cursor:
            columns = "".join(f"{_raw_column(table.column(name))}, " for name in names)
            cursor.execute(
                f"CREATE OR REPLACE TEMP VIEW raw AS SELECT {columns}{ROW_INDEX} "
                f"FROM read_parquet({quote_text(str(table.parquet))}, file_row_number = true)"
            )
            yield cursor

    def prepare(
        self, run: Run, report: Callable[[float, str], None], categories: Categories, gathered: Gathered
    ) -> None:
        """Prepare and write the rows, unless that was done before."""
        if self.path.exists():
            return
        tables = self.dataset.tables
        parts: list[Path] = []
        final = self.path
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            for index, table in enumerate(tables):
                report(index / len(tables), f"Reading the rows of {table.name}")
                part = final if len(tables) == 1 else final.with_name(f"{final.stem}-{index}.parquet")
                partial = part.with_name(f"{part.name}.{os.getpid()}-{threading.get_ident()}.partial")
                parts.append(partial)
                with self.raw(run, table, columns_read(table, self.dataset.mapping)) as cursor:
                    query = to_sql(prepared_rows(self.dataset, index, categories, gathered))
                    cursor.execute(f"COPY ({query}) TO {quote_text(str(partial))} {_WRITTEN}")
            if len(parts) == 1:
                parts[0].replace(final)
            else:
                joined = final.with_name(f"{final.name}.{os.getpid()}-{threading.get_ident()}.partial")
                parts.append(joined)
                files = ", ".join(quote_text(str(part)) for part in parts[:-1])
                query = f"SELECT * FROM read_parquet([{files}])"
                with run.cursor() as cursor:
                    cursor.execute(f"COPY ({query}) TO {quote_text(str(joined))} {_WRITTEN}")
                joined.replace(final)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)

    def write_values(self, run: Run, prepared: PreparedRows, key: str, texts: Texts) -> Path:
        """All values of a cohort column that gathers some, with their usable rows, in a file for `find_values`."""
        path = self.beside(f"values-{list(prepared.gathered).index(key)}.parquet")
        partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
        try:
            with self.rows(run) as cursor:
                cursor.register("texts", texts)
                cursor.execute(f"COPY ({to_sql(values_of(prepared, key))}) TO {quote_text(str(partial))} {_WRITTEN}")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    @contextmanager
    def rows(self, run: Run | None = None) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on which `prepared` is a view of the prepared rows."""
        with (run or Run()).cursor() as cursor:
            cursor.execute(self._view)
            yield cursor

    def open_raw(self, run: Run) -> RawCursor:
        """What gives a cursor on which `prepared` and, of one file, `raw` with some of its columns are views."""

        @contextmanager
        def open_raw(table: RawTable, names: Sequence[str]) -> Generator[duckdb.DuckDBPyConnection]:
            with self.raw(run, table, names) as cursor:
                cursor.execute(self._view)
                yield cursor

        return open_raw

    def beside(self, name: str) -> Path:
        """Where a file of this dataset may lie that its maker removes."""
        return self.path.with_name(f"{self.path.stem}-{name}")

    @property
    def _view(self) -> str:
        return f"CREATE OR REPLACE TEMP VIEW prepared AS SELECT * FROM {table_of(self.path)}"


def _raw_column(column: ColumnProfile) -> str:
    """A column of a file as the raw relation has it: times of any precision and zone as microseconds in UTC."""
    name = quote_name(column.name)
    if column.kind != "timestamp":
        return name
    # Not a cast from one to the other, which asks the calendar for every row.
    moment = f"make_timestamp(epoch_us(CAST({name} AS TIMESTAMPTZ)))" if column.zoned else f"CAST({name} AS TIMESTAMP)"
    return f"{moment} AS {name}"
