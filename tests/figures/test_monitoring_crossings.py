"""Monitoring where two cohorts cross, which only a finding names; windows as wide as the rows need."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from scipy.special import expit

from lib.checks import BEGAN, CheckResult, Severity, Status, Where, first_rate, run_checks
from lib.diagnose import Diagnosis
from lib.figures.monitoring import plot_monitoring
from lib.figures.monitoring_batches import Batches, plot_batches
from lib.figures.monitoring_lines import line_of
from lib.figures.monitoring_parts import led_by
from lib.figures.monitoring_view import MonitoringView
from lib.figures.monitoring_words import answer, first_words, width_words
from lib.figures.theme import Look
from lib.metrics.incidents import Part
from lib.monitoring import ALL
from lib.schema import Filter
from tests.checks.crossed import DAY, DEPLOYED, crossed_world
from tests.checks.tables import diagnose


def crossed(n: int = 9_000) -> Diagnosis:
    return diagnose(crossed_world(n), ("tenant", "channel"))


CROSSING = Part("tenant", "b", (("channel", "web"),))


def found_in(part: Part, version: str | None = "v2") -> CheckResult:
    where = Where(dict(part.cohorts))
    return CheckResult(
        "H-F9", "cohort-disparity", Status.WARN, Severity.WARNING, version, where, "More", {}, "", "", "cohorts"
    )


def test_where_cohorts_cross_the_rows_of_a_finding_are_a_part() -> None:
    diagnosis = crossed()
    watched = diagnosis.watched()
    plain = MonitoringView.of(diagnosis, watched, watched.usual_objectives, ())
    assert plain.crossings == ()
    assert not any(each.part.is_crossing for each in plain.onsets)
    view = MonitoringView.of(diagnosis, watched, watched.usual_objectives, [found_in(CROSSING), found_in(CROSSING)])
    assert view.crossings == (CROSSING,)
    assert view.main_onset is not None
    assert (view.main_onset.part, view.part) == (CROSSING, CROSSING)
    assert abs(view.main_onset.change.at - DEPLOYED) <= DAY
    assert view.finding_of(view.main_onset) is view.results[0]
    words = "tenant = b and channel = web"
    assert answer(view).startswith(f"Violation rate of {words} rose from ")
    assert "when v2 was deployed; see the finding (cohort-disparity)" in answer(view)
    # Counted by the filter, it is what the cells of both columns hold.
    cells = diagnosis.cells("cohort:tenant", "cohort:channel", "window")
    both = (cells.groups["cohort:tenant"] == "b") & (cells.groups["cohort:channel"] == "web")
    assert watched.course("violation_rate", CROSSING).n.sum() == cells.where(both).margins.n.sum()
    assert view.rows(diagnosis).where.cohorts == CROSSING.cohorts
    assert {hit.part for hit in view.hit_most()} == {*watched.parts, CROSSING}
    figure = plot_monitoring(view, Look(), "")
    assert words in str(figure.to_json())
    batches = Batches.of(diagnosis, CROSSING)
    assert batches.n.sum() == cells.where(both).margins.n.sum()
    assert words in str(plot_batches(batches, Look(), "").to_json())


def test_a_crossing_of_a_cohort_that_is_chosen_already_is_no_part() -> None:
    diagnosis = crossed().with_settings(where=Filter(cohorts=(("tenant", "b"),)))
    watched = diagnosis.watched()
    view = MonitoringView.of(diagnosis, watched, watched.usual_objectives, [found_in(CROSSING)])
    assert view.crossings == ()
    assert view.main_onset is not None
    assert view.main_onset.part == Part("channel", "web")


def test_windows_are_as_wide_as_the_rows_of_what_is_drawn_need() -> None:
    diagnosis = crossed()
    watched = diagnosis.watched()
    objectives = watched.usual_objectives
    day = MonitoringView.of(diagnosis, watched, objectives, (), part=ALL)
    assert day.width == DAY
    assert width_words(day) == (
        "Rates are per day, the finest of at most 200 windows of which a typical one has 200 labelled rows of all rows "
        f"(it has {np.median(day.lines[0].rate.n):.0f}), so that its interval says something."
    )
    week = MonitoringView.of(diagnosis, watched, objectives, [found_in(CROSSING)])
    assert week.lines[1].typical_rows >= 30 > line_of(watched, "violation_rate", CROSSING, DAY).typical_rows
    assert week.width == 7 * DAY
    assert "Rates are per week, the finest " in width_words(week)
    assert MonitoringView.of(diagnosis, watched, objectives, [found_in(CROSSING)], width=DAY).width == DAY
    few = crossed(600)
    watched = few.watched()
    short = MonitoringView.of(few, watched, watched.usual_objectives, (), part=ALL)
    assert short.width == 7 * DAY
    assert width_words(short).startswith("Rates are per week, the widest there is: a typical window has 1")
    assert width_words(short).endswith(" labelled rows of all rows, fewer than the 200 that would do.")


def test_what_a_finding_says_to_have_begun_at_a_deploy_leads_with_its_rate() -> None:
    diagnosis = crossed(30_000)
    results, watched = run_checks(diagnosis), diagnosis.watched()
    assert first_rate(diagnosis, results, watched) == "error_rate"
    assert "the gravest finding of a part" in first_words("error_rate", results)
    assert led_by(diagnosis, results, watched.parts) == CROSSING
    objectives = sorted(watched.usual_objectives, key=lambda each: each.metric != "error_rate")
    view = MonitoringView.of(diagnosis, watched, objectives, results, part=CROSSING)
    assert answer(view).startswith("Error rate of tenant = b and channel = web rose from ")
    assert "which restored it" in answer(view) or "of the rise is gone" in answer(view)
    # Another part that somebody chooses is told of itself.
    other = MonitoringView.of(diagnosis, watched, objectives, results, part=Part("tenant", "a"))
    assert other.main_onset is None
    assert answer(other).startswith("Error rate did not change ")
    assert other.incident.found != "rise"


def test_a_finding_of_which_no_deploy_is_known_leads_nowhere() -> None:
    diagnosis, plain = crossed(), found_in(CROSSING)
    parts = diagnosis.watched().parts
    assert led_by(diagnosis, [plain], parts) is None
    begun = dataclasses.replace(plain, evidence={BEGAN: {"name": "v2"}})
    assert led_by(diagnosis, [plain, begun], parts) == CROSSING
    one = dataclasses.replace(begun, where=Where({"tenant": "b"}))
    assert led_by(diagnosis, [one, begun], parts) == Part("tenant", "b")
    assert led_by(diagnosis, [one], ()) is None
    chosen = diagnosis.with_settings(where=Filter(cohorts=(("tenant", "b"),)))
    assert led_by(chosen, [begun], chosen.watched().parts) is None


def test_another_mix_of_the_classes_is_told_beside_the_change_that_it_makes() -> None:
    frame = crossed_world(30_000, shift=0)
    rng = np.random.default_rng(1)
    second = (frame["time"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    turned = (frame["tenant"] == "b") & (second >= DEPLOYED) & (frame["label"] == 0) & (rng.random(len(frame)) < 0.5)
    label = np.where(turned, 1.0, frame["label"])
    odds = np.where(label > 0, 0.9, -2.0) + 1.2 * rng.standard_normal(len(frame))
    diagnosis = diagnose(frame.assign(label=label, score=expit(odds)), ("tenant", "channel"))
    watched = diagnosis.watched()
    view = MonitoringView.of(diagnosis, watched, watched.usual_objectives, ())
    assert view.main_onset is not None
    assert view.main_onset.part == Part("tenant", "b")
    week = (second - view.main_onset.change.at) / (7 * DAY)
    own = frame["tenant"] == "b"
    before, after = (label[own & (week >= low) & (week < low + 1)].mean() for low in (-1, 0))
    said = f"{100 * after:.1f} % against {100 * before:.1f} % of its labelled rows are positive in the week after it"
    assert said in answer(view).replace("\N{NO-BREAK SPACE}", " ")
    # A fault leaves the classes as they are.
    plain = crossed()
    view = MonitoringView.of(plain, plain.watched(), plain.watched().usual_objectives, [found_in(CROSSING)])
    assert "of its labelled rows are positive" not in answer(view)
