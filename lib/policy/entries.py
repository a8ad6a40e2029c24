"""The tables of a policy file, whatever they are of: keys as values, and a sentence with the line for what is wrong."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lib.errors import DataError
from lib.metrics.burn_rate import DAY, HOUR, MINUTE

UNITS = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*$")
_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]\]?")
_KEY = re.compile(r'^\s*"?([A-Za-z0-9_\-]+)"?\s*=')
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Entry:
    """One table of a policy file, with what is needed to say where something in it stands.

    Attributes:
        file: the name of the file.
        table: of which kind the table is.
        values: key to value.
        lines: key to line, as far as they are known; "" for the table itself.
    """

    file: str
    table: str
    values: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict[str, int])

    def wrong(self, key: str, sentence: str) -> DataError:
        """What is wrong with a key, as an error that says where it stands."""
        line = self.lines.get(key, self.lines.get("", 0))
        return DataError(f"{self.file}, line {line}, {self.table}.{key}: {sentence}")

    def only(self, *known: str) -> None:
        """Refuse keys that are not known.

        Raises:
            DataError: there is one.
        """
        for key in self.values:
            if key not in known:
                raise self.wrong(key, f"there is no such key; there are {', '.join(known)}.")

    def text(self, key: str, *, among: Sequence[str] = (), default: str | None = None) -> str:
        """A text, one of several where those are given.

        Raises:
            DataError: it is not there, or no such text.
        """
        value = self._value(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, f"found {value!r}, expected a text in quotes.")
        if among and value not in among:
            raise self.wrong(key, f"found {value!r}, expected one of {', '.join(among)}.")
        return value

    def number(self, key: str, *, above: float, below: float = math.inf, default: float | None = None) -> float:
        """A number between two others, both excluded.

        Raises:
            DataError: it is not there, no number, or out of bounds.
        """
        value = self._value(key, default)
        bounds = f"above {above:g}" + (f" and below {below:g}" if math.isfinite(below) else "")
        if isinstance(value, bool) or not isinstance(value, int | float) or not above < value < below:
            raise self.wrong(key, f"found {value!r}, expected a number {bounds}.")
        return float(value)

    def seconds(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """A length of time, as a text such as "15 min" or as a number of seconds.

        Raises:
            DataError: it is not there, or no length of time.
        """
        value = self._value(key, default)
        found = _DURATION.match(value) if isinstance(value, str) else None
        if found is not None:
            value = float(found[1]) * UNITS[found[2]]
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < 100 * 366 * DAY:
            shown = self._value(key, default)
            raise self.wrong(key, f'found {shown!r}, expected a length of time such as "15 min", "6 h" or "3 d".')
        return int(value)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts; None without the key.

        Raises:
            DataError: it is no list of texts.
        """
        value = self.values.get(key)
        if value is not None and (not isinstance(value, list) or not all(isinstance(each, str) for each in value)):
            raise self.wrong(key, f"found {value!r}, expected a list of texts.")
        return None if value is None else tuple(value)

    def moment(self, key: str) -> int:
        """A date and time as an epoch second; without a zone it is UTC.

        Raises:
            DataError: it is not there, or no date and time.
        """
        value = self._value(key, None)
        if not isinstance(value, datetime):
            raise self.wrong(key, f"found {value!r}, expected a date and time such as 2026-04-02T09:00:00Z.")
        return int((value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp())

    def entries(self, key: str) -> list[Entry] | None:
        """The tables of a list within this one; None without the key.

        Raises:
            DataError: it is no list of tables, or empty.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, f"found {value!r}, expected a list of tables in braces.")
        line = {"": self.lines.get(key, self.lines.get("", 0))}
        return [Entry(self.file, f"{self.table}.{key}", each, line) for each in value]

    def _value(self, key: str, default: Any) -> Any:
        if key in self.values:
            return self.values[key]
        if default is None:
            raise self.wrong(key, "this key is missing.")
        return default


def read_tables(text: str, name: str, known: Sequence[str]) -> dict[str, list[Entry]]:
    """The tables of a policy file by their kind, in its order, each with the lines of its keys.

    Raises:
        DataError: it is no TOML, or has something else than lists of the known tables.
    """
    if len(text.encode()) > MOST_BYTES:
        raise DataError(f"{name} has more than {MOST_BYTES // 1_000_000} MB: that is no policy file.")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _PLACE.search(said)
        line = int(place[1]) if place is not None and place[1] else len(text.splitlines())
        raise DataError(f"{name}, line {line}: this is no TOML: {_PLACE.sub('', said)}.") from error
    lines = _lines_of(text)
    tables: dict[str, list[Entry]] = {}
    for table, entries in values.items():
        line = lines.get((table, 0), {}).get("") or lines.get(("", 0), {}).get(table, 1)
        if table not in known:
            names = ", ".join(f"[[{each}]]" for each in known)
            raise DataError(f"{name}, line {line}, {table}: there is no such table; there are {names}.")
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise DataError(f"{name}, line {line}, {table}: write [[{table}]] above the keys of each.")
        tables[table] = [
            Entry(name, table, each, lines.get((table, place), {"": line})) for place, each in enumerate(entries)
        ]
    return tables


def _lines_of(text: str) -> dict[tuple[str, int], dict[str, int]]:
    """For each table, by its name and how many of the name came before, the line of its header and of its keys."""
    found: dict[tuple[str, int], dict[str, int]] = {("", 0): {}}
    counted: dict[str, int] = {}
    here = found["", 0]
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            place = counted.get(header[1], 0)
            counted[header[1]] = place + 1
            here = found[header[1], place] = {"": number}
            outer, _, inner = header[1].rpartition(".")
            if outer in counted:
                found[outer, counted[outer] - 1].setdefault(inner, number)
        elif key is not None:
            here.setdefault(key[1], number)
    return found
