"""Files that are broken, hostile or no vectors: each is refused with a sentence that names it, or its rows are told."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save as save_tensors

from lib.errors import AmbiguityError, Cancelled, DataError, LimitError, MarginaliaError
from lib.sources.embeddings import matrix as matrices
from lib.sources.embeddings import read_embeddings
from lib.sources.engine import Run
from lib.sources.inputs import Input
from tests.sources.embeddings.conftest import FORMATS, Read, npy, npz

MATRIX = np.random.default_rng(3).normal(size=(6, 4))
IDS = list("abcdef")


def header(
    shape: str, descr: str = "'<f4'", fortran: str = "False", body: bytes = b"", version: bytes = b"\x01\x00"
) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(text) + 1) + text + b"\n" + body


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def tensors(kind: str, shape: list[int], offsets: list[int]) -> bytes:
    """A safetensors file of 16 bytes with one tensor as it is said to be."""
    text = json.dumps({"e": {"dtype": kind, "shape": shape, "data_offsets": offsets}}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(16)


def two_matrices() -> bytes:
    out = io.BytesIO()
    np.savez(out, left=MATRIX, right=MATRIX)
    return out.getvalue()


WIDE = "id," + ",".join(f"e{k}" for k in range(2_000)) + "\n" + "x" + ",0.5" * 2_000 + "\n"
OBJECTS = npy(np.array([{"a": 1}, None], object), [])
REFUSED = [
    ("empty.npy", b"", DataError, "empty.npy is empty (0 bytes)"),
    ("huge.npy", header("(1000000000, 4096)"), DataError, "huge.npy says that its shape is (1,000,000,000, 4,096)"),
    ("huge.npy", header("(10**9, 4)"), DataError, "damaged header"),
    ("overflow.npy", header("(9223372036854775807, 9223372036854775807)"), DataError, "it holds 0"),
    ("negative.npy", header("(-1, 4)"), DataError, "which no array has"),
    ("zero.npy", header("(0, 4)"), DataError, "holds no vectors: its matrix has 0 rows and 4 columns"),
    ("zero.npy", header("(4, 0)"), DataError, "4 rows and 0 columns"),
    ("row.npy", npy(MATRIX[0], IDS), DataError, "row.npy has the shape (4,), one number a row"),
    ("cube.npy", npy(MATRIX[None], IDS), DataError, "3 dimensions"),
    ("objects.npy", OBJECTS, DataError, "none is opened here; save numbers or texts"),
    ("complex.npy", npy(MATRIX + 1j, IDS), DataError, "a matrix of real numbers is expected"),
    ("texts.npy", npy(np.array([IDS, IDS]), IDS), DataError, "a matrix of real numbers is expected"),
    ("times.npy", npy(np.array([["2026-01-01"] * 2], "M8[D]"), IDS), DataError, "a matrix of real numbers is expected"),
    ("fields.npy", npy(np.zeros(3, [("a", "f4"), ("b", "f4")]), IDS), DataError, "Save its fields one by one"),
    ("fields.npy", npy(np.zeros(3, [("é", "f4")]), IDS), DataError, "Save its fields one by one"),
    ("half.npy", npy(MATRIX, IDS)[:-8], DataError, "but it holds 184"),
    ("head.npy", npy(MATRIX, IDS)[:20], DataError, "damaged header"),
    ("code.npy", header("__import__('os').system('true')"), DataError, "damaged header"),
    ("deep.npy", header("(" * 5000 + ")" * 5000), DataError, "damaged header"),
    ("wide.csv", WIDE, LimitError, "saved as NPY, NPZ or Parquet with a column of lists"),
    ("wide.npy", npy(np.zeros((1, 70_000), np.int8), IDS), LimitError, "at most 65,536 are read. If rows and columns"),
    ("part.npz", npz(MATRIX, IDS)[:-40], DataError, "damaged or locked"),
    ("objects.npz", zipped(embeddings=OBJECTS), DataError, "holds Python objects"),
    ("bomb.npz", zipped(embeddings=header("(100000000000, 64)", body=bytes(1000))), DataError, "but it holds 1,000"),
    ("none.npz", zipped(ids=npy(np.arange(3), IDS), other=npy(np.arange(4), IDS)), DataError, "and no matrix"),
    ("two.npz", two_matrices(), AmbiguityError, "left and right. Say which with --vectors"),
    ("offsets.safetensors", tensors("F32", [2, 2], [8, 99]), DataError, "does not fit its content"),
    ("shape.safetensors", tensors("F32", [2**62, 8], [0, 16]), DataError, "does not fit its content"),
    ("short.safetensors", save_tensors({"e": MATRIX})[:-8], DataError, "does not fit its content"),
    ("type.safetensors", tensors("F8_E4M3", [2, 8], [0, 16]), DataError, "has the type F8_E4M3"),
    ("alone.bytes", MATRIX.astype("<f4").tobytes(), DataError, "give its metadata beside it"),
    ("model.pkl", pickle.dumps(MATRIX), DataError, "never opened because it can run code"),
    ("page.html", b"<!doctype html><p>404", DataError, "a web page"),
    ("cut.parquet", FORMATS["lists.parquet"](MATRIX, IDS)[:-30], DataError, "damaged or incomplete Parquet file"),
    ("cut.arrow", FORMATS["v.arrow"](MATRIX, IDS)[:-200], DataError, "damaged or incomplete Arrow file"),
    ("name.arrow", FORMATS["v.arrow"](MATRIX, IDS).replace(b"embedding", b"embe\xffding"), DataError, "not UTF-8"),
    ("token.npy", header("(\n"), DataError, "damaged header"),
    ("words.csv", "a,b\nx,y\nz,w\n", DataError, "words.csv holds no vectors: it has no column of lists of numbers"),
    ("words.jsonl", '{"a": "x"}\n{"a": "y"}\n', DataError, "words.jsonl holds no vectors"),
    ("text.tsv", "1.5\t2.5\nx\t3\n", DataError, "not all its values are numbers. Column 1 holds x"),
    ("ragged.tsv", "1\t2\n1\t2\t3\n1\t2\t3\n", DataError, "2 of 3 lines do not have the 2 values of the first. Line 2"),
    ("lists.jsonl", '{"a": [], "b": 1}\n{"a": []}\n', DataError, "holds no vectors"),
    ("two.csv", "dim_0,dim_1,z_0,z_1\n1,2,3,4\n5,6,7,8\n", AmbiguityError, "Say which with --vectors"),
    ("damaged.npy.gz", b"\x1f\x8b\x08\x00garbage", DataError, "damaged or incomplete gzip file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "kind", "sentence"), REFUSED, ids=[f"{row[0]}-{k}" for k, row in enumerate(REFUSED)]
)
def test_a_broken_file_is_refused_with_a_sentence(
    read: Read, tmp_path: Path, name: str, content: bytes | str, kind: type[MarginaliaError], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        read({name: content})
    assert sentence in str(caught.value)
    assert name in str(caught.value)
    assert not list((tmp_path / "store").glob("reading-*"))


def test_a_matrix_above_the_bounds_is_refused_before_it_is_read(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "MOST_BYTES", 50)
    for name in ("v.npy", "v.npz", "v.safetensors", "lists.parquet", "columns.csv", "v.jsonl"):
        with pytest.raises(LimitError, match=r"6 vectors of 4 values"):
            read({name: FORMATS[name](MATRIX, IDS)})
    monkeypatch.undo()
    monkeypatch.setattr(matrices, "LEAST_FREE", 2**62)
    with pytest.raises(LimitError, match="which would fill it"):
        read({"v.npy": npy(MATRIX, IDS)})


def test_an_unknown_array_or_column_is_named(read: Read) -> None:
    with pytest.raises(DataError, match="no array layout of vectors: it has embeddings"):
        read({"v.npz": npz(MATRIX, IDS)}, vectors="layout")
    with pytest.raises(DataError, match=r"no column x of vectors: it has dim_\*"):
        read({"v.csv": FORMATS["columns.csv"](MATRIX, IDS)}, vectors="x")


def test_objects_beside_the_matrix_are_left_out_and_named(read: Read) -> None:
    content = zipped(embeddings=npy(MATRIX, IDS), labels=npy(np.array(IDS, object), IDS))
    data = read({"v.npz": content})
    assert data.versions["v"].n == 6
    assert "labels was left out" in data.inputs[0].notes[0]
    assert "none is opened here" in data.inputs[0].notes[0]


def test_ragged_rows_keep_their_places_and_are_told(read: Read) -> None:
    rows = [{"id": name, "kind": "x", "v": row} for name, row in zip(IDS, MATRIX.tolist(), strict=True)]
    rows[1]["v"] = [1.0, 2.0]
    rows[4]["v"] = None
    rows[5]["v"] = [1.0, "x", 3.0, 4.0]
    lines = [json.dumps(row) for row in rows]
    lines.insert(3, "this is no object")
    data = read({"v.jsonl": "\n".join(lines)})
    vectors, faults = data.versions["v"], data.faults["v"]
    assert vectors.n == 7
    assert vectors.ids.tolist() == ["a", "b", "c", "", "d", "e", "f"]
    assert faults.odd_rows.tolist() == [1, 3, 5]
    assert faults.odd_lengths.tolist() == [2, -1, 0]
    assert np.flatnonzero(vectors.is_good).tolist() == [0, 2, 4]
    assert np.array_equal(vectors.matrix[[0, 2, 4]], MATRIX[[0, 2, 3]].astype(np.float32))
    assert data.inputs[0].rows_rejected == 1
    assert data.metadata["v"].num_rows == 7


def test_lines_of_another_width_keep_their_places(read: Read) -> None:
    frame = pd.DataFrame(MATRIX, columns=[f"e{k}" for k in range(4)])
    lines = frame.assign(id=IDS).to_csv(index=False).splitlines()
    lines.insert(2, "1,2")
    data = read({"v.csv": "\n".join(lines)})
    assert data.versions["v"].ids.tolist() == ["a", "", "b", "c", "d", "e", "f"]
    assert data.faults["v"].odd_rows.tolist() == [1]
    assert np.array_equal(data.versions["v"].matrix[2:], MATRIX[1:].astype(np.float32))
    bare = read({"w.tsv": "1\t2\n3\t4\n5\n6\t7\n"})
    assert bare.faults["w"].odd_rows.tolist() == [2]
    assert bare.versions["w"].matrix[3].tolist() == [6, 7]


def test_lists_of_lengths_equally_frequent_take_the_longer(read: Read) -> None:
    data = read({"v.jsonl": '{"v": [1, 2]}\n{"v": [1, 2, 3]}'})
    assert data.versions["v"].dimension == 3
    assert data.faults["v"].odd_rows.tolist() == [0]


def test_a_cancelled_reading_leaves_nothing(tmp_path: Path) -> None:
    run, path = Run(), tmp_path / "v.npy"
    path.write_bytes(npy(MATRIX, IDS))

    def stop(_fraction: float, _what: str) -> None:
        run.cancel()

    with pytest.raises(Cancelled):
        read_embeddings([Input(path, "v.npy")], tmp_path / "store", run=run, on_progress=stop)
    assert list((tmp_path / "store").iterdir()) == []
