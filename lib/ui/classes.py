"""Several classes: what each is answered with, and how its score stands against the rest."""

from __future__ import annotations

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_interval, format_value
from lib.metrics.catalogue import metric_named
from lib.metrics.estimates import Estimate
from lib.schema import VERSION
from lib.ui.html import Cell, Column, show_table
from lib.ui.overview import estimate_cell

SHOWN = ("recall", "precision", "f1", "roc_auc", "average_precision")
TAKEN_FOR = "The wrong answer that most of its rows get, and how many of them"


def show_classes(diagnosis: Diagnosis) -> None:
    """A row for each class of the candidate, the one with most violations first; nothing where there are two."""
    tables = diagnosis.class_tables(VERSION)
    against, rates = diagnosis.against_the_rest(VERSION), diagnosis.violation_rate_by_class(VERSION)
    names: list[str] = diagnosis.versions.groups[VERSION].tolist()
    if tables is None or against is None or diagnosis.settings.candidate not in names:
        return
    place = names.index(diagnosis.settings.candidate)
    metrics = [metric_named(name) for name in SHOWN]
    violations = metric_named("violation_rate")
    ranked = sorted(rates[place].items(), key=lambda pair: (not pair[1].is_defined, -pair[1].value))
    st.subheader(f"Each class of {diagnosis.settings.candidate}", anchor=False)
    show_table(
        [
            Column("Class"),
            Column("Rows"),
            *(Column(each.label, each.definition) for each in (violations, *metrics)),
            Column("Most taken for", TAKEN_FOR),
        ],
        [
            [
                Cell(name),
                Cell(format_count(against["recall"][place][name].n)),
                estimate_cell(rate, violations),
                *(estimate_cell(against[metric.name][place][name], metric) for metric in metrics),
                _taken_cell(*tables.taken_for[place][name]),
            ]
            for name, rate in ranked
        ],
    )


def _taken_cell(answer: str, share: Estimate) -> Cell:
    """The wrong answer that a class gets most, and how many of its rows do."""
    if not share.is_defined:
        return Cell("undefined", share.reason)
    if not answer:
        return Cell("none")
    around = format_interval(share.lower, share.upper, "share")
    return Cell(f"{answer}, {format_value(share.value, 'share')}", around)
