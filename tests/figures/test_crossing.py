"""Two cohort columns crossed: the numbers of each pair, and what the picture leaves blank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.figures.crossing import plot_crossing
from lib.figures.crossing_view import CrossingView
from lib.figures.theme import Look, blend, contrast
from lib.metrics.cohorts import SMALL
from lib.scan import Scan
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table


def made(n: int = 4000) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "label": generator.integers(0, 2, n),
            "language": generator.choice(["de", "en", "<pt>"], n, p=[0.3, 0.69, 0.01]),
            "platform": generator.choice(["web", "ios"], n),
        }
    )
    sign = 2 * frame["label"] - 1
    bad = (frame["language"] == "de") & (frame["platform"] == "ios")
    frame["decision_score"] = sign * np.where(bad, -1.0, 1.0) + generator.normal(0, 1, n)
    return frame


@pytest.fixture
def diagnosis_of(tmp_path: Path) -> Callable[[pd.DataFrame], Diagnosis]:
    def make(frame: pd.DataFrame) -> Diagnosis:
        frame.to_csv(tmp_path / "rows.csv", index=False)
        table = read_table(tmp_path / "rows.csv", "rows.csv", tmp_path / "store")
        answers = Answers(cohorts=("language", "platform"), score_kind="decision")
        scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), tmp_path / "store")
        return Diagnosis(scan, Settings.choose(scan.facts))

    return make


def test_each_pair_has_the_rate_of_its_rows(diagnosis_of: Callable[[pd.DataFrame], Diagnosis]) -> None:
    frame = made()
    view = CrossingView.of(diagnosis_of(frame), "language", "platform", "violation_rate")
    margin = (2 * frame["label"] - 1) * frame["decision_score"]
    expected = (margin < 1).groupby([frame["language"], frame["platform"]]).agg(["mean", "size"])
    for (language, platform), row in expected.iterrows():  # type: ignore[misc]
        assert view.estimate(language, platform).value == pytest.approx(row["mean"])
        assert view.n_labelled(language, platform) == row["size"]
    assert view.rows[:2] == ("en", "de")
    assert view.leader == ("de", "ios")
    assert view.sentence(str).startswith("Violation rate of rows is highest for language de with platform ios: ")


def test_small_and_missing_pairs_are_blank_and_escaped(diagnosis_of: Callable[[pd.DataFrame], Diagnosis]) -> None:
    frame = made()
    frame = frame[~((frame["language"] == "<pt>") & (frame["platform"] == "ios"))]
    view = CrossingView.of(diagnosis_of(frame), "language", "platform", "accuracy")
    assert not view.estimate("<pt>", "ios").is_defined
    assert view.is_small("<pt>", "web") is (view.n_labelled("<pt>", "web") < SMALL) is True
    figure: Any = plot_crossing(view, Look(), "where from")
    field = figure.data[0]
    row, column = view.rows.index("<pt>"), view.columns.index("web")
    assert field.z[row][column] is None
    assert "too few" in field.customdata[row][column]
    assert "<pt>" not in field.customdata[row][column]
    assert view.leader == ("de", "ios")
    assert "is lowest for" in figure.layout.meta["title"]


def test_nothing_to_say_is_said(diagnosis_of: Callable[[pd.DataFrame], Diagnosis]) -> None:
    view = CrossingView.of(diagnosis_of(made(80).head(40)), "language", "platform", "violation_rate")
    assert view.leader is None
    figure: Any = plot_crossing(view, Look(), "where from")
    assert figure.layout.meta["title"] == f"No pair of language and platform has {SMALL} labelled rows"


def test_blended_colours() -> None:
    assert blend("#FFFFFF", "#000000", 0.0) == "#000000"
    assert blend("#FFFFFF", "#000000", 1.0) == "#FFFFFF"
    assert blend("#0F5E6E", "#FCFCFB", 0.5) == "#86ADB4"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.478, abs=1e-3)
    assert contrast("#0F5E6E", "#0F5E6E") == 1


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_stand_out_from_every_field(diagnosis_of: Callable[[pd.DataFrame], Diagnosis], dark: bool) -> None:
    view = CrossingView.of(diagnosis_of(made()), "language", "platform", "violation_rate")
    look = Look(dark=dark)
    figure: Any = plot_crossing(view, look, "where from")
    field, numbers = figure.data
    ends = [colour for _at, colour in field.colorscale]
    values = [value for line in field.z for value in line if value is not None]
    assert len(numbers.text) == len(values) == len(numbers.textfont.color)
    for x, y, ink in zip(numbers.x, numbers.y, numbers.textfont.color, strict=True):
        strength = (field.z[y][x] - min(values)) / (max(values) - min(values))
        assert contrast(ink, blend(ends[1], ends[0], strength)) >= 4.0
    assert field.text is None
