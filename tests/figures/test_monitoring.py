"""The Monitoring figures and sentences: framed at every width, hostile names made harmless, times in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lib.checks import CheckResult, Severity, Status, Where, first_rate
from lib.checks.words import deploy_words
from lib.diagnose import Diagnosis
from lib.figures.frame import provenance_line
from lib.figures.monitoring import plot_monitoring, title
from lib.figures.monitoring_alerts import alerts_words, also_words, name_parts, rule_words, span_words, tickets_words
from lib.figures.monitoring_batches import Batches, plot_batches
from lib.figures.monitoring_lines import offered_widths, usual_width
from lib.figures.monitoring_parts import part_said, part_words
from lib.figures.monitoring_view import MonitoringView, Stretch
from lib.figures.monitoring_words import (
    ROWS_OF,
    answer,
    first_words,
    lag_words,
    recovery_words,
    restored_words,
    retrain_words,
    time_words,
)
from lib.figures.theme import Look
from lib.metrics.burn_rate import RATE_RULES, BurnRule
from lib.metrics.canaries import Canary
from lib.metrics.deploys import Deploy, Recovery, difference
from lib.metrics.incidents import SLIS, Part
from lib.metrics.onset import Change, rate_of
from lib.monitoring import ALL
from lib.reports.json_values import moment
from lib.reports.monitoring import monitoring_as_json
from tests.figures.conftest import Maker

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE, GROUP = "<b>%{x}</b> $v$", "<i>b</i> %{y}"
DAY, HOUR = 86_400, 3600
NO_BREAK = "\N{NO-BREAK SPACE}"


def drawn(make: Maker, *, fault: bool = True, version: str = HOSTILE, canary: bool = False) -> Diagnosis:
    """Thirty days by the day, a version on days 12 to 19 that is wrong about one group, and its canary before."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(30), 300)
    score = rng.normal(0, 3, len(day))
    label = np.where(rng.random(len(day)) < 1 / (1 + np.exp(-score)), 1, -1)
    group = rng.choice(["a", GROUP], len(day), p=[0.7, 0.3])
    served = (day >= 12) & (day < 20)
    score = np.where(fault & served & (group == GROUP), -score, score)
    early = canary & (day >= 10) & (day < 12) & (np.arange(len(day)) % 10 == 0)
    names = np.where(served | early, version, "old").tolist()
    return make(label, score, names, group=group, window=(day * DAY).tolist())


def view_of(diagnosis: Diagnosis) -> MonitoringView:
    watched = diagnosis.watched()
    return MonitoringView.of(diagnosis, watched, watched.usual_objectives, ())


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("fault", [True, False])
def test_every_figure_is_framed_and_harmless(make: Maker, look: Look, *, fault: bool) -> None:
    diagnosis = drawn(make, fault=fault)
    view = view_of(diagnosis)
    provenance = provenance_line(diagnosis)
    figures = plot_monitoring(view, look, provenance), plot_batches(Batches.of(diagnosis, view.part), look, provenance)
    for figure in figures:
        layout: Any = figure.layout
        assert layout.meta["title"]
        assert layout.height > 300
        whole = str(figure.to_json())
        assert HOSTILE.split(" ")[0] not in whole
        assert "<i>b</i>" not in whole
        assert "\\u003ci\\u003eb" not in whole


def test_the_fault_is_found_by_the_day_with_its_group_and_version(make: Maker) -> None:
    view = view_of(drawn(make, version="v2"))
    onset = view.main_onset
    assert onset is not None
    assert onset.part == Part("group", GROUP)
    assert onset.change.at == 12 * DAY
    assert view.watched.deploys == (Deploy(12 * DAY, "v2", "deploy"), Deploy(20 * DAY, "old", "rollback"))
    assert "when v2 was deployed" in answer(view)
    assert "It was rolled back on 1970-01-21 00:00 UTC, which restored it" in answer(view)
    assert view.frame()["rows"].nunique() == 2
    assert offered_widths(view.watched.timeline()) == (DAY, 7 * DAY)
    assert usual_width(view.watched, view.metric, view.part) == DAY


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("version", ["v2", HOSTILE])
def test_a_canary_is_an_area_of_its_own(make: Maker, look: Look, version: str) -> None:
    diagnosis = drawn(make, version=version, canary=True)
    view = view_of(diagnosis)
    assert view.watched.canaries == (Canary(10 * DAY, 12 * DAY, version, 0.1, 60),)
    assert [each.at for each in view.watched.deploys] == [12 * DAY, 20 * DAY]
    figure: Any = plot_monitoring(view, look, provenance_line(diagnosis))
    areas = [each for each in figure.layout.shapes if each.type == "rect"]
    assert [(each.x0, each.x1) for each in areas] == [(1000.0 * 10 * DAY, 1000.0 * 12 * DAY)] * 3
    told = " ".join(str(each.text) for each in figure.layout.annotations).replace("<br>", " ")
    name = "v2" if version == "v2" else "&lt;b&gt;%&#123;x}&lt;/b&gt; &#36;v&#36;"
    assert f"shaded is the canary of {name} from 1970-01-11 00:00 UTC (10 % of rows)." in told.replace(NO_BREAK, " ")
    assert monitoring_as_json(view)["canaries"] == [
        {"at": moment(10 * DAY), "until": moment(12 * DAY), "name": version, "share": 0.1, "n": 60}
    ]
    none: Any = plot_monitoring(view_of(drawn(make)), look, "")
    assert not [each for each in none.layout.shapes if each.type == "rect"]


