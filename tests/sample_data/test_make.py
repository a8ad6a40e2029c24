"""The committed sample files are what the script makes, and hold what the README says."""

import csv
import gzip
import io
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, hinge_loss, log_loss, roc_auc_score
from sklearn.svm import LinearSVC

from sample_data import make
from sample_data.make import INCIDENT, WRONG_BLANK_LINES, WRONG_RECORDS, WRONG_ROWS

DIRECTORY = Path(make.__file__).parent
README = (DIRECTORY / "README.md").read_text(encoding="utf-8")
DIGITS = [name for name in make.FILES if name.startswith("digits") and name.endswith(".csv")]


@pytest.fixture(scope="module")
def hinge() -> pd.DataFrame:
    return pd.read_csv(DIRECTORY / "digits_hinge.csv")


@pytest.fixture(scope="module")
def logistic() -> pd.DataFrame:
    return pd.read_csv(DIRECTORY / "digits_logistic.csv")


@pytest.fixture(scope="module")
def joint() -> pd.DataFrame:
    return pd.read_csv(DIRECTORY / "digits_hinge_vs_logistic.csv")


@pytest.fixture(scope="module")
def incident() -> pd.DataFrame:
    return pd.read_csv(DIRECTORY / "incident.csv.gz", dtype={"version": "str", "y_true": "Int64"})


def margins(frame: pd.DataFrame) -> np.ndarray:
    return ((2 * frame.y_true.astype(float) - 1) * np.log(frame.y_prob / (1 - frame.y_prob))).to_numpy()


# Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIGITS)
def test_committed_digits_are_what_the_script_makes(name: str) -> None:
    committed, made = pd.read_csv(DIRECTORY / name), pd.read_csv(io.BytesIO(make.render(name)))
    # Another processor's linear algebra may move a score across a rounding edge, and nothing else.
    pd.testing.assert_frame_equal(committed, made, rtol=0, atol=1.5e-6)


def test_committed_incident_is_what_the_script_makes() -> None:
    # The text, not the archive: another zlib packs the same bytes differently.
    name = "incident.csv.gz"
    assert gzip.decompress((DIRECTORY / name).read_bytes()) == gzip.decompress(make.render(name))


def test_committed_classes_are_what_the_script_makes() -> None:
    name = "which_digit.csv.gz"
    committed, made = pd.read_csv(DIRECTORY / name), pd.read_csv(io.BytesIO(make.render(name)), compression="gzip")
    pd.testing.assert_frame_equal(committed, made, rtol=0, atol=1.5e-6)
    scores = committed.filter(like="prob_")
    assert scores.columns.str.removeprefix("prob_").tolist() == list(make._DIGIT_NAMES)
    assert np.abs(scores.sum(axis=1) - 1).max() < 1e-7
    right = scores.idxmax(axis=1).map(lambda each: str(each).removeprefix("prob_")) == committed.y_true
    assert right.groupby(committed.version).mean().round(3).to_dict() == {"softmax-1": 0.948, "softmax-2": 0.98}


def test_committed_wrong_file_is_what_the_script_makes() -> None:
    name = "many_things_wrong.csv"
    assert (DIRECTORY / name).read_bytes() == make.render(name)


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    root = DIRECTORY.parent
    command = [sys.executable, "-W", "error", "-m", "sample_data.make", "--out", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=300)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(make.FILES)
    for name in make.FILES:
        assert (tmp_path / name).read_bytes() == make.render(name), name


def test_files_are_small_and_described() -> None:
    sizes = {name: (DIRECTORY / name).stat().st_size for name in make.FILES}
    assert sum(sizes.values()) < 6_000_000
    for name in make.FILES:
        assert f"`{name}`" in README
        if name.endswith(".npz"):
            assert np.load(DIRECTORY / name, allow_pickle=False).files == ["ids", "vectors"]
        elif not name.startswith("many"):
            for column in pd.read_csv(DIRECTORY / name, nrows=1).columns:
                assert f"`{column}`" in README, column


def test_unknown_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no sample file is called 'nothing\.csv'"):
        make.render("nothing.csv")


# Digits -----------------------------------------------------------------------------------------------------------


def features(number: int, train: np.ndarray) -> np.ndarray:
    """The recipe of the README, written again."""
    bunch: Any = load_digits()
    images = bunch.images / 16
    blocks = [images.reshape(1797, 64)]
    if number == 2:
        blocks.append((images[:, :, :-1] * images[:, :, 1:]).reshape(1797, 56))
        blocks.append((images[:, :-1, :] * images[:, 1:, :]).reshape(1797, 56))
    matrix = np.hstack(blocks)
    return matrix - matrix[train].mean(axis=0)


