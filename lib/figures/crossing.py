"""Two cohort columns crossed, as a heat map: stronger is higher, small pairs are left blank."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.crossing_view import CrossingView
from lib.figures.format import format_count, format_estimate, format_value
from lib.figures.frame import Panel, empty_figure, finish, left_margin
from lib.figures.text import MISSING, escape, name_of
from lib.figures.theme import TEXT_SIZE, Look, blend, contrast
from lib.metrics.cohorts import SMALL

ROW_HEIGHT = 26
FAINTEST = 0.08
"""How much of the colour the lowest field has."""
WRITTEN = 12
"""With at most so many columns each field carries its number."""


def plot_crossing(view: CrossingView, look: Look, provenance: str) -> go.Figure:
    """A field for each pair of values."""
    if view.leader is None:
        return empty_figure(view.sentence(name_of), provenance, look)
    factor = 100.0 if view.metric.unit == "share" else 1.0
    fields = [[view.estimate(row, column) for column in view.columns] for row in view.rows]
    shown = [
        [
            factor * each.value if each.is_defined and not view.is_small(row, column) else None
            for column, each in zip(view.columns, line, strict=True)
        ]
        for row, line in zip(view.rows, fields, strict=True)
    ]
    hover = [
        [
            f"<b>{name_of(row)}, {name_of(column)}</b><br>{view.metric.label} "
            f"{escape(format_estimate(each, view.metric.unit), 120)}"
            f"<br>n = {format_count(view.n_labelled(row, column))}"
            + (" (too few to be drawn)" if view.is_small(row, column) else "")
            for column, each in zip(view.columns, line, strict=True)
        ]
        for row, line in zip(view.rows, fields, strict=True)
    ]
    is_written = len(view.columns) <= (WRITTEN if not look.is_narrow else 4)
    texts = [
        [
            format_value(each.value, view.metric.unit) if is_written and value is not None else ""
            for value, each in zip(values, line, strict=True)
        ]
        for values, line in zip(shown, fields, strict=True)
    ]
    limit = 10 if look.is_narrow else 22
    labels = [escape(row, limit) or MISSING for row in view.rows]
    faintest = blend(look.palette.candidate, look.palette.paper, FAINTEST)
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            x=list(range(len(view.columns))),
            y=list(range(len(view.rows))),
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=True,
            colorscale=[[0.0, faintest], [1.0, look.palette.candidate]],
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    if is_written:
        figure.add_trace(_numbers(shown, texts, faintest, look))
    figure.update_layout(
        xaxis={
            "tickmode": "array",
            "tickvals": list(range(len(view.columns))),
            "ticktext": [escape(column, limit) or MISSING for column in view.columns],
            "tickangle": 0 if is_written else -40,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(view.rows))),
            "ticktext": labels,
            "range": [len(view.rows) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return finish(
        figure,
        view.sentence(name_of),
        _subtitle(view),
        provenance,
        look,
        [Panel(ROW_HEIGHT * len(view.rows) + 8, "", (), escape(view.across, 40), 1 if is_written else 3)],
        left=left_margin(labels, look, titled=False) + 4,
        right=20,
    )


def _numbers(shown: list[list[float | None]], texts: list[list[str]], faintest: str, look: Look) -> go.Scatter:
    """The number of each field, in whichever of ink and paper stands out more from its colour."""
    held = [value for line in shown for value in line if value is not None]
    low, span = min(held), max(held) - min(held)
    fields = [
        (column, row, texts[row][column], (value - low) / span if span else 0.5)
        for row, line in enumerate(shown)
        for column, value in enumerate(line)
        if value is not None
    ]
    palette = look.palette

    def ink_on(strength: float) -> str:
        ground = blend(palette.candidate, faintest, strength)
        return max((palette.ink, palette.paper), key=lambda ink: contrast(ink, ground))

    columns, rows, written, strengths = zip(*fields, strict=True)
    return go.Scatter(
        x=columns,
        y=rows,
        text=written,
        mode="text",
        textfont={"size": TEXT_SIZE, "color": [ink_on(each) for each in strengths]},
        hoverinfo="skip",
        showlegend=False,
    )


def _subtitle(view: CrossingView) -> str:
    parts = [f"Stronger is higher. {view.by_words} Blank: fewer than {SMALL} labelled rows."]
    for column, drawn, count in (
        (view.down, len(view.rows), view.n_values[0]),
        (view.across, len(view.columns), view.n_values[1]),
    ):
        if count > drawn:
            parts.append(f"The {drawn} largest of {format_count(count)} values of {escape(column, 40)} are drawn.")
    return " ".join(parts)
