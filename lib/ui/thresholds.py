"""The controls and tables of the Thresholds page."""

from __future__ import annotations

import html
import json
import math

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import format_change, format_count, format_interval, format_share, format_value
from lib.figures.frame import provenance_line
from lib.figures.text import MISSING
from lib.figures.thresholds import UNITS
from lib.figures.thresholds_view import (
    WORDS,
    HowChosen,
    Question,
    ThresholdsView,
    VersionThreshold,
    format_threshold,
    interval_words,
)
from lib.metrics.catalogue import Unit
from lib.metrics.classification import NO_POSITIVE_PREDICTIONS, NO_POSITIVES, Confusion
from lib.metrics.estimates import NO_SCORES, Estimate
from lib.metrics.parts import Counts
from lib.metrics.threshold_cohorts import SMALL_POSITIVES, CohortThreshold
from lib.metrics.thresholds import MEASURES, Costs, MeasureName
from lib.reports.json_values import as_plain
from lib.reports.thresholds import view_as_json
from lib.ui import state
from lib.ui.html import Cell, Column, show_note, show_table

HOW: dict[HowChosen, str] = {
    "threshold": "A threshold",
    "precision": "A precision",
    "recall": "A recall",
    "flagged_share": "A budget of flags",
    "cost": "What decisions cost",
    "equal_recall": "Equal recall of cohorts",
}
MEANINGS: dict[MeasureName, str] = {
    "precision": "Of flagged rows, how many are positive",
    "recall": "Of positive rows, how many are flagged",
    "f_beta": "Precision and recall in one number",
    "false_positive_rate": "Of negative rows, how many are flagged",
    "flagged_share": "Of all scored rows, labelled or not, how many are flagged",
    "expected_cost": "What a labelled row costs on average",
    "net_benefit": "TP/n − FP/n · p/(1 − p), p the threshold: what flagging brings beside flagging none, in positives",
}
A_DAY, OF_ROWS = "a day", "of the rows"


def ask(diagnosis: Diagnosis, of_class: str) -> Question:
    """The controls: how a threshold is found, its target, and what decisions cost."""
    known = [each for each in HOW if each != "equal_recall" or diagnosis.facts.cohorts]
    how: HowChosen = state.choose(  # type: ignore[assignment]
        "threshold_by", "Choose by", known, default="threshold", draw=st.segmented_control,
        words=lambda each: HOW[each],  # type: ignore[index]
    )  # fmt: skip
    given, target, a_day, column, costs = math.nan, math.nan, math.nan, "", Costs()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if how == "threshold":
            given = _ask_threshold(diagnosis, of_class)
        elif how == "precision":
            target = _ask_share("target_precision", "Precision to reach, %", 90.0)
        elif how in ("recall", "equal_recall"):
            target = _ask_share("target_recall", "Recall to reach, %", 90.0)
        elif how == "flagged_share":
            target, a_day = _ask_flags(diagnosis)
        else:
            costs = _ask_costs()
        if how == "equal_recall":
            column = state.choose(
                "threshold_cohorts", "Cohorts of", diagnosis.facts.cohorts, default=diagnosis.facts.cohorts[0]
            )
    with st.popover("Costs and β" if how != "cost" else "β", icon=":material/tune:", type="tertiary"):
        if how != "cost":
            costs = _ask_costs()
        beta = float(
            state.choose("beta", "β of F-beta: how many times as much recall counts as precision", ["0.5", "1", "2"],
                         default="1", draw=st.segmented_control)
        )  # fmt: skip
    return Question(how, given, target, a_day, costs, beta, column)


def _ask_share(name: str, label: str, default: float) -> float:
    return round(state.slide(name, label, 1.0, 99.5, 0.5, default=default) / 100, 6)


