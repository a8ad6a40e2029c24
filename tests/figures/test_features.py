"""Figures of one feature: framed at every width, titles that say what the numbers do, hostile names harmless."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.figures.features import plot_along, plot_distribution, plot_feature_windows
from lib.figures.features_view import EXPLAINS, FeatureView, RankingView
from lib.figures.frame import provenance_line
from lib.figures.theme import Look
from lib.scan import Scan
from lib.schema import Filter
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE = "<b>%{x}</b> $amount$"


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    folder, rng, n = tmp_path_factory.mktemp("features"), np.random.default_rng(0), 4_000
    version, label = rng.choice(["v1", "v2"], n), rng.integers(0, 2, n)
    amount = rng.gamma(2, 50, n) * np.where(version == "v2", 1_000, 1)
    age = rng.normal(40, 12, n)
    score = rng.normal(4 * label - 2, 1.0) * np.where(age > 55, 0.1, 1)
    age[rng.random(n) < 0.1] = np.nan
    frame = pd.DataFrame(
        {
            "y_true": label, "decision_score": score, "version": version, HOSTILE: amount, "age": age,
            "split": rng.choice(["train", "test"], n), "plan": rng.choice(["<i>free</i>", "paid"], n),
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 9 * 86_400, n), unit="s"),
        }
    )  # fmt: skip
    frame.to_parquet(folder / "rows.parquet")
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    scan = Scan(build_dataset([table], infer_mapping([table], Answers(score_kind="decision")).mapping), folder)
    made = Diagnosis(scan, Settings.choose(scan.facts, baseline="v1", candidate="v2"))
    made.read_features()
    return made


def figures(diagnosis: Diagnosis, column: str, by: Any, look: Look) -> Iterator[Any]:
    view, provenance = FeatureView.of(diagnosis, column, by), provenance_line(diagnosis)
    row = next(each for each in RankingView.of(diagnosis).rows if each.column == column)
    yield plot_distribution(view, row.drift.move("other splits" if by == "split" else "baseline"), look, provenance)
    yield plot_along(view, look, provenance, does_explain=row.does_explain)
    if view.has_course:
        yield plot_feature_windows(view, look, provenance)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("by", ["version", "split"])
@pytest.mark.parametrize("column", [HOSTILE, "age", "plan"])
def test_every_figure_is_framed(diagnosis: Diagnosis, column: str, by: str, look: Look) -> None:
    for figure in figures(diagnosis, column, by, look):
        assert figure.layout.meta["provenance"].startswith("rows.parquet")
        assert figure.layout.height > 200
        text = figure.to_json()
        for hostile in ("<b>%{x}</b>", "$amount$", "<i>free</i>"):
            assert hostile not in text


def test_titles_say_what_the_numbers_do(diagnosis: Diagnosis) -> None:
    distribution, along, *_ = figures(diagnosis, HOSTILE, "version", Look())
    assert "Kolmogorov–Smirnov distance 0.99 between v2 and v1" in distribution.layout.meta["title"]
    assert "does not differ along" in along.layout.meta["title"]
    still, along, _ = figures(diagnosis, "age", "version", Look())
    assert "no further apart than chance would have it" in still.layout.meta["title"]
    assert "is highest for age from 5" in along.layout.meta["title"]
    assert "Missing: " in still.layout.meta["subtitle"]


def test_the_ranking_puts_what_moved_first_or_what_explains(diagnosis: Diagnosis) -> None:
    moved, explains = RankingView.of(diagnosis), RankingView.of(diagnosis, EXPLAINS)
    assert [row.column for row in moved.rows][:2] == [HOSTILE, "age"]
    assert explains.rows[0].column == "age"
    assert moved.answer().startswith("1 of 3 features moved: ")
    assert "age explains" in moved.answer()
    assert len(moved.frame()) == sum(len(row.drift.moves) for row in moved.rows)


def test_tables_hold_what_is_drawn(diagnosis: Diagnosis) -> None:
    view = FeatureView.of(diagnosis, "age")
    assert view.distribution_frame().groupby("version").share.sum().tolist() == pytest.approx([0.99, 0.99], abs=0.02)
    along = view.along_frame()
    assert along[along.version == "v2"].n.sum() == view.histogram.n[1] / (1 - view.missing.value[1])
    assert set(view.time_frame().version) == {"v1", "v2"}


def test_a_filter_that_leaves_no_row(diagnosis: Diagnosis) -> None:
    nothing = diagnosis.with_settings(where=Filter(cohorts=(("plan", "nobody"),)))
    nothing.read_features()
    for column in (HOSTILE, "plan"):
        assert list(figures(nothing, column, "version", Look()))
    assert RankingView.of(nothing).answer()
