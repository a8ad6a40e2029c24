"""The Thresholds figures and sentences: framed at every width, titles that say what the numbers do, empty states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lib.diagnose import Diagnosis
from lib.figures.frame import provenance_line
from lib.figures.theme import Look
from lib.figures.thresholds import plot_costs, plot_thresholds
from lib.figures.thresholds_view import Question, ThresholdsView, format_threshold
from lib.figures.training_rows import training_rows_words
from lib.metrics.thresholds import Costs
from lib.schema import Filter
from tests.figures.conftest import Maker

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
QUESTIONS = [
    Question("threshold", 0.5),
    Question("precision", target=0.9),
    Question("recall", target=0.9),
    Question("flagged_share", target=0.05),
    Question("cost", costs=Costs(1.0, 5.0, 2.0)),
]
HOSTILE = "<b>%{x}</b> $v$"


def drawn(make: Maker, n: int = 2_000, version: str = HOSTILE) -> Diagnosis:
    rng = np.random.default_rng(0)
    score = rng.normal(0, 1.5, n)
    label = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), 1, -1)
    group = rng.choice(["a", "<i>b</i>"], n)
    return make(label, score, [version if x < 0.5 else "old" for x in rng.random(n)], group=group)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.how)
def test_every_figure_is_framed(make: Maker, question: Question, look: Look) -> None:
    diagnosis = drawn(make)
    view = ThresholdsView.of(diagnosis, question)
    for figure in (plot_thresholds(view, look, provenance_line(diagnosis)), plot_costs(view, look, "")):
        layout: Any = figure.layout
        assert layout.meta["title"]
        assert "<b>%{x}</b>" not in str([trace.hovertemplate for trace in figure.data])
        assert "<b>%{x}</b>" not in str(figure.to_json())
        assert layout.height > 300
        for trace in figure.data:
            assert np.isfinite(np.asarray(trace.y, float)).all()


def test_decision_scores_have_no_net_benefit_and_an_axis_of_scores(digits: Diagnosis) -> None:
    view = ThresholdsView.of(digits, Question("threshold", 0.0))
    assert view.scale == "score"
    layout: Any = plot_costs(view, Look(), "").layout
    assert "yaxis2" not in layout.to_plotly_json()
    assert layout.xaxis.title.text.endswith("(score)")
    assert len(view.axis) > 100
    assert (np.diff(view.axis) > 0).all()


def test_the_sentence_holds_the_numbers_of_the_table(incident: Diagnosis) -> None:
    view = ThresholdsView.of(incident, Question("threshold", 0.95))
    said = view.answer()
    here = view.focus
    assert said.startswith("Flagging above 0.950 flags ")
    assert f"{100 * here.measures['recall'].value:.1f}" in said
    assert f"{100 * here.measures['precision'].value:.1f}" in said
    chosen = ThresholdsView.of(incident, Question("recall", target=0.8))
    assert "on rows that did not choose it" in chosen.answer()
    assert format_threshold(chosen.focus.threshold.value, chosen.scale) in chosen.answer()
    frame = chosen.frame()
    assert set(frame["measure"]) >= {"precision", "recall", "f_beta", "net_benefit", "expected_cost"}
    assert (frame["lower"] <= frame["value"] + 1e-12).where(frame["reason"] == "", True).all()


def test_flags_a_day_are_a_share_of_the_days_that_a_version_served(incident: Diagnosis) -> None:
    view = ThresholdsView.of(incident, Question("flagged_share", flags_a_day=100.0))
    here = view.focus
    days = len({*incident.windows.groups["window"][incident.windows.groups["version"] == here.version].tolist()})  # type: ignore[union-attr]
    assert incident.facts.windows is not None
    flags = here.measures["flagged_share"].value * here.measures["flagged_share"].n
    assert flags / (days * incident.facts.windows.width / 86_400) == pytest.approx(100, rel=0.1)


def test_equal_recall_says_how_far_cohorts_are_apart(incident: Diagnosis) -> None:
    view = ThresholdsView.of(incident, Question("equal_recall", target=0.9, column="language"))
    assert view.equal is not None
    assert "(pt)" in view.answer()
    assert {each.version for each in view.cohorts} == {each.value for each in view.equal.cohorts}
    for each in view.cohorts:
        assert each.measures["recall"].value == pytest.approx(0.9, abs=0.02)


def test_what_cannot_be_decided_says_why(make: Maker) -> None:
    nothing = ThresholdsView.of(make([0, 0], [1.0, 2.0], ["v", "v"]), Question("threshold", 0.5))
    assert nothing.answer() == "No row has a label: there is nothing to decide."
    one = ThresholdsView.of(make([1] * 40, np.linspace(-1, 1, 40), ["v"] * 40), Question("precision", target=0.9))
    assert one.answer() == "For v there is no such threshold: only one class."
    for view in (nothing, one):
        for plot in (plot_thresholds, plot_costs):
            layout: Any = plot(view, Look(), "").layout
            assert layout.meta["title"]


def test_rows_that_the_model_was_fitted_to_are_counted(make: Maker, digits: Diagnosis) -> None:
    assert training_rows_words(digits).startswith("900 of 1,797 labelled rows of logistic-2 are of the split train:")
    test = digits.with_settings(where=Filter(split="test"))
    assert training_rows_words(test) == ""
    assert training_rows_words(drawn(make)) == ""
    alone = make([-1, 1, 1, 0], [0.0, 1.0, 2.0, 3.0], ["v"] * 4, split=["train"] * 4)
    assert training_rows_words(alone) == (
        "All rows of v are of the split train: a model looks better on rows that it was fitted to."
    )


def test_a_threshold_below_every_score_flags_every_row(make: Maker) -> None:
    equal = make([-1, 1] * 40, np.full(80, -1.0), ["v"] * 80)
    view = ThresholdsView.of(equal, Question("recall", target=0.9))
    assert view.focus.threshold.value == -np.inf
    assert "flag every row of v" in view.answer()
    assert "above every" not in view.answer()
    layout: Any = plot_thresholds(view, Look(), "").layout
    assert layout.meta["title"] == "With every row flagged v has a precision of 50.0\u00a0% at a recall of 100.0\u00a0%"


def test_a_title_says_what_is_undefined(make: Maker) -> None:
    none = ThresholdsView.of(make([-1, 1] * 40, np.linspace(-1, 1, 80), ["v"] * 80), Question("threshold", 5.0))
    layout: Any = plot_thresholds(none, Look(), "").layout
    assert layout.meta["title"].endswith(" v has no precision: no positive predictions")


@pytest.mark.parametrize(
    ("score", "scale", "words"),
    [(-np.inf, "probability", "below every score"), (0.0, "probability", "0.500"), (-1.264, "score", "−1.26"),
     (-12.0, "probability", "6.14e-06"), (12.0, "probability", "0.999994")],
)  # fmt: skip
def test_thresholds_are_written_with_the_digits_they_need(score: float, scale, words: str) -> None:
    assert format_threshold(score, scale) == words
