"""Columns of a file as typed expressions: numbers, texts, labels and times, null where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import ibis

from lib.schema import (
    EPOCHS,
    ISO,
    MAX_EPOCH_SECONDS,
    MISSING_KEY,
    NATIVE,
    ColumnProfile,
    LabelEncoding,
    Mapping,
    TimeFormat,
)
from lib.sources import MISSING_TEXTS

Expression: TypeAlias = Any
"""An Ibis expression; Ibis's own types do not know which column of a table is a number."""

NUMERIC = ("integer", "float", "float32")


def number_of(raw: Expression, column: ColumnProfile) -> Any:
    """A column as numbers; null where a text is none."""
    if column.kind == "float32":
        # Through the shortest text: the number that was written, not the nearest float32 to it.
        return raw[column.name].cast("string").cast("float64")
    if column.kind in NUMERIC:
        return raw[column.name].cast("float64")
    return stripped(raw, column).try_cast("float64")


def finite_or_null(number: Any) -> Any:
    """NaN is how a missing number is written; infinities stay, to be counted as what they are."""
    return ibis.ifelse(number.isnan(), ibis.null("float64"), number)


def is_unreadable(raw: Expression, column: ColumnProfile) -> Any:
    """Whether something stands there that is no number."""
    if column.kind in NUMERIC:
        return ibis.literal(False)
    text = stripped(raw, column)
    return text.notnull() & text.try_cast("float64").isnull()


def text_of(raw: Expression, column: ColumnProfile | None, default: str) -> Any:
    """A column as texts, with a default where nothing stands or there is no such column."""
    if column is None:
        return ibis.literal(default)
    return stripped(raw, column).fill_null(default)


def stripped(raw: Expression, column: ColumnProfile) -> Any:
    """The text of a column without blanks around it, null where a missing value is spelled out."""
    text = raw[column.name].cast("string")
    values = [value for value, _count in column.values]
    if not values or any(value != value.strip() for value in values):
        text = text.strip()
    if not values or any(value.strip() in MISSING_TEXTS for value in values):
        text = ibis.ifelse(is_among(text, MISSING_TEXTS), ibis.null("string"), text)
    return text


def label_of(raw: Expression, present: dict[str, ColumnProfile], mapping: Mapping) -> tuple[Any, Any]:
    """The label as −1, 0 (missing), +1, and whether it is missing or one of the two classes."""
    column, encoding = present.get(mapping.label or ""), mapping.label_encoding
    if column is None or encoding is None:
        return ibis.literal(0, "int8"), ibis.literal(True)
    if column.kind in NUMERIC:
        value: Any = finite_or_null(raw[column.name].cast("float64"))
        # What no number is stands in another file.
        positive, negative = (
            [number for text in texts if (number := _as_number(text)) is not None]
            for texts in (encoding.positive, encoding.negative)
        )
    else:
        value = stripped(raw, column)
        positive, negative = _texts(column, encoding)
    label = ibis.cases((is_among(value, positive), 1), (is_among(value, negative), -1), else_=0).cast("int8")
    return label, (label != 0) | _says_none(value, column, mapping)


def place_of(raw: Expression, present: dict[str, ColumnProfile], mapping: Mapping) -> tuple[Any, Any]:
    """The place of the true class among several, null where it is missing or unknown, and whether it is not unknown."""
    column = present.get(mapping.label or "")
    if column is None:
        return ibis.null("int64"), ibis.literal(True)
    pairs = [(text, place) for place, each in enumerate(mapping.classes) for text in each.labels]
    if column.kind in NUMERIC:
        value: Any = finite_or_null(raw[column.name].cast("float64"))
        known: list[tuple[Any, int]] = [
            (number, place) for text, place in pairs if (number := _as_number(text)) is not None
        ]
    else:
        value = stripped(raw, column)
        known = [(text.lower() if column.kind == "boolean" else text, place) for text, place in pairs]
    if not known:
        return ibis.null("int64"), _says_none(value, column, mapping)
    found: Expression = ibis.array([each for each, _place in known]).index(value)
    places = ibis.array([place for _each, place in known])
    place = ibis.ifelse(found >= 0, places[found], ibis.null("int64"))
    return place, (found >= 0) | _says_none(value, column, mapping)


