"""Files into tables: formats, types, bad lines, the store. Every expected number is worked by hand."""

from __future__ import annotations

import gzip
import hashlib
import math
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.errors import Cancelled, DataError, LimitError, MarginaliaError
from lib.sources import Run, compute_stem, files, read_table, tables

CSV = "id,label,score\na,1,0.5\nb,0,-1.25\nc,,3\n"


def gz(data: bytes) -> bytes:
    """The same bytes at any moment, since they name a test."""
    return gzip.compress(data, mtime=0)


def zstd(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


def parquet(**columns: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("content", "name", "format_", "compression"),
    [
        (CSV.encode(), "p.csv", "csv", "none"),
        (CSV.replace(",", "\t").encode(), "p.tsv", "tsv", "none"),
        (CSV.replace(",", "\t").encode(), "misnamed.csv", "tsv", "none"),
        (CSV.replace(",", ";").encode(), "p.csv", "csv", "none"),
        (CSV.replace(",", "|").encode(), "p.txt", "csv", "none"),
        (b"\xef\xbb\xbf" + CSV.encode(), "p.csv", "csv", "none"),
        (CSV.replace("\n", "\r\n").encode(), "p.csv", "csv", "none"),
        (CSV.replace("\n", "\r\n").encode().replace(b"\r\n", b"\n", 1), "p.csv", "csv", "none"),
        (CSV.rstrip("\n").encode(), "p.csv", "csv", "none"),
        (("\n\n" + CSV).encode(), "p.csv", "csv", "none"),
        (CSV.encode("utf-16"), "p.csv", "csv", "none"),
        (gz(CSV.encode()), "p.csv.gz", "csv", "gzip"),
        (gz(CSV[:20].encode()) + gz(CSV[20:].encode()), "p.csv.gz", "csv", "gzip"),
        (zstd(CSV.encode()), "p.csv.zst", "csv", "zstd"),
        (gz(CSV.replace(",", "\t").encode()), "no-suffix", "tsv", "gzip"),
        (parquet(id=["a", "b", "c"], label=[1, 0, None], score=[0.5, -1.25, 3.0]), "p.parquet", "parquet", "none"),
        (parquet(id=["a", "b", "c"], label=[1, 0, None], score=[0.5, -1.25, 3.0]), "p.csv", "parquet", "none"),
        (
            gz(parquet(id=["a", "b", "c"], label=[1, 0, None], score=[0.5, -1.25, 3.0])),
            "p.parquet.gz",
            "parquet",
            "gzip",
        ),
    ],
)
def test_every_format_gives_the_same_rows(read, rows, content, name, format_, compression):
    table = read(content, name)
    assert rows(table) == [("a", 1, 0.5), ("b", 0, -1.25), ("c", None, 3.0)]
    assert (table.format, table.compression, table.n_rows, table.n_rejected) == (format_, compression, 3, 0)
    assert table.sha256 == hashlib.sha256(content).hexdigest()
    assert table.size == len(content)
    assert [(c.name, c.kind) for c in table.columns] == [("id", "text"), ("label", "integer"), ("score", "float")]


def test_profiles(read):
    table = read("id,label,score,when\na,1,0.5,\nb,0,inf,x\nc,NA,-2.5,x\nd,1,NaN,y\n")
    label, score, when = table.column("label"), table.column("score"), table.column("when")
    assert (label.n_rows, label.n_missing, label.n_distinct) == (4, 1, 2)
    assert label.values == (("1", 2), ("0", 1))
    assert (score.n_missing, score.minimum, score.maximum) == (1, -2.5, 0.5)
    assert (when.values, when.n_missing) == ((("x", 2), ("y", 1)), 1)
    assert math.isnan(when.minimum)
    assert table.column("id").examples == ("a", "b", "c", "d")


def test_whole_floats_are_written_as_people_write_them(read):
    table = read("label,score\n1.0,10\n0.0,2.5\n1.0,100\n")
    assert table.column("label").values == (("1", 2), ("0", 1))
    assert table.column("score").values == (("2.5", 1), ("10", 1), ("100", 1))


@pytest.mark.parametrize("text", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"])
def test_missing_texts_are_missing(read, text):
    table = read(f"name,score\n{text},1.5\nx,{text}\n")
    assert [table.column(c).n_missing for c in ("name", "score")] == [1, 1]
    assert table.column("score").kind == "float"


def test_missing_texts_in_parquet_are_missing_too(read):
    content = parquet(name=["NA", "x", "", None], score=[1.5, math.nan, 2.0, None])
    table = read(content, "p.parquet")
    assert table.column("name").n_missing == 3
    assert table.column("name").values == (("x", 1),)
    assert table.column("score").n_missing == 2
    many = parquet(name=[f"n{k}" for k in range(5_000)] + ["NA", "null"], score=[0.5] * 5_002)
    assert read(many, "many.parquet").column("name").n_missing == 2


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["007", "008"], "text", ["007", "008"]),
        (["7", "008"], "text", ["7", "008"]),
        (["12345678901234567890", "12345678901234567891"], "text", ["12345678901234567890", "12345678901234567891"]),
        (["1234567890123456789", "1234567890123456788"], "integer", [1234567890123456789, 1234567890123456788]),
        (["03/04/2026", "04/04/2026"], "text", ["03/04/2026", "04/04/2026"]),
        (["2026-01-02", "2026-01-03"], "text", ["2026-01-02", "2026-01-03"]),
        (["true", "False"], "text", ["true", "False"]),
        (["0x10", "0x11"], "text", ["0x10", "0x11"]),
        (["1", "1.5"], "float", [1.0, 1.5]),
        (["+1", "-1"], "float", [1.0, -1.0]),
        (["1e3", "-.5"], "float", [1000.0, -0.5]),
        (["inf", "-Infinity"], "float", [math.inf, -math.inf]),
        (["1,5", "2,5"], "float", [1.5, 2.5]),
        (["0", "-3"], "integer", [0, -3]),
    ],
)
def test_types_lose_nothing(read, rows, values, kind, expected):
    table = read("x;y\n" + "".join(f"{value};1\n" for value in values))
    assert table.column("x").kind == kind
    assert [row[0] for row in rows(table)] == expected


