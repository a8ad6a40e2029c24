"""Monitoring of simulated months: the incident's, months without the fault, and what scores without labels can say.

The months of `scripts/monitoring_rates.py`, of fewer seeds; it prints the table of docs/monitoring.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.monitoring_lines import line_of
from lib.figures.monitoring_view import MonitoringView
from lib.figures.monitoring_words import answer, lag_words, retrain_words
from lib.metrics.burn_rate import Objective
from lib.metrics.deploys import Deploy
from lib.metrics.incidents import Part
from lib.metrics.margins import violation_rate
from lib.monitoring import ALL, Monitoring
from lib.scan import read_cells, save_cells
from lib.schema import Filter
from lib.settings import Settings
from sample_data.make import INCIDENT, make_clean, make_incident
from scripts.monitoring_rates import DEPLOY, FAULTY, MOST_MINUTES, POLICY, ROLLBACK, Month, monitored
from tests.reports.conftest import SAMPLES, scan_of

DAY = 86_400


@pytest.fixture(scope="module")
def incident() -> Diagnosis:
    scan = scan_of(SAMPLES / "incident.csv.gz")
    return Diagnosis(scan, Settings.choose(scan.facts))


@pytest.fixture(scope="module")
def view(incident: Diagnosis) -> MonitoringView:
    watched = incident.watched()
    return MonitoringView.of(incident, watched, watched.usual_objectives, run_checks(incident))


def test_the_incident_is_told_in_one_sentence_each(view: MonitoringView) -> None:
    said = answer(view).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("Violation rate of language = pt rose from 15.2 % to 96.7 % on 2026-04-02 09:10 UTC")
    assert "when 2026.04 was deployed; its scores are reversed (label-flip)." in said
    assert (
        "It was rolled back on 2026-04-05 09:00 UTC, which restored it: 15.2 % in the week after it"
        ", 16.0 % in the week before" in said
    )
    assert (
        "This policy would have paged at 2026-04-02 09:55 UTC, 45 min after the rise began and 2 d 23 h before" in said
    )


def test_the_onset_is_within_a_window_of_the_truth_and_the_finding_is_one(view: MonitoringView) -> None:
    begin, end = view.onsets
    assert (begin.part, end.part) == (FAULTY, FAULTY)
    for onset, truth in ((begin, DEPLOY), (end, ROLLBACK)):
        assert abs(onset.change.at - truth) <= view.watched.width * 6 < view.width
        assert onset.change.lower <= truth <= onset.change.upper
    assert view.watched.deploys == (
        Deploy(DEPLOY, INCIDENT.candidate, "deploy"),
        Deploy(ROLLBACK, INCIDENT.baseline, "rollback"),
    )
    assert view.watched.deploy_of(begin.change) == view.watched.deploys[0]
    (finding,) = (each for each in view.results if each.is_finding)
    assert view.finding_of(begin) is finding
    (recovery,) = view.recoveries
    assert recovery.restored == "yes"
    assert recovery.share_gone == pytest.approx(1, abs=0.05)


def test_what_was_hit_most_and_the_rows_behind_it(incident: Diagnosis, view: MonitoringView) -> None:
    first, second, *_others = view.hit_most()
    assert (first.part, second.part) == (ALL, FAULTY)
    assert second.incident.lower > 0.9 > second.before.upper
    query = view.rows(incident)
    assert query.where.cohorts == (("language", "pt"),)
    assert query.margin_to == 1.0
    assert query.where.start == pytest.approx(DEPLOY, abs=3_600)
    assert query.where.end == pytest.approx(ROLLBACK, abs=3_600)
    assert retrain_words(view).startswith("No reason to train anew: objectives were missed for a time")


@pytest.mark.parametrize(
    "where", [Filter(start=DEPLOY + DAY, end=ROLLBACK - DAY), Filter(cohorts=(("language", "pt"),))]
)
def test_neither_a_range_of_times_nor_a_cohort_changes_what_was_deployed(
    incident: Diagnosis, view: MonitoringView, where: Filter
) -> None:
    watched = incident.with_settings(where=where).monitoring()
    assert watched.deploys == view.watched.deploys
    assert watched.timeline().edges[-1] >= view.watched.timeline().edges[-1] - DAY
    if not where.cohorts:
        assert watched.onsets("violation_rate") == view.watched.onsets("violation_rate")


def test_windows_are_those_of_the_rows(incident: Diagnosis, view: MonitoringView) -> None:
    day = line_of(view.watched, "violation_rate", ALL, DAY)
    whole = incident.cells("window")
    assert day.starts.tolist() == whole.groups["window"].tolist()
    assert day.rate.value == pytest.approx(violation_rate(whole, 1.0).value)
    assert day.rate.lower == pytest.approx(violation_rate(whole, 1.0).lower)
    assert view.frame()["n_scored"].sum() == 80_000 + (view.watched.timeline("language").series("n", value="pt").sum())


@pytest.mark.parametrize("seed", range(2))
def test_the_policy_pages_within_two_hours_of_the_fault_and_not_before(seed: int, tmp_path: Path) -> None:
    month = Month.of(monitored(make_incident(seed), tmp_path))
    assert 0 < month.minutes <= MOST_MINUTES
    assert month.lead == FAULTY
    begin = next(each for each in month.onsets if each.part == FAULTY)
    assert abs(begin.change.at - DEPLOY) < 3600
    assert month.restored == "yes"


@pytest.mark.parametrize("seed", range(2))
def test_a_clean_month_pages_nobody(seed: int, tmp_path: Path) -> None:
    month = Month.of(monitored(make_clean(seed), tmp_path))
    assert np.isnan(month.minutes)
    assert month.onsets == ()


def test_labels_that_lag_are_told_and_their_rows_expected(tmp_path: Path) -> None:
    frame = make_clean(3)
    late = frame["time"] >= "2026-04-10T00:00:00Z"
    truth = frame.loc[late, "y_true"].copy()
    frame.loc[late, "y_true"] = None
    watched = monitored(frame, tmp_path)
    diagnosis = Diagnosis(watched.tables, Settings.choose(watched.tables.facts))
    view = MonitoringView.of(diagnosis, watched, watched.usual_objectives, ())
    lag = view.label_lag
    assert lag is not None
    assert abs(lag.at - 1_775_779_200) <= 3600
    assert any("labels are 5 d behind" in each for each in lag_words(view))
    assert any("a mapping that is wrong does not show in it" in each for each in lag_words(view))
    line = line_of(watched, "error_rate", ALL, DAY)
    assert line.expected is not None
    unlabelled = line.starts >= 1_775_779_200
    assert not line.rate.is_defined[unlabelled].any()
    assert line.unlabelled[unlabelled].tolist() == [1.0] * 5
    wrong = ((frame.loc[late, "y_prob"] > 0.5) != (truth == 1))[truth.notna()].mean()
    assert line.expected.value[unlabelled].mean() == pytest.approx(wrong, abs=0.015)


def test_saved_cells_tell_the_same_by_their_windows(incident: Diagnosis, tmp_path: Path) -> None:
    save_cells(incident.tables, tmp_path / "cells.parquet")
    watched = Monitoring(read_cells(tmp_path / "cells.parquet", "cells.parquet"), Filter(), 1.0)
    assert watched.width == DAY
    onset = max(watched.onsets("violation_rate"), key=lambda each: each.change.gain)
    assert onset.part == FAULTY
    assert abs(onset.change.at - DEPLOY) <= DAY
    assert watched.rate("violation_rate", FAULTY).value == incident.watched().rate("violation_rate", FAULTY).value


def test_a_filter_a_version_and_listed_deploys_are_kept_to(incident: Diagnosis) -> None:
    only = incident.with_settings(where=Filter(cohorts=(("language", "pt"),))).watched()
    assert "language" not in only.columns
    (rise, _fall) = only.onsets("violation_rate")
    assert rise.part == ALL
    served = incident.monitoring(INCIDENT.candidate)
    assert served.rate("violation_rate").n < incident.watched().rate("violation_rate").n / 5
    listed = (Deploy(DEPLOY - 7200, "by hand", "deploy"),)
    assert incident.watched(listed).deploys == listed
    assert incident.watched(listed) is incident.watched(listed)


def test_an_objective_of_a_column_that_is_not_there_is_refused(incident: Diagnosis) -> None:
    wrong = replace(POLICY[0], cohorts=("region",))
    with pytest.raises(SettingsError, match="cohort column 'region'; there are: language, platform, tenant"):
        incident.watched().tell(wrong)
    alone = incident.watched().tell(Objective("alone", "violation_rate", 0.2, ()))
    assert alone.n_parts == 1
    assert [each.lead.part for each in alone.incidents] == [Part()] * len(alone.incidents)


def test_without_times_there_is_nothing_to_monitor() -> None:
    scan = scan_of(SAMPLES / "digits_hinge.csv")
    with pytest.raises(SettingsError, match="No row has a time"):
        Monitoring(scan, Filter(), 1.0)
