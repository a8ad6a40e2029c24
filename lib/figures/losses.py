"""Hinge against logistic: what each costs, what each still learns from, and where this data's margins lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_estimate, format_score, format_share
from lib.figures.frame import Panel, empty_figure, finish, key_item, left_margin, mark_vertical, paint, square
from lib.figures.histogram import Bars, Distribution
from lib.figures.text import name_of
from lib.figures.theme import DASH_MARKS, LOSS_DASHES, TEXT_SIZE, Look, fade
from lib.metrics.estimates import Estimate
from lib.metrics.loss_functions import LossCurves, LossFunction, loss_curve, loss_named
from lib.metrics.summary import Summary, compute_summary
from lib.schema import VERSION

CURVE_POINTS = 161
SHARES = ("zero_hinge_gradient_share", "logistic_gradient_share_from_correct")
LEAST_LOSS_SHOWN, MOST_LOSS_SHOWN = 3.0, 6.0


@dataclass(frozen=True, eq=False)
class LossesView:
    """What the Losses page shows.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        versions: those shown, baseline first.
        margin_target: γ.
        losses: the loss functions, hinge and logistic first.
        curves: losses and gradients over the margins of the axis.
        distribution: the margins that the data has, by version.
        summary: the gradient shares, by version.
    """

    baseline: str
    candidate: str
    versions: tuple[str, ...]
    margin_target: float
    losses: tuple[LossFunction, ...]
    curves: LossCurves
    distribution: Distribution
    summary: Summary

    @classmethod
    def of(cls, diagnosis: Diagnosis, others: Sequence[str] = ()) -> LossesView:
        """The view of a diagnosis, with other losses beside hinge and logistic."""
        settings = diagnosis.settings
        versions = diagnosis.shown_versions
        cells = diagnosis.cells(VERSION)
        cells = cells.where(np.isin(cells.groups[VERSION], versions))
        distribution = Distribution.of(cells, settings.margin_target)
        losses = tuple(loss_named(name) for name in dict.fromkeys(("hinge", "logistic", *others)))
        points = np.linspace(distribution.edges[0], distribution.edges[-1], CURVE_POINTS)
        kinks = [kink + side for kink in (0.0, settings.margin_target) for side in (-1e-9, 0.0)]
        return cls(
            baseline=settings.baseline,
            candidate=settings.candidate,
            versions=tuple(each for each in versions if each in set(cells.groups[VERSION].tolist())),
            margin_target=settings.margin_target,
            losses=losses,
            curves=loss_curve(np.unique([*points, *kinks]), losses, settings.margin_target),
            distribution=distribution,
            summary=compute_summary(cells, diagnosis.metric_settings, SHARES),
        )

    def share(self, name: str, version: str) -> Estimate:
        """One of `SHARES` for a version."""
        (place,) = np.flatnonzero(self.summary.groups[VERSION] == version)
        return self.summary[name][int(place)]

    @property
    def focus(self) -> str:
        """The version that sentences speak of."""
        return self.candidate if self.candidate in self.versions else self.versions[0]

    def answer(self) -> str:
        """What the page says, in one sentence (plain text)."""
        if not self.versions:
            return "No rows are left under this filter."
        done, correct = (self.share(name, self.focus) for name in SHARES)
        if not done.is_defined:
            return f"What the losses learn from is undefined: {done.reason}."
        sentence = (
            f"At γ = {self.margin_target:g}, hinge has stopped learning from {format_share(done.value, 0)} of the rows of "
            f"{self.focus}"
        )
        if not correct.is_defined:
            return f"{sentence}; the logistic gradient is undefined: {correct.reason}."
        return f"{sentence}; logistic still draws {format_share(correct.value, 0)} of its gradient from correct ones."


def plot_losses(view: LossesView, look: Look, provenance: str) -> go.Figure:
    """Losses over the margin, their gradients beneath, and under both the margins that the data has; one axis."""
    if not any(each.total for each in view.distribution.bars):
        return empty_figure("No labelled rows with a score: there are no margins to show.", provenance, look)
    colours, gamma = look.palette, view.margin_target
    figure = go.Figure()
    edges = view.distribution.edges
    low, high = float(edges[0]), float(edges[-1])
    for number in ("", "2", "3"):
        figure.add_shape(
            type="rect", xref=f"x{number}", yref=f"y{number} domain", x0=gamma, x1=high, y0=0, y1=1,
            fillcolor=colours.shade, line={"width": 0}, layer="below",
        )  # fmt: skip
        mark_vertical(figure, gamma, colours.soft_ink, number)
    for order, loss in enumerate(view.losses):
        style = {"color": colours.losses[loss.name], "width": 2.6 if order < 2 else 1.8, "dash": LOSS_DASHES[loss.name]}
        for axis, values, word in (("", view.curves.values[order], "loss"), ("2", view.curves.gradients[order], "gradient")):
            figure.add_scatter(
                x=view.curves.margins, y=values, xaxis=f"x{axis}", yaxis=f"y{axis}", mode="lines", line=style,
                name=loss.label, hovertemplate=f"{loss.label} {word} %{{y:.3f}} at margin %{{x:.2f}}<extra></extra>",
            )  # fmt: skip
    tops = [_add_bars(figure, bars, view, look) for bars in _in_order(view.distribution.bars, view.versions)]
    figure.add_annotation(
        text="γ = " + f"{gamma:g}", x=gamma, xref="x", y=1, yref="y domain", xanchor="right", yanchor="top", xshift=-4,
        showarrow=False, font={"color": colours.soft_ink, "size": TEXT_SIZE},
    )  # fmt: skip
    top = min(max(LEAST_LOSS_SHOWN, gamma - low), MOST_LOSS_SHOWN)
    figure.update_layout(
        xaxis={"range": [low, high]}, xaxis2={"range": [low, high]}, xaxis3={"range": [low, high]},
        yaxis={"range": [-0.06 * top, top], "title": {"text": "loss"}, "nticks": 5},
        yaxis2={"range": [-1.62 if len(view.losses) > 2 else -1.12, 0.12], "title": {"text": "gradient"}, "nticks": 5},
        yaxis3={"range": [0, 1.12 * max(tops)], "title": {"text": "share of rows"}, "tickformat": ".0%", "nticks": 4},
        barmode="overlay",
    )  # fmt: skip
    losses_key = tuple(
        key_item(colours.losses[loss.name], loss.label, DASH_MARKS[LOSS_DASHES[loss.name]]) for loss in view.losses
    )
    versions_key = tuple(
        square(
            look.version(each, view.baseline),
            f"{name_of(each)}: {format_share(view.share(SHARES[0], each).value, 0)} at or beyond γ",
        )
        for each in view.versions
    )
    done = view.share(SHARES[0], view.focus)
    title = f"Hinge has stopped learning from {format_share(done.value, 0)} of the rows of {name_of(view.focus)}"
    return finish(
        figure,
        title,
        " ".join((_rows_words(view.distribution.bars), "Shaded: margins at or beyond γ, hinge gradient zero.", view.distribution.clipped_words)),
        provenance,
        look,
        [
            Panel(150, "Loss of one row", losses_key),
            Panel(110, "Gradient: how hard that row still pushes"),
            Panel(130, "Margins in this data", versions_key, "margin m = y · score"),
        ],
        left=left_margin(["100%"], look),
    )  # fmt: skip


def _in_order(bars: Sequence[Bars], versions: Sequence[str]) -> list[Bars]:
    return [each for name in versions for each in bars if each.version == name]


def _rows_words(bars: Sequence[Bars]) -> str:
    counts = {each.version: each.total for each in bars}
    if len(set(counts.values())) == 1:
        return f"n = {format_count(next(iter(counts.values())))} labelled rows" + (" per version." if len(counts) > 1 else ".")
    listed = ", ".join(f"{format_count(total)} of {name_of(name)}" for name, total in counts.items())
    return f"n = {listed}, labelled rows."


def _add_bars(figure: go.Figure, bars: Bars, view: LossesView, look: Look) -> float:
    colour = look.version(bars.version, view.baseline)
    strong = bars.version != view.baseline or len(view.versions) == 1
    figure.add_bar(
        x=bars.centre, y=bars.share, width=bars.width, xaxis="x3", yaxis="y3", name=name_of(bars.version),
        marker={"color": fade(colour, 0.35 if strong else 0.55), "line": {"width": 0}},
        customdata=[[words, format_count(n), format_share(share)] for words, n, share in zip(bars.words(), bars.n, bars.share, strict=True)],
        hovertemplate=f"{name_of(bars.version)}<br>%{{customdata[0]}}<br>%{{customdata[1]}} rows, %{{customdata[2]}}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=np.append(bars.left, bars.right[-1]), y=np.append(bars.share, bars.share[-1]), xaxis="x3", yaxis="y3",
        mode="lines", line={"shape": "hv", "color": colour, "width": 2 if strong else 1.2}, hoverinfo="skip",
    )  # fmt: skip
    return float(np.nanmax(np.nan_to_num(bars.share), initial=1e-3))


def plot_gradient_shares(view: LossesView, look: Look, provenance: str) -> go.Figure:
    """Rows that hinge no longer learns from, and logistic gradient that comes from rows already right."""
    words = ("Rows with zero hinge gradient (m ≥ γ)", "Logistic gradient that comes from correct rows (m > 0)")
    figure = go.Figure()
    colours = look.palette
    panels: list[Panel] = []
    for place, (name, heading) in enumerate(zip(SHARES, words, strict=True)):
        number = "" if place == 0 else "2"
        for row, version in enumerate(view.versions):
            each = view.share(name, version)
            _add_interval(figure, each, len(view.versions) - 1 - row, version, view, look, number)
        figure.update_layout({
            f"xaxis{number}": {"range": [0, 1], "tickformat": ".0%", "showgrid": True},
            f"yaxis{number}": _version_axis(view.versions),
        })  # fmt: skip
        last = place == 1
        panels.append(Panel(30 * len(view.versions) + 10, heading, (), "share, with 95 % interval" if last else ""))
    if not view.versions:
        return empty_figure("No rows are left under this filter.", provenance, look)
    correct = view.share(SHARES[1], view.focus)
    title = (
        f"Logistic draws {format_share(correct.value, 0)} of its gradient from rows that {name_of(view.focus)} has right"
        if correct.is_defined
        else f"The share of the logistic gradient is undefined: {correct.reason}"
    )
    figure.update_layout(bargap=0.35, xaxis={"gridcolor": colours.grid})
    return finish(
        figure, title, _rows_words(view.distribution.bars), provenance, look, panels,
        left=left_margin([name_of(each) for each in view.versions], look, titled=False), right=24,
    )  # fmt: skip


def _version_axis(versions: Sequence[str]) -> dict[str, object]:
    return {
        "tickmode": "array",
        "tickvals": list(range(len(versions))),
        "ticktext": [name_of(each) for each in reversed(versions)],
        "range": [-0.6, len(versions) - 0.4],
        "showgrid": False,
    }


def _add_interval(
    figure: go.Figure, each: Estimate, row: int, version: str, view: LossesView, look: Look, number: str
) -> None:
    colour = look.version(version, view.baseline)
    if not each.is_defined:
        figure.add_annotation(
            text=paint(look.palette.faint_ink, f"undefined: {each.reason}"), x=0.01, y=row, xref=f"x{number}",
            yref=f"y{number}", xanchor="left", showarrow=False,
        )  # fmt: skip
        return
    figure.add_bar(
        x=[each.value], y=[row], orientation="h", width=0.6, xaxis=f"x{number}", yaxis=f"y{number}",
        marker={"color": fade(colour, 0.75), "line": {"width": 0}},
        error_x={
            "type": "data", "symmetric": False, "array": [_gap(each.upper, each.value)],
            "arrayminus": [_gap(each.value, each.lower)], "color": look.palette.ink, "thickness": 1.4, "width": 4,
        },
        hovertemplate=f"{name_of(version)}: {format_estimate(each, 'share')}, n = {format_count(each.n)}<extra></extra>",
    )  # fmt: skip
    inside = each.value > 0.5
    figure.add_annotation(
        text=f"<b>{format_share(each.value)}</b>", x=0 if inside else max(each.value, each.upper), y=row, xref=f"x{number}",
        yref=f"y{number}", xanchor="left", xshift=8, showarrow=False,
        font={"color": look.palette.paper if inside else look.palette.ink},
    )  # fmt: skip


def _gap(upper: float, lower: float) -> float:
    return max(upper - lower, 0.0) if np.isfinite(upper - lower) else 0.0