def test_versions_are_not_numbers(read, rows):
    table = read("model_version,score\n1.1,0.5\n1.10,0.6\n")
    assert [row[0] for row in rows(table)] == ["1.1", "1.10"]


BIG = 300_000


def big(first: str, last: str, header: str = "id,x,score") -> str:
    body = "".join(f"i{k},{first},{k / 7:.6f}\n" for k in range(BIG))
    return f"{header}\n{body}i{BIG},{last},0.5\n"


@pytest.mark.parametrize(
    ("first", "last", "kind", "value"),
    [
        ("1", "1.5", "float", 1.5),
        ("1", "007", "text", "007"),
        ("1", "oops", "text", "oops"),
        ("1", "12345678901234567890", "text", "12345678901234567890"),
        ("0.25", "oops", "text", "oops"),
        ("7", "1_000", "float", 1000.0),
        ("", "5", "integer", 5),
    ],
)
def test_a_cell_after_the_sample_loses_neither_row_nor_column(read, rows, first, last, kind, value):
    table = read(big(first, last))
    assert (table.n_rows, table.n_rejected) == (BIG + 1, 0)
    assert table.column("score").kind == "float"
    column = table.column("x")
    if first == "":
        # Nothing in the sample: text that is all numbers, and said to be so.
        assert (column.kind, column.n_missing) in (("integer", BIG), ("text", BIG))
        return
    assert column.kind == kind
    assert rows(table)[-1][1] == value
    if value == "oops":
        assert column.n_numbers == BIG
        assert column.minimum == column.maximum == float(first)


