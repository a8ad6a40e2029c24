"""What the Training page draws: every value that was logged is in the table, the picture says the best one."""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from lib.checks.training_runs import TrainingLook
from lib.figures.theme import Look
from lib.figures.training import history_line, plot_batches, plot_training
from lib.figures.training_view import BatchView, TrainingView, axes_of, curve_rows, metrics_of, splits_of, thin_out
from lib.sources.training import Curve
from tests.checks.training_worlds import curve, training
from tests.figures.conftest import HOSTILE

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
LOSS, VAL = np.array([3.0, 2, 1.5, 1.2]), np.array([3.0, 2, 2.5, math.nan])


def two(name="run"):
    return training(
        curve(LOSS, run=name), curve(VAL, "validation", run=name), curve(1 - LOSS / 4, metric="accuracy", run=name)
    )


def layout_of(figure) -> Any:
    return figure.layout


def texts(figure):
    return [str(each.text) for each in layout_of(figure).annotations]


def test_rows_say_best_and_gap():
    rows = {row.curve.written: row for row in curve_rows(TrainingLook(two()))}
    assert rows["val_loss"].best_words == "2.000 at epoch 2"
    assert rows["val_loss"].gaps == (0.0, pytest.approx(math.nan, nan_ok=True))
    assert all(math.isnan(each) for each in rows["loss"].gaps)


def test_choices():
    look = TrainingLook(two())
    assert metrics_of(look) == ["loss", "accuracy"]
    assert splits_of(look, "loss") == ["train", "validation"]
    assert axes_of(look, "loss") == ["epoch"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [420, 600, 1440])
def test_the_title_says_the_best_and_every_value_is_in_the_table(dark, width):
    view = TrainingView.of(TrainingLook(two()), "loss", ["train", "validation"], "epoch", weight=0.6)
    figure = plot_training(view, Look(dark, width=width), history_line(two(), NOW))
    assert layout_of(figure).meta["title"] == "Best validation loss: 2.000 at epoch 2; 2.500 at the end"
    assert "exponential moving averages (weight 0.6)" in layout_of(figure).meta["subtitle"]
    assert "sha256 0000000000" in layout_of(figure).meta["provenance"]
    frame = view.frame()
    assert frame["value"].to_numpy() == pytest.approx(np.concatenate([LOSS, VAL]), nan_ok=True)
    assert frame["moving_average"].notna().all()
    crosses = [each for each in figure.data if each.marker.symbol == "x"]
    assert crosses[0].x.tolist() == [4.0]
    assert crosses[0].y.tolist() == [2.5]


def test_a_logarithmic_axis_says_what_it_hides():
    given = training(curve(np.array([1.0, 0.0, -1.0])))
    view = TrainingView.of(TrainingLook(given), "loss", ["train"], "epoch", log=True)
    assert view.hidden == 2
    figure = plot_training(view, Look(), "")
    assert layout_of(figure).yaxis.type == "log"
    assert "2 values of 0 or less" in layout_of(figure).meta["subtitle"]


def test_what_has_no_place_on_an_axis_is_named():
    given = training(curve(LOSS), curve(LOSS, run="other", epochs=[1, 1, 2, 2]))
    view = TrainingView.of(TrainingLook(given), "loss", ["train"], "step")
    assert view.left_out == ("loss of run",)
    assert "Without this axis: loss of run" in layout_of(plot_training(view, Look(), "")).meta["subtitle"]
    none = TrainingView.of(TrainingLook(given), "loss", ["train"], "time")
    assert "No curve of loss" in layout_of(plot_training(none, Look(), "")).meta["title"]
    chosen = TrainingView.of(TrainingLook(given), "loss", ["train"], "epoch", runs=["other"])
    assert chosen.lines[0].x.tolist() == [1, 1.5, 2, 2.5]


def test_times_have_a_unit():
    where = np.array([0.0, 3600, 7200, 14_400])
    given = training(Curve("run", "train", "loss", "loss", "", where, where, where, LOSS))
    view = TrainingView.of(TrainingLook(given), "loss", ["train"], "time")
    assert (view.unit, view.lines[0].x.tolist()) == ("h", [0, 1, 2, 4])


@pytest.mark.parametrize("text", HOSTILE)
def test_names_from_files_are_harmless(text):
    view = TrainingView.of(TrainingLook(two(text)), "loss", ["train", "validation"], "epoch")
    figure = plot_training(view, Look(width=600), history_line(two(text), NOW))
    said = [*texts(figure), *(str(each.hovertemplate) for each in figure.data)]
    assert not any(bad in each for each in said for bad in ("<script", "<img", "<b>bold", "%{x} &amp; &lt;", "$x^2$"))


def test_a_long_curve_keeps_its_ends_and_extremes():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(100_000)
    y[777], y[88_888], y[5] = 50, -50, np.nan
    x, thin = thin_out(np.arange(100_000.0), y)
    assert len(thin) <= 1_002
    assert {50, -50} <= set(thin.tolist())
    assert (x[0], x[-1]) == (0, 99_999)
    assert (np.diff(x) > 0).all()


def test_batches():
    rng = np.random.default_rng(0)
    epochs = np.repeat(np.arange(30.0), 20)
    given = training(curve(5 - epochs / 10 + rng.random(600), epochs=epochs))
    (view,) = BatchView.all_of(TrainingLook(given), "loss", ["run"], ["train"])
    assert len(view.shown) == 12
    assert (view.shown[0], view.shown[-1]) == (0, 29)
    figure = plot_batches(view, Look(width=600), "")
    assert layout_of(figure).meta["title"].startswith("Batches of loss of run: median 5.")
    assert "12 of 30 epochs are shown" in layout_of(figure).meta["subtitle"]
    assert len(view.frame()) == 30 * 40
    assert BatchView.all_of(TrainingLook(two()), "loss", ["run"], ["train"]) == []
