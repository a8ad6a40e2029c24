"""A file of rows as a table: converted once, kept by the hash of its content, described column by column."""

from __future__ import annotations

import bisect
import difflib
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import duckdb

from lib.errors import DataError
from lib.schema import ColumnProfile
from lib.sources import files, store
from lib.sources.arrow import convert_arrow
from lib.sources.convert import Converted, convert_text
from lib.sources.engine import Run
from lib.sources.jsonl import convert_jsonl
from lib.sources.layout import read_layout, transcode_utf16
from lib.sources.profile import compute_profiles, read_kinds
from lib.sources.rejects import RejectedLine
from lib.sources.sql import explain, table_of
from lib.sources.training_names import either_way

Progress = Callable[[float, str], None]

_HASHED_FIRST: Final = 32 * 1024**2
"""Files below this size are hashed before anything else; larger ones while they are converted."""


@dataclass(frozen=True)
class RawTable:
    """One file of rows, as it stands: no role, no meaning yet.

    `sha256` is of the file's bytes, `content_sha256` of what they unpack to. `parquet` holds its rows in the order of
    the file; `rejected` the first 1,000 lines that are in no row; `notes` are sentences about what was done to read it;
    `unusable` are the columns whose type no role can have. `marks` are the columns that `parquet` has beside those of
    the file, each with a hash of what it was made from; the last come last.
    """

    name: str
    stem: str
    sha256: str
    size: int
    format: str
    compression: str
    parquet: Path
    n_rows: int
    columns: tuple[ColumnProfile, ...]
    rejected: tuple[RejectedLine, ...] = ()
    n_rejected: int = 0
    notes: tuple[str, ...] = ()
    rejected_records: tuple[int, ...] = field(default=(), repr=False)
    unusable: tuple[str, ...] = ()
    content_sha256: str = ""
    marks: tuple[tuple[str, str], ...] = ()

    @functools.cached_property
    def _rows_before_rejects(self) -> list[int]:
        return [record - 1 - number for number, record in enumerate(self.rejected_records)]

    def record_number(self, row_index: int) -> int:
        """The 1-based data record of the original file that became the 0-based row of the Parquet file."""
        return row_index + 1 + bisect.bisect_right(self._rows_before_rejects, row_index)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the file."""
        return tuple(column.name for column in self.columns)

    def has_column(self, name: str) -> bool:
        """Whether there is a column of exactly this name."""
        return name in self.column_names

    def column(self, name: str) -> ColumnProfile:
        """The profile of a column; `DataError` with the nearest name if there is none of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        near = difflib.get_close_matches(name, self.column_names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(self.column_names[:12])}."
        raise DataError(f"{self.name} has no column {name}: {hint}")


def read_table(
    path: Path,
    name: str,
    store_folder: Path,
    *,
    sha256: str | None = None,
    run: Run | None = None,
    on_progress: Progress | None = None,
) -> RawTable:
    """Read a file: convert it to Parquet in `store_folder` unless that was done before, and profile its columns.

    `name` is what to call it on screen. `on_progress(fraction, what)` is called in this thread; what it raises ends
    the work. Raises `DataError`, `LimitError` or `Cancelled`; then the store is as it was.
    """
    run = run or Run()
    report = on_progress or (lambda _fraction, _what: None)
    recognised = files.recognise(path, name)
    stamp = files.read_stamp(path)
    size = stamp[0]
    in_place = recognised.content == "parquet" and recognised.compression == "none"
    try:
        store_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder {store_folder} cannot be made: {error.strerror}.") from error
    draft = RawTable(
        name=name,
        stem=files.compute_stem(name),
        sha256=sha256 or "",
        size=size,
        format=recognised.content,
        compression=recognised.compression,
        parquet=_plain_path(path, store_folder) if in_place else store_folder,
        n_rows=0,
        columns=(),
    )
    with _hashing(path, size, sha256) as hashed:

        def known() -> RawTable | None:
            digest = hashed.result() if hashed.done() else ""
            return store.load(store_folder, replace(draft, sha256=digest), in_place) if digest else None

        if (found := known()) is not None:
            report(1.0, "Read before")
            return found
        with _work_folder(store_folder) as work:
            try:
                table, built = _read_new(path, draft, work, in_place, run, _watching(report, run, known))
                files.refuse_change(path, name, stamp)
            except _KnownError as known_error:
                report(1.0, "Read before")
                return known_error.table
            digest = hashed.result()
            notes = (*table.notes, *filter(None, [either_way(table.column_names)]))
            table = replace(table, sha256=digest, content_sha256=table.content_sha256 or digest, notes=notes)
            table = store.save(store_folder, table, built)
    report(1.0, "Read")
    return table


