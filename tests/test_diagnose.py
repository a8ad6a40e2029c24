"""The one path: settings with their defaults, results that are computed once, and what γ moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lib.diagnose import Diagnosis, Settings
from lib.errors import SettingsError
from lib.metrics.summary import METRICS, compute_summary
from lib.scan import Scan
from lib.schema import VERSION, WINDOW, Filter
from lib.sources import build_dataset, infer_mapping, read_table
from tests.scan.conftest import predictions


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    folder: Path = tmp_path_factory.mktemp("diagnose")
    predictions(41, 2000).to_parquet(folder / "rows.parquet", index=False)
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    return Scan(build_dataset([table], infer_mapping([table]).mapping), folder)


def test_baseline_is_the_first_version_and_candidate_the_last(scan: Scan) -> None:
    settings = Settings.choose(scan.facts)
    assert (settings.baseline, settings.candidate) == (scan.facts.versions[0], scan.facts.versions[-1])
    with pytest.raises(SettingsError, match=r"There is no version 'v11'; there are .* Did you mean"):
        Settings.choose(scan.facts, baseline="v11")


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