def _says_none(value: Any, column: ColumnProfile, mapping: Mapping) -> Any:
    """Whether a label is missing, or one of the texts that say that there is none."""
    options: Sequence[Any] = mapping.unlabelled
    if column.kind in NUMERIC:
        options = [number for text in mapping.unlabelled if (number := _as_number(text)) is not None]
    return value.isnull() | is_among(value, options)


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _texts(column: ColumnProfile, encoding: LabelEncoding) -> tuple[list[Any], list[Any]]:
    texts = (list(encoding.positive), list(encoding.negative))
    if column.kind != "boolean":
        return texts
    return [text.lower() for text in texts[0]], [text.lower() for text in texts[1]]


def time_of(raw: Expression, column: ColumnProfile | None, time_format: TimeFormat | None) -> tuple[Any, Any]:
    """The time in UTC, null where there is none or none that can be read, and the text that was given."""
    if column is None:
        return ibis.null("timestamp(6)"), ibis.null("string")
    value, chosen = raw[column.name], time_format or TimeFormat()
    if chosen.pattern in EPOCHS:
        number = finite_or_null(number_of(raw, column))
        seconds: Expression = number / EPOCHS[chosen.pattern]
        is_time = seconds.abs() <= MAX_EPOCH_SECONDS
        microseconds: Expression = ibis.ifelse(is_time, seconds * 1_000_000, ibis.null("float64"))
        since: Expression = microseconds.round().cast("int64").as_interval("us")
        too_far: Expression = ibis.ifelse(is_time, ibis.null("string"), "beyond the year 9999")
        written = stripped(raw, column) if column.kind == "text" else ibis.ifelse(number.isnull(), MISSING_KEY, too_far)
        return (ibis.timestamp("1970-01-01") + since).cast("timestamp(6)"), written
    if chosen.pattern == NATIVE or column.kind in ("timestamp", "date"):
        return _in_utc(value.cast("timestamp(6)"), "UTC" if column.zoned else chosen.timezone), ibis.null("string")
    text = value.cast("string")
    if chosen.pattern != ISO:
        parsed: Expression = _try_strptime(text.strip(), chosen.pattern)
        return _in_utc(parsed, chosen.timezone), text
    # What follows the day holds a sign only where it holds an offset; the engine's plain cast would drop that.
    clock, plain = text.substr(10), text.try_cast("timestamp(6)")
    with_offset = text.try_cast("timestamp('UTC', 6)").cast("timestamp(6)")
    time = ibis.cases(
        (text.endswith("Z"), plain),
        (clock.contains("+") | clock.contains("-"), with_offset),
        else_=_in_utc(plain, chosen.timezone),
    )
    return time, text


def is_given(text: Any) -> Any:
    """Whether a text stands there that does not spell a missing value."""
    return text.notnull() & ~is_among(text.strip(), MISSING_TEXTS)


def is_among(value: Any, options: Sequence[Any]) -> Any:
    """Whether a value is one of a few.

    Not `isin` nor `contains`, of which the engine makes a join for every row, needed or not. A place in a list it looks
    up once for each distinct text.
    """
    if not options:
        return ibis.literal(False)
    place: Expression = ibis.array(list(options)).index(value)
    return place >= 0


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp(6)"))
def _try_strptime(text: Any, pattern: Any) -> Any:
    """A parse that gives null instead of failing. Ibis has none; this is DuckDB's name, the one engine-bound spot."""


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp(6)"), "timestamp('UTC', 6)"))
def _at_time_zone(zone: Any, time: Any) -> Any:
    """The moment at which clocks in `zone` showed `time`; PostgreSQL's and DuckDB's name for AT TIME ZONE."""


def _in_utc(time: Any, zone: str) -> Any:
    if zone == "UTC":
        return time
    moment: Expression = _at_time_zone(zone, time)
    return moment.cast("timestamp(6)")