@pytest.mark.parametrize(("number", "c"), [(1, 0.1), (2, 1.0)])
def test_hinge_scores_are_those_of_linear_svc(hinge: pd.DataFrame, number: int, c: float) -> None:
    part = hinge[hinge.version == f"hinge-{number}"].reset_index(drop=True)
    train = (part.split == "train").to_numpy()
    matrix = features(number, train)
    # Another seed visits the coordinates in another order and must reach the same optimum.
    model = LinearSVC(loss="hinge", C=c, tol=1e-9, max_iter=5_000_000, random_state=99)
    model.fit(matrix[train], part.y_true[train])
    scores = np.asarray(model.decision_function(matrix))
    np.testing.assert_allclose(part.decision_score, scores, rtol=0, atol=1e-5)
    for split in ("train", "validation", "test"):
        rows = (part.split == split).to_numpy()
        expected = hinge_loss(part.y_true[rows], scores[rows])
        assert hinge_loss(part.y_true[rows], part.decision_score[rows]) == pytest.approx(expected, abs=1e-6)
        assert np.array_equal(part.decision_score[rows] > 0, np.asarray(model.predict(matrix))[rows] == 1)


@pytest.mark.parametrize(("number", "c"), [(1, 0.1), (2, 1.0)])
def test_probabilities_are_those_of_logistic_regression(logistic: pd.DataFrame, number: int, c: float) -> None:
    part = logistic[logistic.version == f"logistic-{number}"].reset_index(drop=True)
    train = (part.split == "train").to_numpy()
    matrix = features(number, train)
    model = LogisticRegression(C=c, tol=1e-8, max_iter=10_000)
    model.fit(matrix[train], part.y_true[train])
    expected = model.predict_proba(matrix)[:, 1]
    np.testing.assert_allclose(part.y_prob, expected, rtol=0, atol=1e-4)
    assert log_loss(part.y_true, part.y_prob) == pytest.approx(log_loss(part.y_true, expected), abs=1e-5)
    assert part.y_prob.between(1e-6, 1 - 1e-6).all()


def test_free_support_vectors_lie_exactly_on_the_margin(hinge: pd.DataFrame) -> None:
    on_margin = hinge[(hinge.y_true * hinge.decision_score - 1).abs() < 1e-5]
    assert ((on_margin.y_true * on_margin.decision_score) == 1).all()
    assert set(on_margin.split) == {"train"}
    assert on_margin.groupby("version").size().to_dict() == {"hinge-1": 21, "hinge-2": 62}


def test_ids_labels_and_splits_agree_everywhere(
    hinge: pd.DataFrame, logistic: pd.DataFrame, joint: pd.DataFrame
) -> None:
    bunch: Any = load_digits()
    digits = bunch.target
    for frame in (hinge, logistic, joint):
        assert len(frame) == 2 * 1797
        assert not frame.duplicated(["version", "id"]).any()
        for _, part in frame.groupby("version"):
            assert part.id.tolist() == [f"digit-{i:04d}" for i in range(1797)]
            assert ((part.y_true == 1).to_numpy() == (digits % 2 == 0)).all()
            assert part.split.tolist() == hinge.split[:1797].tolist()
            sizes = part.groupby("split").size()
            assert sizes.to_dict() == {"test": 497, "train": 900, "validation": 400}
            shares = part.pivot_table(index="digit", columns="split", values="id", aggfunc="size") / sizes
            assert (shares.max(axis=1) - shares.min(axis=1)).max() < 0.01
    assert set(hinge.y_true) == set(joint.y_true) == {-1, 1}
    assert set(logistic.y_true) == {0, 1}


def test_joint_file_holds_the_same_scores(hinge: pd.DataFrame, logistic: pd.DataFrame, joint: pd.DataFrame) -> None:
    of_hinge = hinge.decision_score[hinge.version == "hinge-2"].to_numpy()
    assert (joint.decision_score[joint.version == "hinge-2"].to_numpy() == of_hinge).all()
    p = logistic.y_prob[logistic.version == "logistic-2"].to_numpy()
    log_odds = joint.decision_score[joint.version == "logistic-2"].to_numpy()
    np.testing.assert_allclose(log_odds, np.log(p / (1 - p)), rtol=0, atol=2e-5)


def test_each_loss_wins_at_its_own_game(joint: pd.DataFrame) -> None:
    test = joint[joint.split == "test"].assign(margin=joint.y_true * joint.decision_score)
    m = {version: part.margin.to_numpy() for version, part in test.groupby("version")}
    hinge_of = {version: np.maximum(0, 1 - x).mean() for version, x in m.items()}
    logistic_of = {version: np.logaddexp(0, -x).mean() for version, x in m.items()}
    assert hinge_of["hinge-2"] < hinge_of["logistic-2"]
    assert logistic_of["logistic-2"] < logistic_of["hinge-2"]
    assert (m["hinge-2"] > 1).mean() > 0.8
    assert np.std(m["logistic-2"]) > 1.5 * np.std(m["hinge-2"])


