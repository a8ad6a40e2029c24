"""The map as a picture that leaves the page: all points, drawn here, framed as every figure is."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.figures.frame import Panel, finish, key_item, square
from lib.figures.projection_map import MapLabel, MapView
from lib.figures.text import escape, width_of
from lib.figures.theme import TEXT_LINE, TEXT_SIZE, Look

HEIGHT = 460
SHARPNESS = 2
"""Pixels of the picture for one of the page."""
LARGEST_DOT, SMALLEST_DOT = 4, 1
NAME_GAP = 2
"""Pixels between a name and the rows it stands above."""
FULL_AT = 0.9
"""How much of a pixel its most frequent colours cover where points lie densest; one point covers a fifth at least."""


def plot_projection(view: MapView, title: str, subtitle: str, provenance: str, look: Look) -> go.Figure:
    """A picture of all points of a map.

    Each pixel mixes the colours of the points on it by their number, without the quiet ones where others are, and is
    the stronger the more points there are (by the logarithm, so that single points are seen beside dense groups).

    Args:
        view: the map.
        title: the finding, in a sentence; escaped.
        subtitle: n and what else has to be said; escaped.
        provenance: from `lib.figures.frame.provenance_line` or `source_line`.
        look: theme and width.
    """
    width = look.text_width - 32
    placed = np.isfinite(view.coordinates).all(axis=1)
    points = view.coordinates[placed].astype(np.float64)
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    middle = (low + high) / 2
    unit = max((high[0] - low[0]) / (0.96 * width), (high[1] - low[1]) / (0.96 * HEIGHT), 1e-9)
    low, high = middle - unit * np.array([width, HEIGHT]) / 2, middle + unit * np.array([width, HEIGHT]) / 2
    opacity = np.ones(len(points)) if view.opacity is None else np.nan_to_num(view.opacity[placed])
    pixels = draw_points(
        (points - low) / (high - low),
        view.colours.codes[placed],
        opacity,
        view.colours.colours,
        view.colours.quiet,
        (int(width * SHARPNESS), HEIGHT * SHARPNESS),
    )
    figure = go.Figure()
    figure.add_layout_image(
        source=f"data:image/png;base64,{base64.b64encode(encode_png(pixels)).decode()}",
        xref="x",
        yref="y",
        x=low[0],
        y=high[1],
        sizex=high[0] - low[0],
        sizey=high[1] - low[1],
        sizing="stretch",
        layer="below",
    )
    # A name is read on any colour, and hides no point.
    halo = ", ".join(f"{x}px {y}px 2px {look.palette.paper}" for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)))
    for label in _free_labels(view.labels, unit):
        figure.add_annotation(
            text=f"<b>{escape(label.text)}</b>",
            x=label.x,
            y=label.y,
            showarrow=False,
            yanchor="bottom",
            yshift=NAME_GAP,
            font={"size": TEXT_SIZE, "color": look.palette.ink, "shadow": halo},
        )
    figure.update_xaxes(visible=False, range=[low[0], high[0]])
    figure.update_yaxes(visible=False, range=[low[1], high[1]])
    panel = Panel(HEIGHT, key=tuple(_key(view)))
    return finish(figure, title, subtitle, provenance, look, [panel], left=16, right=16)


def _free_labels(labels: Sequence[MapLabel], unit: float) -> list[MapLabel]:
    """The labels that are drawn, moved to a side where another is in the way; a pixel is `unit` wide and high."""
    drawn: list[MapLabel] = []
    halves: list[float] = []
    for label in labels:
        half = unit * width_of(f"{escape(label.text)} ", TEXT_SIZE) / 2
        for shift in (0.0, -half, half):
            moved = replace(label, x=label.x + shift)
            if all(
                abs(moved.x - other.x) > half + taken or abs(moved.y - other.y) > unit * TEXT_LINE
                for other, taken in zip(drawn, halves, strict=True)
            ):
                drawn.append(moved)
                halves.append(half)
                break
    return drawn


def _key(view: MapView) -> list[str]:
    items: list[str] = []
    for entry in view.colours.legend:
        if "ramp" in entry:
            ramp: Sequence[str] = entry["ramp"]  # pyright: ignore[reportAssignmentType]
            items.append(key_item(ramp[0], escape(str(entry["low"])), "■"))
            items.append(key_item(ramp[-1], escape(str(entry["high"])), "■"))
        else:
            items.append(square(view.colours.colours[int(str(entry["code"]))], escape(str(entry["name"]))))
    return items


def draw_points(
    places: NDArray[np.float64],
    codes: NDArray[np.uint8],
    opacity: NDArray[np.float64],
    colours: Sequence[str],
    quiet: Sequence[int],
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Pixels of a picture with a clear ground.

    Args:
        places: shape (n, 2), in [0, 1], the second counted from below.
        codes: shape (n,), places in `colours`.
        opacity: shape (n,), in [0, 1].
        colours: as #RRGGBB.
        quiet: codes that colour a pixel only where no other does.
        size: width and height in pixels.

    Returns:
        Shape (height, width, 4), uint8: red, green, blue and alpha.
    """
    width, height = size
    weight, mixed = np.zeros(height * width), np.zeros((height * width, 3))
    palette = np.array([[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in colours], np.float64)
    x = np.clip((places[:, 0] * width).astype(np.int64), 0, width - 1)
    y = np.clip(((1 - places[:, 1]) * height).astype(np.int64), 0, height - 1)
    dot = int(np.clip(0.5 * np.sqrt(width * height / max(len(places), 1)), SMALLEST_DOT, LARGEST_DOT))
    loud, shares = np.zeros(height * width), np.zeros(height * width)
    for code in sorted(np.unique(codes).tolist(), key=lambda code: code in quiet):
        mine = codes == code
        counts = np.bincount(y[mine] * width + x[mine], opacity[mine], height * width).reshape(height, width)
        if dot > 1:
            # A point is a square of so many pixels.
            around = [(down, right) for down in range(dot) for right in range(dot)]
            counts = np.sum([np.roll(counts, each, (0, 1)) for each in around], axis=0)
        counts = counts.ravel()
        weight += counts
        if code in quiet:
            counts = np.where(loud > 0, 0.0, counts)
        else:
            loud += counts
        shares += counts
        mixed += counts[:, None] * palette[code]
    seen = weight > 0
    pixels = np.zeros((height * width, 4), np.uint8)
    most = np.log1p(max(weight.max(initial=0.0), 1.0))
    strength = np.maximum(np.log1p(weight[seen]) / most, 0.2 + 0.4 * (most < np.log1p(20))) * FULL_AT
    pixels[seen, :3] = np.round(mixed[seen] / shares[seen, None])
    pixels[seen, 3] = np.round(255 * strength)
    return pixels.reshape(height, width, 4)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG (RFC 2083) of shape (height, width, 4) pixels."""
    height, width, _four = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
