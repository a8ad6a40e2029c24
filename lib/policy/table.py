"""Tables of a TOML file, read key by key: names, types and ranges are checked, and every error names its line.

`tomllib` gives values without their places. Each statement of a sound file (a header, or a key with its value) is sound
TOML on its own: its keys stand where it begins.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from lib.errors import SettingsError

Path = tuple[str | int, ...]

MOST_BYTES = 256_000
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[{]|[\]}]|\n', re.DOTALL
)
"""What can hold a line break, or hide what holds one: texts, comments, brackets."""
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def statements(text: str) -> Iterator[tuple[int, str]]:
    """The statements of a sound TOML file, comments and blank lines among them, each with the line where it begins."""
    begin, line, depth = 0, 1, 0
    first = line
    for token in _TOKEN.finditer(text):
        found = token[0]
        depth += (found in ("[", "{")) - (found in ("]", "}"))
        line += found.count("\n")
        if found == "\n" and depth == 0:
            yield first, text[begin : token.end()]
            begin, first = token.end(), line
    yield first, text[begin:]


def statement_lines(text: str) -> dict[Path, int]:
    """Where each table and key of a sound TOML file begins: its path to its line, counted from 1.

    A path is what leads to a value: ("limits", 0, "metric"). Keys within an inline table of several are left out.
    """
    found: dict[Path, int] = {}
    sizes: dict[Path, int] = {}
    table: Path = ()

    def put(path: Path, line: int) -> Path:
        for end in range(1, len(path) + 1):
            found.setdefault(path[:end], line)
        return path

    def within(start: Path, keys: Sequence[str]) -> Path:
        for key in keys:
            start = (*start, key)
            if start in sizes:
                start = (*start, sizes[start] - 1)
        return start

    for line, statement in statements(text):
        keys, value = list[str](), dict[str, Any](tomllib.loads(statement))
        while isinstance(value, dict) and len(value) == 1:
            ((key, value),) = value.items()
            keys.append(key)
        if not keys:
            continue
        header = statement.lstrip()
        if header.startswith("[["):
            base = (*within((), keys[:-1]), keys[-1])
            sizes[base] = sizes.get(base, 0) + 1
            table = put((*base, sizes[base] - 1), line)
        elif header.startswith("["):
            table = put(within((), keys), line)
        else:
            put(within(table, keys), line)
    return found


class Source:
    """A TOML file that was read whole."""

    def __init__(self, text: str, name: str) -> None:
        """Read it.

        Args:
            text: the file.
            name: what it is called in errors.

        Raises:
            SettingsError: it is no text, no TOML, or too large; the message names the line.
        """
        self.name = name
        if len(text.encode("utf-8", "replace")) > MOST_BYTES:
            raise SettingsError(f"{name} is larger than {MOST_BYTES // 1000} kB, which no policy is.")
        if "\0" in text or "\N{REPLACEMENT CHARACTER}" in text:
            raise SettingsError(f"{name} is no text file (UTF-8). A policy is one, written in TOML.")
        text = text.replace("\r\n", "\n")
        try:
            self.values: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = _PLACE.search(str(error))
            line = int(place[1]) if place and place[1] else text.rstrip("\n").count("\n") + 1
            said = _PLACE.sub("", str(error)).rstrip(".")
            raise SettingsError(f"{name}, line {line}: this is no TOML: {said}.") from error
        except RecursionError as error:
            raise SettingsError(f"{name} has values within values beyond all bounds.") from error
        self.lines = statement_lines(text)

    def line_of(self, path: Path) -> int:
        """Where a value begins; of one without a place of its own, where what holds it does."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 1)

    def fail(self, path: Path, sentence: str) -> NoReturn:
        """Say what is wrong at a place."""
        raise SettingsError(f"{self.name}, line {self.line_of(path)}: {sentence}")

    def refuse_unknown(self, values: dict[str, Any], path: Path, known: Sequence[str], what: str) -> None:
        """Refuse keys that mean nothing, with the one that is nearest."""
        for key in values:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(known)}."
                self.fail((*path, key), f"there is no {what} {key!r}.{hint}")

    def table(self, name: str, known: Sequence[str]) -> Table | None:
        """The table `[name]`; None where there is none."""
        if name not in self.values:
            return None
        return Table(self, (name,), self.values[name], known, f"[{name}]")

    def tables(self, name: str, known: Sequence[str]) -> list[Table]:
        """The tables `[[name]]`, in the order of the file."""
        found = self.values.get(name, [])
        if not isinstance(found, list):
            self.fail((name,), f"each of the {name} is a table of its own, headed [[{name}]].")
        return [Table(self, (name, place), values, known, f"[[{name}]]") for place, values in enumerate(found)]


class Table:
    """One table of a file; asking for a key checks it."""

    def __init__(self, source: Source, path: Path, values: object, known: Sequence[str], header: str) -> None:
        self.source, self.path, self.header = source, path, header
        if not isinstance(values, dict):
            source.fail(path, f"{header} is a table: a line with that header, and a line for each of its keys.")
        self.values: dict[str, Any] = values
        source.refuse_unknown(values, path, known, f"key of {header} called")

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.source.line_of(self.path)

    @property
    def lines(self) -> dict[str, int]:
        """Where each of its keys stands."""
        return {key: self.source.line_of((*self.path, key)) for key in self.values}

    def fail(self, sentence: str, key: str = "") -> NoReturn:
        """Say what is wrong with it, or with one of its keys."""
        self.source.fail((*self.path, key) if key else self.path, sentence)

    def text(self, key: str, default: str = "") -> str:
        """A text that is not empty."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (key in self.values and not value.strip()):
            self.fail(f"{key} is {_shown(value)}, not a text between quotation marks.", key)
        return value

    def one_of(self, key: str, options: Sequence[str], default: str = "") -> str:
        """One of several texts."""
        value = self.text(key, default)
        if key in self.values and value not in options:
            near = difflib.get_close_matches(value, options, 1)
            hint = f"Did you mean {near[0]}?" if near else f"It is one of {', '.join(options)}."
            self.fail(f"{key} is {value!r}. {hint}", key)
        return value

    def many_of(self, key: str, options: Sequence[str]) -> tuple[str, ...]:
        """Any of several texts, in a list."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.fail(f"{key} is {_shown(value)}, not a list of texts.", key)
        for each in value:
            if each not in options:
                near = difflib.get_close_matches(each, options, 1)
                hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(options)}."
                self.fail(f"{key} names {each!r}, which there is not. {hint}", key)
        return tuple(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts in a list, none of them empty."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.fail(f"{key} is {_shown(value)}, not a list of texts.", key)
        return tuple(value)

    def number(self, key: str, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            ends = f"of at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
            kind = "a finite number" if math.isinf(low) and math.isinf(high) else f"a number {ends}"
            self.fail(f"{key} is {_shown(value)}; {kind} is expected.", key)
        if math.isinf(value):
            self.fail(f"{key} is {_shown(value)}; a finite number is expected.", key)
        return float(value)

    def count(self, key: str, default: int, low: int = 1) -> int:
        """A whole number, `low` at least."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            self.fail(f"{key} is {_shown(value)}; a whole number of at least {low} is expected.", key)
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where it is not said."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"{key} is {_shown(value)}, neither true nor false.", key)
        return value


def _shown(value: object) -> str:
    """A value of the file in a sentence, as the file would write it, shortened."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else f"{text[:38]}…"