def test_structural_bad_lines_after_the_sample(read, rows):
    lines = [f"i{k},{k % 2},{k / 7:.6f}" for k in range(BIG)]
    lines[99_999] = "i99999,1"
    lines[199_999] = "i199999,1,0.5,9"
    lines[BIG - 1] = 'i,1,"0.5"x'
    table = read("id,label,score\n" + "\n".join(lines) + "\n")
    assert (table.n_rows, table.n_rejected) == (BIG - 3, 3)
    assert [line.record for line in table.rejected] == [100_000, 200_000, BIG]
    assert [line.reason for line in table.rejected] == [
        "2 fields where the header has 3",
        "4 fields where the header has 3",
        "a quotation mark opens or closes in the wrong place",
    ]
    assert table.rejected[0].found == "i99999,1"
    assert [c.kind for c in table.columns] == ["text", "integer", "float"]
    data = rows(table)
    for index in (0, 99_998, 99_999, 199_997, 199_998, BIG - 4):
        assert data[index][0] == f"i{table.record_number(index) - 1}"


def test_record_numbers_with_blank_lines_and_line_breaks_in_quotes(read):
    text = 'a,b\n\n"x\n\ny",1\n\nbad\n"z\nz",2\n\nbad,2,3\nw,3\n'
    table = read(text)
    assert [line.record for line in table.rejected] == [2, 4]
    assert [table.record_number(k) for k in range(3)] == [1, 3, 5]


def test_undecodable_line_is_listed(read):
    body = b"".join(b"id%d,1\n" % k for k in range(200))
    table = read(b"name,score\n" + body + b"caf\xe9,1\n" + body)
    assert (table.n_rows, table.n_rejected) == (400, 1)
    assert (table.rejected[0].record, table.rejected[0].reason) == (201, "the text is not UTF-8")


def test_file_in_another_encoding_is_refused_with_the_line(read):
    body = "name,score\n" + "Jos\xe9,1\n" * 50 + "Ann,2\n" * 50
    with pytest.raises(
        DataError, match=r"p\.csv is not UTF-8 text.*record 1 \(byte E9 in “José,1” if it is W.*Save it as UTF-8"
    ):
        read(body.encode("latin-1"), "p.csv")


def test_too_many_columns_are_refused_and_vectors_have_another_way(read):
    def table(names):
        return f"{','.join(names)}\n{','.join(['1'] * len(names))}\n"

    with pytest.raises(
        LimitError, match=r"has 2,001 columns; at most 2,000 can be read\. Vectors .* NPY, NPZ or Parquet"
    ):
        read(table(["id", *(f"dim_{k}" for k in range(2_000))]), "p.csv")
    with pytest.raises(LimitError, match=r"has 2,001 columns; at most 2,000 can be read\.$"):
        read(table([f"{k} x" for k in range(2_001)]), "p.csv")


def test_header_in_another_encoding_is_refused(read):
    body = "Ger\xe4t,score\na,1\nb,2\n"
    with pytest.raises(DataError, match=r"its header cannot be decoded \(byte E4 in “Gerät,score” .*Save it as UTF-8"):
        read(body.encode("cp1252"), "p.csv")
    assert read(body, "p.csv").column_names == ("Ger\xe4t", "score")
    assert read(body.replace("\xe4", "\ufffd"), "q.csv").column_names == ("Ger\ufffdt", "score")


def test_open_quote_does_not_swallow_the_file(read):
    lines = ["a,b"] + [f"x{k},{k}" for k in range(1, 101)]
    lines[40] = '"x40,40'
    table = read("\n".join(lines) + "\n")
    assert (table.n_rows, table.n_rejected) == (99, 1)
    assert table.rejected[0].record == 40
    assert [table.record_number(k) for k in (38, 39, 98)] == [39, 41, 100]


