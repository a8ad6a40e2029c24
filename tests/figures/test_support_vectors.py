"""The view of support vectors against the rows that its links list, at every resolution, and its figures and words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.figures.support_bounds_view import BoundsView
from lib.figures.support_moves_view import MovesView, pair_query
from lib.figures.support_vectors import plot_slack, plot_support_vectors
from lib.figures.support_vectors_view import SupportView, slack_words
from lib.figures.theme import Look
from lib.metrics.support_vectors import KINDS
from lib.scan import count_rows
from lib.scan.pairs import read_pairs
from lib.settings import Settings
from tests.scan.conftest import ScanOf, predictions, scan_of

__all__ = ["scan_of"]


def diagnosis_of(scan) -> Diagnosis:
    return Diagnosis(scan, Settings.choose(scan.facts))


@pytest.mark.parametrize("budget", [250_000, 1_500], ids=["exact", "in bins"])
def test_the_rows_behind_a_number_are_as_many(scan_of: ScanOf, budget: int) -> None:
    frame = predictions(3, 3_000).drop(columns="sample_weight")
    near = np.arange(len(frame)) % 40 == 0
    frame.loc[near, "decision_score"] = np.where(frame.loc[near, "y_true"] == 1, 1.0, -1.0)
    scan = scan_of(frame, budget=budget)
    view = SupportView.of(diagnosis_of(scan), "train")
    assert view.is_exact is (budget > 2_000)
    assert len(view.rows) == 6
    for row in view.rows:
        for kind in KINDS:
            assert count_rows(scan, view.query(row, kind)) == row.hits[kind], kind
        assert count_rows(scan, view.support_query(row)) == row.n_support
    assert bool(view.notes()) is not view.is_exact
    assert view.frame()["rows"].sum() == 2 * sum(row.n for row in view.rows if row.label == 0)
    own = frame[frame["split"] == "train"]
    short = (2 * own["y_true"] - 1) * own["decision_score"] < 1
    assert view.slack_frame()["rows"].sum() == short.sum()
    assert slack_words(view.focus).startswith("Slack of ")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [420, 900])
def test_figures_stand_alone(scan_of: ScanOf, dark: bool, width: int) -> None:
    frame = predictions(4, 600).assign(version=lambda of: of["version"].replace("v9", "<b>$v$"))
    view = SupportView.of(diagnosis_of(scan_of(frame)), "test")
    for plot in (plot_support_vectors, plot_slack):
        figure: Any = plot(view, Look(dark, wraps_at=width), "rows · Marginalia")
        text = str(figure.to_json())
        assert "<b>$v$" not in text
        assert figure.layout.meta["title"].endswith(("rows", "average"))
    bars = [bar for bar in plot_support_vectors(view, Look(), "x").data if bar.type == "bar"]
    ends = sum(np.array(bar.x, float) for bar in bars[:4])
    assert ends == pytest.approx(np.full(3, 100.0))


def test_nothing_to_show_is_said(scan_of: ScanOf) -> None:
    frame = predictions(5, 200).drop(columns="y_true")
    view = SupportView.of(diagnosis_of(scan_of(frame)))
    assert view.answer() == "No row has a label: there are no support vectors to show."
    for plot in (plot_support_vectors, plot_slack):
        figure: Any = plot(view, Look(), "x")
        assert figure.layout.meta["title"] == view.answer()


def test_what_theory_says_in_words(scan_of: ScanOf) -> None:
    frame = predictions(6, 800)
    told = BoundsView.of(diagnosis_of(scan_of(frame)), 2.0, 5_000)
    assert told.versions == ("v9", "v10")
    heads = [each.head for each in told.statements]
    assert heads[-2:] == ["Width of the margin, 1/|w|", "Training rows in the log"]
    assert any("weights in training" in each for each in told.sentences)
    probability = diagnosis_of(scan_of(predictions(6, 400, probability=True), name="p"))
    assert "no hinge loss was trained on" in BoundsView.of(probability).reason
    bare = diagnosis_of(scan_of(frame.drop(columns="split"), name="bare"))
    assert BoundsView.of(bare).reason == "no split is called train"


def test_the_ledger_in_words(scan_of: ScanOf) -> None:
    frame = predictions(7, 600)
    half = frame.head(300).assign(version="v9"), frame.head(300).assign(version="v10", decision_score=0.5)
    scan = scan_of(pd.concat(half, ignore_index=True), roles={"id": "id"})
    diagnosis = diagnosis_of(scan)
    query = pair_query(diagnosis, "")
    view = MovesView(query, read_pairs(scan, query))
    assert view.n == 300
    assert view.left == 0 < view.entered
    assert f"{view.entered} entered" in view.answer()
    assert "beyond chance (McNemar" in view.answer()
    assert view.left_out() == ""
    assert next(iter(view.moves())) == "entered"
    assert len(view.listed("entered")) == view.entered
    parts = [move for move in view.moves() if move.startswith("free..")]
    assert sum(len(view.listed(move)) for move in parts) == view.entered
    assert view.frame()["ids"].sum() == 300
