"""Personal data in listed rows is masked before it is shown, logged or exported.

What is masked are values that look like an e-mail address, a telephone number, an address on a network, a payment card
or a bank account, wherever they stand in a text, and whole columns whose name says that they hold such data. File and
record number stay, so that a row can be found again where it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

MASK = "\u2022\u2022\u2022"

_EMAIL = r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
_IBAN = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"
_CARD = r"\b\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}\b"
_PHONE = r"\+\d[\d ().\-/]{6,18}\d\b|\(\d{3}\) ?\d{3}[ -.]\d{4}\b|\b\d{3}[-.]\d{3}[-.]\d{4}\b"
_IPV4 = r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b(?!\.\d)"
_IPV6 = r"\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b"
_PERSONAL = re.compile("|".join(f"(?:{each})" for each in (_EMAIL, _IBAN, _CARD, _PHONE, _IPV6, _IPV4)))
_HINT = re.compile(r"[@:+.(\-]|\d{4} |[A-Z]{2}\d{2}")
"""What every personal value has: most texts are told from it without the long search."""

_NAMED = re.compile(
    r"(^|[^a-z])(e[-_ ]?mail|phone|telephone|mobile|ssn|iban|passport|birth(day|date)?|date[-_ ]of[-_ ]birth|dob"
    r"|(first|last|full|family|given|sur)[-_ ]?name|street|postal[-_ ]?address|home[-_ ]?address|ip[-_ ]?(address)?)"
    r"([^a-z]|$)"
)


def is_personal_name(column: str) -> bool:
    """Whether the name of a column says that its values are personal data."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    return _NAMED.search(spaced.lower()) is not None


def mask_text(text: str) -> str:
    """A text with what looks like personal data in it masked; as it was where nothing does."""
    if _HINT.search(text) is None:
        return text
    return _PERSONAL.sub(MASK, text)


def mask_rows(frame: pd.DataFrame, kept: Iterable[str] = ()) -> pd.DataFrame:
    """The same rows with personal data masked.

    Args:
        frame: rows as they stand in a file, any columns.
        kept: columns that are left alone, which is what the product itself has put there.
    """
    masked: dict[Any, pd.Series[Any]] = {}
    for name in frame.columns.difference(list(kept), sort=False):
        values = frame[name]
        if is_personal_name(str(name)):
            masked[name] = values.astype("object").where(values.isna(), MASK)
        elif not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)):
            masked[name] = values.map(lambda value: mask_text(value) if isinstance(value, str) else value)
    return frame.assign(**{str(name): column for name, column in masked.items()}) if masked else frame
