"""Files of vectors, written by the libraries that write them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from pyarrow import feather
from safetensors.numpy import save as save_tensors

from lib.sources.embeddings import Beside, EmbeddingAnswers, EmbeddingSet, read_embeddings
from lib.sources.inputs import Input

Write = Callable[[NDArray[Any], list[str]], bytes]


def npy(matrix: NDArray[Any], _ids: list[str]) -> bytes:
    out = io.BytesIO()
    np.save(out, matrix)
    return out.getvalue()


def npz(matrix: NDArray[Any], ids: list[str]) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, embeddings=matrix, ids=np.array(ids), weight=np.arange(len(ids)))
    return out.getvalue()


def safetensors(matrix: NDArray[Any], ids: list[str]) -> bytes:
    return save_tensors({"embeddings": np.ascontiguousarray(matrix), "rank": np.arange(len(ids))})


def _list_table(matrix: NDArray[Any], ids: list[str]) -> pa.Table:
    return pa.table({"id": ids, "embedding": pa.array(list(np.ascontiguousarray(matrix)))})


def parquet_lists(matrix: NDArray[Any], ids: list[str]) -> bytes:
    out = io.BytesIO()
    pq.write_table(_list_table(matrix, ids), out)
    return out.getvalue()


def parquet_fixed(matrix: NDArray[Any], ids: list[str]) -> bytes:
    flat = pa.array(np.ascontiguousarray(matrix).ravel())
    out = io.BytesIO()
    fixed = pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])
    pq.write_table(pa.table({"id": ids, "vector": fixed}), out)
    return out.getvalue()


def parquet_columns(matrix: NDArray[Any], ids: list[str]) -> bytes:
    out = io.BytesIO()
    frame(matrix, ids).to_parquet(out, index=False)
    return out.getvalue()


def arrow_lists(matrix: NDArray[Any], ids: list[str]) -> bytes:
    out = io.BytesIO()
    feather.write_feather(_list_table(matrix, ids), out)
    return out.getvalue()


def frame(matrix: NDArray[Any], ids: list[str]) -> pd.DataFrame:
    columns = {"id": pd.Series(ids)} | {f"dim_{k}": matrix[:, k] for k in range(matrix.shape[1])}
    return pd.DataFrame(columns)


def csv_columns(matrix: NDArray[Any], ids: list[str]) -> bytes:
    return frame(matrix, ids).to_csv(index=False).encode()


def csv_pandas(matrix: NDArray[Any], _ids: list[str]) -> bytes:
    """The index without a name, the columns 0, 1, 2."""
    return pd.DataFrame(matrix).to_csv().encode()


def csv_lists(matrix: NDArray[Any], ids: list[str]) -> bytes:
    lists = [json.dumps(row) for row in matrix.tolist()]
    return pd.DataFrame({"id": ids, "embedding": lists}).to_csv(index=False).encode()


def csv_printed(matrix: NDArray[Any], ids: list[str]) -> bytes:
    """As pandas writes cells that are NumPy arrays."""
    lists = ["[" + "  ".join(repr(float(each)) for each in row) + "]" for row in matrix]
    return pd.DataFrame({"id": ids, "embedding": lists}).to_csv(index=False).encode()


def tsv_bare(matrix: NDArray[Any], _ids: list[str]) -> bytes:
    out = io.StringIO()
    np.savetxt(out, matrix, delimiter="\t", fmt="%r")
    return out.getvalue().replace("np.float64(", "").replace("np.float32(", "").replace(")", "").encode()


def txt_bare(matrix: NDArray[Any], _ids: list[str]) -> bytes:
    out = io.StringIO()
    np.savetxt(out, matrix, fmt="%.18e")
    return out.getvalue().encode()


def jsonl(matrix: NDArray[Any], ids: list[str]) -> bytes:
    lines = [json.dumps({"id": name, "embedding": row}) for name, row in zip(ids, matrix.tolist(), strict=True)]
    return "\n".join(lines).encode()


FORMATS: dict[str, Write] = {
    "v.npy": npy,
    "v.npz": npz,
    "v.safetensors": safetensors,
    "lists.parquet": parquet_lists,
    "fixed.parquet": parquet_fixed,
    "columns.parquet": parquet_columns,
    "v.arrow": arrow_lists,
    "columns.csv": csv_columns,
    "pandas.csv": csv_pandas,
    "lists.csv": csv_lists,
    "printed.csv": csv_printed,
    "tensors.tsv": tsv_bare,
    "bare.txt": txt_bare,
    "v.jsonl": jsonl,
    "v.npy.gz": lambda matrix, ids: gzip.compress(npy(matrix, ids)),
    "v.jsonl.zst": lambda matrix, ids: pa.compress(jsonl(matrix, ids), "zstd", asbytes=True),
}
BINARY = ("v.npy", "v.npz", "v.safetensors", "lists.parquet", "fixed.parquet", "columns.parquet", "v.arrow")
"""Formats that hold values as they are, and not as decimal text."""
WITHOUT_IDS = ("v.npy", "v.npy.gz", "v.safetensors", "tensors.tsv", "bare.txt", "pandas.csv")

Read = Callable[..., EmbeddingSet]


def read_files(folder: Path, files: Mapping[str, bytes | str], **options: Any) -> EmbeddingSet:
    """Write files and read them; `beside` names those that hold no vectors, other options are answers."""
    inputs: dict[str, Input] = {}
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        inputs[name] = Input(path, name)
    beside = {role: inputs.pop(name) for role, name in options.pop("beside", {}).items()}
    answers = EmbeddingAnswers(**options)
    return read_embeddings(list(inputs.values()), folder / "store", answers, Beside(**beside))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return lambda files, **options: read_files(tmp_path, files, **options)
