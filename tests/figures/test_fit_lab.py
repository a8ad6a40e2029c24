"""The fit lab's figures and words: framed, lines only where they are true, samples said, hostile names harmless."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.figures import fit_lab, fit_lab_view
from lib.figures.fit_lab_view import LOSSES, FitLabView
from lib.figures.theme import Look
from lib.jobs.fit_lab import LabAnswer, LabRequest
from lib.metrics.estimates import Estimate
from lib.metrics.fit_judging import run_lab
from lib.metrics.fit_lab import LabSettings
from lib.scan import Scan
from lib.scan.drawing import DrawQuery, draw_rows
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE = "<b>%{x}</b> $amount$"
Maker = Callable[..., FitLabView]
Draw = Callable[..., Any]
# plotly's own types do not know what a layout holds.
plot_plane: Draw = fit_lab.plot_plane
plot_lab_margins: Draw = fit_lab.plot_lab_margins
plot_lab_reliability: Draw = fit_lab.plot_lab_reliability


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    folder, rng, n = tmp_path_factory.mktemp("lab"), np.random.default_rng(0), 900
    label = rng.integers(0, 2, n)
    frame = pd.DataFrame({"y_true": label, "decision_score": rng.normal(2 * label - 1, 1), "version": "<i>v</i>"})
    frame[HOSTILE] = rng.normal(label, 1)
    frame["age"] = rng.normal(-label, 1)
    frame["height"] = np.where(rng.random(n) < 0.05, np.nan, rng.normal(0.3 * label, 1))
    frame.to_parquet(folder / "rows.parquet")
    table = read_table(folder / "rows.parquet", "rows.parquet", Path(folder))
    scan = Scan(build_dataset([table], infer_mapping([table], Answers(score_kind="decision")).mapping), folder)
    return Diagnosis(scan, Settings.choose(scan.facts))


@pytest.fixture(scope="module")
def view(diagnosis: Diagnosis) -> Maker:
    scan = diagnosis.tables
    assert isinstance(scan, Scan)

    def make(columns: tuple[str, ...] = (HOSTILE, "age", "height"), *, most: int = 20_000, **settings) -> FitLabView:
        query = DrawQuery(columns, scan.facts.versions[0], most=most)
        request = LabRequest(query, LabSettings(**settings))
        drawn = draw_rows(scan, query)
        return FitLabView(diagnosis, request, LabAnswer(drawn, run_lab(drawn.rows, request.settings)))

    return make


@pytest.fixture(scope="module")
def projected(view: Maker) -> FitLabView:
    return view()


@pytest.fixture(scope="module")
def sliced(view: Maker) -> FitLabView:
    return view(kernel="rbf", across=HOSTILE, up="age")


def contours(figure) -> list:
    return [trace for trace in figure.data if trace.type == "contour"]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_figure_is_framed_and_names_are_harmless(projected: FitLabView, sliced: FitLabView, look: Look) -> None:
    for each in (projected, sliced):
        figures = [plot_plane(each, "hinge", look), plot_plane(each, "logistic", look)]
        for figure in (*figures, plot_lab_margins(each, look), plot_lab_reliability(each, look)):
            assert figure.layout.meta["provenance"].startswith("rows.parquet")
            assert figure.layout.height > 200
            for hostile in ("<b>%{x}</b>", "$amount$", "<i>v</i>"):
                assert hostile not in figure.to_json()
        axes = [(figure.layout.xaxis.range, figure.layout.yaxis.range) for figure in figures]
        assert axes[0] == axes[1]


def test_lines_are_the_boundary_and_both_margins(projected: FitLabView) -> None:
    for loss in LOSSES:
        line, margins = contours(plot_plane(projected, loss, Look()))
        assert (line.contours.start, line.contours.end) == (0, 0)
        assert (margins.contours.start, margins.contours.end, margins.line.dash) == (-1, 1, "dash")
        assert np.asarray(line.z) == pytest.approx(projected.fit(loss).grid, abs=1e-4)


def test_rings_are_the_support_vectors_of_hinge_alone(projected: FitLabView) -> None:
    figure = plot_plane(projected, "hinge", Look())
    ringed = [trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "circle-open"]
    drawn = {(x, y) for trace in ringed for x, y in zip(trace.x, trace.y, strict=True)}
    plane = projected.answer.lab.fits.plane
    inside = [place for place in projected.answer.lab.fits.support if not plane.is_beyond[place]]
    assert drawn == {tuple(plane.points[place]) for place in inside}
    assert f"rests on {len(projected.answer.lab.fits.support)} of" in figure.layout.meta["title"]
    other = plot_plane(projected, "logistic", Look())
    assert not [trace for trace in other.data if trace.type == "scatter" and trace.marker.symbol == "circle-open"]


def test_what_the_plane_is_is_said(view: Maker, projected: FitLabView, sliced: FitLabView) -> None:
    assert "A projection onto the plane of both fits' weights" in projected.plane_words("hinge")
    words = sliced.plane_words("hinge")
    assert "A slice through the mean of 1 other feature, not the whole boundary" in words
    whole = view((HOSTILE, "age"), across="age", up=HOSTILE)
    assert "the whole boundary" in whole.plane_words("hinge")
    kernel = view(kernel="rbf")
    assert "none is drawn" in kernel.plane_words("logistic")
    assert contours(plot_plane(kernel, "hinge", Look())) == []
    for each in (sliced, kernel, projected):
        assert each.plane_words("hinge") in plot_plane(each, "hinge", Look()).layout.meta["subtitle"]


def test_a_sample_and_what_was_left_out_are_said(view: Maker, projected: FitLabView) -> None:
    whole = " ".join(projected.notes())
    assert "All 900 labelled rows" in whole
    assert "folds 0 to 6 against 7 to 9" in whole
    assert f"Left out: {projected.answer.drawn.n_left_out} drawn rows that lack" in whole
    assert f"height in {projected.answer.drawn.n_left_out}" in whole
    few = " ".join(view(most=300).notes())
    assert "A sample of " in few
    assert "of 900 labelled rows" in few


def test_many_points_are_drawn_as_a_sample_by_class(projected: FitLabView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_lab_view, "MOST_DRAWN", 100)
    fresh = dataclasses.replace(projected)
    label = fresh.answer.drawn.rows.label[fresh.answer.drawn.rows.is_train]
    assert 98 <= len(fresh.shown) <= 100
    assert (label[fresh.shown] > 0).mean() == pytest.approx((label > 0).mean(), abs=0.02)
    assert f"{len(fresh.shown)} of them drawn" in plot_plane(fresh, "hinge", Look()).layout.meta["subtitle"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((0.03, 0.01, 0.05), "Logistic ranks better than hinge"),
        ((-0.03, -0.05, -0.01), "Hinge ranks better than logistic"),
        ((0.03, -0.01, 0.07), "Logistic ranks as well as hinge"),
        ((0.002, 0.001, 0.003), "Both rank alike"),
    ],
)
def test_the_sentence_says_what_is_beyond_chance_and_matters(projected: FitLabView, change, said: str) -> None:
    value, lower, upper = change
    lab = dataclasses.replace(projected.answer.lab, auc_change=Estimate(value, lower, upper, 300))
    changed = dataclasses.replace(projected, answer=LabAnswer(projected.answer.drawn, lab))
    assert changed.sentence().startswith(said)
    share = len(lab.fits.support) / projected.n_train
    assert f"hinge rests on {100 * share:.1f}\N{NO-BREAK SPACE}% of the training rows." in changed.sentence()


def test_tables_hold_what_is_shown(projected: FitLabView) -> None:
    frame = projected.metrics_frame().set_index(["metric", "fit"])
    for row in projected.rows:
        assert frame.loc[(row.name, "hinge"), "value"] == row.hinge.value
        assert frame.loc[(row.name, "logistic"), "lower"] == row.logistic.lower
    assert frame.loc[("training_seconds", "hinge"), "value"] == projected.fit("hinge").seconds
    points = projected.points_frame("hinge")
    assert points.is_support_vector.sum() == len(projected.answer.lab.fits.support)
    assert (points.is_support_vector == (points.margin <= 1.001)).all()
    assert set(projected.reliability_frame().fit) == set(LOSSES)


def test_the_margin_histogram_covers_the_rows(projected: FitLabView) -> None:
    assert {bars.version for bars in projected.distribution.bars} == set(LOSSES)
    for bars in projected.distribution.bars:
        assert bars.total == projected.n_test
        assert bars.beyond < 0.02


def test_cells_that_came_from_a_process_merge_as_others_do(projected: FitLabView) -> None:
    # What comes back from a worker is equal to what is here, but not the same object.
    copy = dataclasses.replace(projected.judged("hinge").cells.resolution)
    moved = dataclasses.replace(projected.judged("hinge").cells, resolution=copy)
    merged = fit_lab_view.merge([moved, projected.judged("logistic").cells])
    assert np.isfinite(merged.score).all()
