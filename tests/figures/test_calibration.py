"""Figures of calibration: framed at every width, what is drawn is what was computed, hostile names harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss

from lib.diagnose import Diagnosis
from lib.figures.calibration import plot_bins, plot_parts, plot_reliability
from lib.figures.calibration_gaps import plot_gap_windows, plot_gaps
from lib.figures.calibration_gaps_view import GapsView, GapWindows
from lib.figures.calibration_view import EQUAL_MASS, EQUAL_WIDTH, CalibrationView
from lib.figures.frame import provenance_line
from lib.figures.recalibration_view import RecalibrationView
from lib.figures.theme import Look
from lib.scan import Scan
from lib.schema import Filter
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from tests.figures.conftest import Maker, scan_of

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE = "<b>%{x}</b> $p$"


def rows(n: int = 4_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    version, truth = rng.choice(["v1", HOSTILE], n), rng.normal(-0.5, 1.5, n)
    group = rng.choice(["a", "b", "c"], n)
    label = rng.random(n) < expit(truth - 1.5 * (group == "b"))
    time = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 9 * 86_400, n)), unit="s")
    return pd.DataFrame(
        {
            "y_true": label.astype(int), "y_prob": expit(truth * np.where(version == "v1", 1, 2)).round(2),
            "version": version, "group": group, "id": np.arange(n), "time": time,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    folder: Path = tmp_path_factory.mktemp("calibration")
    rows().to_parquet(folder / "rows.parquet")
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    answers = Answers(score_kind="probability", cohorts=("group",))
    scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), folder)
    return Diagnosis(scan, Settings.choose(scan.facts, baseline="v1", candidate=HOSTILE))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_figure_is_framed_and_harmless(diagnosis: Diagnosis, look: Look) -> None:
    view, provenance = CalibrationView.of(diagnosis), provenance_line(diagnosis)
    gaps, windows = GapsView.of_cohorts(diagnosis, "group"), GapWindows.of(diagnosis)
    assert gaps is not None
    assert windows is not None
    for figure in (
        plot_reliability(view, look, provenance),
        plot_bins(view, 15, EQUAL_WIDTH, look, provenance),
        plot_bins(view, 10, EQUAL_MASS, look, provenance),
        plot_parts(view, look, provenance),
        plot_gaps(gaps, look, provenance),
        plot_gap_windows(windows, look, provenance),
    ):
        text = str(figure.to_json())
        assert "<b>%{x}" not in text
        assert "$p$" not in text
        assert figure.layout.meta["title"]  # type: ignore[index]
        assert figure.layout.height > 150  # type: ignore[operator]


def test_what_is_said_is_what_was_computed(diagnosis: Diagnosis) -> None:
    view, frame = CalibrationView.of(diagnosis), rows()
    own = frame[frame["version"] == HOSTILE]
    assert view.score_of(HOSTILE, "brier") == pytest.approx(brier_score_loss(own["y_true"], own["y_prob"]))
    assert view.answer().startswith("Not calibrated: of the ")
    assert view.rounding[HOSTILE].decimals == 2
    assert "rounded to 2 decimals" in view.rounding_words()
    bins = view.bins_frame(10, EQUAL_WIDTH)
    first = bins[(bins["version"] == HOSTILE) & (bins["left"] == 0.3)].iloc[0]
    part = own[(own["y_prob"] >= 0.3) & (own["y_prob"] < 0.4)]
    assert first["n"] == len(part)
    assert first["positive_share"] == pytest.approx(part["y_true"].mean())
    parts = view.parts_frame().set_index(["version", "score", "part"])["value"]
    made = parts[HOSTILE, "brier", "miscalibration"] - parts[HOSTILE, "brier", "discrimination"]
    assert made + parts[HOSTILE, "brier", "uncertainty"] == pytest.approx(view.score_of(HOSTILE, "brier"))


def test_what_chance_makes_is_no_miscalibration_of_the_model(make: Maker) -> None:
    rng = np.random.default_rng(5)
    score = rng.normal(0, 1.5, 200)
    label = np.where(rng.random(200) < expit(score), 1, -1)
    view = CalibrationView.of(make(label, score, ["v"] * 200))
    assert view.answer().startswith("No sign of miscalibration")
    layout: Any = plot_parts(view, Look(), "").layout
    assert layout.meta["title"].endswith(" of the Brier score of v, no more than chance does")


def test_the_cohort_that_is_off_is_named(diagnosis: Diagnosis) -> None:
    gaps, frame = GapsView.of_cohorts(diagnosis, "group"), rows()
    assert gaps is not None
    assert gaps.ranked[0] == "b"
    assert gaps.sentence().startswith("Probabilities for group = b of version ")
    own = frame[(frame["version"] == "v1") & (frame["group"] == "b")]
    table = gaps.frame().set_index(["version", "group"])
    assert table.loc[("v1", "b"), "calibration_gap"] == pytest.approx(own["y_true"].mean() - own["y_prob"].mean())


def test_recalibration_is_recommended_and_taken_away(diagnosis: Diagnosis) -> None:
    view = RecalibrationView.of(diagnosis, HOSTILE, "from\nhere")
    best = view.found.recommended
    assert best is not None
    assert best.losses["log_loss"].value < view.before("log_loss")
    assert view.sentence().startswith(f"Recommended for version {HOSTILE}: ")
    assert '"map": "isotonic"' in view.json_text("isotonic")
    assert '"input": "log odds of the probability"' in view.json_text("platt")
    assert "def recalibrate(probability):" in view.python_text("platt")


def test_recalibrated_numbers_are_marked_and_better(diagnosis: Diagnosis) -> None:
    made = diagnosis.with_settings(recalibration="beta")
    before, after = CalibrationView.of(diagnosis), CalibrationView.of(made)
    assert after.score_of(HOSTILE, "log_loss") < before.score_of(HOSTILE, "log_loss")
    assert "recalibrated (beta, cross-fitted)" in after.answer()
    assert "recalibrated (beta, cross-fitted)" in provenance_line(made)
    assert made.versions["log_loss"][0].value == pytest.approx(
        after.score_of(str(made.versions.groups["version"][0]), "log_loss"), abs=1e-9
    )
    assert made.summary("version", "window")["log_loss"].reason[0].startswith("recalibrated probabilities are measured")
    assert GapsView.of_cohorts(made, "group") is None
    # γ and the map share what neither moves.
    assert made.versions["roc_auc"].value.tolist() == diagnosis.versions["roc_auc"].value.tolist()


def test_a_filter_that_leaves_no_row(diagnosis: Diagnosis) -> None:
    nothing = diagnosis.with_settings(where=Filter(cohorts=(("group", "nobody"),)))
    view = CalibrationView.of(nothing)
    assert view.answer().endswith("there is nothing to say about calibration.")
    assert plot_reliability(view, Look(), "").layout.meta["title"]  # type: ignore[index]


def test_one_of_several_classes(tmp_path: Path) -> None:
    scan = scan_of("which_digit.csv.gz", tmp_path)
    made = Diagnosis(scan, Settings.choose(scan.facts))
    name = scan.facts.mapping.class_names[3]
    view = CalibrationView.of(made, name)
    assert set(view.versions) == set(made.shown_versions)
    assert "against the rest" in view.answer() or f"for {name}" in view.answer()
    gaps, top = GapsView.of_classes(made), CalibrationView.of(made)
    assert gaps is not None
    assert set(gaps.ranked) <= set(scan.facts.mapping.class_names)
    # The top label stands first, beside the classes: it is right as often as the answers are.
    assert [row.is_whole for row in gaps.told[:3]] == [True, True, False]
    accuracy = dict(
        zip(made.versions.groups["version"].tolist(), made.versions["accuracy"].value.tolist(), strict=True)
    )
    for row in gaps.whole:
        assert row.part.positive_share == pytest.approx(accuracy[row.version])
        assert (
            row.part.errors["expected_calibration_error"]
            == top.calibrations[row.version].errors["expected_calibration_error"]
        )
    assert "are right" in top.answer()
    look = plot_reliability(top, Look(), "").layout
    assert look.yaxis.title.text == "share of right answers"  # type: ignore[union-attr]


def test_of_a_few_rows_nothing_is_told(make: Maker) -> None:
    view = CalibrationView.of(make(np.tile([1, -1], 6), np.tile([1.0, -1.0], 6), ["v"] * 12))
    assert view.answer() == "Too few rows to tell: 12 labelled rows of the model, where 30 at least would be needed."
