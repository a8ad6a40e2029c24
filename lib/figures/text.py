"""Text in figures: what comes from data is made harmless, and long lines are wrapped to a width in pixels.

Plotly renders a subset of HTML in titles, labels and hover texts, and TeX between dollar signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lib.schema import Mapping, ScoreKind

SHOWN = 48
"""Characters of a name from data that a figure shows at most."""
MISSING = "(missing)"
"""What a missing value is called, in a link too: there an empty text says nothing at all."""

_NARROW, _WIDE = frozenset("iljI|.,:;'!·()[]/ tfr-"), frozenset("mwMW%@—→")
_TAG = re.compile(r"<[^>]*>")
_ENTITY = re.compile(r"&(#\d+|[a-z]+);")


def plain(text: str, limit: int = SHOWN) -> str:
    """Text from data on one line, without control and direction characters, shortened in the middle."""
    kept = "".join(
        " " if each.isspace() else each
        for each in text
        if each.isspace() or unicodedata.category(each) not in ("Cc", "Cf")
    )
    kept = " ".join(kept.split())
    if len(kept) > limit:
        end = limit // 3
        kept = f"{kept[: limit - end - 1].rstrip()}…{kept[-end:].lstrip()}"
    return kept


def escape(text: str, limit: int = SHOWN) -> str:
    """Text from data so that plotly shows it as it is: no tags, no entities, no TeX."""
    shown = plain(text, limit)
    return (
        shown.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("$", "&#36;")
        .replace("%{", "%&#123;")
    )


def name_of(value: object, missing: str = MISSING) -> str:
    """A key value from data, escaped; a missing one by its word."""
    return escape(str(value)) or missing


def width_of(text: str, size: float) -> float:
    """About how many pixels a text takes, tags apart, in the widest of the fonts that may be there."""
    shown = _ENTITY.sub("x", _TAG.sub("", text))
    ems = sum(
        0.31 if each in _NARROW else 0.87 if each in _WIDE else 0.68 if each.isupper() else 0.55 for each in shown
    )
    return ems * size


def wrap(text: str, width: float, size: float) -> list[str]:
    """Lines of a text, broken at blanks (a no-break space is none); a single word may be longer than the width."""
    return _filled(text.split(" "), " ", width, size)


def wrap_items(items: Sequence[str], width: float, size: float, separator: str = " · ") -> list[str]:
    """Lines of items, broken between them; an item that is wider than a line is broken at its blanks."""
    lines: list[str] = []
    for line in _filled(list(items), separator, width, size):
        lines += wrap(line, width, size) if width_of(line, size) > width and "<" not in line else [line]
    return lines


def _filled(words: list[str], separator: str, width: float, size: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in words:
        longer = f"{line}{separator}{word}" if line else word
        if line and width_of(longer, size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def margin_axis(mapping: Mapping) -> str:
    """What an axis of margins is called."""
    if not mapping.is_multiclass:
        return "margin m = y · score"
    score = "log p" if mapping.score_kind is ScoreKind.PROBABILITY else "score"
    return f"margin m = {score} of the true class − highest other"
