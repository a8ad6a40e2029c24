"""Pairs and triplets: how far right and wrong answers are from what asks, and how much further the wrong ones are."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from lib.figures.theme import Look
from lib.figures.triplets_view import TripletsView
from lib.figures.value_bars import BarPanel, bars_frame, bars_of, plot_value_bars
from lib.metrics.value_bars import round_edges


def plot_pairs(view: TripletsView, look: Look, provenance: str) -> tuple[go.Figure, pd.DataFrame]:
    """Distances of pairs that belong together above those of pairs that do not, on one axis; the numbers behind."""
    sides = (
        {version: each.d_positive for version, each in view.found.items()},
        {version: each.d_negative for version, each in view.found.items()},
    )
    edges = round_edges([each for side in sides for each in side.values()])
    headings = "Pairs that belong together", "Pairs that do not"
    panels: list[BarPanel] = []
    frames: list[pd.DataFrame] = []
    for side, heading, title in zip(sides, headings, ("", f"{view.distance} distance"), strict=True):
        bars = bars_of(side, "d", edges)
        panels.append(BarPanel(heading, title, bars, tuple(look.version(each.version, view.baseline) for each in bars)))
        frames.append(bars_frame(bars, heading.lower()))
    figure = plot_value_bars("How far apart pairs are", view.pairs_words(), panels, look, provenance, noun="pairs")
    return figure, pd.concat(frames, ignore_index=True)


def plot_triplet_margins(view: TripletsView, look: Look, provenance: str) -> tuple[go.Figure, pd.DataFrame]:
    """How much further the wrong answer is than the right one, with the margin marked; the numbers behind."""
    bars = bars_of({version: each.triplet_margin for version, each in view.found.items()}, "triplet margin")
    colours = tuple(look.version(each.version, view.baseline) for each in bars)
    panel = BarPanel("", "triplet margin: d(anchor, wrong) − d(anchor, right)", bars, colours)
    figure = plot_value_bars(
        view.title(),
        "Left of 0 a wrong answer is nearer than the right one.",
        [panel],
        look,
        provenance,
        noun="triplets",
        marked=(view.margin, f"margin {view.margin:g}"),
    )
    return figure, bars_frame(bars, "triplet_margin")
