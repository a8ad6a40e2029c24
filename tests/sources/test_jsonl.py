"""JSON lines into tables: types, order, nested values, broken lines, and what is no JSONL at all."""

from __future__ import annotations

import gzip
import json
import threading
import time

import pyarrow as pa
import pytest

from lib.errors import Cancelled, DataError, LimitError
from lib.sources import Run, infer_mapping, read_table

LINES = '{"id": "a", "label": 1, "score": 0.5}\n{"id": "b", "label": 0, "score": -1.25}\n{"id": "c", "score": 3}\n'


def gz(data: bytes) -> bytes:
    """The same bytes at any moment, since they name a test."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("content", "name", "compression"),
    [
        (LINES.encode(), "p.jsonl", "none"),
        (LINES.encode(), "p.csv", "none"),
        (LINES.rstrip("\n").encode(), "p.ndjson", "none"),
        (b"\xef\xbb\xbf" + LINES.encode(), "p.json", "none"),
        (LINES.replace("\n", "\r\n").encode(), "p.jsonl", "none"),
        (LINES.replace("\n", "\n \n\n").encode(), "p.jsonl", "none"),
        (("\n" + LINES).encode(), "p.jsonl", "none"),
        (LINES.encode("utf-16"), "p.jsonl", "none"),
        (gz(LINES.encode()), "p.jsonl.gz", "gzip"),
        (pa.compress(LINES.encode(), codec="zstd", asbytes=True), "p.jsonl.zst", "zstd"),
    ],
)
def test_every_way_of_writing_gives_the_same_rows(read, rows, content, name, compression):
    table = read(content, name)
    assert rows(table) == [("a", 1, 0.5), ("b", 0, -1.25), ("c", None, 3.0)]
    assert (table.format, table.compression, table.n_rejected, table.stem) == ("jsonl", compression, 0, "p")
    assert [(c.name, c.kind) for c in table.columns] == [("id", "text"), ("label", "integer"), ("score", "float")]


def test_values_are_typed_as_those_of_a_text_file(read, rows):
    records = [
        {"code": "007", "big": 12345678901234567890, "text": 'a "b"\n', "flag": True, "version": "1.10", "k": 1},
        {"code": "08", "big": 1, "text": "", "flag": False, "version": "1.1", "k": 2.5, "later": None},
        {"code": None, "big": 2, "text": "NA", "flag": None, "version": None, "k": "3", "later": "x"},
    ]
    table = read("\n".join(map(json.dumps, records)), "p.jsonl")
    assert table.column_names == ("code", "big", "text", "flag", "version", "k", "later")
    assert rows(table) == [
        ("007", "12345678901234567890", 'a "b"\n', "true", "1.10", 1.0, None),
        ("08", "1", None, "false", "1.1", 2.5, None),
        (None, "2", None, None, None, 3.0, "x"),
    ]


def test_what_pythons_own_writer_makes_of_numbers_that_are_none(read):
    score = read('{"score": NaN}\n{"score": Infinity}\n{"score": -2.5}\n', "p.jsonl").column("score")
    assert (score.kind, score.n_missing, score.minimum, score.maximum) == ("float", 1, -2.5, -2.5)


def test_nested_values_are_columns_without_a_role(read):
    lines = [
        json.dumps({"label": k % 2, "margin": k / 7 - 3, "v": [1, 2], "s": {"a": k}, "odd": {} if k == 3 else k})
        for k in range(60)
    ]
    table = read("\n".join(lines), "p.jsonl")
    assert table.column_names == ("label", "margin", "odd")
    assert table.unusable == ("v", "s")
    inference = infer_mapping([table])
    assert {name: reason for name, reason in inference.unused if name in "vs"} == dict.fromkeys(
        "vs", "a list, a structure or bytes"
    )
    # One nested value among numbers is a bad cell.
    assert (table.column("odd").kind, table.column("odd").n_numbers) == ("text", 59)


def test_broken_lines_are_listed_with_their_record(read, rows):
    lines = [json.dumps({"k": k, "score": k / 3}) for k in range(1, 101)]
    lines[9] = '{"k": 10, "sc'
    lines[19] = "[20]"
    lines[29] = '{"k": 30, "score": "' + "x" * 3_000_000 + '"}'
    table = read(("\n\n".join(lines)).encode().replace(b'"k": 40', b'"k": "\xe9"'), "p.jsonl")
    assert (table.n_rows, table.n_rejected) == (96, 4)
    assert [(line.record, line.reason) for line in table.rejected] == [
        (10, "not a JSON object"),
        (20, "not a JSON object"),
        (30, "the line is longer than 2 MB"),
        (40, "the text is not UTF-8"),
    ]
    assert table.rejected[0].found == '{"k": 10, "sc'
    assert all(row[0] == table.record_number(index) for index, row in enumerate(rows(table)))
    assert read_table(table.parquet.parent.parent / "p.jsonl", "p.jsonl", table.parquet.parent) == table


def test_keys_may_hold_anything(read, rows):
    keys = ["a/b", "c~d", "~1", "", "it's", 'a"b', "score", "Score", "a%b", "[0]", "🙂"]
    table = read(json.dumps({key: k for k, key in enumerate(keys)}) + "\n", "p.jsonl")
    assert rows(table) == [tuple(range(len(keys)))]
    assert table.column_names == ("a/b", "c~d", "~1", "column_4", "it's", 'a"b', "score", "Score_2", "a%b", "[0]", "🙂")
    assert "Column 4 has no name and is called column_4 here." in table.notes


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('[{"label": 1}]', "is a JSON array .JSONL, one object a line"),
        ("[]", "is a JSON array"),
        ('{"a": 1,\n "b": 2}\n', "begins like JSON, but 2 of 2 lines are not one whole object each. Record 1"),
        ("{'a': 1}\n{'a': 2}\n", "Write one object a line .JSONL."),
        ("{}\n{}\n", "no column that can be used"),
        ('{"a": [1]}\n', "no column that can be used"),
        ('{"a": "é"}\n'.encode("latin-1") * 5, "is not UTF-8 text: 5 of 5 lines"),
    ],
)
def test_what_is_no_jsonl_is_a_sentence(read, store, content, found):
    with pytest.raises(DataError, match=found) as error:
        read(content, "p.jsonl")
    assert str(error.value).startswith("p.jsonl")
    assert list(store.iterdir()) == [] if store.exists() else True


def test_too_many_keys(read):
    with pytest.raises(LimitError, match="2,500 different keys"):
        read("\n".join(json.dumps({f"r{k}": 1}) for k in range(2_500)), "p.jsonl")


def test_cancel_leaves_nothing(write, store):
    path = write("".join(f'{{"id": "i{k}", "label": {k % 2}, "score": {k / 3}}}\n' for k in range(500_000)), "p.jsonl")
    for seconds in (0.05, 0.6):
        run = Run()
        timer = threading.Timer(seconds, run.cancel)
        timer.start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            read_table(path, "p.jsonl", store, run=run)
        timer.join()
        assert time.monotonic() - begun < 5
        assert list(store.iterdir()) == []


def test_progress_grows_to_one(read):
    seen: list[float] = []
    read(LINES * 50_000, "p.jsonl", on_progress=lambda fraction, _what: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
