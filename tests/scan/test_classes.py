"""Rows of several classes: prepared ones against a loop that one can read, each class against the rest, properties."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.errors import DataError
from lib.grid import COARSE, EPSILON
from lib.metrics.multiclass import NOT_BY_THIS
from lib.scan import (
    Order,
    RowQuery,
    SavedCells,
    Scan,
    list_rejected,
    list_rows,
    merge_cells,
    read_cells,
    save_cells,
)
from lib.schema import CLASS, ONE_VS_REST, PREDICTED, TOP_LABEL, VERSION, ClassColumn, Filter, Mapping, ScoreKind
from lib.settings import Settings
from lib.sources import build_dataset, read_table
from tests.scan.conftest import ScanOf

NAMES = ("ant", "bee", "cat")
HEADS = {"probability": "prob", "logit": "logit", "decision": "score"}


def answers(seed: int = 0, n: int = 400, kind: str = "probability", names: tuple[str, ...] = NAMES) -> pd.DataFrame:
    """Rows of several classes, some without a label, some with a score missing, some certain."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(names), n)
    scores = rng.normal(0, 1.5, (n, len(names)))
    scores[np.arange(n), truth] += 1.5
    if kind == "probability":
        scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        scores[:3] = np.eye(len(names))[:3] if len(names) == 3 else scores[:3]
    scores[5:9, 0] = np.nan
    frame = pd.DataFrame(scores, columns=[f"{HEADS[kind]}_{name}" for name in names])
    frame.insert(0, "y_true", [names[place] for place in truth])
    frame.loc[9:19, "y_true"] = None
    return frame.assign(version=rng.choice(["v1", "v2"], n), group=rng.choice(["x", "y"], n))


def slow_row(row: dict[Any, Any], kind: str, names: tuple[str, ...] = NAMES) -> dict[str, Any] | None:
    """What one row is worth, by the words of the glossary; None without a score."""
    given = [row[f"{HEADS[kind]}_{name}"] for name in names]
    if any(math.isnan(each) for each in given):
        return None
    if kind == "logit":
        highest = max(given)
        grown = [math.exp(each - highest) for each in given]
        p = [each / sum(grown) for each in grown]
    else:
        p = given
    p = [min(max(each, EPSILON), 1 - EPSILON) for each in p]
    level = [math.log(each) for each in p] if kind == "probability" else given
    against = given if kind == "decision" else [math.log(each / (1 - each)) for each in p]
    ranked = sorted(level)
    if row["y_true"] is None or row["y_true"] != row["y_true"]:
        margin, label = ranked[-1] - ranked[-2], 0
    else:
        own = names.index(row["y_true"])
        margin, label = level[own] - max(each for place, each in enumerate(level) if place != own), 1
    return {
        "label": label,
        "score": margin,
        PREDICTED: names[level.index(max(level))],
        CLASS: row["y_true"] if label else "",
        "class_scores": against,
        "loss": math.log1p(math.exp(-margin)) if label else 0.0,
    }


