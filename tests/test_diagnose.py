"""The one path: results that are computed once, and what γ moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.metrics.summary import METRICS, compute_summary
from lib.reports import build_report, render_markdown, render_text
from lib.scan import Scan
from lib.schema import VERSION, WINDOW, Filter
from lib.settings import Settings
from lib.sources import build_dataset, infer_mapping, read_table
from tests.scan.conftest import predictions


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    folder: Path = tmp_path_factory.mktemp("diagnose")
    predictions(41, 2000).to_parquet(folder / "rows.parquet", index=False)
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    return Scan(build_dataset([table], infer_mapping([table]).mapping), folder)


@pytest.mark.parametrize("keys", [(VERSION,), (VERSION, WINDOW)])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_what_is_shared_between_gammas_is_what_gamma_does_not_move(
    scan: Scan, keys: tuple[str, ...], gamma: float
) -> None:
    Diagnosis(scan, Settings.choose(scan.facts, margin_target=1.5)).summary(*keys)
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts, margin_target=gamma))
    found, expected = diagnosis.summary(*keys), compute_summary(diagnosis.cells(*keys), diagnosis.metric_settings)
    assert list(found.metrics) == [metric.name for metric in METRICS]
    for name, each in expected.metrics.items():
        for field in ("value", "lower", "upper", "n"):
            np.testing.assert_array_equal(getattr(found[name], field), getattr(each, field), err_msg=name)


def test_results_are_computed_once(scan: Scan) -> None:
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    assert diagnosis.versions is diagnosis.versions
    assert diagnosis.cohorts("language") is diagnosis.cohorts("language")


def test_a_change_is_candidate_minus_baseline(scan: Scan) -> None:
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    rate, names = diagnosis.versions["violation_rate"], diagnosis.versions.groups[VERSION].tolist()
    settings = diagnosis.settings
    expected = rate.value[names.index(settings.candidate)] - rate.value[names.index(settings.baseline)]
    change = diagnosis.change("violation_rate")
    assert change.value == pytest.approx(expected)
    assert change.lower < change.value < change.upper


def test_a_version_that_a_filter_empties_has_no_change(scan: Scan) -> None:
    settings = Settings.choose(scan.facts, where=Filter(split="nowhere"))
    change = Diagnosis(scan, settings).change("violation_rate")
    assert change.reason.startswith("no rows of")
    assert np.isnan(change.value)


def versions_of(folder: Path, *, change: float, seed: int, n: int = 1_500) -> Diagnosis:
    """Two versions on a clean task; the candidate sees less of the class by `change`."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 2, n)
    candidate = generator.integers(0, 2, n)
    score = generator.normal((2 * label - 1) * (1.2 - change * candidate), 1.0)
    frame = pd.DataFrame({"label": label, "version": np.where(candidate, "b", "a"), "decision_score": score})
    frame["time"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.linspace(0, 20, n), unit="D")
    frame.to_parquet(folder / "rows.parquet", index=False)
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    scan = Scan(build_dataset([table], infer_mapping([table]).mapping), folder)
    return Diagnosis(scan, Settings.choose(scan.facts))


def test_verdicts_are_corrected_for_the_metrics_that_are_judged(tmp_path: Path) -> None:
    """Between two alike versions anything at all is said in about 5 % of files, not in every third."""
    alone = said = 0
    for seed in range(60):
        diagnosis = versions_of(tmp_path, change=0.0, seed=seed)
        judged = diagnosis.change_p_values
        assert all(p <= adjusted + 1e-12 <= 1 + 1e-9 for p, adjusted in judged.values())
        assert not {"positive_share", "predicted_positive_share"} & set(judged)
        verdicts = {metric.name: diagnosis.verdict(metric.name) for metric in METRICS}
        assert all((verdicts[name] in ("better", "worse")) == (judged[name][1] <= 0.05) for name in judged)
        assert not any(verdicts[name] for name in set(verdicts) - set(judged))
        alone += any(p <= 0.05 for p, _adjusted in judged.values())
        said += any(verdicts.values())
    assert alone >= 10
    assert said <= 8


@pytest.mark.parametrize(("change", "is_found", "words"), [(0.4, True, ""), (-0.4, False, "better")])
def test_a_candidate_that_is_worse_as_a_whole_is_said_in_one_way(
    tmp_path: Path, change: float, is_found: bool, words: str
) -> None:
    diagnosis = versions_of(tmp_path, change=change, seed=1, n=4_000)
    verdicts = [diagnosis.verdict(name) for name in diagnosis.change_p_values]
    assert verdicts.count("worse" if is_found else "better") >= 8
    report = build_report(diagnosis, run_checks(diagnosis))
    assert [each.name for each in report.checks if each.is_finding] == ["quality-regression"] * is_found
    for text in map(" ".join, (render_text(report).split(), render_markdown(report).split())):
        assert ("More wrong answers in version b: accuracy" in text) is is_found
        said = f"No check found a fault; version b is {words} than version a in"
        assert (said in text) is not is_found
