"""How well each group of a sensitive column can be told from the vectors."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.dots import add_dots
from lib.figures.format import format_count, format_interval, format_loss
from lib.figures.frame import Panel, finish, key_item, left_margin, mark_vertical
from lib.figures.leakage_view import LeakageView
from lib.figures.text import name_of, plain
from lib.figures.theme import TEXT_LINE, Look

APART = 0.16


def plot_groups(view: LeakageView, column: str, look: Look, provenance: str) -> go.Figure:
    """A dot for each group and version, with ½ and the floors of the mean as lines."""
    rows, figure, versions = view.groups(column), go.Figure(), list(view.found)
    for place, version in enumerate(versions):
        here = [row for row, each in enumerate(rows) if version in each.areas]
        areas = [rows[row].areas[version] for row in here]
        shift = 0.0 if len(versions) == 1 else APART * (1 - 2 * place)
        colour = look.version(version, view.baseline)
        add_dots(
            figure,
            areas,
            [row + shift for row in here],
            version,
            colour,
            look,
            factor=1,
            hovers=[
                [name_of(rows[row].value), format_loss(each.value), format_interval(each.lower, each.upper, "index"),
                 format_count(each.n)]
                for row, each in zip(here, areas, strict=True)
            ],
            template=f"<b>%{{customdata[0]}}</b> in {name_of(version)}<br>AUC %{{customdata[1]}} (%{{customdata[2]}})"
            "<br>n = %{customdata[3]}<extra></extra>",
        )  # fmt: skip
        mark_vertical(figure, view.found[version][column].area_floor, colour)
    mark_vertical(figure, 0.5, look.palette.axis, dash="solid")
    names = [name_of(plain(each.value, 24)) for each in rows]
    figure.update_layout(
        xaxis={"nticks": 6},
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "range": [-0.6, len(rows) - 0.4],
        },
    )
    keys = tuple(key_item(look.version(version, view.baseline), name_of(version), "●") for version in versions)
    return finish(
        figure,
        view.groups_title(column),
        "Each group against the rest, in held-out folds, with 95 % intervals. Dotted: what the mean of all groups "
        "stays below where the column is shuffled.",
        provenance,
        look,
        [Panel(max(30 * len(rows), 3 * TEXT_LINE), "", keys, "ROC AUC of the probe")],
        left=left_margin(names, look, titled=False),
    )