def prepared(scan: Scan) -> pd.DataFrame:
    with scan.stored.rows() as cursor:
        frame = cursor.execute("SELECT * FROM prepared ORDER BY row").df()
    for key in (CLASS, PREDICTED):
        frame[key] = [scan.prepared.categories[key][code] for code in frame[key]]
    return frame


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_prepared_rows_equal_the_slow_words(scan_of: ScanOf, kind: str) -> None:
    frame = answers(kind=kind)
    found = prepared(scan_of(frame))
    assert found.problem.isna().all()
    for place, row in enumerate(frame.to_dict("records")):
        expected, made = slow_row(row, kind), found.iloc[place]
        if expected is None:
            assert math.isnan(made.score)
            assert made[PREDICTED] == ""
            continue
        assert (made.label, made[PREDICTED], made[CLASS]) == (expected["label"], expected[PREDICTED], expected[CLASS])
        assert made.score == pytest.approx(expected["score"], rel=1e-12, abs=1e-12)
        assert made.loss == pytest.approx(expected["loss"], rel=1e-9, abs=1e-12)
        assert made.class_scores == pytest.approx(expected["class_scores"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_each_class_against_the_rest_equals_a_loop(scan_of: ScanOf, kind: str) -> None:
    frame = answers(1, kind=kind)
    cells = scan_of(frame).cells((VERSION, ONE_VS_REST))
    rows = [(row, slow_row(row, kind)) for row in frame.to_dict("records")]
    for group in range(cells.n_groups):
        version, name = cells.groups[VERSION][group], cells.groups[ONE_VS_REST][group]
        mine = [each for row, each in rows if each is not None and row["version"] == version]
        own = NAMES.index(str(name))
        for index, label in enumerate((-1, 0, 1)):
            scores = [
                each["class_scores"][own]
                for each in mine
                if (0 if not each["label"] else 1 if each[CLASS] == name else -1) == label
            ]
            assert cells.scored.n[group, index] == len(scores)
            assert cells.scored.total("s")[group, index] == pytest.approx(sum(scores), rel=1e-9, abs=1e-9)
            losses = [math.log1p(math.exp(-label * each)) if label else 0.0 for each in scores]
            assert cells.scored.total("l")[group, index] == pytest.approx(sum(losses), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", ["probability", "logit"])
def test_the_top_label_equals_a_loop(scan_of: ScanOf, kind: str) -> None:
    frame = answers(1, kind=kind)
    cells = scan_of(frame).cells((VERSION, "cohort:group", TOP_LABEL))
    rows = [(row, slow_row(row, kind)) for row in frame.to_dict("records")]
    for group in range(cells.n_groups):
        version, value = cells.groups[VERSION][group], cells.groups["cohort:group"][group]
        mine = [each for row, each in rows if each and (row["version"], row["group"]) == (version, value)]
        for index, label in enumerate((-1, 0, 1)):
            scores = [
                max(each["class_scores"])
                for each in mine
                if (0 if not each["label"] else 1 if each["score"] > 0 else -1) == label
            ]
            assert cells.scored.n[group, index] == len(scores)
            assert cells.scored.total("s")[group, index] == pytest.approx(sum(scores), rel=1e-9, abs=1e-9)
            shares = [1 / (1 + math.exp(-each)) for each in scores]
            assert cells.scored.total("p")[group, index] == pytest.approx(sum(shares), rel=1e-9, abs=1e-9)


def numbers(scan: Scan) -> dict[str, list[float]]:
    summary = Diagnosis(scan, Settings.choose(scan.facts)).summary(VERSION)
    return {name: each.value.tolist() for name, each in summary.metrics.items()}


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_the_order_of_the_columns_changes_nothing(scan_of: ScanOf, kind: str) -> None:
    frame = answers(2, kind=kind)
    turned = frame[["group", *reversed(list(frame.columns[:-1]))]]
    one, other = scan_of(frame, name="a"), scan_of(turned, name="b")
    assert one.facts.mapping.classes == other.facts.mapping.classes
    for name, values in numbers(one).items():
        assert numbers(other)[name] == pytest.approx(values, rel=1e-9, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("kind", ["probability", "logit"])
def test_two_columns_are_the_score_of_the_positive_class(scan_of: ScanOf, kind: str) -> None:
    """Of two classes one is positive: its column is the score, and the mapping says so."""
    frame = answers(3, kind=kind, names=("ant", "bee")).dropna().drop(columns="group")
    head = HEADS[kind]
    both = scan_of(frame, name="both", pos_label="bee", score_kind=kind)
    single = scan_of(frame.drop(columns=f"{head}_ant"), name="single", pos_label="bee", score_kind=kind)
    assert both.facts.mapping.score == f"{head}_bee"
    assert dict(both.facts.mapping.unused)[f"{head}_ant"] == "the score of another class than the positive one"
    assert numbers(both) == numbers(single)


@pytest.mark.parametrize("kind", ["probability", "logit"])
def test_margins_of_two_classes_equal_those_of_one_score(scan_of: ScanOf, tmp_path: Path, kind: str) -> None:
    """Of two classes log p₁ − log p₀ is the log odds, and Crammer and Singer's margin is y·s."""
    frame = answers(3, kind=kind, names=("ant", "bee")).dropna().drop(columns="group")
    ant, bee = (frame[f"{HEADS[kind]}_{name}"] for name in ("ant", "bee"))
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    table = read_table(tmp_path / "rows.parquet", "rows.parquet", tmp_path / "store")
    classes = tuple(ClassColumn(name, f"{HEADS[kind]}_{name}", (name,)) for name in ("ant", "bee"))
    mapping = Mapping(f"{HEADS[kind]}_*", ScoreKind(kind), label="y_true", version="version", classes=classes)
    both = Scan(build_dataset([table], mapping), tmp_path / "store")
    odds = np.log(bee / ant) if kind == "probability" else bee - ant
    one = frame[["y_true", "version"]].assign(s=odds)
    single = scan_of(one, name="single", roles={"score": "s"}, pos_label="bee", score_kind="logit")
    for name in (
        "average_hinge_loss",
        "average_logistic_loss",
        "violation_rate",
        "median_margin",
        "accuracy",
        "log_loss",
    ):
        assert numbers(both)[name] == pytest.approx(numbers(single)[name], rel=1e-9, abs=1e-12), name


def test_many_rows_keep_bins_of_each_table(scan_of: ScanOf) -> None:
    frame = answers(4, 6_000)
    fine, coarse = scan_of(frame, name="fine"), scan_of(frame, name="coarse", budget=2_000)
    assert not coarse.cells((VERSION, ONE_VS_REST)).resolution.is_exact
    for name in ("log_loss", "brier_score", "precision", "recall", "f1", "accuracy", "average_hinge_loss"):
        assert numbers(coarse)[name] == pytest.approx(numbers(fine)[name], rel=1e-9), name
    summary = Diagnosis(coarse, Settings.choose(coarse.facts)).summary(VERSION)
    for name in ("roc_auc", "average_precision"):
        away = np.abs(summary[name].value - np.array(numbers(fine)[name]))
        assert (away <= summary[name].bound + 1e-12).all()
        assert (summary[name].bound > 0).all()


def test_tables_by_class_obey_a_filter(scan_of: ScanOf) -> None:
    frame = answers(5)
    scan = scan_of(frame)
    where = Filter(cohorts=(("group", "x"),))
    cells = scan.cells((VERSION, CLASS, PREDICTED), where, finest=COARSE)
    kept = frame[(frame.group == "x") & frame.y_true.notna() & frame.prob_ant.notna()]
    columns = [f"prob_{name}" for name in NAMES]
    crossed = pd.crosstab(kept.y_true, kept[columns].idxmax(axis=1).map(lambda each: str(each).removeprefix("prob_")))
    for name in NAMES:
        for other in NAMES:
            found = cells.select(**{CLASS: name, PREDICTED: other}).margins.n.sum()
            assert found == crossed.loc[name, other]


def test_what_cannot_be_used_is_listed_with_all_its_scores(scan_of: ScanOf) -> None:
    frame = answers(6)
    frame.loc[20, "prob_ant"] = 0.9
    frame.loc[20, "prob_bee"] = 0.9
    frame.loc[21, "prob_cat"] = 1.5
    frame.loc[22, "y_true"] = "dog"
    scan = scan_of(frame, suffix="csv", score_kind="probability")
    assert scan.facts.problems == {"probabilities-sum": 1, "score-not-a-probability": 1, "class-unknown": 1}
    listed = list_rejected(scan).set_index("record")
    assert listed.loc[21, "column"] == "prob_*"
    assert str(listed.loc[21, "found"]).startswith("0.9, 0.9, ")
    assert listed.loc[23, "found"] == "dog"


def test_listed_rows_say_the_true_and_the_answered_class(scan_of: ScanOf) -> None:
    frame = answers(7)
    scan = scan_of(frame)
    listed = list_rows(scan, RowQuery(of_class="bee", order=Order.MARGIN))
    assert (listed["class"] == "bee").all()
    wrong = listed.margin < 0
    assert (listed.predicted[wrong & listed.margin.notna()] != "bee").all()
    unlabelled = list_rows(scan, RowQuery(label=0))
    assert unlabelled.margin.isna().all()
    assert (unlabelled["class"] == "").all()


def test_a_shared_highest_score_is_no_right_answer(scan_of: ScanOf) -> None:
    frame = pd.DataFrame(
        {
            "y_true": ["ant", "bee", "cat"] * 10,
            "score_ant": [2.0, 2.0, 0.0] * 10,
            "score_bee": [2.0, 2.0, 0.0] * 10,
            "score_cat": [1.0, -1.0, 5.0] * 10,
        }
    )
    scan = scan_of(frame)
    summary = Diagnosis(scan, Settings.choose(scan.facts)).summary(VERSION)
    assert summary["accuracy"].value.tolist() == [pytest.approx(1 / 3)]
    assert prepared(scan).score.tolist()[:3] == [0.0, 0.0, 5.0]


def test_saved_and_merged_cells_say_the_same(scan_of: ScanOf, tmp_path: Path) -> None:
    frame = answers(8, 900)
    parts: list[SavedCells] = []
    for place, part in enumerate((frame.iloc[:500], frame.iloc[500:])):
        save_cells(scan_of(part.reset_index(drop=True), name=f"part{place}"), tmp_path / f"{place}.parquet")
        parts.append(read_cells(tmp_path / f"{place}.parquet", f"{place}.parquet"))
    merged, whole = merge_cells(parts, ["0.parquet", "1.parquet"]), scan_of(frame, name="whole")
    assert merged.facts.mapping.class_names == NAMES
    one, other = (Diagnosis(each, Settings.choose(each.facts)) for each in (merged, whole))
    for name, each in other.summary(VERSION).metrics.items():
        found = one.summary(VERSION)[name]
        assert found.value == pytest.approx(each.value, rel=1e-9, nan_ok=True), name
        assert found.reason == each.reason
    tables, expected = one.class_tables(VERSION), other.class_tables(VERSION)
    assert tables is not None
    assert expected is not None
    assert tables.taken_for == expected.taken_for
    # Under a filter there is no table by class in the file, and that is said.
    filtered = one.with_settings(where=Filter(cohorts=(("group", "x"),)))
    assert filtered.summary(VERSION)["roc_auc"].reason == (NOT_BY_THIS, NOT_BY_THIS)
    assert not filtered.summary(VERSION)["violation_rate"].reason[0]


def test_cells_of_other_classes_are_not_merged(scan_of: ScanOf, tmp_path: Path) -> None:
    parts: list[SavedCells] = []
    for place, names in enumerate((NAMES, ("ant", "bee", "dog"))):
        save_cells(scan_of(answers(place, names=names), name=f"part{place}"), tmp_path / f"{place}.parquet")
        parts.append(read_cells(tmp_path / f"{place}.parquet", f"{place}.parquet"))
    with pytest.raises(
        DataError, match="the classes are ant, bee and cat in the first and ant, bee and dog in the second"
    ):
        merge_cells(parts, ["a", "b"])


@pytest.mark.parametrize("labels", [(1, 0, -1), ("yes", "no", "maybe")])
def test_a_label_that_says_that_there_is_none_leaves_its_row_unlabelled(
    scan_of: ScanOf, labels: tuple[Any, ...]
) -> None:
    frame = pd.DataFrame({"y_true": labels * 30, "decision_score": np.linspace(-4, 4, 90)})
    scan = scan_of(frame, unlabelled=(str(labels[2]),))
    cells = scan.cells((VERSION,))
    assert scan.facts.n_rows == 90
    assert scan.facts.problems == {}
    assert {place: int(cells.scored.n[:, place].sum()) for place in range(3)} == {0: 30, 1: 30, 2: 30}


def test_a_class_that_says_that_there_is_none_leaves_its_row_unlabelled(scan_of: ScanOf) -> None:
    frame = answers(3)
    frame["y_true"] = frame["y_true"].where(frame.index % 8 != 0, "unsure")
    scan = scan_of(frame, unlabelled=("unsure",))
    assert scan.facts.n_rows == len(frame)
    assert "class-unknown" not in scan.facts.problems
    assert scan.cells((VERSION,)).scored.n.sum() + scan.cells((VERSION,)).unscored.n.sum() == len(frame)
