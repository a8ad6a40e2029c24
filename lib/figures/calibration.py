"""Calibration: the isotonic reliability diagram with its band, the binned one, the scores, and the parts of losses."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.calibration_view import EQUAL_WIDTH, SCORE_WORDS, CalibrationView
from lib.figures.calibration_words import RIGHT
from lib.figures.dots import add_dots, add_marks
from lib.figures.format import PER_CENT, format_count, format_interval, format_loss, format_plural, format_share
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin, paint, square
from lib.figures.text import escape, name_of
from lib.figures.theme import Look, fade
from lib.metrics.forecasts import Forecasts
from lib.metrics.reliability import ReliabilityBins

HISTOGRAM_BARS = 30


def plot_reliability(view: CalibrationView, look: Look, provenance: str) -> go.Figure:
    """The isotonic fit of each version with the band in which that of a calibrated model lies, and the scores."""
    if view.nothing:
        return empty_figure(escape(view.answer(), 400), provenance, look)
    figure = go.Figure()
    _add_diagonal(figure, look)
    for version in view.versions:
        curve, colour = view.calibrations[version].curve, look.version(version, view.baseline)
        if curve is None:
            continue
        x = np.concatenate([curve.probability, curve.probability[::-1]])
        y = np.concatenate([curve.upper, curve.lower[::-1]])
        figure.add_scatter(x=x, y=100 * y, fill="toself", **band(colour, 0.16))
    for version in view.versions:
        curve, colour = view.calibrations[version].curve, look.version(version, view.baseline)
        if curve is None:
            continue
        figure.add_scatter(
            x=curve.probability,
            y=100 * curve.positive_share,
            mode="lines" if len(curve.probability) > 1 else "markers",
            name=name_of(version),
            line={"color": colour, "width": 2.2, "simplify": False},
            customdata=[
                [f"{p:.3f}", format_share(share), format_interval(low, high, "share")]
                for p, share, low, high in zip(
                    curve.probability, curve.positive_share, curve.lower, curve.upper, strict=True
                )
            ],
            hovertemplate=f"<b>{name_of(version)}</b><br>p = %{{customdata[0]}}: %{{customdata[1]}} {view.words.came}"
            "<br>if calibrated %{customdata[2]}<extra></extra>",
        )
    key = [
        key_item(look.version(each, view.baseline), f"{name_of(each)}: {view.words.share}") for each in view.versions
    ]
    key.append(square(fade(look.palette.soft_ink, 0.5), "where a calibrated model's curve lies in 95 % of files"))
    said = "Isotonic (CORP) reliability diagram: no bins to choose."
    return _finished(figure, view, escape(view.sentence(), 400), said, tuple(key), look, provenance)


def plot_bins(view: CalibrationView, n_bins: int, by: str, look: Look, provenance: str) -> go.Figure:
    """Mean p against the share of positives in each bin, with Wilson's intervals, and the scores."""
    figure = go.Figure()
    _add_diagonal(figure, look)
    far, total = 0, 0
    for version in view.versions:
        bins = view.bins(version, n_bins, by)
        colour = look.version(version, view.baseline)
        filled = np.flatnonzero(bins.n > 0)
        off = (bins.mean_probability < bins.lower) | (bins.mean_probability > bins.upper)
        if version == view.focus:
            far, total = int(off[filled].sum()), len(filled)
        figure.add_scatter(
            x=bins.mean_probability[filled],
            y=100 * bins.positive_share[filled],
            mode="markers",
            name=name_of(version),
            marker={"size": 8, "color": colour, "line": {"width": 1, "color": look.palette.paper}},
            error_y={
                "type": "data",
                "symmetric": False,
                "thickness": 1.6,
                "width": 0,
                "color": colour,
                "array": 100 * (bins.upper - bins.positive_share)[filled],
                "arrayminus": 100 * (bins.positive_share - bins.lower)[filled],
            },
            customdata=[_bin_words(bins, int(place)) for place in filled],
            hovertemplate=f"<b>{name_of(version)}</b><br>%{{customdata[0]}}, mean %{{customdata[1]}}"
            f"<br>%{{customdata[2]}} {view.words.came} (%{{customdata[3]}})<br>n = %{{customdata[4]}}<extra></extra>",
        )
    key = tuple(key_item(look.version(each, view.baseline), name_of(each), "●") for each in view.versions)
    kind = "equal width, left-closed, the last closed" if by == EQUAL_WIDTH else "equal mass"
    title = (
        f"In {far} of {format_plural(total, 'bin')} of {name_of(view.focus)} the interval of the share leaves p out; "
        "one in twenty does so by chance"
    )
    return _finished(figure, view, title, f"Bins of {kind}; 95 % intervals (Wilson).", key, look, provenance)


def _bin_words(bins: ReliabilityBins, place: int) -> list[str]:
    return [
        f"p from {bins.left[place]:.3f} to {bins.right[place]:.3f}",
        f"{bins.mean_probability[place]:.3f}",
        format_share(bins.positive_share[place]),
        format_interval(bins.lower[place], bins.upper[place], "share"),
        format_count(bins.n[place]),
    ]


def _add_diagonal(figure: go.Figure, look: Look) -> None:
    figure.add_scatter(
        x=[0, 1],
        y=[0, 100],
        mode="lines",
        hoverinfo="skip",
        line={"color": look.palette.soft_ink, "width": 1, "dash": "dot"},
    )


