"""A map of points for the browser: one block of bytes, small enough for a million of them.

Coordinates become places on a grid of 65,536 x 65,536 (finer than any screen), a colour one byte, how far a point is
faded one byte. The layout of the block: the length of the header as uint32 (little-endian, as all numbers), the header
as JSON, then places (2 x uint16 a point), codes (uint8), opacity (uint8, if `has_opacity`), rows (uint32, if
`has_rows`: otherwise point i is row i), ids (deflated, a line each, if `ids_bytes`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.figures.format import format_score
from lib.figures.theme import Look, blend
from lib.metrics.ranges import steps_of_range

MOST_BYTES = 11_500_000
"""What a map may take on its way to a browser; ids that would not fit are left out, and points told by their row."""
GRID = 65_535
STEPS = 64
"""Colours of a scale of numbers."""
MISSING, OTHERS = "missing", "other"


@dataclass(frozen=True, eq=False)
class Colours:
    """What each row is coloured by.

    Attributes:
        codes: shape (n,), uint8, places in `colours`.
        colours: as #RRGGBB, at most 256.
        legend: what the colours stand for: entries with `name` and `code`, or one with `ramp`, `low` and `high`.
        quiet: codes whose points lie beneath all others.
    """

    codes: NDArray[np.uint8]
    colours: tuple[str, ...]
    legend: tuple[dict[str, object], ...]
    quiet: tuple[int, ...] = ()


@dataclass(frozen=True)
class MapLabel:
    """Words above a place of the map, in its coordinates; of labels that would overlap the first is shown."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class MapView:
    """A map to be drawn.

    Attributes:
        coordinates: shape (n, 2); a row with NaN is not drawn.
        ids: shape (n,), what a point is told by.
        colours: of all rows.
        description: what the map shows, in a sentence for those who cannot see it.
        group: maps of one group on a page share their selection.
        opacity: shape (n,), in [0, 1], how much of a point is seen; None: all of it.
        rows: shape (n,), the numbers under which a selection names the rows, below `n_rows`; the same number for the
            same sample in all maps of a group. None: their place.
        n_rows: one more than the largest of them can be; None: n.
        labels: words on the map, the most important first.
        selected: numbers of rows that are selected from the start, as a link says; afterwards the browser's hold.
    """

    coordinates: NDArray[np.float32]
    ids: NDArray[np.str_] | NDArray[np.object_]
    colours: Colours
    description: str
    group: str
    opacity: NDArray[np.float64] | None = None
    rows: NDArray[np.int64] | None = None
    n_rows: int | None = None
    labels: tuple[MapLabel, ...] = ()
    selected: NDArray[np.int64] | None = None


def colour_by_category(values: Sequence[str | None], look: Look) -> Colours:
    """Colours for texts: the ten most frequent have one each, the rest share one, and None has the faintest.

    Of equally frequent values the first in the alphabet comes first.
    """
    texts = np.array(["" if value is None else value for value in values], dtype=str)
    is_missing = np.array([value is None for value in values], dtype=bool)
    known, places, counts = np.unique(texts[~is_missing], return_inverse=True, return_counts=True)
    # The last colour of the set is a grey, which is what the rest has here.
    series = look.palette.series[:-1]
    order = np.argsort(-counts, kind="stable")
    code_of = np.full(len(known), len(series), np.uint8)
    code_of[order[: len(series)]] = np.arange(min(len(known), len(series)))
    codes = np.full(len(texts), len(series) + 1, np.uint8)
    codes[~is_missing] = code_of[places]
    names = [str(known[at]) for at in order[: len(series)]]
    legend: list[dict[str, object]] = [{"name": name, "code": code} for code, name in enumerate(names)]
    if len(known) > len(series):
        legend.append({"name": f"{OTHERS} ({len(known) - len(series)} values)", "code": len(series)})
    if is_missing.any():
        legend.append({"name": MISSING, "code": len(series) + 1})
    greys = look.palette.faint_ink, look.palette.axis
    return Colours(codes, (*series, *greys), tuple(legend), quiet=(len(series), len(series) + 1))