class _KnownError(Exception):
    """Raised inside a conversion when the hash, computed meanwhile, turns out to be of a file read before."""

    def __init__(self, table: RawTable) -> None:
        super().__init__()
        self.table = table


def _watching(report: Progress, run: Run, known: Callable[[], RawTable | None]) -> Progress:
    looked = False

    def watch(fraction: float, what: str) -> None:
        nonlocal looked
        run.check()
        report(fraction, what)
        if not looked and (table := known()) is not None:
            raise _KnownError(table)

    return watch


@contextmanager
def _hashing(path: Path, size: int, sha256: str | None) -> Generator[Future[str]]:
    stopped = False
    if sha256 is not None or size < _HASHED_FIRST:
        done: Future[str] = Future()
        done.set_result(sha256 or files.compute_sha256(path))
        yield done
        return
    with ThreadPoolExecutor(1, thread_name_prefix="marginalia-hash") as pool:
        future = pool.submit(files.compute_sha256, path, lambda: stopped)
        try:
            yield future
        finally:
            stopped = True


@contextmanager
def _work_folder(store_folder: Path) -> Generator[Path]:
    work = Path(tempfile.mkdtemp(prefix="reading-", dir=store_folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _plain_path(path: Path, store_folder: Path) -> Path:
    """The path itself, or a link to it in the store if the engine would take its name for a pattern."""
    absolute = path.resolve()
    if not any(character in str(absolute) for character in "*?[{"):
        return absolute
    link = store_folder / f"link-{hashlib.sha256(str(absolute).encode()).hexdigest()[:16]}.parquet"
    link.unlink(missing_ok=True)
    link.symlink_to(absolute)
    return link


def _read_new(
    path: Path, draft: RawTable, work: Path, in_place: bool, run: Run, report: Progress
) -> tuple[RawTable, Path | None]:
    """The table without its hash, and the Parquet file made for it, if one was."""
    name, built, converted = draft.name, None, Converted()
    source, notes = path, []
    if draft.compression != "none":
        source = work / "plain"
        content = files.unpack(
            path, name, draft.compression, source, lambda _written: report(0.05, f"Unpacking {name}")
        )
        draft = replace(draft, content_sha256=content)

    def reading(done: float) -> None:
        report(0.1 + 0.75 * done, f"Reading {name}")

    if draft.format == "parquet":
        built = None if in_place else source
    elif draft.format == "arrow":
        built = work / "table.parquet"
        converted = convert_arrow(source, name, built, run, reading)
    else:
        link = work / "input"
        if draft.compression == "none":
            link.symlink_to(path.resolve())
            source = link
        if transcode_utf16(source, name, work / "utf8", lambda _read: report(0.08, f"Decoding {name}")):
            source = work / "utf8"
            notes.append("The text was UTF-16 and was decoded.")
        built = work / "table.parquet"
        if draft.format == "jsonl":
            converted = convert_jsonl(source, name, built, run, reading)
        else:
            layout = read_layout(source, name)
            draft = replace(draft, format="tsv" if layout.delimiter == "\t" else "csv")
            converted = convert_text(source, name, layout, built, run, reading)
    parquet = built or draft.parquet
    with run.cursor() as cursor:
        try:
            kinds = read_kinds(cursor, table_of(parquet))
            if not kinds.usable:
                raise DataError(f"{name} has no column that can be used: only lists, structures or bytes.")
            n_rows, columns = compute_profiles(
                cursor, table_of(parquet), kinds.usable, lambda done: report(0.85 + 0.15 * done, "Looking at columns")
            )
        except duckdb.InterruptException:
            raise
        except duckdb.InvalidInputException as error:
            raise DataError(
                f"{name} is a damaged or incomplete Parquet file: it cannot be read to its end. Copy or export it "
                "again."
            ) from error
        except duckdb.Error as error:
            raise explain(error, name) from error
    if n_rows == 0:
        raise DataError(f"{name} has columns ({', '.join(list(kinds.usable)[:5])}) but no rows.")
    written = dict(converted.written)
    notes += [f"The numbers of {column} are written with {how}." for column, how in converted.written]
    table = replace(
        draft,
        n_rows=n_rows,
        columns=tuple(
            replace(column, written=written.get(column.name, ""), zoned=column.name in kinds.zoned)
            for column in columns
        ),
        rejected=converted.rejected,
        n_rejected=len(converted.rejected_records),
        rejected_records=converted.rejected_records,
        notes=(*notes, *converted.notes),
        unusable=(*converted.unusable, *kinds.unusable),
    )
    return table, built
