"""Malformed and odd files as people have them: how each is made, and what must be said or come out.

Every entry goes down the path of the command line and that of an upload. `said` are words of the one sentence that has
to come, a refusal or a question; where there are none the file is read, and `rows`, `positives`, `total` (the sum of
the usable decision scores), `problems` and `notes` are what has to come out, each worked by hand.
"""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import io
import json
import lzma
import math
import pickle
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from pyarrow import ipc

N = 40
MARGINS = [(k - 19) / 4 for k in range(N)]
LABELS = [k % 2 for k in range(N)]
TOTAL = sum(MARGINS)
POSITIVES = sum(LABELS)


@dataclass(frozen=True)
class OddFile:
    """A file, and what has to become of it."""

    what: str
    build: Callable[[], bytes]
    said: tuple[str, ...] = ()
    name: str = "odd.csv"
    rows: int = N
    positives: int = POSITIVES
    total: float = TOTAL
    problems: dict[str, int] = field(default_factory=dict[str, int])
    notes: tuple[str, ...] = ()
    clipped: int = 0
    options: dict[str, str] = field(default_factory=dict[str, str])


def text(
    margins: Sequence[object] = MARGINS,
    labels: Sequence[object] = LABELS,
    separator: str = ",",
    end: str = "\n",
    heads: Sequence[str] = ("label", "margin"),
    **more: Sequence[object],
) -> str:
    """A file of a label, a score and other columns, as text; nothing is quoted."""
    lines = [separator.join([*heads, *more])]
    lines += [separator.join(map(str, row)) for row in zip(labels, margins, *more.values(), strict=True)]
    return end.join(lines) + end


def table(**more: object) -> pa.Table:
    return pa.table({"label": LABELS, "margin": MARGINS, **more})


