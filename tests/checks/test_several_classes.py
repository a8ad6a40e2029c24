"""Every check on several classes: it has its meaning, or says why it has none; exchanged classes are one finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.checks import CHECKS, CheckResult, Severity, Status, run_checks
from lib.diagnose import Diagnosis
from lib.scan import Scan
from lib.scan.saved import read_cells, save_cells
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from tests.checks.class_worlds import EXPECTED, class_findings, cycle, exchange, make_classes, rows_of

NAMES = ("ant", "bee", "cat", "dog")
NOT_APPLICABLE = {"noisy-labels"}
FOUND_HERE = ("label-flip", "label-encoding", "constant-score")
SAMPLES = Path(__file__).parents[2] / "sample_data"


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


def scan_of(frame: pd.DataFrame, folder: Path, label: str = "label") -> Scan:
    frame.to_parquet(folder / "rows.parquet", index=False)
    table = read_table(folder / "rows.parquet", "rows.parquet", folder / "store")
    dataset = build_dataset([table], infer_mapping([table], Answers(roles={"label": label})).mapping)
    assert dataset.mapping.is_multiclass
    return Scan(dataset, folder / "store")


def results(frame: pd.DataFrame, folder: Path, label: str = "label") -> dict[str, list[CheckResult]]:
    scan = scan_of(frame, folder, label)
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
    passed = ("label-flip", "label-encoding", "constant-score", "margin-collapse", "score-drift", "class-imbalance")
    for name in (*passed, "small-sample", "cohort-disparity"):
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


def swapped(frame: pd.DataFrame, rows: Any) -> pd.DataFrame:
    """The scores of cat and dog exchanged in some rows."""
    changed = frame.copy()
    changed.loc[rows, ["prob_cat", "prob_dog"]] = frame.loc[rows, ["prob_dog", "prob_cat"]].to_numpy()
    return changed


def answers_of(frame: pd.DataFrame) -> Any:
    """The class with the highest score of each row."""
    return np.array(NAMES)[frame[[f"prob_{name}" for name in NAMES]].to_numpy().argmax(axis=1)]


def test_classes_exchanged_in_a_deploy_are_one_finding_that_names_them(tmp_path: Path) -> None:
    frame = world(7)
    found = results(swapped(frame, frame.version == "v2"), tmp_path)
    (finding,) = [each for answers in found.values() for each in answers if each.is_finding]
    assert (finding.name, finding.version, finding.severity) == ("label-flip", "v2", Severity.ERROR)
    assert finding.title.startswith("Classes cat and dog are exchanged in version v2: ")
    assert finding.evidence["exchanged"] == {"cat": "dog", "dog": "cat"}
    concerned = frame[(frame.version == "v2") & frame.label.isin(["cat", "dog"])]
    right = answers_of(concerned) == concerned.label.to_numpy()
    assert finding.evidence["n"] == len(concerned)
    assert finding.evidence["accuracy_exchanged"] == pytest.approx(right.mean())
    elsewhere = frame[(frame.version == "v1") & frame.label.isin(["cat", "dog"])]
    right = answers_of(elsewhere) == elsewhere.label.to_numpy()
    assert finding.evidence["accuracy_elsewhere"] == pytest.approx(right.mean())


def test_what_follows_from_exchanged_classes_stands_under_them(tmp_path: Path) -> None:
    """A cohort in which they are exchanged has more violations, and some days move the margins: one cause."""
    frame = world(8, 8_000)
    days = frame.time.between("2026-01-04", "2026-01-07")
    found = results(swapped(frame, (frame.language == "pt") & days), tmp_path)
    (finding,) = [each for answers in found.values() for each in answers if each.is_finding]
    assert finding.where.cohort == {"language": "pt"}
    assert "for language = pt from 4 to 6 January" in finding.title
    said = finding.evidence["consequences"]
    assert any(each.startswith("everything as a whole: accuracy ") for each in said)
    assert any(each.startswith("language = pt over all time: accuracy ") for each in said)
    assert any(each.startswith("violation rate for language = pt") for each in said)
    assert any(each.startswith("Margins have moved down for language = pt") for each in said)


def test_saved_cells_tell_of_versions(tmp_path: Path) -> None:
    frame = world(11)
    for rows, said in (
        (frame.version == "v2", "Classes cat and dog are exchanged in version v2"),
        (frame.language == "pt", "saved cells hold answers by version alone"),
    ):
        scan = scan_of(swapped(frame, rows), tmp_path)
        save_cells(scan, tmp_path / "cells.parquet")
        saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
        found = run_checks(Diagnosis(saved, Settings.choose(saved.facts)))
        (answer,) = [each for each in found if each.name == "label-flip"]
        assert said in answer.title


def test_the_labels_may_be_at_fault_of_all_rows(tmp_path: Path) -> None:
    frame = world(12)
    renamed = {"ant": "bee", "bee": "cat", "cat": "ant", "dog": "dog"}
    found = results(frame.assign(label=frame.label.map(renamed)), tmp_path)
    (finding,) = [each for answers in found.values() for each in answers if each.is_finding]
    assert finding.name == "label-encoding"
    assert finding.evidence["exchanged"] == {new: old for old, new in renamed.items() if new != old}
    assert finding.title.startswith(
        "3 classes are exchanged over all versions and cohorts: ant is answered as cat, cat is answered as bee and bee "
        "is answered as ant; "
    )


def test_the_real_digits_with_two_columns_exchanged(tmp_path: Path) -> None:
    digits = pd.read_csv(SAMPLES / "which_digit.csv.gz")
    assert not any(each.is_finding for name in FOUND_HERE for each in results(digits, tmp_path, "y_true")[name])
    digits.loc[digits.version == "softmax-2", ["prob_three", "prob_eight"]] = digits.loc[
        digits.version == "softmax-2", ["prob_eight", "prob_three"]
    ].to_numpy()
    (finding,) = results(digits, tmp_path, "y_true")["label-flip"]
    assert finding.version == digits.version.unique()[-1]
    assert finding.evidence["exchanged"] == {"eight": "three", "three": "eight"}


@pytest.mark.parametrize(("k", "n"), [(3, 2_000), (10, 20_000), (50, 10_000), (3, 100_000)])
def test_however_many_classes_and_rows(k: int, n: int) -> None:
    frame = make_classes(5, k=k, n=n)
    assert "label-flip" not in {each.name for each in class_findings(frame)}
    faulty = exchange(frame, rows_of(frame, "version-cohort"), cycle(k, 0, 2))
    (finding,) = [each for each in class_findings(faulty) if each.name not in EXPECTED]
    assert (finding.name, finding.version, finding.where.cohort) == ("label-flip", "v2", {"language": "pt"})
    assert finding.evidence["exchanged"] == {"c00": "c02", "c02": "c00"}


@pytest.mark.parametrize("members", [(0, 1), (1, 2)])
def test_exchanged_classes_of_which_one_is_rare_or_another_never_answered(members: tuple[int, int]) -> None:
    """A model that knows how frequent classes are answers hardly any row with the rarest."""
    frame = make_classes(6, k=5, n=8_000, shares=(0.5, 0.2, 0.2, 0.07, 0.03))
    frame["score_c04"] *= 1e-6
    scores = frame.filter(like="score_")
    assert (scores.idxmax(axis=1) == "score_c04").sum() == 0
    (finding,) = [
        each
        for each in class_findings(exchange(frame, rows_of(frame, "version"), cycle(5, *members)))
        if each.name not in EXPECTED
    ]
    one, other = (f"c{each:02d}" for each in members)
    assert (finding.name, finding.evidence["exchanged"]) == ("label-flip", {one: other, other: one})


def test_one_answer_for_all_is_no_exchange_and_hard_decisions_are_told(tmp_path: Path) -> None:
    frame = world(13)
    scores = [f"prob_{name}" for name in NAMES]
    stuck = frame.copy()
    stuck.loc[frame.language == "pt", scores] = [0.1, 0.1, 0.7, 0.1]
    (finding,) = [each for answers in results(stuck, tmp_path).values() for each in answers if each.is_finding]
    assert finding.title.startswith("One answer, cat, is given to 100 % of rows for language = pt (")
    hard = frame.assign(**dict(zip(scores, np.eye(4)[frame[scores].to_numpy().argmax(axis=1)].T, strict=True)))
    (told,) = results(hard, tmp_path)["constant-score"]
    assert told.title.startswith("No class has more than two distinct margins (")


def test_a_cohort_of_one_class_is_rightly_answered_with_it(tmp_path: Path) -> None:
    frame = world(14)
    frame["language"] = np.where((frame.label == "cat") & (frame.index % 2 == 0), "zh", frame.language)
    (answer,) = results(frame, tmp_path)["constant-score"]
    assert answer.status is Status.PASS


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
