"""A metric's change in parts as a waterfall: from the baseline's number, part by part, to the candidate's."""

from __future__ import annotations

import math
from typing import Protocol

import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_change, format_estimate, format_value
from lib.figures.frame import Panel, empty_figure, finish, left_margin
from lib.figures.text import escape, name_of
from lib.figures.theme import TEXT_SIZE, Look
from lib.metrics.catalogue import Unit
from lib.metrics.estimates import Estimate

ROW_HEIGHT = 34


class ChangeInParts(Protocol):
    """A number of two samples, and the parts that its change adds up from, in the order of the path."""

    @property
    def names(self) -> tuple[str, str]:
        """Of baseline and candidate."""
        ...

    @property
    def before(self) -> Estimate:
        """The baseline's number."""
        ...

    @property
    def after(self) -> Estimate:
        """The candidate's."""
        ...

    @property
    def parts(self) -> dict[str, Estimate]:
        """By their words; none where there is nothing to tell, which `sentence` then explains."""
        ...

    @property
    def label(self) -> str:
        """What the number is called."""
        ...

    @property
    def unit(self) -> Unit:
        """In what it is measured."""
        ...

    def is_worse(self, part: Estimate) -> bool:
        """Whether a part made the number worse."""
        ...

    def sentence(self) -> str:
        """Which part is largest, without a full stop (plain text)."""
        ...

    def subtitle(self) -> str:
        """By what, and of how many (plain text)."""
        ...


def plot_decomposition(view: ChangeInParts, look: Look, provenance: str) -> go.Figure:
    """Floating bars one below the other; red where a part made it worse, thin lines for intervals."""
    if not view.parts:
        return empty_figure(escape(view.sentence(), 300), provenance, look)
    colours, unit = look.palette, view.unit
    factor = 100.0 if unit == "share" else 1.0
    most = 100.0 if unit == "share" else math.inf
    first, second = map(name_of, view.names)
    labels = [first, *view.parts, second]
    figure, at, reach = go.Figure(), view.before.value, [view.before.value, view.after.value]
    for row, (name, part) in enumerate(view.parts.items(), start=1):
        colour = colours.wrong if view.is_worse(part) else colours.candidate
        end = at + part.value
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=[factor * part.value],
                base=[factor * at],
                y=[row],
                width=0.56,
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate=f"<b>{name}</b> {format_change(part.value, unit)}<br>95 % interval "
                f"{format_change(part.lower, unit)} to {format_change(part.upper, unit)}<extra></extra>",
            )
        )
        ends = [factor * (at + each) for each in (part.lower, part.upper)]
        figure.add_trace(
            go.Scatter(x=ends, y=[row, row], mode="lines", line={"color": colours.ink, "width": 1.4}, hoverinfo="skip")
        )
        figure.add_annotation(
            x=min(max(*ends, factor * at, factor * end), most),
            y=row,
            text=format_change(part.value, unit),
            xanchor="left",
            xshift=5,
            showarrow=False,
            font={"size": TEXT_SIZE, "color": colours.ink},
        )
        figure.add_shape(
            type="line",
            x0=factor * end,
            x1=factor * end,
            y0=row,
            y1=row + 1,
            line={"color": colours.axis, "width": 1},
            layer="below",
        )
        reach += [at, end, at + part.lower, at + part.upper]
        at = end
    for row, each, colour in (
        (0, view.before, colours.baseline),
        (len(labels) - 1, view.after, colours.candidate),
    ):
        figure.add_trace(
            go.Scatter(
                x=[factor * each.value],
                y=[row],
                mode="markers+text",
                cliponaxis=False,
                marker={"color": colour, "size": 11, "symbol": "diamond"},
                text=[f"  {format_value(each.value, unit)}"],
                textposition="middle right",
                textfont={"size": TEXT_SIZE, "color": colours.ink},
                hovertemplate=f"<b>{labels[row]}</b> {escape(format_estimate(each, unit), 120)}<extra></extra>",
            )
        )
    low, high = factor * min(reach), factor * max(reach)
    room = (high - low) or 1.0
    far = high + (0.3 if look.is_narrow else 0.16) * room
    # A share's axis ends at 100 %: the numbers beside what lies there stand in the margin.
    right = 16 if far <= most else 66
    figure.update_layout(
        xaxis={
            "range": [max(low - 0.06 * room, 0.0) if unit == "share" else low - 0.06 * room, min(far, most)],
            "ticksuffix": PER_CENT if unit == "share" else "",
            "showgrid": True,
            "gridcolor": colours.grid,
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "range": [len(labels) - 0.5, -0.5],
            "showgrid": False,
        },
    )
    return finish(
        figure,
        escape(view.sentence(), 300),
        escape(view.subtitle(), 300),
        provenance,
        look,
        [Panel(ROW_HEIGHT * len(labels), "", (), escape(view.label))],
        left=left_margin(labels, look, titled=False),
        right=right,
    )
