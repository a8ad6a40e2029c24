"""One file of vectors: its matrix as float32 on disk and what else it says of each row, kept by content."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lib.errors import DataError
from lib.sources import files
from lib.sources.arrow import stored_type
from lib.sources.embeddings import arrays
from lib.sources.embeddings.bits import declares_bits
from lib.sources.embeddings.columns import choose
from lib.sources.embeddings.formats import recognise_vectors
from lib.sources.embeddings.lists import NO_LINE, write_vectors
from lib.sources.embeddings.matrix import open_matrix
from lib.sources.embeddings.tables import TableParts, open_table
from lib.sources.embeddings.tensors import list_safetensors
from lib.sources.engine import Run

Progress = Callable[[float, str], None]
STORE_VERSION: Final = 1
"""Raised whenever the same file would be read otherwise than before."""


@dataclass(frozen=True, eq=False)
class RawVectors:
    """One file of vectors as it stands: no role, no version yet.

    Attributes:
        name, stem: of the file, and without its endings.
        sha256: of the file's bytes.
        content: "npy", "npz", "safetensors", "bytes", "parquet", "arrow", "text" or "jsonl".
        column: the array or column that the vectors are from.
        matrix: shape (n, d), float32, mapped read-only.
        is_good: shape (n,), which rows are finite throughout.
        odd_rows, odd_lengths: shape (o,), the rows without a vector of the dimension d, and the length of what is there
            instead; 0 for nothing, `NO_LINE` for a line that could not be read.
        stored_as: the type of the values in the file.
        table: what else the file says of each row; None where it says nothing. Rows of lines that could not be read
            hold nothing.
        notes: sentences about how it was read.
    """

    name: str
    stem: str
    sha256: str
    content: str
    column: str
    matrix: NDArray[np.float32]
    is_good: NDArray[np.bool_]
    odd_rows: NDArray[np.int64]
    odd_lengths: NDArray[np.int64]
    stored_as: str
    table: Any
    notes: tuple[str, ...]

    @property
    def n_rejected(self) -> int:
        """Lines that could not be read at all."""
        return int((self.odd_lengths == NO_LINE).sum())


def read_vectors(
    path: Path,
    name: str,
    store: Path,
    *,
    column: str | None = None,
    n_rows: int | None = None,
    run: Run | None = None,
    on_progress: Progress | None = None,
) -> RawVectors:
    """Read a file of vectors: stream its matrix to `store` unless that was done before.

    Args:
        path: the file.
        name: what it is called on screen.
        store: the folder for what is made of it.
        column: the array or column of the vectors; None to find it.
        n_rows: of a file of raw bytes, how many vectors it holds.
        run: what may cancel it.
        on_progress: is told the fraction done and what is being done, in this thread.

    Raises:
        DataError: the file holds no vectors, or is damaged.
        AmbiguityError: several arrays or columns may be the vectors.
        LimitError: it is larger than what is read.
    """
    run, report = run or Run(), on_progress or (lambda _fraction, _what: None)
    content, compression = recognise_vectors(path, name)
    stamp = files.read_stamp(path)
    store.mkdir(parents=True, exist_ok=True)
    report(0.0, f"Reading {name}")
    sha256 = files.compute_sha256(path, lambda: run.is_cancelled)
    run.check()
    # Names may declare packed bits, so that they are part of what is read.
    key = json.dumps([STORE_VERSION, sha256, content, column, n_rows, declares_bits(name)])
    folder = store / f"vectors-{hashlib.sha256(key.encode()).hexdigest()}"
    if not folder.is_dir():
        work = Path(tempfile.mkdtemp(prefix="reading-", dir=store))
        try:
            plain = path
            if compression != "none":
                plain = work / "plain"
                files.unpack(path, name, compression, plain, lambda _written: run.check())
            made = work / "made"
            made.mkdir()
            _make(plain, name, content, column, n_rows, made, work, run, lambda done: report(done, f"Reading {name}"))
            files.refuse_change(path, name, stamp)
            try:
                made.replace(folder)
            except OSError:
                if not folder.is_dir():  # another session was first
                    raise
        except (UnicodeDecodeError, pa.ArrowException) as error:
            raise DataError(
                f"{name} is damaged or holds text that is not UTF-8: its columns cannot be read. Write it again."
            ) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    report(1.0, f"Read {name}")
    return _load(folder, name, sha256, content)


def _load(folder: Path, name: str, sha256: str, content: str) -> RawVectors:
    values: dict[str, Any] = json.loads((folder / "description.json").read_text("utf-8"))
    rows = np.load(folder / "rows.npz", allow_pickle=False)
    meta = folder / "meta.parquet"
    return RawVectors(
        name=name,
        stem=files.compute_stem(name),
        sha256=sha256,
        content=content,
        column=values["column"],
        matrix=open_matrix(folder / "matrix.npy"),
        is_good=rows["is_good"],
        odd_rows=rows["odd_rows"],
        odd_lengths=rows["odd_lengths"],
        stored_as=values["stored_as"],
        table=pq.read_table(meta) if meta.is_file() else None,
        notes=tuple(note.replace("\0", name) for note in values["notes"]),
    )


def _make(
    path: Path,
    name: str,
    content: str,
    column: str | None,
    n_rows: int | None,
    made: Path,
    work: Path,
    run: Run,
    tick: Callable[[float], None],
) -> None:
    """Write matrix, rows, table and description of a file into the folder `made`."""
    target, none = made / "matrix.npy", np.zeros(0, np.int64)
    if content in ("npy", "npz", "safetensors", "bytes"):
        held = _list_arrays(path, name, content, n_rows)
        chosen = _choose_array(held, name, column)
        stored_as = chosen.stored_as(name)
        dimension, is_good = arrays.write_array(chosen, target, name, stored_as, run, tick)
        table, notes = _gather_columns(held, chosen, len(is_good))
        odd_rows, odd_lengths, label = none, none, chosen.name
    else:
        parts = open_table(path, name, content, work, run, lambda done: tick(0.5 * done))
        labels = [each.label for each in parts.candidates]
        what = f"its columns are {', '.join(parts.columns[:8])}" if parts.columns else "it has no columns"
        place = choose(
            labels, column, name, "column", f"it has no column of lists of numbers, and no numbered columns; {what}"
        )
        candidate = parts.candidates[place]
        written = write_vectors(parts, candidate, target, name, run, lambda done: tick(0.5 + 0.5 * done))
        table = _gather_meta(parts, candidate.columns, written.n)
        dimension, is_good, stored_as, label = written.dimension, written.is_good, written.stored_as, candidate.label
        odd_rows, odd_lengths, notes = written.odd_rows, written.odd_lengths, list(parts.notes)
        if content in ("text", "jsonl"):
            stored_as = "float64"
    if stored_as == "binary":
        notes.append(
            f"The values of \0 are packed bits, as its names say: read as {dimension:,} values of −1 and +1 a vector, "
            "so that both distances rank as the number of differing bits does."
        )
    if table is not None:
        table.validate(full=True)
        pq.write_table(table, made / "meta.parquet")
    np.savez(made / "rows.npz", is_good=is_good, odd_rows=odd_rows, odd_lengths=odd_lengths)
    description = {"column": label if label != name else "", "stored_as": stored_as, "notes": notes}
    (made / "description.json").write_text(json.dumps(description), "utf-8")


def _list_arrays(path: Path, name: str, content: str, n_rows: int | None) -> list[arrays.StoredArray]:
    if content == "npy":
        return arrays.list_npy(path, name)
    if content == "npz":
        return arrays.list_npz(path, name)
    if content == "safetensors":
        return list_safetensors(path, name)
    return [arrays.as_raw_bytes(path, name, n_rows)]


def _choose_array(held: list[arrays.StoredArray], name: str, column: str | None) -> arrays.StoredArray:
    matrices = [each for each in held if each.is_matrix]
    if not matrices and len(held) == 1:
        return held[0]  # is refused with the reason when it is written
    listed = ", ".join(f"{each.name} {each.shape}" for each in held[:8]) or "nothing"
    return matrices[
        choose([each.name for each in matrices], column, name, "array", f"it holds {listed}, and no matrix")
    ]


def _gather_columns(held: list[arrays.StoredArray], chosen: arrays.StoredArray, n: int) -> tuple[Any, list[str]]:
    """The other arrays with a value a row as columns, and what is left out."""
    columns: dict[str, Any] = {}
    notes: list[str] = []
    for each in held:
        if each is chosen:
            continue
        if each.is_column_of(n):
            values = each.read()
            columns[each.name] = pa.array(
                values.astype(object) if values.dtype.kind == "U" else values.astype(values.dtype.newbyteorder("="))
            )
        else:
            why = each.trouble or f"its shape is {each.shape}, not one value for each of the {n:,} vectors."
            notes.append(f"The array {each.name} was left out: {why}")
    return (pa.table(columns) if columns else None), notes


def _gather_meta(parts: TableParts, vectors: tuple[str, ...], n: int) -> Any:
    """The other columns of a table, with empty rows where lines could not be read; None where there are none."""
    if parts.meta is None:
        return None
    left_out = set(vectors) | {column for each in parts.candidates if each.kind != "columns" for column in each.columns}
    schema = pq.read_schema(parts.meta)
    kept = [each.name for each in schema if each.name not in left_out and stored_type(each.type)]
    if not kept:
        return None
    table = pq.read_table(parts.meta, columns=kept)
    if not parts.rejected:
        return table
    rows = np.full(n, -1, np.int64)
    rows[np.delete(np.arange(n), np.asarray(parts.rejected, np.int64) - 1)] = np.arange(table.num_rows)
    return take_rows(table, rows)


def take_rows(table: Any, rows: NDArray[np.int64]) -> Any:
    """Rows of a table in that order; nothing but missing values where a row is below 0."""
    # A file may declare that a column has no missing values, which then no longer holds.
    nullable = pa.Table.from_arrays(table.columns, names=table.column_names)
    return nullable.take(pa.array(rows, mask=rows < 0))
