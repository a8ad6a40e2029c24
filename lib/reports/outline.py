"""What a report is laid out as, for no medium yet: a verdict, findings, tables, where it comes from.

Text and Markdown are two renderings of the same outline, so they cannot show different numbers. Every text here may
hold words from data: a renderer makes all of them harmless.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from lib.figures.format import NO_BREAK

WORST_COHORTS = 10
"""Cohorts that a table names at most."""
SENTENCE_LIMIT = 4_000


@dataclass(frozen=True)
class Column:
    """A column: `is_data` where its cells are words from data; narrow media may leave `is_extra` ones out."""

    title: str
    is_number: bool = True
    is_data: bool = False
    is_extra: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its title and what has to be said beneath it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FindingText:
    """One finding: its badge, the sentence, what follows from it, what it means, what to do.

    Of several findings of one check only the first says the last two; they are empty in the others.
    """

    badge: str
    name: str
    title: str
    consequences: tuple[str, ...]
    explanation: str
    remedy: str


@dataclass(frozen=True)
class Outline:
    """What is told in words: of what, the verdict, findings, what else was checked, tables, and where it comes from."""

    subject: str
    verdict: str
    compared: str
    findings: tuple[FindingText, ...]
    checked: tuple[str, ...]
    tables: tuple[Table, ...]
    provenance: str


def harmless(text: str, limit: int = SENTENCE_LIMIT) -> str:
    """Text on one line without control and direction characters, shortened in the middle; no-break spaces stay."""
    encodable = text.encode("utf-8", "replace").decode()
    spaced = (" " if each.isspace() and each != NO_BREAK else each for each in encodable)
    kept = "".join(each for each in spaced if unicodedata.category(each) not in ("Cc", "Cf"))
    kept = " ".join(part for part in kept.split(" ") if part)
    return kept if len(kept) <= limit else f"{kept[: limit * 2 // 3 - 1]}…{kept[-(limit - limit * 2 // 3) :]}"