def test_open_quotes_in_a_large_file_lose_their_lines_only(read, rows):
    lines = [f"x{k},{k}" for k in range(1, BIG + 1)]
    lines[999] = '"open,1'
    lines[149_999] = '"several\nlines",150000'
    lines[199_999] = 'x200000,"2"0'
    lines[BIG - 1] = '"x,1'
    table = read("a,b\n" + "\n".join(lines) + "\n")
    assert (table.n_rows, table.n_rejected) == (BIG - 3, 3)
    assert [line.record for line in table.rejected] == [1_000, 200_000, BIG]
    assert table.rejected[0].found == '"open,1'
    data = rows(table)
    for index in (0, 998, 999, 149_998, 199_997, 199_998, BIG - 4):
        assert data[index][1] == table.record_number(index)
    assert data[149_998][0] == "several\nlines"


def test_mixed_line_ends(read, rows):
    table = read(b"a,b\n1,2\r\n3,4\n5,6\r\n")
    assert rows(table) == [(1, 2), (3, 4), (5, 6)]
    assert "Line ends" in table.notes[0]


def test_duplicate_and_blank_names_are_made_unique_and_said(read):
    table = read("id,Score,score,,column_4\n1,2,3,4,5\n")
    assert table.column_names == ("id", "Score", "score_2", "column_4_2", "column_4")
    assert "Column 3 is named score like an earlier one and is called score_2 here." in table.notes
    assert "Column 4 has no name and is called column_4_2 here." in table.notes


def test_hostile_names(read, rows):
    name = 'a"; drop table x--'
    table = read('"a""; drop table x--",\'b\',{c}\n1,2,3\n4,5,6\n')
    assert table.column_names == (name, "'b'", "{c}")
    assert rows(table) == [(1, 2, 3), (4, 5, 6)]
    assert table.column(name).maximum == 4


def test_hostile_path(tmp_path, store, rows):
    folder = tmp_path / "it's [a] *?"
    folder.mkdir()
    (folder / "p.csv").write_text(CSV)
    (folder / "p.parquet").write_bytes(parquet(score=[1.5, 2.5]))
    assert read_table(folder / "p.csv", "p.csv", store).n_rows == 3
    table = read_table(folder / "p.parquet", "p.parquet", store)
    assert rows(table) == [(1.5,), (2.5,)]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "blank"),
        (b"\x89PNG\r\n\x1a\n\x00", "a PNG picture"),
        (b"PK\x03\x04aaaa", "a ZIP archive"),
        (b"<!DOCTYPE html><html>Error</html>", "a web page"),
        (b"  <html><body>404</body></html>", "a web page"),
        (b'<?xml version="1.0"?><a/>', "an XML document"),
        (b"\x80\x04\x95\x10\x00", "pickle"),
        (b"%PDF-1.7", "a PDF"),
        (b'[{"label": 1}]', "JSON"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (bytes(range(256)) * 20, "a binary file"),
        (gz(b""), "nothing inside"),
        (gz(b"\x89PNG\r\n\x1a\n"), "inside gzip, is a PNG picture"),
        (gz(CSV.encode() * 5_000)[:-50], "damaged or incomplete gzip"),
        (zstd(CSV.encode() * 5_000)[:-5], "damaged or incomplete zstd"),
        (b"PAR1" + b"x" * 100, "cannot be read"),
        (b"0.5,1,3\n0.6,0,4\n", "has no header"),
        (b"id1,0.5,1\nid2,0.6,0\n", "has no header"),
        (b"id,label,score\n", "no rows"),
        (b"a,b\n1\n2\n3\n", "do not fit its header"),
        (parquet(x=[[1, 2], [3]]), "no column that can be used"),
        (parquet(x=pa.array([], pa.float64())), "but no rows"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(read, store, content, found):
    with pytest.raises(DataError, match=found) as error:
        read(content, "thing.csv")
    assert "thing.csv" in str(error.value)
    assert "Traceback" not in str(error.value)
    assert len(str(error.value)) < 400
    assert not store.exists() or list(store.iterdir()) == []


def test_missing_file_and_folder_are_sentences(tmp_path, store):
    with pytest.raises(DataError, match="No such file"):
        read_table(tmp_path / "absent.csv", "absent.csv", store)
    with pytest.raises(DataError, match="directory"):
        read_table(tmp_path, "folder", store)


def test_bounds(read, monkeypatch):
    with pytest.raises(LimitError, match="3,000 columns"):
        read(",".join(f"c{k}" for k in range(3_000)) + "\n" + ",".join(["1"] * 3_000) + "\n")
    with pytest.raises(LimitError, match="longer than"):
        read("a" * 3_000_000)
    table = read("a,b\n" + "1,2\n" * 200 + "1," + "x" * 2_500_000 + "\n3,4\n")
    assert (table.n_rows, table.rejected[0].reason) == (201, "the line is longer than 2 MB")
    monkeypatch.setattr(files, "UNPACKED_LIMIT", 1_000)
    with pytest.raises(LimitError, match="unpacks to more than"):
        read(gz(b"a,b\n" + b"1,2\n" * 1_000))


def test_column_that_is_not_there(read):
    with pytest.raises(DataError, match="has no column scre: did you mean score"):
        read(CSV).column("scre")
    with pytest.raises(DataError, match="it has id, label, score"):
        read(CSV).column("zzz")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("predictions.csv", "predictions"),
        ("a/b/v1.2.csv.gz", "v1.2"),
        ("C:\\runs\\m.parquet", "m"),
        ("x.TSV.ZST", "x"),
        ("plain", "plain"),
        (".csv", ".csv"),
        ("model.v3", "model.v3"),
    ],
)
def test_stem(name, stem):
    assert compute_stem(name) == stem