def _ask_threshold(diagnosis: Diagnosis, of_class: str) -> float:
    topic = diagnosis.thresholds(of_class)
    parts = [topic.decisions(version) for version in diagnosis.shown_versions]
    resolution = max((part.resolution for part in parts), key=lambda each: each.order)
    if topic.is_probability:
        step = 0.005 if resolution.is_exact else {300: 0.01, 60: 0.05}.get(resolution.probability_steps, 0.5)
        return state.slide("threshold", "Flag above (probability)", step, 1 - step, step, default=0.5)
    ends = [end for part in parts if len(part.threshold) > 1 for end in part.threshold[[1, -1]].tolist()]
    step = max(resolution.step, 0.02)
    low, high = (math.floor(min(ends, default=-1.0) / step) * step, math.ceil(max(ends, default=1.0) / step) * step)
    return state.slide("threshold", "Flag above (score)", low, max(high, low + step), step, default=0.0)


def _ask_flags(diagnosis: Diagnosis) -> tuple[float, float]:
    unit = OF_ROWS
    if diagnosis.facts.windows is not None:
        unit = state.choose("flags_unit", "Flags", [OF_ROWS, A_DAY], default=OF_ROWS, draw=st.segmented_control)
    if unit == A_DAY:
        found = state.number("flags_a_day", "Flags a day", 1.0, placeholder="100", min_value=0.0)
        return math.nan, 100.0 if found is None else found
    return round(state.slide("flags", "Rows to flag at most, %", 0.5, 99.5, 0.5, default=5.0) / 100, 6), math.nan


def _ask_costs() -> Costs:
    asked = {
        "cost_of_alarm": ("A false alarm costs", 1.0),
        "cost_of_miss": ("A miss costs", 1.0),
        "gain_of_hit": ("A caught positive gains", 0.0),
    }
    found: list[float] = []
    for name, (label, usual) in asked.items():
        value = state.number(name, label, 1.0, placeholder=f"{usual:g}", min_value=0.0)
        found.append(usual if value is None else value)
    if sum(found) <= 0:
        show_note("Decisions that cost nothing cannot be weighed: a false alarm and a miss cost 1 each here.")
        return Costs()
    return Costs(*found)


def show_measures(view: ThresholdsView) -> None:
    """Every measure at the threshold of each version, with its interval."""
    heads = [Column("Version"), Column("Threshold", "Rows whose score is above it are flagged")]
    names: list[MeasureName] = [name for name in MEASURES if name != "net_benefit" or view.scale == "probability"]
    heads += [Column(f"F{view.question.beta:g}" if name == "f_beta" else WORDS[name], MEANINGS[name]) for name in names]
    show_table(heads, [_measures_row(view, each, names) for each in view.chosen])


def _measures_row(view: ThresholdsView, each: VersionThreshold, names: list[MeasureName]) -> list[Cell]:
    if math.isnan(each.threshold.value):
        return [Cell(each.version), Cell("none", each.reason), *(Cell("") for _name in names)]
    threshold = Cell(format_threshold(each.threshold.value, view.scale), interval_words(each.threshold, view.scale))
    if not each.measures:
        return [Cell(each.version), threshold, *(Cell("undefined", each.reason) for _name in names)]
    return [Cell(each.version), threshold, *(measure_cell(each.measures[name], UNITS[name]) for name in names)]


def measure_cell(each: Estimate, unit: Unit) -> Cell:
    """A measure with its interval, or why there is none."""
    if not each.is_defined:
        return Cell("undefined", each.reason)
    return Cell(format_value(each.value, unit), format_interval(each.lower, each.upper, unit))


def pos_label(diagnosis: Diagnosis) -> str:
    """The name of the positive class; "" without labels."""
    encoding = diagnosis.facts.mapping.label_encoding
    return "" if encoding is None else encoding.pos_label


