"""The three views of the Monitoring page: for who runs a model, who is called for it, and who mends it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.checks import CheckResult
from lib.checks.words import deploy_words
from lib.diagnose import Diagnosis
from lib.figures.features_view import EXPLAINS, RankingView
from lib.figures.format import format_change, format_count, format_plural, format_share, format_span, format_time
from lib.figures.frame import provenance_line
from lib.figures.monitoring import plot_monitoring
from lib.figures.monitoring_alerts import (
    MINUTE,
    also_words,
    burn_words,
    name_parts,
    pace_words,
    rule_words,
    tickets_words,
)
from lib.figures.monitoring_batches import Batches, plot_batches
from lib.figures.monitoring_parts import part_words
from lib.figures.monitoring_view import MonitoringView
from lib.figures.monitoring_words import ROWS_OF, mix_words, recovery_words, restored_words, retrain_words, time_words
from lib.figures.windows import plot_windows
from lib.figures.windows_view import WindowsView
from lib.metrics.catalogue import METRICS, metric_named
from lib.metrics.deploys import Recovery
from lib.metrics.incidents import SLIS
from lib.monitoring import Told, narrowed
from lib.scan import RowQuery, Scan, count_rows
from lib.ui import state
from lib.ui.cohorts import estimate_cell
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import findings_of
from lib.ui.html import Cell, Column, show_long_table, show_note, show_table
from lib.ui.ranking import show_ranking
from lib.ui.rows import offer_samples, show_rows

MOST_LISTED = 8
EXECUTIVE_METRICS = ("violation_rate", "average_hinge_loss", "recall")


def show_rate(view: MonitoringView, diagnosis: Diagnosis) -> None:
    """The rate with its objective, budget, alerts and deploys."""
    whole = diagnosis.with_settings(where=view.watched.where)
    figure = plot_monitoring(view, current_look(), provenance_line(whole))
    show_figure(figure, "monitoring-figure", name=f"monitoring-{view.metric}", table=view.frame())


def show_executive(view: MonitoringView, diagnosis: Diagnosis) -> None:
    """Objectives and what is left of them, incidents, whether to train anew, and the trends."""
    heads = [
        Column("Objective"),
        Column("Rate", "Over all labelled rows"),
        Column("Budget left", "What is left of the bad rows that the objective allows, at the end of the log"),
        Column("Pages", "Incidents that would have woken somebody"),
        Column("Tickets", "Incidents that would have waited for the morning; beneath, the tickets that go with a page"),
        Column("Missed for days", "H-M7: the share of the time in which it was missed for three days on end or longer"),
    ]
    show_table(heads, [_objective_row(view, told) for told in view.told])
    show_note(retrain_words(view))
    show_rate(view, diagnosis)
    # Of a rate over time there is its complement, where the rate itself is none of the metrics.
    drawn = {"error_rate": "accuracy", "miss_rate": "recall"}.get(view.metric, view.metric)
    trends = tuple(dict.fromkeys((drawn, *EXECUTIVE_METRICS)))
    show_metric(diagnosis, trends, "trend-figure", findings_of(diagnosis))


def _objective_row(view: MonitoringView, told: Told) -> list[Cell]:
    objective = told.objective
    rate = view.watched.rate(objective.metric, margin_target=objective.margin_target)
    left = float(told.budget_left[-1]) if len(told.budget_left) else float("nan")
    pages = [each for each in told.incidents if each.action == "page"]
    return [
        Cell(objective.name, f"at most {format_share(objective.at_most)}"),
        estimate_cell(rate),
        Cell(
            format_change(left, "share").removeprefix("+").replace("points", "%"),
            pace_words(view, told),
            "worse" if left < 0 else "",
        ),
        Cell(format_count(len(pages)), name_parts(tuple(dict.fromkeys(each.lead.part for each in pages))), wordy=True),
        Cell(format_count(len(told.incidents) - len(pages)), tickets_words(told), wordy=True),
        Cell(format_share(told.sustained_share)),
    ]


def show_on_call(view: MonitoringView, diagnosis: Diagnosis) -> None:
    """What is the matter now, for whom most, what was deployed, and what would have been told when."""
    show_rate(view, diagnosis)
    st.subheader("Now, and who is hit most", anchor=False)
    incident = view.incident
    has_incident = incident.found != "nothing"
    during = "After the deploy" if incident.found == "deploy" else "In the incident"
    end = format_time(int(view.watched.timeline().edges[-1]), MINUTE)
    heads = [Column("Rows"), Column("Last day", f"The day up to {end}, where the log ends")]
    heads += [Column(during, format_span(incident.start, incident.end, MINUTE))] if has_incident else []
    heads.append(Column("Before", "In the week up to the first deploy, or to the incident"))
    rows = [
        [
            Cell(part_words(each.part)),
            *map(estimate_cell, (each.last_day, *([each.incident] if has_incident else []), each.before)),
        ]
        for each in view.hit_most()
    ]
    show_long_table(heads, rows, MOST_LISTED, "part")
    _show_incidents(view)
    _show_deploys(view)
    _show_onsets(view)
    drifts = [f"{each.name}: {each.title}." for each in view.drifts]
    show_note(*(drifts or ["No check found a drift of scores, features, margins or labels."]))


def _show_incidents(view: MonitoringView) -> None:
    st.subheader("What would have been told", anchor=False)
    rows = [
        [
            Cell(held.action, told.objective.name),
            Cell(
                format_time(held.opened, MINUTE),
                "" if held.closed is None else f"to {format_time(held.closed, MINUTE)}",
                wordy=True,
            ),
            Cell(part_words(held.lead.part), also_words(held), wordy=True),
            Cell(burn_words(held), rule_words(held.lead.alert.rule), wordy=True),
        ]
        for told in view.told
        for held in told.incidents
    ]  # fmt: skip
    if rows:
        show_long_table([Column("Alert"), Column("Opened"), Column("Rows"), Column("Burn")], rows, MOST_LISTED, "alert")
    else:
        show_note("Nothing: no objective was burnt fast enough for long enough.")


def _show_deploys(view: MonitoringView) -> None:
    st.subheader(
        f"Deploys, and the {SLIS[view.metric].label.lower()} of {part_words(view.part)} around them", anchor=False
    )
    if not view.around:
        show_note("No version took over from another, and no policy lists a deploy.")
        return
    recoveries = {each.rollback: each for each in view.recoveries}
    canaries = {(each.name, each.until): each for each in view.watched.canaries}
    rows: list[list[Cell]] = []
    for each in reversed(view.around):
        deploy = each.deploy
        rows.append(
            [
                Cell(deploy.name, f"{deploy.kind}, {format_time(deploy.at, MINUTE)}"),
                estimate_cell(each.before),
                estimate_cell(each.after),
                estimate_cell(each.change, change=True),
                _restored_cell(recoveries.get(deploy)),
            ]
        )
        if canary := canaries.get((deploy.name, deploy.at)):
            began = f"canary, {format_time(canary.at, MINUTE)}, {format_share(canary.share, 0)} of rows"
            rows.append([Cell(deploy.name, began), *[Cell("")] * 4])
    heads = [
        Column("Deploy"),
        Column("Before", "Up to a week before, not beyond another deploy"),
        Column("After", "Up to a week after, not beyond another deploy"),
    ]
    restored = "Yes where surely at most a fifth of the rise is left a week after, beside a week before the deploy"
    show_long_table([*heads, Column("Change"), Column("Restored", restored)], rows, MOST_LISTED, "deploy")
    show_note(*(recovery_words(each) for each in view.recoveries[-MOST_LISTED:]))


def _restored_cell(recovery: Recovery | None) -> Cell:
    if recovery is None:
        return Cell("")
    return Cell(*restored_words(recovery), {"yes": "better", "no": "worse"}.get(recovery.restored, ""))


def _show_onsets(view: MonitoringView) -> None:
    st.subheader(f"When the {SLIS[view.metric].label.lower()} changed", anchor=False)
    if not view.onsets:
        search = "All times and parts are searched at once; around a deploy that is known a smaller change shows."
        nowhere = "At no time beyond what hour, weekday and chance make of it."
        show_note(nowhere, *([] if view.main_step is None else [search]))
        return
    rows = [
        [
            Cell(part_words(each.part), f"also {name_parts(each.others)}" if each.others else "", wordy=True),
            Cell(*time_words(each.change).removesuffix(")").split(" (", 1), wordy=True),
            estimate_cell(each.change.before),
            estimate_cell(each.change.after),
            Cell(deploy_words(view.watched.deploy_of(each.change)), mix_words(view, each), wordy=True),
        ]
        for each in view.onsets
    ]
    stretch = "Of the whole stretch from the change before to the one after, not of a week around a deploy"
    when = Column("When", "Beneath, its 95 % interval")
    heads = [Column("Rows"), when, Column("Before", stretch), Column("After", stretch), Column("Deploy")]
    show_long_table(heads, rows, MOST_LISTED, "change")


def show_debug(view: MonitoringView, diagnosis: Diagnosis) -> None:
    """Margins batch by batch, labels, what explains violations, and the rows themselves."""
    batches = Batches.of(diagnosis, view.part)
    figure = plot_batches(batches, current_look(), provenance_line(diagnosis))
    show_figure(figure, "batches-figure", name="margins-by-window", table=batches.frame())
    st.subheader("What explains violations", anchor=False)
    if diagnosis.features is None:
        show_note("Which features explain violations is read on the Features page; it then stands here too.")
        st.page_link(
            "pages/features.py", label="Read the features", icon=":material/tune:", query_params=state.current()
        )
    else:
        show_ranking(RankingView.of(diagnosis, EXPLAINS).rows[:MOST_LISTED], diagnosis)
    st.subheader("The rows", anchor=False)
    tables = diagnosis.tables
    if not isinstance(tables, Scan):
        show_note("Only saved cells are loaded: they hold counts, not rows.")
        return
    query = view.rows(diagnosis)
    total = count_rows(tables, query)
    when = format_span(view.incident.start, view.incident.end, MINUTE)
    show_note(
        f"{format_plural(total, 'violation')} of {part_words(view.part)}, {when}: {ROWS_OF[view.incident.found]}."
    )
    if view.incident.found == "nothing":
        whole = RowQuery(diagnosis.settings.where, margin_to=view.watched.margin_target)
        offer_samples(whole, "Violations of all times on Samples")
    if total:
        show_rows(tables, query, total, "incident rows")


def show_metric(diagnosis: Diagnosis, metrics: tuple[str, ...], key: str, findings: Sequence[CheckResult] = ()) -> None:
    """Any metrics over time, by version, and what a finding says of a time."""
    view = WindowsView.of(diagnosis, metrics, findings)
    if view is not None:
        figure = plot_windows(view, current_look(), provenance_line(diagnosis))
        show_figure(figure, key, name="trends", table=view.frame())


def choose_metric(diagnosis: Diagnosis, view: MonitoringView) -> None:
    """Any other metric over time, by version, of the rows that the sidebar chooses or one part of them."""
    settings, findings, part = diagnosis.metric_settings, findings_of(diagnosis), view.part
    names = [each.name for each in METRICS if each.is_of(settings) and each.name != view.metric]
    with st.container(horizontal=True):
        name = state.choose("over_time", "Another metric over time", names, default="average_hinge_loss", words=_label)
        if part.column:
            whose = {"all": "all rows", "part": part_words(part)}
            chosen = state.choose("over_time_of", "Of", list(whose), default="all", words=whose.__getitem__)
            if chosen == "part":
                where = narrowed(diagnosis.settings.where, part)
                diagnosis, findings = diagnosis.with_settings(where=where), ()
    show_metric(diagnosis, (name,), "metric-figure", findings)
    if diagnosis.is_compared:
        show_note(
            "Here, as on Home and Comparison, a version is taken over all its time; what a deploy did and a rollback "
            "restored is told of a week on each side."
        )


def _label(name: str) -> str:
    return metric_named(name).label
