"""Every format, written by its own library, read back to the last bit of float32; nothing is lost on the way."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save as save_tensors

from tests.sources.embeddings.conftest import BINARY, FORMATS, WITHOUT_IDS, Read, npy, read_files

MATRIX = np.random.default_rng(3).normal(size=(23, 9))
IDS = [f"r{k:02d}" for k in range(23)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_read_to_the_last_bit(read: Read, name: str) -> None:
    data = read({name: FORMATS[name](MATRIX, IDS)})
    (vectors,) = data.versions.values()
    assert vectors.matrix.tobytes() == MATRIX.astype(np.float32).tobytes()
    assert vectors.matrix.flags.c_contiguous
    assert not vectors.matrix.flags.writeable
    assert isinstance(vectors.matrix, np.memmap)
    assert vectors.stored_as == "float64"
    assert vectors.ids.tolist() == ([str(k) for k in range(23)] if name in WITHOUT_IDS else IDS)
    assert vectors.is_good.all()
    assert vectors.is_query.all()
    assert vectors.is_gallery.all()
    assert data.inputs[0].rows == 23
    assert list(data.versions) == [name.split(".")[0]]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("kind", ["float16", "float32", "int8", "uint8", "int32"])
def test_a_type_of_values_is_kept_in_mind(read: Read, name: str, kind: str) -> None:
    matrix = (MATRIX * 20 + (60 if kind == "uint8" else 0)).astype(kind)
    (vectors,) = read({name: FORMATS[name](matrix, IDS)}).versions.values()
    assert vectors.stored_as == kind
    assert np.array_equal(vectors.matrix, matrix.astype(np.float32))


@given(
    matrix=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(2, 9)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False),
    ),
    name=st.sampled_from(sorted(FORMATS)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_matrix_comes_back(tmp_path_factory: pytest.TempPathFactory, matrix: np.ndarray, name: str) -> None:
    ids = [f"r{k}" for k in range(len(matrix))]
    data = read_files(tmp_path_factory.mktemp("any"), {name: FORMATS[name](matrix, ids)})
    (vectors,) = data.versions.values()
    assert np.array_equal(vectors.matrix, matrix)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f4", ">f4", ">f8", ">i2"])
def test_byte_order_and_memory_order(read: Read, order: Any, kind: str) -> None:
    matrix = np.asarray(MATRIX * 100, dtype=kind, order=order)
    (vectors,) = read({"v.npy": npy(matrix, IDS)}).versions.values()
    assert np.array_equal(vectors.matrix, matrix.astype(np.float32))


def test_packed_bits_become_signs(read: Read) -> None:
    signs = np.sign(np.random.default_rng(0).normal(size=(10, 32)))
    packed = np.packbits(signs > 0, axis=1)
    signed = (packed.astype(np.int16) - 128).astype(np.int8)
    listed = io.BytesIO()
    pq.write_table(pa.table({"embedding_ubinary": pa.array(list(packed))}), listed)
    files = {
        "a_ubinary.npy": npy(packed, IDS),
        "b_binary.npy": npy(signed, IDS),
        "c.safetensors": save_tensors({"packed_bits": packed}),
        "d.parquet": listed.getvalue(),
        "e.npy": npy(signs > 0, IDS),
    }
    for name, content in files.items():
        data = read({name: content})
        (vectors,) = data.versions.values()
        assert np.array_equal(vectors.matrix, signs), name
        assert vectors.stored_as == "binary"
        assert "−1 and +1" in data.inputs[0].notes[-1]
    (plain,) = read({"f.npy": npy(packed, IDS)}).versions.values()
    assert (plain.stored_as, plain.dimension) == ("uint8", 4)


def test_bfloat16_is_the_upper_half_of_float32(read: Read) -> None:
    whole = MATRIX.astype(np.float32)
    halves = (whole.view(np.uint32) >> 16).astype(np.uint16)
    content = save_tensors({"embeddings": halves}).replace(b'"U16"', b'"BF16"')
    header = int.from_bytes(content[:8], "little")
    # One byte longer than before: the blanks that fill the header up are one fewer.
    text = content[8 : 8 + header + 1].rstrip()
    padded = text + b" " * (-len(text) % 8)
    content = len(padded).to_bytes(8, "little") + padded + halves.tobytes()
    (vectors,) = read({"v.safetensors": content}).versions.values()
    assert vectors.stored_as == "bfloat16"
    assert np.array_equal(vectors.matrix, (halves.astype(np.uint32) << 16).view(np.float32))


def test_the_array_is_found_by_its_name_or_asked(read: Read) -> None:
    out = io.BytesIO()
    np.savez(out, embeddings=MATRIX, layout=MATRIX[:, :2], ids=np.array(IDS), center=MATRIX[0])
    data = read({"v.npz": out.getvalue()})
    assert data.versions["v"].dimension == 9
    assert any("center was left out" in note for note in data.inputs[0].notes)
    assert read({"v.npz": out.getvalue()}, vectors="layout").versions["v"].dimension == 2


def test_columns_are_in_the_order_of_their_numbers(read: Read) -> None:
    rows = ["id,e10,e2,e1,kind", "a,10,2,1,x", "b,20,4,2,y"]
    data = read({"v.csv": "\n".join(rows)})
    assert data.versions["v"].matrix.tolist() == [[1, 2, 10], [2, 4, 20]]
    assert data.metadata["v"].column_names == ["id", "kind"]


def test_what_float32_cannot_hold_is_not_good(read: Read) -> None:
    matrix = MATRIX.copy()
    matrix[3, 2], matrix[5, 0], matrix[6, 1] = 1e300, math.nan, -math.inf
    for name in ("v.npy", "v.jsonl", "columns.csv", "lists.parquet", "columns.parquet", "tensors.tsv"):
        (vectors,) = read({name: FORMATS[name](matrix, IDS)}).versions.values()
        assert np.flatnonzero(~vectors.is_good).tolist() == [3, 5, 6], name
        assert vectors.n == 23


def test_the_same_file_is_not_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"v.npy": npy(MATRIX, IDS)}
    first = read_files(tmp_path, files)
    monkeypatch.setattr("lib.sources.embeddings.raw._make", None)
    again = read_files(tmp_path, {"other.npy": npy(MATRIX, IDS)})
    assert again.versions["other"].sha256 == first.versions["v"].sha256
