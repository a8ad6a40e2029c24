"""Values as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SIGNIFICANT_DIGITS = 10


def as_plain(value: object) -> Any:
    """Anything as JSON can hold it: floats rounded, NaN and infinities null, other objects as their text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        # A file name may hold bytes that are no UTF-8.
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(as_plain(key)): as_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_plain(each) for each in value]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return rounded(value)
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return as_plain(value.tolist())  # type: ignore[attr-defined]
    return str(value)


def rounded(value: float) -> float | None:
    """A float to 10 significant digits; None where it is no number."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None


def moment(second: int | None) -> str | None:
    """An epoch second in ISO 8601 with Z."""
    return None if second is None else f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"
