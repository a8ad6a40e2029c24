"""Recall against bytes of a vector, a panel for each way of making vectors smaller, the smallest marked."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.dimensions_view import WAYS, DimensionsView, lost_words, setting_words
from lib.figures.format import PER_CENT, format_count, format_interval, format_plural, format_share
from lib.figures.frame import Panel, finish, key_item, left_margin, whiskers
from lib.figures.text import name_of
from lib.figures.theme import Look
from lib.metrics.dimensions import Way


def plot_dimensions(view: DimensionsView, look: Look, provenance: str) -> go.Figure:
    """One panel for each way, both versions in each, on one axis of bytes."""
    figure, panels = go.Figure(), []
    known = {version: curve for version, curve in view.found.items() if curve.full.recall.is_defined}
    for place, way in enumerate(Way):
        number = "" if place == 0 else str(place + 1)
        for version in known:
            _add_curve(figure, view, version, way, look, number)
        lowest = min(
            (each.judged.lower for version in known for each in view.along(version, way) if each.judged.is_defined),
            default=0.0,
        )
        figure.update_layout(
            {
                f"xaxis{number}": {"type": "log", "dtick": "D2", "tickformat": ","},
                f"yaxis{number}": {
                    "range": [100 * max(lowest - 0.03, 0.0), 100],
                    "ticksuffix": PER_CENT,
                    "nticks": 4,
                    "title": {"text": view.judged},
                },
            }
        )
        last = place == len(Way) - 1
        keys = ()
        if place == 0:
            keys = (
                *(key_item(look.version(version, view.baseline), name_of(version)) for version in known),
                key_item(look.palette.ink, "keeps it", "●"),
                key_item(look.palette.ink, "does not", "○"),
                key_item(look.palette.ink, "the smallest that does", "◎"),
            )
        panels.append(Panel(120, WAYS[way], keys, "bytes of a vector" if last else ""))
    n = ", ".join(
        f"{name_of(version)}: {format_plural(curve.full.recall.n, 'query', 'queries')} of a gallery of "
        f"{format_count(view.galleries[version])}"
        for version, curve in known.items()
    )
    lost = next((lost_words(curve) for curve in known.values()), "")
    subtitle = f"{n}. Kept: surely less than {lost} lost, also by all larger settings of the same way."
    return finish(figure, view.title(), subtitle, provenance, look, panels, left=left_margin(["100 %"], look))


def _add_curve(figure: go.Figure, view: DimensionsView, version: str, way: Way, look: Look, number: str) -> None:
    colour, points = look.version(version, view.baseline), view.along(version, way)
    curve = view.found[version]
    smallest = None if curve.is_at_ceiling else curve.smallest
    symbols = ["circle" if each.keeps else "circle-open" for each in points]
    figure.add_scatter(
        x=[each.setting.n_bytes for each in points],
        y=[100 * each.judged.value for each in points],
        xaxis=f"x{number}",
        yaxis=f"y{number}",
        mode="lines+markers",
        line={"color": colour, "width": 1.6},
        marker={"size": 8, "color": colour, "symbol": symbols},
        cliponaxis=False,
        error_y={
            "type": "data",
            "symmetric": False,
            "thickness": 1.2,
            "width": 0,
            "color": colour,
            **whiskers([each.judged for each in points], 100),
        },
        customdata=[
            [
                setting_words(each.setting),
                format_share(each.judged.value),
                format_interval(each.judged.lower, each.judged.upper, "share"),
            ]
            for each in points
        ],
        hovertemplate=f"<b>{name_of(version)}</b>, %{{customdata[0]}}<br>%{{x:,}} bytes: {view.measure(version)} "
        "%{customdata[1]} (%{customdata[2]})<extra></extra>",
    )
    if smallest is not None and any(each is smallest for each in points):
        figure.add_scatter(
            x=[smallest.setting.n_bytes],
            y=[100 * smallest.judged.value],
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            mode="markers",
            hoverinfo="skip",
            cliponaxis=False,
            marker={"size": 16, "color": colour, "symbol": "circle-open", "line": {"width": 2}},
        )
