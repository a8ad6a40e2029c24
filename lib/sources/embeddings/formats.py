"""What a file of vectors is, by its content, and whether a file is one."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import DataError, MarginaliaError
from lib.sources import files
from lib.sources.arrow import open_batches
from lib.sources.embeddings import arrays, tensors
from lib.sources.embeddings.bare import count_bare
from lib.sources.embeddings.columns import Candidate, is_named_score
from lib.sources.embeddings.tables import find_candidates, find_text_candidates, sample_jsonl
from lib.sources.layout import read_layout

ACCEPTED: Final = (
    "Vectors are read from NPY, NPZ, safetensors, Parquet, Arrow, CSV, TSV and JSONL files and from a projector's raw "
    ".bytes, plain or compressed with gzip or zstd"
)
_BYTES_SUFFIX: Final = ".bytes"
_LEAST_BARE: Final = 4
"""So many bare numbers a line are a vector; fewer may be a label and a score without header."""
_LARGEST_HEAD: Final = 64 * 1024**2


def recognise_vectors(path: Path, name: str) -> tuple[str, str]:
    """The content ("npy", "npz", "safetensors", "bytes", "parquet", "arrow", "text" or "jsonl") and the compression.

    Raw bytes say nothing of themselves: they are known by the ending .bytes. Raises `DataError` for anything else.
    """
    head, compression = files.read_head(path, name)
    if head.startswith(b"\x93NUMPY"):
        return "npy", compression
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) and b".npy" in head[:512]:
        return "npz", compression
    if head.startswith(b"PAR1"):
        return "parquet", compression
    if _is_safetensors(head):
        return "safetensors", compression
    bare = name.lower().removesuffix(".gz").removesuffix(".zst")
    if bare.endswith(_BYTES_SUFFIX):
        return "bytes", compression
    try:
        return files.recognise(path, name).content, compression
    except DataError as error:
        raise DataError(str(error).replace(files.ACCEPTED, ACCEPTED)) from error


def _is_safetensors(head: bytes) -> bool:
    if len(head) < 10:
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return 2 <= length <= tensors.MOST_HEADER and head[8:9] == b"{" and head[9:10] in (b'"', b"}", b" ")


def looks_like_embeddings(path: Path, name: str) -> bool:
    """Whether a file holds vectors rather than predictions or a table of another kind, judged by its beginning.

    Arrays are, whatever their shape: nothing else is read from them, and why they hold no vectors is told when they are
    read (a solver's support vectors are an archive of arrays too, and are not). A table is one where it has vectors (a
    column of lists, numbered columns) and no column that is named like a classifier's score or prediction: predictions
    with numbered features are predictions. Never raises for a file that cannot be read; that is told when it is.
    """
    try:
        content, compression = recognise_vectors(path, name)
        if content in ("bytes", "npy"):
            return True
        if compression == "none":
            return _looks_like_vectors(path, name, content)
        with tempfile.TemporaryDirectory(prefix="marginalia-look-") as folder:
            plain = Path(folder) / "plain"
            limit = _LARGEST_HEAD if content in ("text", "jsonl") else files.UNPACKED_LIMIT
            with files.open_plain(path, name, compression) as source, plain.open("wb") as sink:
                while sink.tell() < limit and (block := source.read(files.BLOCK)):
                    sink.write(block)
            return _looks_like_vectors(plain, name, content)
    except (MarginaliaError, OSError, UnicodeDecodeError, pa.ArrowException):
        return False


def _looks_like_vectors(path: Path, name: str, content: str) -> bool:
    if content in ("npz", "safetensors"):
        held = (arrays.list_npz if content == "npz" else tensors.list_safetensors)(path, name)
        return all(each.name != "dual_coef" for each in held)
    names, candidates = _sample_table(path, name, content)
    return bool(candidates) and not is_named_score(names, candidates)


def _sample_table(path: Path, name: str, content: str) -> tuple[list[str], list[Candidate]]:
    """The names of a table's columns, and what may hold its vectors, from its first rows."""
    if content == "parquet":
        file = pq.ParquetFile(path)
        sample = next(file.iter_batches(batch_size=100), None)
        return file.schema_arrow.names, [] if sample is None else find_candidates(file.schema_arrow, _as_lists(sample))
    if content == "arrow":
        with open_batches(path, name) as source:
            sample, schema = next(source.batches, None), source.schema
            return schema.names, [] if sample is None else find_candidates(schema, _as_lists(sample.slice(0, 100)))
    if content == "jsonl":
        return sample_jsonl(path)
    if (count := count_bare(path)) > 0:
        return [], [Candidate("dim_*", (), "columns")] if count >= _LEAST_BARE else []
    layout = read_layout(path, name)
    return list(layout.names), find_text_candidates(layout.names, layout.sample[:200])


def _as_lists(batch: Any) -> dict[str, list[object]]:
    return {
        column: batch.column(place).to_pylist()
        for place, column in enumerate(batch.schema.names)
        if pa.types.is_string(batch.schema.field(place).type)
        or pa.types.is_large_string(batch.schema.field(place).type)
    }