def test_readme_states_the_digits_numbers(hinge: pd.DataFrame, logistic: pd.DataFrame) -> None:
    cells: dict[str, list[str]] = {}
    for frame in (hinge, logistic):
        for _, part in frame[frame.split == "test"].groupby("version"):
            y = np.where(part.y_true == 1, 1, -1)
            s = part.decision_score if "decision_score" in part else np.log(part.y_prob / (1 - part.y_prob))
            m = y * s
            row = {
                "violation rate": f"{(m < 1).mean():.4f}",
                "average hinge loss": f"{hinge_loss(y, s):.4f}",
                "average logistic loss": f"{np.logaddexp(0, -m).mean():.4f}",
                "accuracy": f"{accuracy_score(y, np.where(s > 0, 1, -1)):.4f}",
                "ROC AUC": f"{roc_auc_score(y, s):.4f}",
                "median margin": f"{np.median(m):.3f}",
                "largest margin": f"{m.max():.1f}",
            }
            for name, value in row.items():
                cells.setdefault(name, []).append(value)
    for name, values in cells.items():
        assert f"| {name} | {' | '.join(values)} |" in README


# Incident ---------------------------------------------------------------------------------------------------------


def test_incident_has_the_shape_it_should(incident: pd.DataFrame) -> None:
    time = pd.to_datetime(incident.time, utc=True)
    assert len(incident) == 80_000
    assert incident.time.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
    assert time.is_monotonic_increasing
    assert incident.id.is_unique
    assert time.min() >= INCIDENT.start
    assert time.max() < INCIDENT.end
    assert time.dt.date.nunique() == 30
    served = (time >= INCIDENT.deploy) & (time < INCIDENT.rollback)
    assert ((incident.version == INCIDENT.candidate) == served).all()
    assert set(incident.version) == {INCIDENT.baseline, INCIDENT.candidate}
    assert [incident[c].nunique() for c in ("language", "platform", "tenant")] == [6, 3, 20]
    shares = incident.language.value_counts(normalize=True)
    assert shares[INCIDENT.cohort_value] == pytest.approx(INCIDENT.cohort_share, abs=0.005)
    assert incident.y_true.isna().mean() == pytest.approx(INCIDENT.unlabelled_share, abs=0.003)
    assert incident.y_true.mean() == pytest.approx(INCIDENT.prevalence, abs=0.006)
    assert incident.y_prob.between(0.0001, 0.9999).all()
    assert (incident.latency_ms > 0).all()
    hourly = time.dt.hour.value_counts()
    assert hourly.max() > 3 * hourly.min()


def test_incident_flips_one_cohort_for_three_days_and_nothing_else(incident: pd.DataFrame) -> None:
    labelled = incident[incident.y_true.notna()]
    part = INCIDENT.in_fault(labelled)
    time = pd.to_datetime(labelled.time, utc=True)
    period = np.select([time < INCIDENT.deploy, time < INCIDENT.rollback], ["before", "during"], "after")
    for _, rows in labelled[~part].groupby([period[~part], labelled.language[~part]]):
        assert roc_auc_score(rows.y_true.astype(int), rows.y_prob) > 0.9
    flipped = labelled[part]
    assert len(flipped) == 731
    assert roc_auc_score(flipped.y_true.astype(int), flipped.y_prob) < 0.1
    assert (margins(flipped) < 1).mean() > 0.9
    by_version = {
        v: roc_auc_score(rows.y_true.astype(int), rows.y_prob) for v, rows in labelled[~part].groupby("version")
    }
    assert by_version == pytest.approx(INCIDENT.roc_auc, abs=0.005)
    assert by_version["2026.04"] > by_version["2026.03"]


def test_readme_states_the_incident_numbers(incident: pd.DataFrame) -> None:
    labelled = incident[incident.y_true.notna()]
    time = pd.to_datetime(labelled.time, utc=True)
    period = np.select([time < INCIDENT.deploy, time < INCIDENT.rollback], ["before", "during"], "after")
    n_flipped, n_labelled = INCIDENT.in_fault(incident).sum(), INCIDENT.in_fault(labelled).sum()
    assert f"{n_flipped} rows, {n_labelled} of them labelled" in README
    total = {v: labelled[labelled.version == v] for v in (INCIDENT.baseline, INCIDENT.candidate)}
    violated = {v: f"{(margins(rows) < 1).mean():.3f}" for v, rows in total.items()}
    ranked = {v: f"{roc_auc_score(rows.y_true.astype(int), rows.y_prob):.3f}" for v, rows in total.items()}
    assert f"is {violated['2026.04']} against {violated['2026.03']}" in README
    assert f"AUC {ranked['2026.04']} against {ranked['2026.03']}" in README
    cohort = np.where(labelled.language == "pt", "pt", "rest")
    plain = README.replace("**", "").replace("−", "-")
    for _, rows in labelled.groupby([period, cohort]):
        m = margins(rows)
        auc = roc_auc_score(rows.y_true.astype(int), rows.y_prob)
        numbers = f"{len(rows):,} | {auc:.3f} | {(m < 1).mean():.3f} | {(m > 0).mean():.3f} | {np.median(m):.2f}"
        assert f"| {numbers} |" in plain


