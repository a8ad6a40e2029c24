"""Decimal commas and thousands separators: read where every value shows the notation, text where none is certain."""

from __future__ import annotations

import pytest

from lib.sources.notations import DECIMAL_COMMA, THOUSANDS, count_texts, find_notation

BIG = 300_000


@pytest.mark.parametrize(
    ("values", "expected", "written"),
    [
        (["0,87", "0,5"], [0.87, 0.5], "a decimal comma (0,87)"),
        (["-1,5", "+2,25", "3", ",5", "1e3"], [-1.5, 2.25, 3.0, 0.5, 1000.0], "a decimal comma (-1,5)"),
        (["1,234", "0,5"], [1.234, 0.5], "a decimal comma (1,234)"),
        (["1.234,5", "1.234", "7"], [1234.5, 1234.0, 7.0], "a decimal comma (1.234,5)"),
        (["1 234,5", "12\u00a0345,6", "1\u202f234"], [1234.5, 12345.6, 1234.0], "a decimal comma (1 234,5)"),
        (["1,5e-7", "0,25"], [1.5e-7, 0.25], "a decimal comma (1,5e-7)"),
        (["1,234.5", "1,234", "7", "0.5"], [1234.5, 1234.0, 7.0, 0.5], "thousands separators (1,234.5)"),
        (["1,234,567", "0.25"], [1234567.0, 0.25], "thousands separators (1,234,567)"),
        (["1'234.5", "0.5"], [1234.5, 0.5], "thousands separators (1'234.5)"),
        (["0,5", "", "NA"], [0.5, None, None], "a decimal comma (0,5)"),
    ],
)
def test_what_every_value_shows_is_read(read, rows, values, expected, written):
    table = read("x;y\n" + "".join(f"{value};1\n" for value in values))
    assert [row[0] for row in rows(table)] == expected
    assert (table.column("x").kind, table.column("x").written) == ("float", written)
    assert table.notes == (f"The numbers of x are written with {written}.",)
    assert read("x;y\n" + "".join(f"{value};1\n" for value in values)).column("x").written == written


@pytest.mark.parametrize(
    "values",
    [
        ["1,234", "2,345"],  # a thousand, or a little more than one
        ["1,234", "12"],
        ["1,234", "0.5"],  # two notations, or one
        ["1.234", "0,5"],
        ["0,5", "0.5"],
        ["0,5", "x"],
        ["1,5", "007,5"],
        ["1 234", "2 345"],  # a code as well as a number
        ["1.234.567", "2.345.678"],
        ["1,2,3", "4,5,6"],
        ["1,23,456.5", "1,234.5"],
        ["12345678901234567,5", "1,5"],
    ],
)
def test_what_is_not_certain_stays_text(read, rows, values):
    table = read("x;y\n" + "".join(f"{value};1\n" for value in values))
    assert [row[0] for row in rows(table)] == values
    assert table.column("x").written == ""


def test_versions_with_a_comma_stay_text(read):
    assert read("version;y\n1,1;1\n1,10;1\n").column("version").kind == "text"


def test_quoted_in_a_comma_separated_file_and_in_tabs_and_json(read, rows):
    for content in (
        'x,y\n"0,5",1\n"0,25",2\n',
        "x\ty\n0,5\t1\n0,25\t2\n",
        '{"x": "0,5", "y": 1}\n{"x": "0,25", "y": 2}\n',
    ):
        table = read(content)
        assert rows(table) == [(0.5, 1), (0.25, 2)]
        assert table.column("x").written == "a decimal comma (0,5)"


@pytest.mark.parametrize(
    ("last", "kind", "value"),
    [("1,5", "float", 1.5), ("1.5", "text", "1.5"), ("oops", "text", "oops"), ("1.234", "text", "1.234")],
)
def test_a_cell_after_the_sample_decides_too(read, rows, last, kind, value):
    table = read("k;x\n" + "".join(f"{k};0,{k % 10}\n" for k in range(BIG)) + f"{BIG};{last}\n")
    assert (table.n_rows, table.n_rejected, table.column("x").kind) == (BIG + 1, 0, kind)
    assert rows(table)[-1] == (BIG, value)


def test_bad_lines_beside_decimal_commas(read, rows):
    table = read("k;x\n1;0,5\n2;0,6;9\n3;0,7\n4;0,8\n")
    assert rows(table) == [(1, 0.5), (3, 0.7), (4, 0.8)]
    assert (table.n_rejected, table.column("x").written) == (1, "a decimal comma (0,5)")


def test_a_plain_column_has_no_notation():
    assert find_notation(count_texts(["1", "2"])) is None
    assert find_notation(count_texts(["0,5", "2"])) is DECIMAL_COMMA
    assert find_notation(count_texts(["1,000.5", "2"])) is THOUSANDS
