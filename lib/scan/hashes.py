"""The engine's own hash, and what is chosen by it: a sample of rows, a number by which they are in no order."""

from __future__ import annotations

from typing import Any

import ibis

from lib.scan.columns import Expression


def hash_of(text: Any) -> Any:
    """By what `value_key` tells texts apart."""
    return hash_text(text).cast("uint64")


def in_sample(rows: Expression, place: str, one_in: int) -> Expression:
    """One row in so many, told by its place alone and apart from its fold."""
    hashed: Expression = hash_number(rows[place] * 2 + 1)
    return rows if one_in == 1 else rows.filter((hashed % one_in) == 0)


def chance_of(rows: Expression, seed: int) -> Any:
    """A number of each row by which rows are in no order, told by file, place and seed alone, apart from its fold."""
    return hash_number(rows.row * 1_000_000 + rows.file.cast("int64") * 100 + seed)


@ibis.udf.scalar.builtin(name="hash", signature=(("int64",), "int64"))
def hash_number(number: Any) -> Any:
    """The engine's own hash, whatever integer that is; Ibis's goes through a string of bits, at ten times the cost."""


@ibis.udf.scalar.builtin(name="hash", signature=(("string",), "int64"))
def hash_text(text: Any) -> Any:
    """The same of a text."""


@ibis.udf.scalar.builtin(name="hash", signature=(("float64",), "uint64"))
def hash_score(score: Any) -> Any:
    """The same of a score."""


@ibis.udf.scalar.builtin(name="hash", signature=(("int32", "int64"), "uint64"))
def hash_number_in(version: Any, number: Any) -> Any:
    """The same of a number within a version."""


@ibis.udf.scalar.builtin(name="hash", signature=(("int32", "string"), "uint64"))
def hash_text_in(version: Any, text: Any) -> Any:
    """The same of a text within a version."""