def test_parquet_is_used_in_place_and_keeps_its_types(read, write, rows):
    content = parquet(
        s=np.array([0.1, 0.2], np.float32),
        n=np.array([1, 2], np.int8),
        t=pa.array([0, 1], pa.timestamp("us")),
        d=pa.array([0, 1], pa.date32()),
        b=[True, False],
        many=[[1], [2]],
    )
    table = read(content, "p.parquet")
    assert table.parquet.name == "p.parquet"
    kinds = {column.name: column.kind for column in table.columns}
    assert kinds == {"s": "float32", "n": "integer", "t": "timestamp", "d": "date", "b": "boolean"}
    assert table.unusable == ("many",)
    assert table.column("s").examples == ("0.1", "0.2")
    assert table.column("b").values == (("false", 1), ("true", 1))


def test_store_is_idempotent_and_keeps_nothing_else(read, store, write):
    first = read(CSV, "one.csv")
    stamp = first.parquet.stat().st_mtime_ns
    second = read(CSV, "two.csv")
    assert (second.name, second.stem) == ("two.csv", "two")
    assert second.columns == first.columns
    assert second.parquet == first.parquet
    assert first.parquet.stat().st_mtime_ns == stamp
    assert sorted(path.name for path in store.iterdir()) == [f"{first.sha256}.json", f"{first.sha256}.parquet"]


def test_large_files_are_hashed_while_they_are_converted(read, store, monkeypatch):
    monkeypatch.setattr(tables, "_HASHED_FIRST", 0)
    text = "id,label,score\n" + "".join(f"i{k},{k % 2},{k / 7}\n" for k in range(200_000))
    first = read(text)
    assert first.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert read(text) == first
    assert sorted(path.name for path in store.iterdir()) == [f"{first.sha256}.json", f"{first.sha256}.parquet"]


def test_damaged_sidecar_is_read_again(read, store):
    first = read(CSV)
    (store / f"{first.sha256}.json").write_text("{")
    assert read(CSV).columns == first.columns
    first.parquet.unlink()
    assert read(CSV).n_rows == 3


