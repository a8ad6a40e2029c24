"""Numbers written with a decimal comma or with thousands separators: when a column is read so, and when it is not.

`1,234` alone is a thousand or a little more than one, so a column is read in a notation only if every value fits it and
some value fits no other; what is left is text, and the reader is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.sources.sql import quote_name, quote_text

_WHOLE: Final = "(0|[1-9][0-9]{0,15})"
_EXPONENT: Final = "([eE][+-]?[0-9]+)?"
_SPACES: Final = " \u00a0\u202f'\u2019"


@dataclass(frozen=True)
class Notation:
    """A way to write numbers that the engine does not read: `decimal` ends the whole part, `mark` may group it.

    Blanks and apostrophes group in any notation. The patterns mean the same to Python as to the engine.
    """

    words: str
    decimal: str
    mark: str

    @property
    def _group(self) -> str:
        return f"[{re.escape(self.mark)}{_SPACES}]"

    @property
    def fits(self) -> str:
        """The pattern of every number in this notation."""
        grouped = f"[1-9][0-9]{{0,2}}({self._group}[0-9]{{3}}){{1,4}}"
        fraction = f"{re.escape(self.decimal)}[0-9]+"
        return f"[+-]?(({_WHOLE}|{grouped})({fraction})?|{fraction}){_EXPONENT}"

    @property
    def doubtful(self) -> str:
        """The pattern of a number that is grouped here and has a fraction elsewhere, such as 1,234."""
        return f"[+-]?[1-9][0-9]{{0,2}}{self._group}[0-9]{{3}}"

    @property
    def proof(self) -> str:
        """The pattern of a number that shows what groups and what ends the whole part."""
        grouped = f"[1-9][0-9]{{0,2}}({self._group}[0-9]{{3}})"
        return f"[+-]?({grouped}{{1,4}}{re.escape(self.decimal)}[0-9]+{_EXPONENT}|{grouped}{{2,4}})"

    @property
    def telling(self) -> str:
        """The pattern of a number that is a good example of this notation."""
        return ".*,.*" if self.decimal == "," else self.proof

    def describe(self, example: str) -> str:
        """The notation as one says it: "a decimal comma (0,87)"."""
        return f"{self.words} ({example.strip()})"

    def is_certain(self, name: str) -> str:
        """The condition that a text of a column is a number of this notation about which there is no doubt."""
        text = f"trim({quote_name(name)})"
        return (
            f"(regexp_full_match({text}, {quote_text(self.fits)}) "
            f"AND NOT regexp_full_match({text}, {quote_text(self.doubtful)}))"
        )

    def as_number(self, name: str) -> str:
        """The expression that reads a column of texts of this notation."""
        plain = f"regexp_replace(trim({quote_name(name)}), {quote_text(self._group)}, '', 'g')"
        return f"CAST(replace({plain}, {quote_text(self.decimal)}, '.') AS DOUBLE)"


DECIMAL_COMMA: Final = Notation("a decimal comma", ",", ".")
THOUSANDS: Final = Notation("thousands separators", ".", ",")
NOTATIONS: Final = (DECIMAL_COMMA, THOUSANDS)


@dataclass(frozen=True)
class Counts:
    """Of how many values of a column there is a comma, and of each notation how many fit, are doubtful, are proof."""

    values: int
    commas: int
    fits: tuple[int, int]
    doubtful: tuple[int, int]
    proofs: tuple[int, int]


def find_notation(counts: Counts) -> Notation | None:
    """The one notation of a column of numbers that are not all plain; None where there is none, or more than one."""
    comma, point = (fits == counts.values for fits in counts.fits)
    if comma and not point and counts.commas and (not counts.doubtful[0] or counts.proofs[0]):
        return DECIMAL_COMMA
    return THOUSANDS if point and not comma and counts.proofs[1] else None


def count_texts(texts: Sequence[str]) -> Counts:
    """The counts of some values."""

    def count(kind: str) -> tuple[int, int]:
        first, second = (sum(re.fullmatch(getattr(n, kind), text) is not None for text in texts) for n in NOTATIONS)
        return first, second

    return Counts(len(texts), sum("," in text for text in texts), count("fits"), count("doubtful"), count("proof"))


def count_columns(name: str) -> str:
    """The expressions for the counts of a column of texts, but for its number of values; `read_counts` reads them."""
    text = f"trim({quote_name(name)})"
    patterns = [getattr(notation, kind) for kind in ("fits", "doubtful", "proof") for notation in NOTATIONS]
    matches = [f"regexp_full_match({text}, {quote_text(pattern)})" for pattern in patterns]
    return ", ".join(f"count(*) FILTER ({match})" for match in [f"contains({text}, ',')", *matches])


N_COUNTS: Final = 7
"""How many expressions `count_columns` has."""


def read_counts(values: int, numbers: Sequence[int]) -> Counts:
    """The counts from what `count_columns` gave."""
    commas, *rest = numbers
    return Counts(values, commas, (rest[0], rest[1]), (rest[2], rest[3]), (rest[4], rest[5]))
