"""Several versions side by side: a small panel for each metric, and what each version costs against how good it is."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_count, format_estimate, format_loss
from lib.figures.frame import Panel, finish, whiskers
from lib.figures.text import MISSING, escape, name_of
from lib.figures.theme import TEXT_SIZE, Look
from lib.figures.versions_view import ServingView, VersionsView, price_words
from lib.metrics.catalogue import Unit
from lib.metrics.estimates import Estimate


def plot_versions(view: VersionsView, look: Look, provenance: str) -> go.Figure:
    """A panel for each metric, over the versions in their order, with 95 % intervals."""
    figure, panels = go.Figure(), []
    places = list(range(len(view.versions)))
    for row, metric in enumerate(view.metrics):
        number = "" if row == 0 else str(row + 1)
        factor = 100.0 if metric.unit == "share" else 1.0
        found = view.numbers[metric.name]
        figure.add_trace(
            go.Scatter(
                x=places,
                y=[factor * each.value for each in found],
                mode="markers+lines",
                line={"color": look.palette.axis, "width": 1},
                marker={"size": 8, "color": [_colour(version, view, look) for version in view.versions]},
                error_y={"type": "data", **whiskers(found, factor), "thickness": 1.2, "width": 0},
                customdata=_hover(view.versions, found, metric.label, metric.unit),
                hovertemplate="%{customdata}<extra></extra>",
                xaxis=f"x{number}",
                yaxis=f"y{number}",
            )
        )
        is_last = row == len(view.metrics) - 1
        limit = 8 if look.is_narrow else 16
        figure.update_layout(
            {
                f"xaxis{number}": {
                    "tickmode": "array",
                    "tickvals": places,
                    "ticktext": [escape(each, limit) or MISSING for each in view.versions],
                    "range": [-0.5, len(places) - 0.5],
                    "tickangle": 0 if len(places) <= (4 if look.is_narrow else 10) else -40,
                },
                f"yaxis{number}": {"ticksuffix": PER_CENT if metric.unit == "share" else "", "nticks": 4},
            }
        )
        better = {"lower": "lower is better", "higher": "higher is better", "neutral": ""}[metric.direction]
        lines = 1 if len(places) <= 10 else 3
        panels.append(Panel(84, f"{metric.label}, {better}", (), "version" if is_last else "", lines))
    return finish(
        figure,
        f"{format_count(len(view.versions))} versions side by side",
        f"With 95 % intervals of each number alone; {name_of(view.baseline)} is the baseline, "
        f"{name_of(view.candidate)} the candidate.",
        provenance,
        look,
        panels,
        left=64,
    )


def plot_serving(view: ServingView, price: str, baseline: str, look: Look, provenance: str) -> go.Figure:
    """What each version costs against how good it is; those that nothing beats are joined."""
    unit, factor = view.metric.unit, 100.0 if view.metric.unit == "share" else 1.0
    cost, front = view.prices[price], view.on_front(price)
    figure, palette = go.Figure(), look.palette
    best = sorted((cost[v].value, factor * view.quality[v].value) for v, on in enumerate(front) if on)
    figure.add_trace(
        go.Scatter(
            x=[x for x, _y in best],
            y=[y for _x, y in best],
            mode="lines",
            line={"color": palette.axis, "width": 1.4, "shape": "hv"},
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[each.value for each in cost],
            y=[factor * each.value for each in view.quality],
            mode="markers+text",
            text=[f" {escape(version, 14) or '(missing)'}" for version in view.versions],
            textposition="top center",
            textfont={"size": TEXT_SIZE, "color": palette.ink},
            marker={
                "size": 11,
                "color": [look.version(version, baseline) for version in view.versions],
                "symbol": ["circle" if on else "circle-open" for on in front],
                "line": {"width": 2},
            },
            error_x={"type": "data", **whiskers(cost, 1.0), "thickness": 1, "width": 0},
            error_y={"type": "data", **whiskers(view.quality, factor), "thickness": 1, "width": 0},
            customdata=[
                f"<b>{name_of(version)}</b><br>{view.metric.label} {escape(format_estimate(quality, unit), 120)}"
                f"<br>{price_words(price)} {format_loss(each.value)}"
                for version, quality, each in zip(view.versions, view.quality, cost, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"showgrid": True, "gridcolor": palette.grid, "nticks": 6},
        yaxis={"ticksuffix": PER_CENT if unit == "share" else "", "title": {"text": view.metric.label}},
    )
    names = [name_of(version) for version, on in zip(view.versions, front, strict=True) if on]
    beaten = len(view.versions) - len(names)
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    is_one = len(names) == 1
    better = "lower" if view.metric.direction == "lower" else "higher"
    of = f"{view.metric.label} and {price_words(price).lower()} at once"
    title = f"No version beats {shown} in {of}" if beaten else f"No version beats another in {of}"
    title = title if names else "No version has both numbers"
    return finish(
        figure,
        title,
        f"{view.metric.label}, {better} is better, against {price_words(price).lower()}. "
        f"{'It is' if is_one else 'They are'} filled; {format_count(beaten)} of {format_count(len(view.versions))} "
        "versions are beaten in both. Lines are 95 % intervals.",
        provenance,
        look,
        [Panel(260, "", (), price_words(price))],
        left=64,
        right=40,
    )


def _colour(version: str, view: VersionsView, look: Look) -> str:
    if version in (view.baseline, view.candidate):
        return look.version(version, view.baseline)
    return look.palette.faint_ink


def _hover(versions: tuple[str, ...], found: tuple[Estimate, ...], label: str, unit: Unit) -> list[str]:
    return [
        f"<b>{name_of(version)}</b><br>{label} {escape(format_estimate(each, unit), 120)}"
        for version, each in zip(versions, found, strict=True)
    ]
