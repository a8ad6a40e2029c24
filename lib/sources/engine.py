"""The embedded query engine: one DuckDB instance for the process, one cursor for each run.

DuckDB releases the interpreter while it works, so it runs in the server's own process; its memory is bounded
and what does not fit goes to a private folder on disk that is removed when the process ends.
"""

from __future__ import annotations

import atexit
import errno
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lib.errors import Cancelled, LimitError

MEMORY_LIMIT_MB = 640
"""What the engine may hold in memory, all sessions together. Measured: ten million rows of CSV need about 480 MB."""

SPILL_LIMIT_GB = 50
"""What the engine may put on disk beside that before it gives up with a sentence."""

_lock = threading.Lock()
_instance: duckdb.DuckDBPyConnection | None = None


def _connect() -> duckdb.DuckDBPyConnection:
    spill = Path(tempfile.gettempdir()) / f"marginalia-engine-{secrets.token_hex(16)}"
    atexit.register(shutil.rmtree, spill, ignore_errors=True)
    spill.mkdir(mode=0o700)
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{MEMORY_LIMIT_MB}MB",
            "max_temp_directory_size": f"{SPILL_LIMIT_GB}GB",
            "temp_directory": str(spill),
            "threads": max(1, os.cpu_count() or 1),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def get_connection() -> duckdb.DuckDBPyConnection:
    """A new cursor on the process's one engine; close it when the run ends."""
    global _instance
    with _lock:
        if _instance is None:
            _instance = _connect()
        return _instance.cursor()


class Run:
    """A unit of engine work that another thread may cancel.

    `with run.cursor() as cursor:` yields a cursor; `run.cancel()` from any thread interrupts what it is doing, and
    the work ends with `Cancelled`. Where memory or disk are at their bounds it ends with `LimitError`.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._cursors: list[duckdb.DuckDBPyConnection] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Interrupt the work; safe from any thread, more than once, before or after it has ended."""
        self._cancelled.set()
        for cursor in list(self._cursors):
            cursor.interrupt()

    def check(self) -> None:
        """Raise `Cancelled` if `cancel` was called: for loops between two engine calls."""
        if self.is_cancelled:
            raise Cancelled("Cancelled. What was loaded before is as it was.")

    @contextmanager
    def cursor(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor for the length of the block; an interrupt inside it becomes `Cancelled`."""
        self.check()
        cursor = get_connection()
        self._cursors.append(cursor)
        try:
            yield cursor
        except duckdb.InterruptException as error:
            raise Cancelled("Cancelled. What was loaded before is as it was.") from error
        except OSError as error:
            # What interrupts a stream of Arrow batches has no name of its own there.
            if not self.is_cancelled:
                raise
            raise Cancelled("Cancelled. What was loaded before is as it was.") from error
        except duckdb.OutOfMemoryException as error:
            raise LimitError(
                f"This needs more than the engine may use, {MEMORY_LIMIT_MB} MB of memory and {SPILL_LIMIT_GB} GB of "
                "disk; what was loaded before is as it was. Take fewer cohort columns, or summarise the files one by "
                "one with `python -m lib cells`."
            ) from error
        except duckdb.IOException as error:
            if os.strerror(errno.ENOSPC) not in str(error):
                raise
            raise LimitError(
                "The disk is full; what was loaded before is as it was. Close datasets that are no longer needed, or "
                "make room on the disk."
            ) from error
        finally:
            self._cursors.remove(cursor)
            cursor.close()
