"""Every check on several classes: it has its meaning, or says why it has none; and the two that were taught one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.checks import CHECKS, CheckResult, Severity, Status, run_checks
from lib.diagnose import Diagnosis, Settings
from lib.scan import Scan
from lib.sources import Answers, build_dataset, infer_mapping, read_table

NAMES = ("ant", "bee", "cat", "dog")
NOT_APPLICABLE = {"label-flip", "label-encoding", "constant-score", "noisy-labels"}


def world(seed: int, n: int = 4_000, shares: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)) -> pd.DataFrame:
    """Ten days of two versions of a calibrated model of four classes."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=shares)
    scores = rng.normal(0, 1, (n, 4))
    scores[np.arange(n), truth] += 2.5
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return pd.DataFrame(p, columns=[f"prob_{name}" for name in NAMES]).assign(
        label=[NAMES[place] for place in truth],
        version=np.where(rng.random(n) < 0.5, "v1", "v2"),
        language=rng.choice(["de", "en", "pt"], n),
        time=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 10 * 86_400, n)), unit="s"),
    )


def results(frame: pd.DataFrame, folder: Path) -> dict[str, list[CheckResult]]:
    frame.to_parquet(folder / "rows.parquet", index=False)
    table = read_table(folder / "rows.parquet", "rows.parquet", folder / "store")
    dataset = build_dataset([table], infer_mapping([table], Answers()).mapping)
    assert dataset.mapping.is_multiclass
    scan = Scan(dataset, folder / "store")
    found: dict[str, list[CheckResult]] = {}
    for each in run_checks(Diagnosis(scan, Settings.choose(scan.facts))):
        found.setdefault(each.name, []).append(each)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_clean_data_is_silent_and_what_has_no_meaning_says_so(seed: int, tmp_path: Path) -> None:
    found = results(world(seed), tmp_path)
    assert set(found) == {check.name for check in CHECKS}
    for name, answers in found.items():
        assert not any(each.is_finding for each in answers), answers
        if name in NOT_APPLICABLE:
            (answer,) = answers
            assert answer.status is Status.NOT_APPLICABLE
            assert "more than two classes" in answer.title
    for name in ("margin-collapse", "score-drift", "class-imbalance", "small-sample", "cohort-disparity"):
        assert [each.status for each in found[name]] == [Status.PASS], name


def test_a_rare_class_is_told_by_name(tmp_path: Path) -> None:
    frame = world(5, shares=(0.4, 0.37, 0.2, 0.03))
    (found,) = results(frame, tmp_path)["class-imbalance"]
    assert found.is_finding
    assert found.evidence["minority_class"] == "dog"
    share = (frame[frame.version == "v2"].label == "dog").mean()
    other = (frame[frame.version == "v1"].label == "dog").mean()
    assert found.evidence["minority_share"] in (pytest.approx(share), pytest.approx(other))
    assert "of class dog" in found.title


def test_even_classes_are_not_rare_however_many(tmp_path: Path) -> None:
    """A tenth of the rows is rare among two classes and even among ten."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 10, 3_000)
    scores = rng.normal(0, 1, (3_000, 10))
    scores[np.arange(3_000), truth] += 2
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    frame = pd.DataFrame(p, columns=[f"prob_{k}" for k in range(10)]).assign(label=truth)
    (found,) = results(frame, tmp_path)["class-imbalance"]
    assert found.status is Status.PASS
    assert found.title.startswith("No class is rare: the rarest one has ")


def test_too_few_rows_of_a_class_are_counted_by_class(tmp_path: Path) -> None:
    frame = world(6, 2_000)
    frame = frame[(frame.label != "dog") | (np.arange(len(frame)) % 40 == 0)]
    found = results(frame.assign(version="v1"), tmp_path)["small-sample"]
    (one,) = found
    assert one.severity is Severity.INFO
    assert "of the dog class" in one.title
    assert one.evidence["n_by_class"] == {name: int((frame.label == name).sum()) for name in NAMES}


def test_a_permuted_mapping_of_classes_shows_in_its_cohort_and_its_time(tmp_path: Path) -> None:
    frame = world(7, 8_000)
    columns = [f"prob_{name}" for name in NAMES]
    days = frame.time.between("2026-01-04", "2026-01-06")
    frame.loc[days, columns] = frame.loc[days, columns[1:] + columns[:1]].to_numpy()
    found = results(frame, tmp_path)
    (drift, *_rest) = found["score-drift"]
    assert drift.is_finding
    assert drift.title.startswith("Margins have moved down")
    other = world(8, 8_000)
    wrong = other.language == "pt"
    other.loc[wrong, columns] = other.loc[wrong, columns[1:] + columns[:1]].to_numpy()
    disparity = results(other, tmp_path)["cohort-disparity"]
    assert any(each.is_finding and each.where.cohort == {"language": "pt"} for each in disparity)


def test_labels_that_come_late_are_no_drift(tmp_path: Path) -> None:
    frame = world(9)
    frame.loc[frame.time > "2026-01-08", "label"] = None
    found = results(frame, tmp_path)
    assert [each.status for each in found["score-drift"]] == [Status.NOT_APPLICABLE]
    assert any(each.is_finding for each in found["missing-telemetry"])


def test_margins_that_collapse_are_found(tmp_path: Path) -> None:
    frame = world(10, 8_000)
    columns = [f"prob_{name}" for name in NAMES]
    days = frame.time.between("2026-01-04", "2026-01-07")
    flat = frame.loc[days, columns].to_numpy() ** 0.1
    frame.loc[days, columns] = flat / flat.sum(axis=1, keepdims=True)
    assert any(each.is_finding for each in results(frame, tmp_path)["margin-collapse"])