def parquet(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return sink.getvalue().to_pybytes()


def arrow(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    return sink.getvalue().to_pybytes()


def arrow_stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return sink.getvalue().to_pybytes()


def feather_2(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    feather.write_feather(rows, sink)
    return sink.getvalue().to_pybytes()


def zstd(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


def zipped(**members: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return sink.getvalue()


def jsonl(**more: Sequence[object]) -> str:
    columns = {"label": LABELS, "margin": MARGINS, **more}
    return "".join(
        json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in zip(*columns.values(), strict=True)
    )


def noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


def with_line(place: int, line: str, base: str = "") -> str:
    """The base with a line put in after so many data lines."""
    lines = (base or text()).splitlines(keepends=True)
    return "".join([*lines[: place + 1], line, *lines[place + 1 :]])


def instead(place: int, value: object) -> list[object]:
    """The margins with one replaced."""
    return [*MARGINS[:place], value, *MARGINS[place + 1 :]]


CITIES = ["München", "Köln"] * (N // 2)
MOMENT = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)


def named(*names: str) -> dict[str, Any]:
    """Columns of these names."""
    return dict.fromkeys(names, CITIES)


WIDE: dict[str, Any] = {f"c{k}": [k] * N for k in range(500)}
TOO_WIDE: dict[str, Any] = {f"c{k}": [k] * N for k in range(3_000)}

TEXT_FILES = (
    OddFile("plain", lambda: text().encode()),
    OddFile("a UTF-8 byte order mark", lambda: b"\xef\xbb\xbf" + text().encode()),
    OddFile("UTF-16 as Excel saves it", lambda: text(separator="\t").encode("utf-16"), notes=("UTF-16",)),
    OddFile("UTF-16 big-endian", lambda: b"\xfe\xff" + text().encode("utf-16-be"), notes=("UTF-16",)),
    OddFile("UTF-16 cut in the middle of a character", lambda: text().encode("utf-16")[:-1], ("cannot be decoded",)),
    OddFile("Latin-1", lambda: text(city=CITIES).encode("latin-1"), ("is not UTF-8 text", "record 1 ", "Save it as")),
    OddFile(
        "two encodings in one file",
        lambda: text(city=CITIES).encode() + text(city=CITIES).partition("\n")[2].encode("latin-1"),
        ("is not UTF-8 text: 40 of 80 lines", "record 41 "),
    ),
    OddFile(
        "one Latin-1 line among many",
        lambda: text(MARGINS * 5, LABELS * 5).encode() + b"1,caf\xe9\n",
        rows=5 * N,
        positives=5 * POSITIVES,
        total=5 * TOTAL,
        problems={"not-a-record": 1},
    ),
    OddFile("semicolons", lambda: text(separator=";").encode()),
    OddFile("tabs", lambda: text(separator="\t").encode()),
    OddFile("pipes", lambda: text(separator="|").encode()),
    OddFile(
        "decimal commas",
        lambda: text([str(m).replace(".", ",") for m in MARGINS], separator=";").encode(),
        notes=("margin are written with a decimal comma",),
    ),
    OddFile(
        "decimal commas in quotation marks",
        lambda: text([f'"{m}"'.replace(".", ",") for m in MARGINS]).encode(),
        notes=("margin are written with a decimal comma",),
    ),
    OddFile(
        "thousands separators",
        lambda: text([f"{m * 8_000:,.1f}" for m in MARGINS], separator=";").encode(),
        total=8_000 * TOTAL,
        notes=("margin are written with thousands separators",),
    ),
    OddFile(
        "German thousands and decimals",
        lambda: text(
            [f"{m * 8_000:,.1f}".translate(str.maketrans(",.", ".,")) for m in MARGINS], separator=";"
        ).encode(),
        total=8_000 * TOTAL,
        notes=("margin are written with a decimal comma",),
    ),
    OddFile(
        "commas that may be either",
        lambda: text([f"1,{k:03d}" for k in range(N)], separator=";").encode(),
        ("margin", "(1,000, which may be 1000 or 1.000)", "write them without"),
    ),
    OddFile(
        "commas and points in one column",
        lambda: text([*["0,5"] * 30, *["0.5"] * 10], separator=";").encode(),
        ("margin", "(0,5), and not all are (0.5)", "write them with a point (0.5)"),
    ),
    OddFile("a quoted line break", lambda: text(note=['"a\nb"'] * N).encode()),
    OddFile("a quoted separator and quotation marks", lambda: text(note=['"a, ""b"""'] * N).encode()),
    OddFile(
        "a quotation mark that never closes",
        lambda: with_line(7, '0,"1\n').encode(),
        problems={"not-a-record": 1},
    ),
    OddFile(
        "duplicate column names",
        lambda: text(heads=("label", "margin", "x", "X"), a=MARGINS, b=MARGINS).replace(",a,b", "").encode(),
        notes=("Column 4 is named X like an earlier one and is called X_2 here.",),
    ),
    OddFile(
        "blank headers",
        lambda: text(heads=("label", "margin", "", " "), a=MARGINS, b=CITIES).replace(",a,b", "").encode(),
        notes=("Column 3 has no name and is called column_3 here.", "Column 4 has no name"),
    ),
    OddFile("500 columns", lambda: text(**WIDE).encode()),
    OddFile(
        "3,000 columns",
        lambda: text(**TOO_WIDE).encode(),
        ("3,002 columns", "at most 2,000"),
    ),
    OddFile(
        "a cell of ten megabytes",
        lambda: with_line(9, "1," + "x" * 10_000_000 + "\n").encode(),
        problems={"not-a-record": 1},
    ),
    OddFile(
        "ten megabytes without a line end",
        lambda: b"label,margin" + b",x" * 5_000_000,
        ("first line longer than 1 MB",),
    ),
    OddFile("empty", lambda: b"", ("is empty (0 bytes)",)),
    OddFile("white space only", lambda: b" \n\t\n\n", ("is blank",)),
    OddFile("a header alone", lambda: b"label,margin\n", ("no rows beneath it",)),
    OddFile("a header without its line end", lambda: b"label,margin", ("no rows beneath it",)),
    OddFile("no header", lambda: text().partition("\n")[2].encode(), ("has no header", "Add a first line")),
    OddFile("one row", lambda: b"label,margin\n1,0.5\n", rows=1, positives=1, total=0.5),
    OddFile("one class", lambda: text(labels=[1] * N).encode(), positives=N),
    OddFile("one class that nobody knows", lambda: text(labels=["cat"] * N).encode(), ("one label only, cat",)),
    OddFile("one distinct score", lambda: text([0.5] * N).encode(), total=20),
    OddFile("all labels missing", lambda: text(labels=[""] * N).encode(), positives=0),
    OddFile("all labels said to be missing", lambda: text(labels=["NA"] * N).encode(), positives=0),
    OddFile("all scores missing", lambda: text([""] * N).encode(), total=0),
    OddFile("all scores NaN", lambda: text(["NaN"] * N).encode(), total=0),
    OddFile("a missing score and a missing label", lambda: with_line(3, ",\n").encode(), rows=N + 1),
    OddFile("old Macintosh line ends", lambda: text(end="\r").encode()),
    OddFile("Windows line ends", lambda: text(end="\r\n").encode()),
    OddFile(
        "mixed line ends",
        lambda: text().encode().replace(b"\n", b"\r\n", 7),
        notes=("Line ends of more than one kind",),
    ),
    OddFile("no line end at the end", lambda: text().encode().rstrip(b"\n")),
    OddFile("blank lines between", lambda: text(end="\n\n").encode()),
    OddFile(
        "a separator at the end of each line",
        lambda: text(end=",\n").encode(),
        notes=("Column 3 has no name",),
    ),
    OddFile(
        "a separator at the end of each data line only",
        lambda: text(end=",\n").replace(",\n", "\n", 1).encode(),
    ),
    OddFile(
        "comments before the header",
        lambda: b"# exported 2026-04-02\n# by nobody\n" + text().encode(),
        notes=("2 lines before the header that begin with # were left out.",),
    ),
    OddFile(
        "a title before the header",
        lambda: b"Predictions of April\n" + text().encode(),
        ("do not fit its header", "Record 1: 2 fields where the header has 1"),
    ),
    OddFile(
        "a separator line as Excel knows it",
        lambda: b"sep=;\n" + text(separator=";").encode(),
        notes=("The line sep=; before the header was left out.",),
    ),
    OddFile(
        "the header again, from files put together",
        lambda: with_line(60, "label,margin\n", text(MARGINS * 3, LABELS * 3)).encode(),
        rows=3 * N,
        positives=3 * POSITIVES,
        total=3 * TOTAL,
        problems={"score-unreadable": 1},
    ),
    OddFile("a line too short", lambda: with_line(5, "1\n").encode(), problems={"not-a-record": 1}),
    OddFile("a line too long", lambda: with_line(5, "1,2,3,4\n").encode(), problems={"not-a-record": 1}),
    OddFile("scientific notation", lambda: text([f"{m:e}" for m in MARGINS]).encode()),
    OddFile("blanks around values", lambda: text([f"  {m} " for m in MARGINS]).encode()),
    OddFile("plus signs", lambda: text([f"{m:+}" for m in MARGINS]).encode()),
    OddFile("ids with leading zeros", lambda: text(id=[f"{k:06d}" for k in range(N)]).encode()),
    OddFile("ids of 19 digits", lambda: text(id=[9_007_199_254_740_993_000 + k for k in range(N)]).encode()),
    OddFile("ids of 30 digits", lambda: text(id=[10**29 + k for k in range(N)]).encode()),
    OddFile(
        "names with emoji, right-to-left and combining letters",
        lambda: text(**named("🙂", "שפה", "Ze\u0301lande", "\u202etxt")).encode(),
    ),
    OddFile(
        "names with quotes, brackets and per cent",
        lambda: text(**named("it's", "[x]", "100%", "{k}", '"a""b"')).encode(),
    ),
    OddFile("values that begin a formula", lambda: text(city=["=cmd|' /C calc'!A0", "@SUM(1)"] * (N // 2)).encode()),
    OddFile(
        "HTML and scripts in values",
        lambda: text(city=["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"] * (N // 2)).encode(),
    ),
    OddFile(
        "SQL in values and names",
        lambda: text(**named("x; DROP TABLE raw"), city=["'; --", "') OR 1"] * (N // 2)).encode(),
    ),
    OddFile("control characters in values", lambda: text(city=["\x1b[31mred", "a\x07b"] * (N // 2)).encode()),
    OddFile(
        "infinite scores",
        lambda: text([*MARGINS[:-2], "inf", "-Infinity"]).encode(),
        rows=N - 2,
        positives=POSITIVES - 1,
        total=sum(MARGINS[:-2]),
        problems={"score-infinite": 2},
    ),
    OddFile(
        "absurd scores",
        lambda: text([*MARGINS[:-2], "1e300", "-1e200"]).encode(),
        rows=N - 2,
        positives=POSITIVES - 1,
        total=sum(MARGINS[:-2]),
        problems={"score-infinite": 2},
    ),
    OddFile(
        "a score that is a word",
        lambda: text(instead(4, "error")).encode(),
        rows=N - 1,
        total=TOTAL - MARGINS[4],
        problems={"score-unreadable": 1},
    ),
    OddFile(
        "scores that are words", lambda: text(["high", "low"] * 20).encode(), ("no column of numbers", "margin (text)")
    ),
    OddFile(
        "scores with per cent signs", lambda: text([f"{k} %" for k in range(N)]).encode(), ("no column of numbers",)
    ),
    OddFile("scores with currency", lambda: text([f"€{k}" for k in range(N)]).encode(), ("no column of numbers",)),
    OddFile(
        "a typographic minus",
        lambda: text([str(m).replace("-", "−") for m in MARGINS]).encode(),
        rows=21,
        positives=11,
        total=sum(MARGINS[19:]),
        problems={"score-unreadable": 19},
    ),
    OddFile(
        "probabilities of 0 and 1",
        lambda: text([0, 1, *[0.5] * (N - 2)], heads=("label", "prob")).encode(),
        total=0,
        clipped=2,
    ),
    OddFile(
        "probabilities beyond 1",
        lambda: text([1.5, *[0.5] * (N - 1)], heads=("label", "prob")).encode(),
        ("1 of 40 values (2.5 %) lie outside 0 to 1",),
    ),
    OddFile(
        "probabilities beyond 1 that are said to be ones",
        lambda: text([1.5, *[0.5] * (N - 1)], heads=("label", "prob")).encode(),
        rows=N - 1,
        total=0,
        problems={"score-not-a-probability": 1},
        options={"score_kind": "probability"},
    ),
    OddFile(
        "scores within 0 and 1",
        lambda: text([0.5, 0.25] * 20, heads=("label", "score")).encode(),
        ("a probability or",),
    ),
    OddFile(
        "labels 1 and 2", lambda: text(labels=[1, 2] * 20).encode(), ("Which label of label is the positive class",)
    ),
    OddFile("three classes", lambda: text(labels=[*"abca"] * 10).encode(), ("label has 3 classes", "a (50.0 %)")),
    OddFile("labels in any case", lambda: text(labels=["TRUE", "False", "true", "FALSE"] * 10).encode()),
    OddFile(
        "a label that is neither class",
        lambda: text(MARGINS * 3, [*(LABELS * 3)[:-1], 7]).encode(),
        rows=3 * N - 1,
        positives=3 * POSITIVES - 1,
        total=3 * TOTAL - MARGINS[-1],
        problems={"label-unknown": 1},
    ),
    OddFile(
        "dates that can be read in two ways",
        lambda: text(time=["03/04/2026", "05/06/2026"] * 20).encode(),
        ("can be read in two ways",),
    ),
    OddFile(
        "days that do not exist",
        lambda: text(time=[*["2026-02-28"] * 39, "2026-02-30"]).encode(),
        problems={"time-unreadable": 1},
    ),
    OddFile(
        "times of several offsets",
        lambda: text(time=["2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"] * 20).encode(),
    ),
    OddFile(
        "a negative and a missing weight",
        lambda: text(weight=[-1, "", *[1.5] * 38]).encode(),
        rows=N - 2,
        positives=POSITIVES - 1,
        total=sum(MARGINS[2:]),
        problems={"weight-invalid": 2},
    ),
    OddFile("prose", lambda: b"Dear all,\nplease find attached\nthe numbers.\n", ("odd.csv",)),
    OddFile("a name full of traps", lambda: text().encode(), name="it's [a] *? 100% <b>.csv"),
    OddFile("a name without a suffix", lambda: text().encode(), name="predictions"),
)

FOREIGN_FILES = (
    OddFile(
        "a gzip file cut short",
        lambda: gzip.compress(text(MARGINS * 99, LABELS * 99).encode())[:-40],
        ("incomplete gzip",),
    ),
    OddFile("a zstd file cut short", lambda: zstd(noise(100_000).hex().encode())[:-40], ("odd.csv",)),
    OddFile(
        "a gzip file with damage inside", lambda: gzip.compress(noise(9_000), 0)[:4_000] + b"\xff" * 50, ("odd.csv",)
    ),
    OddFile("gzip around nothing", lambda: gzip.compress(b""), ("gzip file with nothing inside",)),
    OddFile("gzip in gzip", lambda: gzip.compress(gzip.compress(text().encode())), ("inside gzip, is a gzip file",)),
    OddFile("gzip in zstd around a picture", lambda: zstd(b"\x89PNG\r\n\x1a\n"), ("inside zstd, is a PNG picture",)),
    OddFile("gzip that is named plain", lambda: gzip.compress(text().encode())),
    OddFile("zstd that is named plain", lambda: zstd(text().encode())),
    OddFile("a bzip2 file", lambda: bz2.compress(text().encode()), ("is a bzip2 file",)),
    OddFile("an xz file", lambda: lzma.compress(text().encode()), ("is an xz file",)),
    OddFile("a ZIP archive", lambda: zipped(**{"a.csv": text()}), ("is a ZIP archive",)),
    OddFile("an Excel workbook", lambda: zipped(**{"xl__workbook.xml": "<a/>"}), ("Excel workbook",), name="odd.xlsx"),
    OddFile(
        "an old Excel file", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(500), ("old Excel",), name="odd.xls"
    ),
    OddFile("a PNG picture", lambda: b"\x89PNG\r\n\x1a\n" + noise(500), ("is a PNG picture",)),
    OddFile("a JPEG picture", lambda: b"\xff\xd8\xff\xe0" + noise(500), ("is a JPEG picture",)),
    OddFile("a PDF", lambda: b"%PDF-1.7\n" + noise(500), ("is a PDF document",)),
    OddFile("an error page", lambda: b"<!DOCTYPE html>\n<html><body>502</body></html>", ("is a web page (HTML)",)),
    OddFile(
        "an error page after a byte order mark", lambda: b"\xef\xbb\xbf\n<HTML>404</HTML>", ("is a web page (HTML)",)
    ),
    OddFile("XML", lambda: b'<?xml version="1.0"?><rows/>', ("is an XML document",)),
    OddFile("a pickle", lambda: pickle.dumps({"margin": MARGINS}), ("Python pickle", "never opened")),
    OddFile("a NumPy array", lambda: b"\x93NUMPY\x01\x00" + noise(200), ("is a NumPy array",)),
    OddFile("an SQLite database", lambda: b"SQLite format 3\x00" + noise(200), ("is an SQLite database",)),
    OddFile("a file of NULs", lambda: b"\x00" * 100_000, ("is a binary file",)),
    OddFile("noise", lambda: b"\x01" + noise(10_000), ("is a binary file",)),
    OddFile("NULs at the end, from a crash", lambda: text().encode() + b"\x00" * 5_000, ("odd.csv",)),
)

TYPED_FILES = (
    OddFile("Parquet named .csv", lambda: parquet(table())),
    OddFile("Parquet cut short", lambda: parquet(table())[:-20], ("damaged or incomplete Parquet file",)),
    OddFile(
        "Parquet of which only the beginning came",
        lambda: parquet(table())[:100],
        ("damaged or incomplete Parquet file",),
    ),
    OddFile("Parquet without rows", lambda: parquet(table().slice(0, 0)), ("columns (label, margin) but no rows",)),
    OddFile("Parquet of lists only", lambda: parquet(pa.table({"v": [[1.0]] * 3})), ("no column that can be used",)),
    OddFile("Parquet with an embedding and bytes", lambda: parquet(table(v=[[0.5] * 8] * N, b=[b"\x00"] * N))),
    OddFile(
        "Parquet with decimals, float32 and a column of nulls",
        lambda: parquet(
            pa.table(
                {
                    "label": pa.array(LABELS, pa.int8()),
                    "margin": pa.array([decimal.Decimal(str(m)) for m in MARGINS], pa.decimal128(10, 2)),
                    "half": pa.array(MARGINS, pa.float32()),
                    "nothing": pa.nulls(N),
                }
            )
        ),
    ),
    OddFile(
        "Parquet with NaN and infinity",
        lambda: parquet(pa.table({"label": LABELS, "margin": [math.nan, math.inf, *MARGINS[2:]]})),
        rows=N - 1,
        positives=POSITIVES - 1,
        total=sum(MARGINS[2:]),
        problems={"score-infinite": 1},
    ),
    OddFile(
        "Parquet with times of nanoseconds and a zone",
        lambda: parquet(table(time=pa.array([MOMENT] * N, pa.timestamp("ns", "Europe/Berlin")))),
    ),
    OddFile("Parquet with categories", lambda: parquet(table(city=pa.array(CITIES).dictionary_encode()))),
    OddFile(
        "Parquet with names that differ in case only",
        lambda: parquet(
            pa.Table.from_arrays([pa.array(LABELS), pa.array(MARGINS), pa.array(CITIES)], ["label", "margin", "LABEL"])
        ),
    ),
    OddFile("an Arrow file", lambda: arrow(table()), name="odd.arrow"),
    OddFile("an Arrow stream", lambda: arrow_stream(table()), name="odd.arrows"),
    OddFile("Feather", lambda: feather_2(table()), name="odd.feather"),
    OddFile("Feather of version 1", lambda: b"FEA1" + noise(200), ("Feather file of version 1",)),
    OddFile("an Arrow file cut short", lambda: arrow(table())[:-30], ("damaged or incomplete Arrow file",)),
    OddFile("an Arrow stream cut short", lambda: arrow_stream(table())[:-300], ("damaged or incomplete Arrow file",)),
    OddFile(
        "Arrow with dictionaries, decimals, zones, large texts and nulls",
        lambda: arrow(
            pa.table(
                {
                    "label": pa.array(["yes" if label else "no" for label in LABELS]).dictionary_encode(),
                    "margin": pa.array([decimal.Decimal(str(m)) for m in MARGINS], pa.decimal128(12, 4)),
                    "time": pa.array([MOMENT] * N, pa.timestamp("ns", "America/New_York")),
                    "city": pa.array(CITIES, pa.large_string()),
                    "view": pa.array(CITIES, pa.string_view()),
                    "nothing": pa.nulls(N),
                    "vector": [[1, 2]] * N,
                }
            )
        ),
    ),
    OddFile("Arrow of lists only", lambda: arrow(pa.table({"v": [[1.0]] * 3})), ("no column that can be used",)),
    OddFile("JSON lines", lambda: jsonl().encode(), name="odd.jsonl"),
    OddFile("JSON lines in gzip named .json", lambda: gzip.compress(jsonl().encode()), name="odd.json"),
    OddFile("JSON lines with nested values", lambda: jsonl(v=[[1, 2]] * N, o=[{"a": 1}] * N).encode()),
    OddFile(
        "JSON lines with a broken line",
        lambda: with_line(9, '{"label": 1, "mar\n', "\n" + jsonl()).encode(),
        problems={"not-a-record": 1},
    ),
    OddFile(
        "JSON lines with NaN and a text among the scores",
        lambda: jsonl().encode().replace(b": -4.75}", b": NaN}").replace(b": -4.5}", b': "oops"}'),
        rows=N - 1,
        positives=POSITIVES - 1,
        total=sum(MARGINS[2:]),
        problems={"score-unreadable": 1},
    ),
    OddFile(
        "a JSON array",
        lambda: json.dumps([{"margin": m} for m in MARGINS]).encode(),
        ("is a JSON array", "one object a line"),
    ),
    OddFile(
        "JSON over several lines",
        lambda: json.dumps({"label": 1, "margin": 2}, indent=1).encode(),
        ("begins like JSON", "not one whole object each", "Record 1"),
    ),
    OddFile(
        "JSON of columns",
        lambda: json.dumps({"label": LABELS, "margin": MARGINS}).encode(),
        ("only lists and objects",),
    ),
    OddFile("Python dictionaries", lambda: b"{'label': 1, 'margin': 2}\n" * 5, ("begins like JSON", "5 of 5 lines")),
)

CLASSES = [("ant", "bee", "cat")[k % 3] for k in range(N)]
LEADS = [MARGINS[k] / 11 + 0.5 for k in range(N)]
"""From 0.07 to 0.95; a row of class ant gives itself LEADS, and the others halves of the rest."""


def several(
    classes: Sequence[object] = CLASSES,
    heads: Sequence[str] = ("prob_ant", "prob_bee", "prob_cat"),
    end: Sequence[tuple[int, int, object]] = (),
) -> bytes:
    """A file of several classes: the true one has the lead, the others share the rest; some cells are replaced."""
    rows: list[list[object]] = []
    for label, lead in zip(CLASSES, LEADS, strict=True):
        own = ("ant", "bee", "cat").index(label)
        rows.append([lead if place == own else (1 - lead) / 2 for place in range(3)])
    for row, place, value in end:
        rows[row][place] = value
    lines = [",".join(["label", *heads])]
    lines += [",".join(map(str, [label, *row])) for label, row in zip(classes, rows, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def lead_total(*left_out: int) -> float:
    """The sum of log p_true − log p_other over the rows but some, worked without the product."""
    kept = [lead for row, lead in enumerate(LEADS) if row not in left_out]
    return sum(math.log(min(lead, 1 - EPS)) - math.log(max((1 - lead) / 2, EPS)) for lead in kept)


EPS = 2.0**-52

SEVERAL_FILES = (
    OddFile("several classes", several, positives=N, total=lead_total()),
    OddFile(
        "several classes with a probability beyond 1",
        lambda: several(end=[(3, 0, 1.5)]),
        ("prob_* is named like a probability", "1 of 120 values"),
    ),
    OddFile(
        "several classes with a probability beyond 1, declared",
        lambda: several(end=[(3, 0, 1.5)]),
        rows=N - 1,
        positives=N - 1,
        total=lead_total(3),
        problems={"score-not-a-probability": 1},
        options={"score_kind": "probability"},
    ),
    OddFile(
        "several classes with a row that does not add up to 1, declared",
        lambda: several(end=[(3, 0, 0.9), (3, 1, 0.9)]),
        rows=N - 1,
        positives=N - 1,
        total=lead_total(3),
        problems={"probabilities-sum": 1},
        options={"score_kind": "probability"},
    ),
    OddFile(
        "several classes with a cell that is no number",
        lambda: several(end=[(3, 1, "oops")]),
        rows=N - 1,
        positives=N - 1,
        total=lead_total(3),
        problems={"score-unreadable": 1},
    ),
    OddFile(
        "several classes with a cell missing",
        lambda: several(end=[(3, 1, "")]),
        positives=N,
        total=lead_total(3),
    ),
    OddFile(
        "several classes and a label without a column",
        lambda: several(classes=[*CLASSES[:30], *["dog"] * 10]),
        ("prob_* may be the scores of 3 classes", "10 labels (25.0 %) have no column (dog)"),
    ),
    OddFile(
        "several classes whose columns are twice those of one",
        lambda: several(heads=("prob_1", "prob_01", "prob_2"), classes=[1, 2] * 20),
        ("columns of the same class",),
    ),
    OddFile(
        "several classes that do not add up to 1 at all",
        lambda: several(end=[(row, 0, 0.99) for row in range(N)]),
        ("the scores do not add up to 1",),
    ),
)

ODD_FILES = (*TEXT_FILES, *FOREIGN_FILES, *TYPED_FILES, *SEVERAL_FILES)

assert len({each.what for each in ODD_FILES}) == len(ODD_FILES) >= 80