def colour_by_number(values: NDArray[np.float64], look: Look) -> Colours:
    """Colours for numbers, from quiet to strong over the range that nearly all of them lie in; NaN is faint."""
    found = steps_of_range(values, STEPS)
    there = found.steps >= 0
    codes = np.where(there, found.steps, STEPS).astype(np.uint8)
    ends = look.palette.candidate, blend(look.palette.classes[0], look.palette.paper, 0.35)
    ramp = tuple(blend(*ends, step / (STEPS - 1)) for step in range(STEPS))
    legend: list[dict[str, object]] = []
    if there.any():
        legend.append({"ramp": ramp[:: STEPS // 8], "low": format_score(found.low), "high": format_score(found.high)})
    if not there.all():
        legend.append({"name": MISSING, "code": STEPS})
    return Colours(codes, (*ramp, look.palette.axis), tuple(legend), quiet=(STEPS,))


def encode_map(view: MapView) -> bytes:
    """The block of bytes for a browser."""
    places, spans, placed, ends = _places(view.coordinates)
    low, size = ends
    parts = [places.tobytes(), view.colours.codes[placed].tobytes()]
    if view.opacity is not None:
        parts.append(np.round(np.clip(np.nan_to_num(view.opacity[placed]), 0, 1) * 255).astype(np.uint8).tobytes())
    rows = placed if view.rows is None else view.rows[placed]
    has_rows = not np.array_equal(rows, np.arange(len(placed)))
    if has_rows:
        parts.append(rows.astype("<u4").tobytes())
    shape = hashlib.sha256(parts[0] + json.dumps(spans).encode())
    shape.update(rows.astype("<u4").tobytes())
    ids = zlib.compress(_lines(view.ids[placed].tolist()).encode("utf-8", "replace"), 1)
    if sum(map(len, parts)) + len(ids) > MOST_BYTES:
        ids = b""
    parts.append(ids)
    header: dict[str, object] = {
        "n": len(placed),
        "n_rows": view.n_rows or len(view.coordinates),
        "spans": spans,
        "colours": view.colours.colours,
        "legend": view.colours.legend,
        "quiet": view.colours.quiet,
        "labels": [
            {"text": each.text, "x": (each.x - low[0]) / size[0], "y": (each.y - low[1]) / size[1]}
            for each in view.labels
        ],
        "description": view.description,
        "group": view.group,
        "has_opacity": view.opacity is not None,
        "has_rows": has_rows,
        "ids_bytes": len(ids),
        # What stays when only colours change: the browser keeps where a person has zoomed to.
        "shape": shape.hexdigest()[:16],
    }
    if view.selected is not None:
        picked = np.zeros(int(str(header["n_rows"])) // 8 * 8 + 8, bool)
        picked[view.selected] = True
        header["selected"] = base64.b64encode(np.packbits(picked, bitorder="little").tobytes()).decode()
    whole = hashlib.sha256(json.dumps(header).encode())
    for part in parts:
        whole.update(part)
    header["key"] = whole.hexdigest()[:16]
    text = json.dumps(header).encode()
    return b"".join([len(text).to_bytes(4, "little"), text, *parts])


def _lines(ids: list[object]) -> str:
    """A line each, also where an id has several."""
    text = "\n".join(map(str, ids)) + "\n"
    if text.count("\n") != len(ids):
        text = "\n".join(str(each).replace("\n", " ") for each in ids) + "\n"
    return text


def _places(
    coordinates: NDArray[np.float32],
) -> tuple[NDArray[np.uint16], list[float], NDArray[np.int64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Places on the grid, the proportions of the map, the rows that are on it, and its lower corner and size."""
    placed = np.flatnonzero(np.isfinite(coordinates).all(axis=1))
    points = coordinates[placed].astype(np.float64)
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    size = np.maximum(high - low, 1e-12)
    size = np.maximum(size, size.max() / 1000)
    places = np.round((points - low) / size * GRID).astype("<u2")
    return places, (size / size.max()).tolist(), placed, (low, size)
