"""What the Geometry page says of rows that stand alone, and of rows that are next to the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.embeddings.measures import Duplicates
from lib.figures.format import UNDEFINED, format_count, format_plural, format_score
from lib.figures.text import plain
from lib.figures.vector_words import Term, Words, estimate_words
from lib.metrics.outliers import Outliers

MOST_IDS = 5
LONGEST_CELL = 80

NUMBERS = {
    "pairs": Term("Pairs", "Pairs of rows that are no further apart than the cut, each counted once"),
    "rows": Term("Rows in pairs", "Rows that are in some pair; beneath, in how many groups"),
    "expected": Term("Expected by chance", "How many rows would have so near a neighbour if rows lay evenly "
                     "about each place; beneath, how many have one"),
    "precision": Term("Same label", "Precision at the cut: share of the pairs whose rows have the same label"),
    "leaks": Term("Across splits", "Share of the pairs whose rows are in different splits: what is learned on one is "
                  "known on the other; beneath, how many rows"),
}  # fmt: skip
LONELY = {
    "n_beyond": Term("Lonely rows", "Rows whose score is beyond what the tail of the scores lets one expect"),
    "floor": Term("Floor", "The score that the loneliest row exceeds in 1 of 100 cases where none is an outlier"),
    "largest": Term("Largest score", "Distance to the k-th neighbour over what its neighbours have: about 1 inside a "
                    "cloud of any density"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class DuplicatesView:
    """Near duplicates of the shown versions.

    Attributes:
        found: by version, baseline first.
        cut_words: how near they are, in words.
    """

    found: Mapping[str, Duplicates]
    cut_words: str

    def sentence(self) -> str:
        """What was found, in a sentence (plain text)."""
        said = [
            f"{format_plural(len(each.found.first), 'pair')} in {plain(version)}"
            for version, each in self.found.items()
        ]
        left = [
            f" Of {plain(version)} {format_plural(each.n_unasked, 'row')} that do not ask were not compared with each "
            "other, since there are too many."
            for version, each in self.found.items()
            if each.n_unasked
        ]
        return f"{self.cut_words}: {', '.join(said)}.{''.join(left)}"

    def words(self, version: str) -> list[Words]:
        """The numbers of `NUMBERS` of a version."""
        each = self.found[version]
        pairs, leaks = each.found, each.leaks
        by_chance = UNDEFINED if pairs.expected != pairs.expected else format_count(pairs.expected)
        across = ("", "no column is the split")
        if leaks is not None:
            across = estimate_words(leaks.pairs, "share")
            if leaks.pairs.is_defined:
                across = across[0], f"{format_plural(leaks.rows, 'row')} of {format_count(leaks.n)}"
        return [
            (format_count(len(pairs.first)), f"{format_plural(pairs.n_cut_lists, 'list')} cut" if pairs.n_cut_lists
             else ""),
            (format_count(pairs.n_rows), format_plural(len(pairs.group_sizes), "group")),
            (by_chance, f"found {format_count(pairs.found)}"),
            estimate_words(each.precision, "share"),
            across,
        ]  # fmt: skip


def outlier_words(found: Outliers) -> list[Words]:
    """The numbers of `LONELY` of a version."""
    known = found.score[~np.isnan(found.score)]
    largest = float(known.max()) if len(known) else float("nan")
    if found.floor != found.floor:
        return [(UNDEFINED, "too few rows have a score"), (UNDEFINED, ""), (format_score(largest), "")]
    return [
        (format_count(found.n_beyond), f"of {format_count(found.n)}"),
        (format_score(found.floor), ""),
        (format_score(largest), ""),
    ]


def group_rows(groups: pd.DataFrame, most: int) -> list[list[str]]:
    """The largest groups of near duplicates: number, size, ids, and what else is told of their rows (plain text)."""
    rows: list[list[str]] = []
    told = [name for name in groups.columns if name not in ("group", "size")]
    for number, each in list(groups.groupby("group", sort=False))[:most]:
        cells = [_some(each[name].astype(str).tolist(), distinct=name != "id") for name in told]
        rows.append([str(number), format_count(len(each)), *cells])
    return rows


def _some(values: list[str], *, distinct: bool) -> str:
    kept = list(dict.fromkeys(values)) if distinct else values
    shown = ", ".join(plain(each) for each in kept[:MOST_IDS])
    return plain(shown, LONGEST_CELL) + (f" and {len(kept) - MOST_IDS} more" if len(kept) > MOST_IDS else "")