def _finished(
    figure: go.Figure, view: CalibrationView, title: str, said: str, key: tuple[str, ...], look: Look, provenance: str
) -> go.Figure:
    """The scores beneath, the axes and the frame."""
    highest = 0.1
    for order, version in enumerate(view.versions):
        forecasts = view.calibrations[version].forecasts
        assert forecasts is not None
        strong = order > 0 or len(view.versions) == 1
        highest = max(highest, _add_histogram(figure, forecasts, version, view, look, strong=strong))
    figure.update_layout(
        xaxis={"range": [-0.01, 1.01], "nticks": 6},
        xaxis2={"range": [-0.01, 1.01], "nticks": 6},
        yaxis={"range": [-2, 102], "title": {"text": view.words.share}, "ticksuffix": PER_CENT, "nticks": 6},
        yaxis2={
            "range": [0, 1.1 * highest],
            "title": {"text": "rows"},
            "ticksuffix": PER_CENT,
            "nticks": 3,
        },
        barmode="overlay",
    )
    counts = [f"{format_count(view.calibrations[each].slope.n)} of {name_of(each)}" for each in view.versions]
    of_class = f"Class {name_of(view.class_name)} against the rest. " if view.class_name else ""
    of_class = "Top label: the probability of the class that is answered. " if view.words is RIGHT else of_class
    marked = f" Probabilities are {view.marked}." if view.marked else ""
    return finish(
        figure,
        title,
        f"{of_class}{said} n = {', '.join(counts)}, labelled rows.{marked}",
        provenance,
        look,
        [
            Panel(260 if look.is_narrow else 330, "", key),
            Panel(70, "How often each p is given", (), view.words.probability),
        ],
        left=left_margin(["100 %"], look),
    )


def _add_histogram(
    figure: go.Figure, forecasts: Forecasts, version: str, view: CalibrationView, look: Look, *, strong: bool
) -> float:
    """Bars of the scores of one version; returns the highest, in per cent."""
    share = forecasts.shares_by_width(HISTOGRAM_BARS)
    edges = np.linspace(0, 1, HISTOGRAM_BARS + 1)
    colour = look.version(version, view.baseline)
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=100 * share,
        width=1 / HISTOGRAM_BARS,
        xaxis="x2",
        yaxis="y2",
        marker={"color": fade(colour, 0.32 if strong else 0.55), "line": {"width": 0}},
        customdata=[
            [f"{low:.3f} ≤ p < {high:.3f}", format_share(each)]
            for low, high, each in zip(edges[:-1], edges[1:], share, strict=True)
        ],
        hovertemplate=f"<b>{name_of(version)}</b><br>%{{customdata[0]}}: %{{customdata[1]}} of rows<extra></extra>",
    )
    figure.add_scatter(
        x=edges,
        y=100 * np.append(share, share[-1]),
        xaxis="x2",
        yaxis="y2",
        mode="lines",
        hoverinfo="skip",
        line={"shape": "hv", "color": colour, "width": 2 if strong else 1.2},
    )
    return float(100 * share.max(initial=0.0))


def plot_parts(view: CalibrationView, look: Look, provenance: str) -> go.Figure:
    """Miscalibration, discrimination and uncertainty of Brier score and log loss, one panel each."""
    figure = go.Figure()
    panels: list[Panel] = []
    rows = list(dict.fromkeys(name for name, _each, _floor in view.parts_of(view.focus, "brier")))
    place = {name: len(rows) - 1 - order for order, name in enumerate(rows)}
    shift = 0.16 if len(view.versions) > 1 else 0.0
    for order, (score, words) in enumerate(SCORE_WORDS.items()):
        number = "" if order == 0 else str(order + 1)
        ends = [0.0]
        for which, version in enumerate(view.versions):
            colour, parts = look.version(version, view.baseline), view.parts_of(version, score)
            y = [place[name] + (shift if which == 0 else -shift) for name, _each, _floor in parts]
            ends += [max(each.value, each.upper) for _name, each, _floor in parts]
            add_dots(
                figure,
                [each for _name, each, _floor in parts],
                y,
                version,
                colour,
                look,
                factor=1.0,
                hovers=[
                    [name, format_loss(each.value), format_interval(each.lower, each.upper, "loss")]
                    for name, each, _floor in parts
                ],
                template=f"<b>{name_of(version)}</b><br>%{{customdata[0]}} %{{customdata[1]}} (%{{customdata[2]}})"
                "<extra></extra>",
                axes=number,
            )
            add_marks(figure, [floor for _name, _each, floor in parts], y, colour, number)
        figure.update_layout(
            {
                f"xaxis{number}": {"range": [0, 1.06 * max(ends) or 1.0], "nticks": 6, "showgrid": True},
                f"yaxis{number}": {
                    "tickmode": "array",
                    "tickvals": [place[name] for name in rows],
                    "ticktext": rows,
                    "range": [-0.6, len(rows) - 0.4],
                    "showgrid": False,
                },
            }
        )
        totals = " · ".join(f"{name_of(each)} {format_loss(view.score_of(each, score))}" for each in view.versions)
        panels.append(Panel(96, f"{words} = miscalibration − discrimination + uncertainty: {totals}", (), words))
    key = tuple(key_item(look.version(each, view.baseline), name_of(each), "●") for each in view.versions)
    key += (f"{paint(look.palette.soft_ink, '┃')} noise floor: what a calibrated model exceeds in 5 % of files",)
    panels[0] = Panel(panels[0].height, panels[0].heading, key, panels[0].x_title)
    miss, floor = view.parts_of(view.focus, "brier")[0][1:]
    score = view.score_of(view.focus, "brier")
    title = (
        f"Miscalibration makes {format_share(miss.value / score if score else 0.0, 0)} of the Brier score of "
        f"{name_of(view.focus)}"
    )
    if miss.value <= floor:
        title += ", no more than chance does"
    return finish(
        figure,
        title,
        f"Dots with 95 % intervals. Discrimination is what the score knows beyond the {view.words.share}.",
        provenance,
        look,
        panels,
        left=left_margin(rows, look, titled=False) + 4,
        right=20,
    )
