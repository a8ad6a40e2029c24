"""Hinge and logistic fits of the user's own rows: the plane with lines, margins and support vectors, and two curves."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.fit_lab_view import LOSSES, FitLabView
from lib.figures.format import PER_CENT, format_count, format_loss, format_score, format_share
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin
from lib.figures.histogram import add_bars, highest_bar, mark_margin_target, name_margin_target
from lib.figures.theme import Look, fade
from lib.metrics.fit_lab import LossName

SIDES = ((-1, "negative class", "circle", "●"), (1, "positive class", "diamond", "◆"))
WORDS = {"hinge": "Hinge", "logistic": "Logistic"}
SCORES = {"hinge": "score ±1, the margins", "logistic": "log odds ±1 (p = 0.27 and 0.73)"}


def plot_plane(view: FitLabView, loss: LossName, look: Look) -> go.Figure:
    """The training rows in the plane, with where the fit changes its mind; of hinge what it rests on is ringed."""
    figure, colours = go.Figure(), look.palette
    fits, fit = view.answer.lab.fits, view.fit(loss)
    plane, label, shown = fits.plane, view.answer.drawn.rows.label[view.answer.drawn.rows.is_train], view.shown
    margin = label * fit.score[view.answer.drawn.rows.is_train]
    resting = np.zeros(len(label), np.bool_)
    resting[fits.support] = True
    for place, (side, words, symbol, _mark) in enumerate(SIDES):
        for ringed in (False, True) if loss == "hinge" else (False,):
            here = shown[(label[shown] == side) & (resting[shown] if ringed else True)]
            colour = colours.classes[place]
            figure.add_scatter(
                x=plane.points[here, 0],
                y=plane.points[here, 1],
                mode="markers",
                marker={"symbol": "circle-open", "size": 9, "color": fade(colours.ink, 0.55), "line": {"width": 0.8}}
                if ringed
                else {"symbol": symbol, "size": 5.5, "color": fade(colour, 0.85)},
                hoverinfo="skip" if ringed else None,
                customdata=None if ringed else [format_score(each) for each in margin[here]],
                hovertemplate=None if ringed else f"{words}, margin %{{customdata}}<extra></extra>",
            )
    line = colours.losses[loss]
    for start, dash, width in ((0.0, "solid", 2.4), (-1.0, "dash", 1.6)) if fit.grid.size else ():
        figure.add_contour(
            x=plane.grid_x,
            y=plane.grid_y,
            z=np.round(fit.grid, 4),
            contours={"start": start, "end": -start, "size": 2.0, "coloring": "none"},
            line={"color": line, "width": width, "dash": dash},
            showscale=False,
            hoverinfo="skip",
        )
    across, up = view.axes
    figure.update_layout(
        xaxis={"range": [plane.grid_x[0], plane.grid_x[-1]], "nticks": 6},
        yaxis={"range": [plane.grid_y[0], plane.grid_y[-1]], "nticks": 6, "title": {"text": up}},
    )
    key = [key_item(colours.classes[place], words, mark) for place, (_side, words, _symbol, mark) in enumerate(SIDES)]
    if loss == "hinge":
        key.append(key_item(colours.ink, "support vector", "○"))
    if fit.grid.size:
        key += [key_item(line, "score 0"), key_item(line, SCORES[loss], "╍╍")]
    count = f"n = {format_count(len(label))} training rows"
    if len(shown) + view.n_beyond < len(label):
        count += f", {format_count(len(shown))} of them drawn"
    beyond = f"{format_count(view.n_beyond)} lie beyond the axes." if view.n_beyond else ""
    ticks = [format_loss(float(each)) for each in (plane.grid_y[0], plane.grid_y[-1])]
    return finish(
        figure,
        _plane_title(view, loss),
        f"{view.plane_words(loss)} {count}. {beyond}".strip(),
        view.provenance,
        look,
        [Panel(340, "", tuple(key), across)],
        left=left_margin(ticks, look),
    )


def _plane_title(view: FitLabView, loss: LossName) -> str:
    if loss == "hinge":
        n = len(view.answer.lab.fits.support)
        return f"Hinge rests on {format_count(n)} of {format_count(view.n_train)} rows: the support vectors"
    return f"Logistic is shaped by each of the {format_count(view.n_train)} rows, least by the surest"


def plot_lab_margins(view: FitLabView, look: Look) -> go.Figure:
    """The margins of the test rows under both fits, over each other."""
    figure, colours, gamma = go.Figure(), look.palette, view.margin_target
    edges = view.distribution.edges
    low, high = float(edges[0]), float(edges[-1])
    mark_margin_target(figure, gamma, (low, gamma), fade(colours.wrong, 0.055), "", look)
    for bars in view.distribution.bars:
        add_bars(figure, bars, colours.losses[bars.version], "", strong=bars.version == "logistic")
    name_margin_target(figure, gamma, look)
    highest = max(map(highest_bar, view.distribution.bars))
    figure.update_layout(
        xaxis={"range": [low, high]},
        yaxis={"range": [0, 1.14 * highest], "ticksuffix": PER_CENT, "nticks": 6, "title": {"text": "share of rows"}},
        barmode="overlay",
    )
    rates = {loss: view.judged(loss).metrics(gamma)["violation_rate"] for loss in LOSSES}
    key = tuple(
        key_item(colours.losses[loss], f"{WORDS[loss]}: {format_share(rates[loss].value)} below γ", "■")
        for loss in LOSSES
    )
    subtitle = (
        f"n = {format_count(view.n_test)} test rows. Hinge's score is in units of its margin, logistic's in log odds: "
        f"compare the shapes. {view.distribution.clipped_words}"
    )
    title = f"Of the test rows {' and '.join(f'{format_share(rates[loss].value)} under {loss}' for loss in LOSSES)} "
    return finish(
        figure,
        f"{title}lie below the margin target",
        subtitle.strip(),
        view.provenance,
        look,
        [Panel(220, "", key, "margin m = y · score")],
        left=left_margin(["10.5 %"], look),
    )


def plot_lab_reliability(view: FitLabView, look: Look) -> go.Figure:
    """The isotonic reliability curves of both fits on the test rows, with the band of a calibrated model."""
    found = {loss: calibration for loss in LOSSES if (calibration := view.judged(loss).calibration) is not None}
    if not found:
        return empty_figure("There are no probabilities to judge", view.provenance, look)
    figure, colours = go.Figure(), look.palette
    figure.add_scatter(
        x=[0, 1],
        y=[0, 100],
        mode="lines",
        hoverinfo="skip",
        line={"color": colours.soft_ink, "width": 1, "dash": "dot"},
    )
    for loss, calibration in found.items():
        curve = calibration.curve
        if curve is None:
            continue
        figure.add_scatter(
            x=np.concatenate([curve.probability, curve.probability[::-1]]),
            y=100 * np.concatenate([curve.upper, curve.lower[::-1]]),
            fill="toself",
            **band(colours.losses[loss], 0.12),
        )
        figure.add_scatter(
            x=curve.probability,
            y=100 * curve.positive_share,
            mode="lines" if len(curve.probability) > 1 else "markers",
            line={"color": colours.losses[loss], "width": 2.2, "simplify": False},
            name=WORDS[loss],
            hovertemplate=f"{WORDS[loss]}: p = %{{x:.3f}}, %{{y:.1f}}{PER_CENT} positive<extra></extra>",
        )
    figure.update_layout(
        xaxis={"range": [-0.01, 1.01], "nticks": 6},
        yaxis={"range": [-2, 102], "nticks": 6, "ticksuffix": PER_CENT, "title": {"text": "share of positives"}},
    )
    errors = {loss: each.errors["expected_calibration_error"] for loss, each in found.items()}
    key = tuple(
        key_item(
            colours.losses[loss],
            f"{WORDS[loss]}{' (Platt)' if loss == 'hinge' else ''}: ECE {format_loss(each.estimate.value)}, "
            f"by chance up to {format_loss(each.floor)}",
        )
        for loss, each in errors.items()
    )
    off = [loss for loss, each in errors.items() if each.estimate.value > each.floor]
    those = f"those of {' and '.join(off)} are" if off else "neither fit's are"
    return finish(
        figure,
        f"Probabilities: {those} further off than chance would have it",
        f"n = {format_count(view.n_test)} test rows. Bands: where a calibrated model's curve lies in 95 % of samples.",
        view.provenance,
        look,
        [Panel(260, "", key, "p, the probability of the positive class")],
        left=left_margin(["100 %"], look),
    )
