"""Pieces of the Comparison page about all versions: small multiples, and cost against quality."""

from __future__ import annotations

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import format_loss, format_share
from lib.figures.frame import provenance_line
from lib.figures.versions import plot_serving, plot_versions
from lib.figures.versions_view import SHOWN, ServingView, VersionsView, price_words
from lib.metrics.catalogue import metric_named
from lib.ui import state
from lib.ui.cohorts import estimate_cell
from lib.ui.figure import current_look, show_figure
from lib.ui.html import Cell, Column, show_table


def show_versions(diagnosis: Diagnosis) -> None:
    """All versions, where there are more than two."""
    if len(diagnosis.facts.versions) < 3:
        return
    view = VersionsView.of(diagnosis)
    if not view.metrics:
        return
    st.subheader("All versions", anchor=False)
    figure = plot_versions(view, current_look(), provenance_line(diagnosis))
    show_figure(figure, "versions-figure", name="versions", table=view.frame())
    with st.expander("As a table"):
        show_table(
            [Column("Version"), *(Column(metric.label, metric.definition) for metric in view.metrics)],
            [
                [Cell(version), *(estimate_cell(view.numbers[m.name][place], m.unit) for m in view.metrics)]
                for place, version in enumerate(view.versions)
            ],
        )


def show_serving(diagnosis: Diagnosis) -> None:
    """Latency and cost of each version beside a metric, where there are such columns."""
    mapping = diagnosis.facts.mapping
    if diagnosis.facts.saved or not (mapping.latency or mapping.cost) or len(diagnosis.facts.versions) < 2:
        return
    st.subheader("Cost against quality", anchor=False)
    defined = [metric.name for metric in VersionsView.of(diagnosis).metrics]
    if not defined:
        return
    with st.container(horizontal=True):
        metric = state.choose(
            "quality",
            "Quality",
            [name for name in SHOWN if name in defined],
            default="accuracy",
            words=lambda name: metric_named(name).label,
        )
        with st.spinner("Reading latency and cost", show_time=True):
            view = ServingView.of(diagnosis, metric)
        if view is None:
            return
        prices = list(view.prices)
        price = state.choose("price", "Cost", prices, default=prices[-1], words=price_words)
    figure = plot_serving(view, price, diagnosis.settings.baseline, current_look(), provenance_line(diagnosis))
    show_figure(figure, "serving-figure", name="cost-against-quality", table=view.frame())
    front = view.on_front(price)
    show_table(
        [
            Column("Version"),
            Column(view.metric.label, view.metric.definition),
            *(Column(price_words(each)) for each in prices),
            Column("Unanswered", "Share of rows without a score"),
        ],
        [
            [
                Cell(version, "not beaten" if front[place] else "beaten in both"),
                estimate_cell(view.quality[place], view.metric.unit),
                *(_price(view, each, place) for each in prices),
                Cell(format_share(view.unanswered[place])),
            ]
            for place, version in enumerate(view.versions)
        ],
    )


def _price(view: ServingView, price: str, place: int) -> Cell:
    each = view.prices[price][place]
    if not each.is_defined:
        return Cell("undefined", each.reason)
    return Cell(format_loss(each.value), f"{format_loss(each.lower)} to {format_loss(each.upper)}")