def test_rejects_survive_the_store(read):
    text = "a,b\n1,2\n3\n4,5\n"
    first, second = read(text), read(text)
    assert first == second
    assert second.record_number(1) == 3


def test_given_hash_is_taken(read):
    assert read(CSV, sha256="f" * 64).parquet.name == "f" * 64 + ".parquet"


def test_cancel_before_and_during(read, write, store):
    run = Run()
    run.cancel()
    with pytest.raises(Cancelled):
        read(CSV, run=run)
    path = write("a,b,c\n" + "".join(f"i{k},{k % 3},{k / 3}\n" for k in range(1_500_000)))
    run = Run()
    timer = threading.Timer(0.15, run.cancel)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        read_table(path, "p.csv", store, run=run)
    timer.join()
    assert time.monotonic() - begun < 5
    assert list(store.iterdir()) == []


def test_what_progress_raises_stops_the_work(read, store):
    class LeavingError(Exception):
        pass

    def leave(_fraction: float, _what: str) -> None:
        raise LeavingError

    with pytest.raises(LeavingError):
        read(gz(CSV.encode()), on_progress=leave)
    assert list(store.iterdir()) == []


def test_progress_grows_to_one(read):
    seen: list[float] = []
    read(CSV, on_progress=lambda fraction, _what: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_examples_are_spread_and_the_same_each_time(read, store):
    text = "a\n" + "".join(f"{k}.5\n" for k in range(50_000))
    first = read(text)
    for path in store.iterdir():
        path.unlink()
    second = read(text)
    assert first.columns == second.columns
    numbers = [float(example) for example in first.columns[0].examples]
    assert numbers[0] == 0.5
    assert numbers[-1] > 40_000


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20))
def test_any_text_comes_back_as_it_was(tmp_path, rows, cells):
    frame = pd.DataFrame(cells, columns=["first column", "second"])
    path = tmp_path / "p.csv"
    frame.to_csv(path, index=False, quoting=1)
    table = read_table(path, "p.csv", tmp_path / "store")
    missing = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
    assert table.n_rows == len(cells)
    for row, expected in zip(rows(table), cells, strict=True):
        for found, cell in zip(row, expected, strict=True):
            if cell in missing:
                assert found is None
            elif isinstance(found, str):
                assert found == cell
            else:
                assert found == float(cell)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_a_table_or_a_sentence(tmp_path: Path, content):
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    problem = ""
    try:
        assert read_table(path, "p.csv", tmp_path / "store").n_rows > 0
    except MarginaliaError as error:
        problem = str(error)
    assert not problem or "p.csv" in problem


def test_comments_before_the_header_are_no_records(read, rows):
    table = read('\n# one\n# two, with "a quote\n\na,b\n1,2\n3\n\n5,6\n7,8,9\n0,0\n')
    assert rows(table) == [(1, 2), (5, 6), (0, 0)]
    assert [line.record for line in table.rejected] == [2, 4]
    assert [table.record_number(k) for k in range(3)] == [1, 3, 5]
    assert table.notes == ("2 lines before the header that begin with # were left out.",)


@pytest.mark.parametrize(
    ("content", "names", "notes"),
    [
        ("#id,label\n1,0\n", ("#id", "label"), 0),
        ("#\nid,label\n1,0\n", ("id", "label"), 1),
        ("# a, b\n# c, d\nid,label\n1,0\n", ("id", "label"), 1),
        ("sep=;\nid;label\n1;0\n", ("id", "label"), 1),
        ('"sep=,"\r\nid,label\r\n1,0\r\n', ("id", "label"), 1),
        ("sep,label\n1,0\n", ("sep", "label"), 0),
    ],
)
def test_what_stands_before_the_header(read, content, names, notes):
    table = read(content)
    assert (table.column_names, table.n_rows, len(table.notes)) == (names, 1, notes)
