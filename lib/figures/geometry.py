"""How vectors lie: their lengths, and how much of their variance lies along how many principal axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_score, format_share
from lib.figures.frame import Panel, finish, key_item, left_margin, mark_vertical
from lib.figures.geometry_view import MOST_VARIANCE, GeometryView
from lib.figures.text import name_of
from lib.figures.theme import Look
from lib.figures.value_bars import BarPanel, bars_frame, bars_of, plot_value_bars


def plot_norms(view: GeometryView, look: Look, provenance: str) -> tuple[go.Figure, pd.DataFrame]:
    """Lengths of the vectors of each version, and the numbers behind."""
    bars = bars_of({version: found.norms.length for version, found in view.found.items()}, "length")
    colours = tuple(look.version(each.version, view.baseline) for each in bars)
    panel = BarPanel("", "length (norm) of a vector", bars, colours)
    figure = plot_value_bars(
        view.norms_title(),
        "Rows with a value that is not finite are left out.",
        [panel],
        look,
        provenance,
    )
    return figure, bars_frame(bars, "length")


def plot_spectrum(view: GeometryView, look: Look, provenance: str) -> go.Figure:
    """The share of the variance in the first 1, 2, … principal axes, and the participation ratio as a dotted line."""
    figure, keys = go.Figure(), []
    most = max(len(found.spectrum.share) for found in view.found.values())
    for version, found in view.found.items():
        colour, spectrum = look.version(version, view.baseline), found.spectrum
        name = name_of(version)
        if spectrum.reason:
            keys.append(key_item(colour, f"{name}: undefined, {spectrum.reason}"))
            continue
        ratio = format_score(spectrum.participation_ratio)
        keys.append(key_item(colour, f"{name}, participation ratio {ratio}"))
        axes = np.arange(len(spectrum.share) + 1)
        share = np.append(0.0, spectrum.share)
        figure.add_scatter(
            x=axes,
            y=100 * share,
            mode="lines",
            line={"color": colour, "width": 2.2 if version != view.baseline else 1.6},
            customdata=[format_share(float(each)) for each in share],
            hovertemplate=f"<b>{name}</b><br>%{{customdata}} along the first %{{x}} axes<extra></extra>",
        )
        mark_vertical(figure, spectrum.participation_ratio, colour)
    figure.add_hline(y=100 * MOST_VARIANCE, line={"color": look.palette.axis, "width": 1})
    figure.update_layout(
        xaxis={"range": [0, most], "nticks": 8},
        yaxis={"range": [0, 103], "ticksuffix": PER_CENT, "nticks": 6, "title": {"text": "share of the variance"}},
    )
    return finish(
        figure,
        view.spectrum_title(),
        "Dotted: participation ratio, the number of even axes that would be as spread out.",
        provenance,
        look,
        [Panel(220, "", tuple(keys), "principal axes, the largest first")],
        left=left_margin(["100 %"], look),
    )