def test_training_anew_needs_days_on_end_and_a_drift(make: Maker) -> None:
    diagnosis = drawn(make, version="v2")
    alone = view_of(diagnosis)
    assert not alone.retrain
    assert "no check found a drift: look for a fault" in retrain_words(alone)
    drift = CheckResult(
        "H-F18", "score-drift", Status.WARN, Severity.WARNING, None, Where(), "Scores drifted", {}, "", "", "margins"
    )
    both = replace(alone, results=(drift,))
    assert both.retrain
    assert retrain_words(both).startswith("Train anew: an objective was missed for days on end (2")
    quiet = replace(view_of(drawn(make, fault=False)), results=(drift,))
    assert not quiet.retrain
    assert retrain_words(quiet).endswith("the objectives were kept. score-drift found a drift.")


def test_lists_name_every_alert_that_the_figure_draws(make: Maker) -> None:
    view = view_of(drawn(make))
    n_drawn = n_tickets = 0
    for told in view.told:
        for held in told.incidents:
            said = {held.lead.part} | {each for each in view.watched.parts if part_words(each) in also_words(held)}
            assert {each.part for each in held.alerts} <= said
            beside = [each for each in held.alerts if each.alert.rule.action == "ticket" and held.action == "page"]
            assert (f"{len(beside)} ticket" in also_words(held)) is bool(beside)
            n_drawn, n_tickets = n_drawn + len(held.alerts), n_tickets + len(beside)
        assert tickets_words(told).startswith("and ") is any(held.tickets for held in told.incidents)
    assert n_drawn > len(view.told[0].incidents)
    assert n_tickets


def test_of_many_parts_the_first_are_named() -> None:
    parts = [Part("c", str(place)) for place in range(12)]
    assert name_parts(parts[:8]).count(" = ") == 8
    assert name_parts(parts).endswith("c = 6 and 5 other parts")


def test_without_a_fault_nothing_is_told(make: Maker) -> None:
    view = view_of(drawn(make, fault=False))
    assert view.main_onset is None
    assert view.part == ALL
    assert len(view.lines) == 1
    assert answer(view).startswith("Violation rate did not change beyond what hour, weekday and chance make of it.")
    assert "paged nobody, watching 3 parts, and raised no ticket." in answer(view)
    assert retrain_words(view).startswith("No reason to train anew")
    assert lag_words(view) == ("All 9,000 scored rows have a label.",)
    figure = plot_monitoring(view, Look(), "")
    layout: Any = figure.layout
    assert "would have raised no alert" in str(layout.annotations)


