"""Numbers as JSON has them everywhere: the value, its interval, how many it is over, and why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lib.metrics.estimates import Estimate


def ends(estimate: Estimate) -> list[float] | None:
    """The interval of a number; None where there is no number."""
    return [estimate.lower, estimate.upper] if estimate.is_defined else None


def measured(
    numbers: Mapping[str, Estimate | Mapping[str, Estimate]],
    plain: Mapping[str, float] = {},
    reasons: Mapping[str, str] = {},
) -> dict[str, Any]:
    """Numbers with intervals, some by a key of their own such as k, and plain ones; undefined ones with the reason.

    Args:
        numbers: by name; `n_by_metric` and `undefined` name those of a further key as "name.key".
        plain: numbers without an interval, NaN where undefined.
        reasons: why those are undefined, by name.
    """
    values: dict[str, Any] = {}
    n: dict[str, int] = {}
    undefined: dict[str, str] = {}
    for name, each in numbers.items():
        parts = {name: each} if isinstance(each, Estimate) else {f"{name}.{key}": one for key, one in each.items()}
        if isinstance(each, Estimate):
            values[name], values[f"{name}_ci"] = each.value, ends(each)
        else:
            values[name] = {key: one.value for key, one in each.items()}
            values[f"{name}_ci"] = {key: ends(one) for key, one in each.items()}
        n |= {key: int(one.n) for key, one in parts.items()}
        undefined |= {key: one.reason for key, one in parts.items() if not one.is_defined}
    for name, value in plain.items():
        values[name] = value
        if not math.isfinite(value):
            undefined[name] = reasons[name]
    return {**values, "n_by_metric": n, "undefined": undefined}


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Several of what `measured` gives as one; what is said of their numbers is said of all together."""
    whole = {key: value for each in parts for key, value in each.items()}
    for name in ("n_by_metric", "undefined"):
        whole[name] = {key: value for each in parts for key, value in each.get(name, {}).items()}
    return whole
