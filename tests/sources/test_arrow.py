"""Arrow files and streams into tables: every type is a kind or has a reason, damage is a sentence."""

from __future__ import annotations

import decimal
import gzip

import pyarrow as pa
import pyarrow.feather as feather
import pytest
from pyarrow import ipc

from lib.errors import Cancelled, DataError, LimitError
from lib.sources import Run, arrow, read_table

ROWS = pa.table({"id": ["a", "b", "c"], "label": [1, 0, None], "score": [0.5, -1.25, 3.0]})


def gz(data: bytes) -> bytes:
    """The same bytes at any moment, since they name a test."""
    return gzip.compress(data, mtime=0)


def file_of(table: pa.Table, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:  # type: ignore[arg-type]
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def stream_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def feather_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    feather.write_feather(table, sink, compression="lz4")
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("content", "name", "compression"),
    [
        (file_of(ROWS), "p.arrow", "none"),
        (file_of(ROWS, compression="zstd"), "p.csv", "none"),
        (stream_of(ROWS), "p.arrows", "none"),
        (feather_of(ROWS), "p.feather", "none"),
        (gz(stream_of(ROWS)), "p.arrow.gz", "gzip"),
        (pa.compress(file_of(ROWS), codec="zstd", asbytes=True), "p.ipc.zst", "zstd"),
    ],
)
def test_every_format_gives_the_same_rows(read, rows, content, name, compression):
    table = read(content, name)
    assert rows(table) == [("a", 1, 0.5), ("b", 0, -1.25), ("c", None, 3.0)]
    assert (table.format, table.compression, table.stem) == ("arrow", compression, "p")


def test_every_type_is_a_kind_or_has_a_reason(read):
    columns = {
        "dictionary": pa.array(["x", "y", None]).dictionary_encode(),
        "numbers": pa.array([1, 2, None]).dictionary_encode(),
        "decimal": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.5")], pa.decimal128(10, 2)),
        "wide": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.5")], pa.decimal256(50, 2)),
        "zoned": pa.array([0, 1, None], pa.timestamp("ns", "Europe/Berlin")),
        "second": pa.array([0, 1, None], pa.timestamp("s")),
        "day": pa.array([0, 86_400_000, None], pa.date64()),
        "clock": pa.array([1, 2, None], pa.time64("ns")),
        "large": pa.array(["x", "y", None], pa.large_string()),
        "view": pa.array(["x", "y", None], pa.string_view()),
        "nothing": pa.nulls(3),
        "half": pa.array([0.5, 1.5, None], pa.float16()),
        "huge": pa.array([2**64 - 1, 2, None], pa.uint64()),
        "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["p", "q"])),
        "flag": pa.array([True, None, False]),
        "bytes": pa.array([b"a", b"\xff", None]),
        "list": pa.array([[1], [2], None]),
        "structure": pa.array([{"a": 1}, None, {"a": 2}]),
        "interval": pa.array([(1, 2, 3), None, None], pa.month_day_nano_interval()),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16] * 3, pa.binary(16))),
    }
    table = read(file_of(pa.table(columns)), "p.arrow")
    assert {column.name: column.kind for column in table.columns} == {
        "dictionary": "text", "numbers": "integer", "decimal": "float", "wide": "float", "zoned": "timestamp",
        "second": "timestamp", "day": "date", "clock": "text", "large": "text", "view": "text", "nothing": "text",
        "half": "float32", "huge": "integer", "runs": "text", "flag": "boolean",
    }  # fmt: skip
    assert table.unusable == ("bytes", "list", "structure", "interval", "uuid")
    assert (table.column("nothing").n_missing, table.column("decimal").minimum) == (3, -3.5)
    assert [value for value, _ in table.column("runs").values] == ["p", "q"]


def test_names_are_made_unique(read):
    table = read(file_of(pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], ["s", "S", ""])), "p")
    assert table.column_names == ("s", "S_2", "column_3")
    assert len(table.notes) == 2


def test_batches_are_read_one_by_one(read, rows):
    table = pa.table({"k": pa.array(range(200_000)), "t": pa.array([f"r{k % 7}" for k in range(200_000)])})
    seen: list[float] = []
    found = read(stream_of(table.slice(0, 1_001)), "s", on_progress=lambda share, _what: seen.append(share))
    assert seen == sorted(seen)
    assert [row[0] for row in rows(found)] == list(range(1_001))
    assert [row[0] for row in rows(read(file_of(table), "f"))] == list(range(200_000))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (file_of(ROWS)[:-40], "damaged or incomplete Arrow file"),
        (file_of(ROWS)[:40], "damaged or incomplete Arrow file"),
        (stream_of(ROWS)[:300], "damaged or incomplete Arrow file|but no rows"),
        (b"\xff\xff\xff\xff" + b"x" * 50, "damaged or incomplete Arrow file"),
        (b"FEA1" + b"x" * 50, "a Feather file of version 1"),
        (file_of(ROWS.slice(0, 0)), "but no rows"),
        (file_of(pa.table({"v": [[1.0]]})), "no column that can be used"),
        (file_of(pa.table({f"c{k}": [1] for k in range(2_001)})), "2,001 columns"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(read, store, content, found):
    with pytest.raises((DataError, LimitError), match=found) as error:
        read(content, "p.arrow")
    assert str(error.value).startswith("p.arrow")
    assert not store.exists() or list(store.iterdir()) == []


def test_damage_inside_a_batch_is_found(read):
    content = bytearray(file_of(pa.table({"t": ["aaaa", "bbbb"]})))
    place = content.index(b"aaaabbbb")
    content[place] = 0xFF  # no UTF-8
    with pytest.raises(DataError, match="damaged or incomplete Arrow file"):
        read(bytes(content), "p.arrow")


def test_too_large_batches_are_a_sentence(read, monkeypatch):
    monkeypatch.setattr(arrow, "BATCH_LIMIT", 100)
    with pytest.raises(LimitError, match="Write it as Parquet, or in smaller batches"):
        read(file_of(ROWS), "p.arrow")


def test_cancel_leaves_nothing(write, store):
    path = write(file_of(ROWS), "p.arrow")
    run = Run()

    def stop(_share: float, _what: str) -> None:
        run.cancel()

    with pytest.raises(Cancelled):
        read_table(path, "p.arrow", store, run=run, on_progress=stop)
    assert list(store.iterdir()) == []