def show_confusion(view: ThresholdsView, positive: str) -> None:
    """The confusion matrix of each version: rows, and their share of the labelled ones."""
    shown = [(each.version, each.table) for each in view.chosen if each.table is not None]
    if not shown:
        return
    rows: list[list[Cell]] = []
    for version, table in shown:
        n = float(table.whole.n[0])
        cells = [
            [Cell(f"{version}: {what}"), *(_count_cell(float(part.n[0]), n) for part in parts)]
            for what, parts in (
                ("flagged", (table.true_positive, table.false_positive)),
                ("not flagged", (table.false_negative, table.true_negative)),
            )
        ]
        rows += cells
    name = f" ({positive})" if positive else ""
    show_table([Column("Decision"), Column(f"Positive{name}"), Column("Negative")], rows)


def _count_cell(count: float, n: float) -> Cell:
    return Cell(format_count(count), format_share(count / n) if n else "")


def show_cohorts(view: ThresholdsView) -> None:
    """The candidate's cohorts: each one's threshold for equal recall, and what that changes."""
    equal = view.equal
    if equal is None:
        return
    st.subheader(f"A threshold for each cohort of {view.candidate}", anchor=False)
    if equal.reason:
        show_note(f"No thresholds can be chosen here: {equal.reason}.")
        return
    heads = [
        Column(view.question.column),
        Column("Positive rows"),
        Column("Own threshold", "The threshold at which this cohort has the recall asked for, with its 95 % interval"),
        *(Column(f"{word} {when}") for word in ("Recall", "Precision", "Flagged") for when in ("now", "then")),
    ]
    rows = [_cohort_row(view, each) for each in equal.cohorts]
    rows.append(
        [
            Cell("All rows"),
            Cell(format_count(float((equal.now[0].true_positive + equal.now[0].false_negative).n[0]))),
            Cell("one each", f"now {format_threshold(equal.common.threshold.value, view.scale)} for all"),
            *_now_and_then(equal.now, equal.then),
        ]
    )
    show_table(heads, rows)
    show_note(
        "Now: one threshold for all, chosen for that recall. Then: each cohort its own. Both on rows that did not "
        f"choose. A cohort with fewer than {SMALL_POSITIVES} positive rows keeps the threshold of all."
    )


def _cohort_row(view: ThresholdsView, each: CohortThreshold) -> list[Cell]:
    threshold = each.choice.threshold
    own = Cell(format_threshold(threshold.value, view.scale), interval_words(threshold, view.scale))
    if each.keeps:
        own = Cell("that of all", each.choice.reason or "too few positive rows")
    positives = float((each.now.true_positive + each.now.false_negative).n[0])
    now = each.now, each.now_flagged
    return [Cell(each.value or MISSING), Cell(format_count(positives)), own, *_now_and_then(now, each.then)]


def _now_and_then(now: tuple[Confusion, Counts], then: tuple[Confusion, Counts]) -> list[Cell]:
    cells: list[Cell] = []
    before, after = ([*_three(pair)] for pair in (now, then))
    for first, second in zip(before, after, strict=True):
        change = second.value - first.value
        tail = Cell(format_share(second.value), format_change(change, "share") if change == change else "")
        cells += [measure_cell(first, "share"), tail if second.is_defined else Cell("undefined", second.reason)]
    return cells


def _three(pair: tuple[Confusion, Counts]) -> tuple[Estimate, Estimate, Estimate]:
    table, flagged = pair
    return (
        table.recall.estimates(NO_POSITIVES)[0],
        table.precision.estimates(NO_POSITIVE_PREDICTIONS)[0],
        flagged.estimates(NO_SCORES)[0],
    )


def offer_choice(diagnosis: Diagnosis, view: ThresholdsView) -> None:
    """A button for the thresholds as JSON, with how they were found and where they come from."""
    st.download_button(
        "JSON",
        data=lambda: choice_text(diagnosis, view),
        file_name="thresholds.json",
        mime="application/json",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="The thresholds, how they were found, and what they do to rows that did not choose them",
    )


def choice_text(diagnosis: Diagnosis, view: ThresholdsView) -> str:
    """What the button gives."""
    whole = {**view_as_json(view), "provenance": html.unescape(provenance_line(diagnosis))}
    return json.dumps(as_plain(whole), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