@pytest.mark.parametrize("seed", range(6))
def test_clean_world_differs_in_the_flipped_scores_only(seed: int) -> None:
    broken, clean = make.make_incident(seed, 20_000), make.make_clean(seed, 20_000)
    part = INCIDENT.in_fault(broken)
    assert part.any()
    pd.testing.assert_frame_equal(broken.drop(columns="y_prob"), clean.drop(columns="y_prob"))
    assert (broken.y_prob[~part] == clean.y_prob[~part]).all()
    np.testing.assert_allclose(broken.y_prob[part], 1 - clean.y_prob[part], rtol=0, atol=1e-12)
    for frame, low, high in ((broken, 0.0, 0.3), (clean, 0.8, 1.0)):
        rows = frame[part & frame.y_true.notna()]
        assert low < roc_auc_score(rows.y_true.astype(int), rows.y_prob) < high
    pd.testing.assert_frame_equal(broken, make.make_incident(seed, 20_000))


def test_clean_world_is_calibrated_and_fair() -> None:
    clean = make.make_clean(5)
    clean = clean[clean.y_true.notna()]
    y, p = clean.y_true.astype(int), clean.y_prob
    bins = np.minimum((p * 10).astype(int), 9)
    for _, rows in clean.groupby(bins):
        gap = rows.y_prob.mean() - rows.y_true.astype(int).mean()
        assert abs(gap) < 4 * np.sqrt(rows.y_prob.mean() * (1 - rows.y_prob.mean()) / len(rows))
    assert brier_score_loss(y, p) < 0.07
    violated = pd.Series(margins(clean) < 1, index=clean.index)
    for column in ("language", "platform", "tenant"):
        for value, rows in violated.groupby(clean[column]):
            n, rate = len(rows), violated.mean()
            assert abs(rows.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / n), (column, value)


# Wrong ------------------------------------------------------------------------------------------------------------


def test_every_wrong_record_is_where_the_table_says() -> None:
    text = (DIRECTORY / "many_things_wrong.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    records = [line for line in lines[1:] if line]
    header = lines[0].split(",")
    assert len(records) == WRONG_RECORDS
    assert len(lines) == 1 + WRONG_RECORDS + sum(WRONG_BLANK_LINES.values())
    parsed = [next(csv.reader([record])) for record in records]
    for row in WRONG_ROWS:
        assert lines[row.line - 1] == records[row.record - 1]
        fields = parsed[row.record - 1]
        if row.column:
            assert fields[header.index(row.column)] == row.found
        else:
            assert row.found == f"{len(fields)} fields"
    assert parsed[119] == parsed[39]
    assert (parsed[204][0], parsed[204][2]) == (parsed[170][0], parsed[170][2])
    assert parsed[204][4] != parsed[170][4]


def test_every_other_record_is_in_order() -> None:
    text = (DIRECTORY / "many_things_wrong.csv").read_text(encoding="utf-8")
    parsed = list(csv.reader(line for line in text.splitlines()[1:] if line))
    planted = {row.record: row for row in WRONG_ROWS}
    assert len(planted) == len(WRONG_ROWS)
    seen: set[tuple[str, str]] = set()
    labels: dict[str, str] = {}
    for record, fields in enumerate(parsed, start=1):
        row = planted.get(record)
        damaged = row.column if row else None
        if damaged == "":
            continue
        identifier, time, version, label, score, language, weight = fields
        if damaged != "id":
            assert (version, identifier) not in seen
        seen.add((version, identifier))
        assert version == ("a" if record <= 160 else "b")
        if damaged != "time":
            datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z")
        if damaged != "y_true":
            assert label in ("yes", "no")
        if damaged not in ("id", "y_true") or (row and row.problem == "mixed-case-label"):
            assert labels.setdefault(identifier, label.lower()) == label.lower()
        if damaged != "y_prob":
            assert 0 < float(score) < 1
        if damaged != "language":
            assert language in ("en", "es", "pt", "de")
        if damaged != "weight":
            assert weight in ("0.5", "1.0", "2.0")


def test_readme_lists_the_wrong_records() -> None:
    assert make.wrong_rows_table() in README
    outcomes = pd.Series([row.outcome for row in WRONG_ROWS]).value_counts().to_dict()
    assert outcomes == {"reject": 10, "undated": 3, "keep": 13, "unlabelled": 3, "unscored": 2}
