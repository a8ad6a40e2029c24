"""Writing SQL that no name or path can break, and running it so that it can be watched and cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import duckdb

from lib.errors import Cancelled, DataError, LimitError
from lib.sources.engine import Run

TICK_SECONDS: Final = 0.1

MISSING_TEXTS: Final = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Texts that stand for "no value". A converted file holds none of them; a Parquet file used in place may."""

TEXT: Final = "text"
NUMBER_KINDS: Final = frozenset({"integer", "float", "float32"})


def quote_name(name: str) -> str:
    """A column or table name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def table_of(parquet: Path) -> str:
    """A Parquet file as a table expression."""
    return f"read_parquet({quote_text(str(parquet))})"


def missing_texts() -> str:
    """The missing texts as an SQL list, without its brackets."""
    return ", ".join(quote_text(text) for text in MISSING_TEXTS)


def value_of(name: str, kind: str) -> str:
    """The expression for a column's value in which everything that counts as missing is NULL."""
    column = quote_name(name)
    if kind == TEXT:
        return f"CASE WHEN {column}::VARCHAR IN ({missing_texts()}) THEN NULL ELSE {column}::VARCHAR END"
    if kind in ("float", "float32"):
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
    return column


def number_of(name: str, kind: str) -> str:
    """The expression for a column's value as a number: NULL where it is missing or no number."""
    if kind == TEXT:
        return f"TRY_CAST({value_of(name, kind)} AS DOUBLE)"
    return f"CAST({value_of(name, kind)} AS DOUBLE)"


def fetch(cursor: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """All rows of a query."""
    return cursor.execute(query, list(values)).fetchall()


def run_watched(
    run: Run, cursor: duckdb.DuckDBPyConnection, query: str, on_tick: Callable[[float], None] | None = None
) -> None:
    """Run a long statement in a thread while `on_tick(fraction done)` is called here, in the caller's thread.

    Whatever `on_tick` raises interrupts the statement and is raised again once the engine has stopped, so that a
    page which is being left, or a job which is no longer wanted, ends the work.
    """
    failure: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            cursor.execute(query)
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=work, name="marginalia-engine", daemon=True)
    thread.start()
    try:
        while not done.wait(TICK_SECONDS):
            run.check()
            if on_tick is not None:
                on_tick(min(1.0, max(0.0, cursor.query_progress() / 100)))
    finally:
        while not done.wait(TICK_SECONDS / 10):
            cursor.interrupt()
        thread.join()
    if failure:
        raise failure[0]


def explain(error: duckdb.Error, name: str) -> Exception:
    """The sentence for an engine error that no other code understands better."""
    if isinstance(error, duckdb.InterruptException):
        return Cancelled("Cancelled. What was loaded before is as it was.")
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, duckdb.OutOfMemoryException):
        return LimitError(
            f"{name} needs more memory or disk than the engine may use ({first}). Split it, or raise the limit."
        )
    return DataError(f"{name} cannot be read: {first}")
