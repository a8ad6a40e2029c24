"""Text files of bare numbers, without a header: TensorBoard's tensors.tsv, or what `np.savetxt` writes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from lib.errors import DataError, LimitError
from lib.sources.embeddings.matrix import MOST_DIMENSIONS
from lib.sources.engine import Run
from lib.sources.layout import HEAD_BYTES
from lib.sources.sql import MISSING_TEXTS

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DELIMITERS: Final = ("\t", ",", ";", " ")
_LEAST: Final = 2
_BLOCK: Final = 8 * 1024**2
_MOST_REJECTED: Final = 100_000


def count_bare(path: Path) -> int:
    """How many numbers the first line holds where it holds nothing else, at least two; 0 otherwise."""
    first = _first_line(path)
    delimiter = _find_delimiter(first)
    return 0 if delimiter is None else len(first.split(delimiter))


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.readline(4 * HEAD_BYTES).decode("utf-8-sig", "replace").strip("\r\n")


def _find_delimiter(line: str) -> str | None:
    for delimiter in _DELIMITERS:
        cells = line.split(delimiter)
        if len(cells) >= _LEAST and all(_NUMBER.fullmatch(cell.strip()) for cell in cells):
            return delimiter
    return None


def convert_bare(path: Path, name: str, target: Path, run: Run, tick: Callable[[float], None]) -> tuple[int, ...]:
    """Write bare numbers as columns dim_0, dim_1 and so on; the 1-based records whose width is another.

    A first line 0, 1, 2 … is a header, as pandas writes it.

    Raises:
        DataError: a cell is no number, or most lines have another width than the first.
        LimitError: there are too many columns.
    """
    first = _first_line(path)
    delimiter = _find_delimiter(first) or ","
    cells = first.split(delimiter)
    if len(cells) > MOST_DIMENSIONS:
        raise LimitError(f"{name} has {len(cells):,} columns; at most {MOST_DIMENSIONS:,} values a vector are read.")
    is_header = [cell.strip() for cell in cells] == [str(place) for place in range(len(cells))] and len(cells) > _LEAST
    rejected: list[int] = []

    def on_invalid(row: Any) -> str:
        if len(rejected) < _MOST_REJECTED:
            rejected.append(int(row.number) - is_header)
        return "skip"

    names = [f"dim_{place}" for place in range(len(cells))]
    size, n_rows = max(1, path.stat().st_size), 0
    try:
        with pa.OSFile(str(path), "rb") as source:
            source.seek(3 if source.read(3) == codecs.BOM_UTF8 else 0)
            reader = arrow_csv.open_csv(
                source,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK,
                    encoding="latin-1",
                    column_names=names,
                    skip_rows=int(is_header),
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=on_invalid),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.float64()), null_values=list(MISSING_TEXTS)
                ),
            )
            with pq.ParquetWriter(target, reader.schema, compression="none", use_dictionary=False) as writer:
                for batch in reader:
                    run.check()
                    n_rows += batch.num_rows
                    writer.write_batch(batch)
                    tick(source.tell() / size)
    except pa.ArrowInvalid as error:
        found = re.search(r"In CSV column #(\d+).*invalid value '(.*?)'", str(error))
        where = f" Column {int(found[1]) + 1} holds {found[2][:40]}." if found else ""
        raise DataError(
            f"{name} begins with numbers only, as a file of vectors without header does, but not all its values are "
            f"numbers.{where} Add a first line with the names of the columns, or mend the value."
        ) from error
    if len(rejected) >= max(1, n_rows):
        raise DataError(
            f"{name} cannot be read as vectors: {len(rejected):,} of {len(rejected) + n_rows:,} lines do not have the "
            f"{len(cells):,} values of the first. Line {rejected[0]} is the first of them."
        )
    return tuple(rejected)
