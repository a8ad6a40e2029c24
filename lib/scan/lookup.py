"""Values of a cohort column that has more of them than its tables hold: which are kept, and any of them by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import duckdb
import ibis
import pyarrow as pa
import pyarrow.compute as pc

from lib.scan.columns import Expression
from lib.scan.compute import PreparedRows, filtered, to_sql
from lib.scan.hashes import hash_of
from lib.scan.rows import Categories, Gathered, value_key
from lib.schema import EVERYTHING, MAX_COHORT_VALUES, MISSING_KEY, OTHER, cohort_column

Texts: TypeAlias = Any
"""An Arrow table of texts, which its own types do not tell."""

MOST_MATCHES = 50
"""How many values a search lists; how many there are is told."""
MOST_TYPED = 200
"""Characters of what is searched for."""


@dataclass(frozen=True)
class Matches:
    """Values that hold a text.

    Attributes:
        values: those with most rows, the text itself first and what begins with it before the others.
        rows: of each the number of usable rows, under no filter.
        n: how many there are in all.
    """

    values: tuple[str, ...]
    rows: tuple[int, ...]
    n: int


def choose_categories(counted: dict[str, list[Texts]]) -> tuple[Categories, Gathered, dict[str, Texts]]:
    """What each key keeps, one decision for all files: its texts, or the most frequent and a name for the others.

    Args:
        counted: by key a table for each file, with the columns `text` and `n`, the number of its records.

    Returns:
        The texts by key, what the others are gathered under, and of the keys where some are, all texts.
    """
    categories: Categories = {}
    gathered: Gathered = {}
    many: dict[str, Texts] = {}
    for key, tables in counted.items():
        whole = pa.concat_tables(tables).group_by("text").aggregate([("n", "sum")])
        given = whole.filter(pc.field("text") != MISSING_KEY)
        if cohort_column(key) is None or len(given) <= MAX_COHORT_VALUES:
            categories[key] = tuple(sorted(whole["text"].to_pylist()))
            continue
        ranked = given.sort_by([("n_sum", "descending"), ("text", "ascending")])["text"]
        kept = ranked.slice(0, MAX_COHORT_VALUES - 1).to_pylist()
        others = OTHER
        while others in kept:
            others = f"({others})"
        missing = [MISSING_KEY] if len(given) < len(whole) else []
        categories[key] = tuple(sorted([*kept, others, *missing]))
        gathered[key], many[key] = others, given
    return categories, gathered, many


def values_of(prepared: PreparedRows, key: str) -> Expression:
    """All values of a key that gathers some, each with its usable rows: of its texts, the unbound relation `texts`."""
    rows = filtered(prepared, EVERYTHING)
    counts = rows.group_by(hashed=rows[value_key(key)]).aggregate(n=rows.count())
    texts: Expression = ibis.table({"text": "string"}, name="texts")
    return texts.mutate(hashed=hash_of(texts.text)).join(counts, "hashed").select(value="text", n="n")


def find_values(cursor: duckdb.DuckDBPyConnection, part: str) -> Matches:
    """The values that hold a text, upper and lower case alike; each of its characters stands for itself.

    Args:
        cursor: on which `found` is a view of what `values_of` gave.
        part: the text, without blanks around it; of a longer one than `MOST_TYPED` the beginning.
    """
    found: Expression = ibis.table({"value": "string", "n": "int64"}, name="found")
    literal: Expression = ibis.literal(part[:MOST_TYPED], "string")
    value, wanted = found.value.lower(), literal.lower()
    matching = found.filter(value.contains(wanted)).mutate(
        nearness=ibis.cases((value == wanted, 0), (value.startswith(wanted), 1), else_=2)
    )
    listed = matching.mutate(whole=matching.count().over(ibis.window()))
    rows = cursor.execute(
        to_sql(listed.order_by("nearness", ibis.desc("n"), "value").limit(MOST_MATCHES).select("value", "n", "whole"))
    ).fetchall()
    return Matches(
        tuple(str(row[0]) for row in rows), tuple(int(row[1]) for row in rows), int(rows[0][2]) if rows else 0
    )
