"""Where rows gather that contradict the surest answers: the numbers of the rows, and the rows behind each number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.figures.confident_view import ConfidentView
from lib.scan import Scan, count_rows
from lib.schema import Filter
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table


def noisy(kind: str) -> pd.DataFrame:
    """Two versions; a fifth of the labels that Bo gave are turned round."""
    generator = np.random.default_rng(8)
    n = 6_000
    truth = generator.integers(0, 2, n)
    score = generator.normal((2 * truth - 1) * 2.5, 1.5)
    who = generator.choice(["Ann", "Bo", "Cy"], n)
    label = np.where((who == "Bo") & (generator.random(n) < 0.2), 1 - truth, truth)
    scores = {"logit": score, "decision_score": score / 300, "prob": 1 / (1 + np.exp(-score))}[kind]
    return pd.DataFrame(
        {
            "version": generator.choice(["v1", "v2"], n),
            "label": label,
            kind: scores,
            "annotator": who,
            "region": generator.choice(["north", "south"], n),
        }
    )


def scanned(frame: pd.DataFrame, folder: Path, budget: int = 250_000) -> Scan:
    path = folder / "rows.parquet"
    frame.to_parquet(path, index=False)
    table = read_table(path, path.name, folder / "store")
    inference = infer_mapping([table], Answers())
    (sentence,) = (each.sentence for each in inference.evidence if each.topic == "cohorts")
    assert sentence.endswith("Named like who gave the label: annotator.")
    return Scan(build_dataset([table], inference.mapping), folder / "store", budget=budget)


@pytest.mark.parametrize("budget", [250_000, 1_500])
@pytest.mark.parametrize("kind", ["logit", "decision_score", "prob"])
def test_the_labeller_is_told_with_the_rows_behind_each_number(kind: str, budget: int, tmp_path: Path) -> None:
    frame = noisy(kind)
    scan = scanned(frame, tmp_path, budget)
    view = ConfidentView.of(Diagnosis(scan, Settings.choose(scan.facts)), "v2")
    if kind == "decision_score" and budget == 1_500:
        # All scores lie within one step, so that no table can tell which are sure.
        assert view.sure == 0
        return
    first = view.labellers[0]
    assert (first.column, first.value, first.stands_out) == ("annotator", "Bo", True)
    assert [row.value for row in view.labellers if row.stands_out] == ["Bo"]
    assert {row.column for row in view.cohorts} == {"region"}
    assert not any(row.stands_out for row in view.cohorts)
    for row in (*view.labellers, *view.cohorts):
        assert row.query is not None
        assert count_rows(scan, row.query) == row.wrong
    if budget == 250_000:
        raw = frame[kind]
        score = np.log(raw / (1 - raw)) if kind == "prob" else raw
        here = frame["version"] == "v2"
        edge = np.sort(np.abs(score[here]))[(here.sum() - 1) // 2] if kind == "decision_score" else 2.0
        sure = here & (np.abs(score) > edge)
        wrong = sure & ((score > 0) != (frame["label"] == 1))
        assert (view.wrong, view.sure) == (wrong.sum(), sure.sum())
        assert (view.rate.n, view.rate.value) == (sure.sum(), pytest.approx(wrong.sum() / sure.sum()))
        assert view.rate.lower < view.rate.value < view.rate.upper
        own = frame["annotator"] == "Bo"
        assert (first.wrong, first.estimate.n) == ((wrong & own).sum(), (sure & own).sum())
        assert first.rest.value == pytest.approx((wrong & ~own).sum() / (sure & ~own).sum())
    assert f"annotator Bo has most beyond chance, {100 * first.estimate.value:.1f}" in view.answer()


def test_under_a_cohort_filter_links_hold_that_too(tmp_path: Path) -> None:
    scan = scanned(noisy("logit"), tmp_path)
    where = Filter(cohorts=(("region", "north"),))
    view = ConfidentView.of(Diagnosis(scan, Settings.choose(scan.facts, where=where)), "v2")
    assert view.labellers[0].value == "Bo"
    for row in view.labellers:
        assert row.query is not None
        assert row.query.where.cohorts == (("region", "north"), (row.column, row.value))
        assert count_rows(scan, row.query) == row.wrong


def test_clean_labels_and_versions_without_rows_are_said(tmp_path: Path) -> None:
    frame = noisy("logit")
    frame["annotator"] = np.random.default_rng(1).permutation(frame["annotator"])
    scan = scanned(frame, tmp_path)
    view = ConfidentView.of(Diagnosis(scan, Settings.choose(scan.facts)), "v1")
    assert view.answer().endswith("no cohort has more of them than the rest beyond chance.")
    none = ConfidentView.of(Diagnosis(scan, Settings.choose(scan.facts, where=Filter(start=10**9))), "v9")
    assert none.answer() == "Version v9 is sure of no labelled row."