def test_without_labels_there_is_nothing_to_monitor(make: Maker) -> None:
    diagnosis = make([0] * 40, np.linspace(-2, 2, 40).tolist(), ["v"] * 40, window=[DAY * (n // 8) for n in range(40)])
    view = view_of(diagnosis)
    assert "there is nothing to monitor" in answer(view)
    layout: Any = plot_monitoring(view, Look(), "").layout
    assert "there is nothing to monitor" in layout.meta["title"]
    empty: Any = plot_batches(Batches.of(diagnosis, ALL), Look(), "").layout
    assert empty.meta["title"] == "No labelled, scored rows of all rows."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (1200, "20 min"), (3900, "1 h 5 min"), (7200, "2 h"), (2 * DAY + 7300, "2 d 2 h"), (DAY, "1 d")],
)
def test_spans_are_said_to_the_minute(seconds: float, words: str) -> None:
    assert span_words(seconds) == words


def test_times_are_said_with_their_interval() -> None:
    low, high = rate_of(1, 10), rate_of(9, 10)
    near = Change(DAY + 33_000, DAY + 31_800, DAY + 34_500, low, high, 1.0)
    assert time_words(near) == "1970-01-02 09:10 UTC (08:50 to 09:35)"
    far = Change(DAY + 600, DAY - 600, DAY + 1200, low, high, 1.0)
    assert time_words(far) == "1970-01-02 00:10 UTC (1970-01-01 23:50 to 1970-01-02 00:20)"
    assert rule_words(RATE_RULES[0]) == "4 × over 1 h and 15 min"
    assert deploy_words(None) == "at no deploy that is known"
    assert part_words(Part("c", "")) == "c = (missing)"


@pytest.mark.parametrize(
    ("after", "restored", "words"),
    [
        (20, "yes", "which restored it: 10.0 % in the week after it, 10.0 % in the week before"),
        (60, "no", "(+12.3 to +27.5); 33 % of the rise is gone (8 to 59 %)."),
        (25, "undecided", "UTC: 12.5 % in the week after it, 10.0 % in the week before the deploy"),
        (25, "undecided", "92 % of the rise is gone (71 to 113 %); surely restored is from a lower end of 80 % on."),
        (0, "no rise", "not surely"),
    ],
)
def test_recoveries_are_said_with_the_number(after: int, restored: Any, words: str) -> None:
    assert words in recovery_words(recovered(after, restored)).replace(NO_BREAK, " ")


def test_a_rollback_has_one_verdict_that_its_number_bears_out() -> None:
    def said(after: int, restored: Any) -> tuple[str, ...]:
        return tuple(each.replace(NO_BREAK, " ") for each in restored_words(recovered(after, restored)))

    assert said(20, "yes")[0] == "yes"
    assert said(60, "no") == ("no", "33 % gone (8 to 59 %)")
    assert said(25, "undecided") == ("92 % gone", "71 to 113 %; surely restored is from a lower end of 80 % on")
    assert said(0, "no rise") == ("no rise", "")
    nobody = replace(recovered(25, "undecided"), left=difference(rate_of(0, 0), rate_of(20, 200)))
    assert restored_words(nobody) == ("cannot be told", "no labelled rows in that time")
    assert recovery_words(nobody).endswith("whether that restored it cannot be told: no labelled rows in that time.")


def recovered(after: int, restored: Any) -> Recovery:
    """A deploy after which 80 rows of 200 were bad, not 20, and a rollback after which so many were."""
    before, during, later = rate_of(20, 200), rate_of(80, 200), rate_of(after, 200)
    deploy, back = Deploy(DAY, "v2", "deploy"), Deploy(2 * DAY, "v1", "rollback")
    return Recovery(
        deploy, back, before, during, later, difference(during, before), difference(later, before), restored
    )


def a_little_worse(make: Maker) -> Diagnosis:
    """Thirty days of 300 rows: every fifth is wrong, of a version on days 12 to 19 every fifth and one more of 24."""
    day, row = np.repeat(np.arange(30), 300), np.tile(np.arange(300), 30)
    served = (day >= 12) & (day < 20)
    wrong = (row % 5 == 0) | (served & (row % 24 == 1))
    names = np.where(served, "v2", "old").tolist()
    return make(np.where(row % 2, 1, -1), np.where(wrong, -2.0, 2.0) * np.where(row % 2, 1, -1), names,
                group=np.where(row % 3, "a", "b").tolist(), window=(day * DAY).tolist())  # fmt: skip


def test_no_sentence_denies_the_change_at_a_deploy_beneath_it(make: Maker) -> None:
    diagnosis = a_little_worse(make)
    view = view_of(diagnosis)
    step = view.main_step
    assert view.onsets == ()
    assert step is not None
    assert step.deploy == Deploy(12 * DAY, "v2", "deploy")
    assert step.change.lower > 0
    size = f"{100 * step.change.value:.1f} points higher than before"
    said, drawn_title = answer(view).replace(NO_BREAK, " "), title(view).replace(NO_BREAK, " ")
    for each in (said, drawn_title):
        assert each.startswith(f"After v2 was deployed the violation rate of all rows was {size} (+")
        assert (
            "); without knowing of it no time would stand out beyond what hour, weekday and chance make of it" in each
        )
        assert "did not change" not in each
    assert "It was rolled back on 1970-01-21 00:00 UTC" in said
    assert view.incident == Stretch(12 * DAY, 19 * DAY, "deploy")
    assert count_words(view) == "after the deploy that made it worse"
    quiet = view_of(drawn(make, fault=False))
    assert quiet.main_step is None
    assert quiet.incident == Stretch(29 * DAY, 30 * DAY, "nothing")
    assert count_words(quiet) == "the last day of the log"


@pytest.mark.parametrize(
    ("score_of_wrong", "versions", "first", "compared"),
    [
        # Right by little, and so a violation, becomes wrong by little: an error as well.
        (0.5, ("old", "v2"), "error_rate", "error_rate"),
        # Right by much becomes wrong: a violation and an error.
        (2.0, ("old", "v2"), "violation_rate", "violation_rate"),
        # Of one version a deploy that a policy lists tells, and nothing else.
        (0.5, ("old", "old"), "error_rate", "violation_rate"),
    ],
)
def test_the_error_rate_comes_first_where_only_that_changed(
    make: Maker, score_of_wrong: float, versions: tuple[str, str], first: str, compared: str
) -> None:
    day, row = np.repeat(np.arange(30), 300), np.tile(np.arange(300), 30)
    label, second, is_near = np.where(row % 2, 1, -1), day >= 20, row % 12 < 2
    margin = np.where(is_near, np.where(second, -score_of_wrong, score_of_wrong), np.where(row % 7 == 3, -2.0, 2.0))
    names = np.where(second, versions[1], versions[0]).tolist()
    diagnosis = make(label, label * margin, names, window=(day * DAY).tolist())
    watched = diagnosis.watched((Deploy(20 * DAY, "new", "deploy"),))
    assert first_rate(diagnosis, (), watched) == first
    assert first_rate(diagnosis, ()) == compared
    assert bool(first_words(first_rate(diagnosis, (), watched), ())) is (first == "error_rate")


def test_without_a_change_the_violation_rate_comes_first(make: Maker, digits: Diagnosis) -> None:
    diagnosis = drawn(make, fault=False)
    assert first_rate(diagnosis, (), diagnosis.watched()) == "violation_rate"
    # Nor where scores are on two scales, and violations cannot be compared.
    assert digits.verdict("accuracy") != ""
    assert digits.verdict("violation_rate") == "not comparable"
    assert first_rate(digits, ()) == "violation_rate"


def count_words(view: MonitoringView) -> str:
    """Why the rows of its incident are listed, up to the first comma or colon."""
    return re.split("[,:]", ROWS_OF[view.incident.found])[0]


def test_a_fall_without_a_rise_is_told_as_one(make: Maker) -> None:
    rng, day = np.random.default_rng(0), np.repeat(np.arange(30), 300)
    score = rng.normal(0, 3, len(day))
    label = np.where(rng.random(len(day)) < np.where(day < 20, 0.6, 0.95), np.sign(score), -np.sign(score)).astype(int)
    names = np.where(day < 20, "old", "new").tolist()
    view = view_of(make(label, score, names, window=(day * DAY).tolist()))
    assert view.main_onset is None
    assert "of all rows fell from " in answer(view)
    assert "of all rows fell from " in title(view)


def test_a_part_is_found_again_by_its_words() -> None:
    parts = [ALL, *(Part("a", value) for value in ("", "x", "x and b = y")), Part("b", "y"), Part("b", "z and a = x")]
    crossings = [
        Part(each.column, each.value, ((other.column, other.value),))
        for each in parts[1:]
        for other in parts[1:]
        if each.column != other.column
    ]
    told = {part_words(each): each for each in (*parts[1:], *crossings)}
    # Only "a = x and b = y" is said of two: the part of one cohort is meant.
    assert len(told) == len(parts) - 1 + len(crossings) - 1
    for words, part in told.items():
        found = part_said(words, parts)
        assert found is not None
        assert part_words(found) == words
        assert found == part or words == "a = x and b = y"
    for words in ("", "all rows", "a = x and a = x", "a = x and ", "c = x", "a = x and b = y and c = z"):
        assert part_said(words, parts) is None


def test_what_raised_tickets_alone_is_not_called_silent(make: Maker) -> None:
    diagnosis = drawn(make, version="v2")
    watched = diagnosis.watched()
    rule = BurnRule(3 * DAY, 6 * HOUR, 1.0, "ticket")
    objectives = tuple(replace(each, rules=(rule,)) for each in watched.usual_objectives)
    view = MonitoringView.of(diagnosis, watched, objectives, ())
    raised = view.raised("ticket")
    assert raised
    assert view.raised("page") == []
    _objective, first = raised[0]
    late = f"{span_words(first.opened - 12 * DAY)} after the rise began, for {part_words(first.lead.part)}"
    assert f"paged nobody, watching 3 parts, but raised {len(raised)} tickets, the first at 1970-01-1" in answer(view)
    assert f", {late}, by its objective of the " in answer(view)
    # Where nothing else tells of the incident its first ticket does.
    alone = replace(view)
    alone.__dict__["main_onset"] = None
    assert alone.incident == Stretch(first.opened, first.closed or 30 * DAY, "ticket")
    assert alerts_words(alone).endswith(f"by its objective of the {SLIS[_objective.metric].label.lower()}.")
