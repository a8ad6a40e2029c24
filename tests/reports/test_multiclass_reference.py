"""What JSON says of several classes against scikit-learn on the rows themselves, to 1e-9; weighted, too."""

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets, linear_model, metrics, preprocessing, svm

from lib.reports import Report, render_json

TOLERANCE = 1e-9
LOADERS = {"digits": datasets.load_digits, "wine": datasets.load_wine}
KINDS = {"probability": "prob", "decision": "score", "logit": "logit"}


@functools.cache
def answered(name: str, kind: str) -> pd.DataFrame:
    """Answers of a linear model to scikit-learn's own data, fitted to every other row: two versions, two splits."""
    data: Any = LOADERS[name]()
    x, y = preprocessing.scale(data["data"]), data["target"]
    names = [f"{label}" for label in data["target_names"]]
    rng = np.random.default_rng(3)
    train = rng.random(len(y)) < 0.5
    parts: list[pd.DataFrame] = []
    for version, strength in (("v1", 0.001), ("v2", 0.05)):
        if kind == "decision":
            model = svm.LinearSVC(C=strength, random_state=0, max_iter=20_000).fit(x[train], y[train])
            scores = model.decision_function(x)
        else:
            model = linear_model.LogisticRegression(C=strength, max_iter=5_000).fit(x[train], y[train])
            scores = model.predict_proba(x) if kind == "probability" else model.decision_function(x)
        frame = pd.DataFrame(scores, columns=[f"{KINDS[kind]}_{label}" for label in names])
        frame.insert(0, "truth", [names[place] for place in y])
        parts.append(
            frame.assign(version=version, split=np.where(train, "train", "test"), group=rng.integers(0, 2, len(y)))
        )
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(sample_weight=np.round(rng.gamma(2, 1, len(whole)) + 0.01, 2))


def expected_metrics(rows: pd.DataFrame, kind: str) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """scikit-learn over all classes, and of each class against the rest."""
    columns = list(rows.columns[rows.columns.str.startswith(f"{KINDS[kind]}_")])
    names = [name.split("_", 1)[1] for name in columns]
    y, s = np.array([names.index(label) for label in rows.truth]), rows[columns].to_numpy()
    w = rows.sample_weight.to_numpy() if "sample_weight" in rows else None
    places, labels = np.arange(len(y)), np.arange(len(names))
    logs = np.log(s) if kind == "probability" else s
    own = logs[places, y]
    others = logs.copy()
    others[places, y] = -np.inf
    margin = own - others.max(axis=1)
    p = s if kind == "probability" else np.exp(s - s.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    predicted = s.argmax(axis=1)
    each: dict[str, Any] = {"average": None, "labels": labels, "sample_weight": w, "zero_division": np.nan}
    macro: dict[str, Any] = {**each, "average": "macro"}
    of_class: dict[str, Any] = {
        function.__name__.removesuffix("_score"): function(y, predicted, **each)
        for function in (metrics.precision_score, metrics.recall_score, metrics.f1_score)
    }
    truth = y[:, None] == labels
    ranking = p if kind != "decision" else s
    auc = [metrics.roc_auc_score(truth[:, k], ranking[:, k], sample_weight=w) for k in labels]
    precision_area = [metrics.average_precision_score(truth[:, k], ranking[:, k], sample_weight=w) for k in labels]
    whole = {
        "average_hinge_loss": metrics.hinge_loss(y, logs, labels=labels, sample_weight=w),
        "average_logistic_loss": float(np.average(np.logaddexp(0, -margin), weights=w)),
        "violation_rate": float(np.average(margin < 1, weights=w)),
        "accuracy": metrics.accuracy_score(y, predicted, sample_weight=w),
        "precision": metrics.precision_score(y, predicted, **macro),
        "recall": metrics.recall_score(y, predicted, **macro),
        "f1": metrics.f1_score(y, predicted, **macro),
        "roc_auc": float(np.mean(auc)),
        "average_precision": float(np.mean(precision_area)),
    }
    against = {
        name: {
            "precision": of_class["precision"][k],
            "recall": of_class["recall"][k],
            "f1": of_class["f1"][k],
            "roc_auc": auc[k],
            "average_precision": precision_area[k],
            "positive_share": float(np.average(truth[:, k], weights=w)),
        }
        for k, name in enumerate(names)
    }
    if kind != "decision":
        assert whole["roc_auc"] == pytest.approx(
            metrics.roc_auc_score(y, p, multi_class="ovr", average="macro") if w is None else whole["roc_auc"]
        )
        whole["log_loss"] = metrics.log_loss(y, p, labels=labels, sample_weight=w)
        whole["brier_score"] = metrics.brier_score_loss(y, p, labels=labels, sample_weight=w)
        for k, name in enumerate(names):
            against[name]["log_loss"] = metrics.log_loss(truth[:, k], p[:, k], sample_weight=w)
            against[name]["brier_score"] = metrics.brier_score_loss(truth[:, k], p[:, k], sample_weight=w)
    return whole, against


def assert_close(found: dict[str, Any], expected: dict[str, float], where: str) -> None:
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=0, abs=TOLERANCE), (where, name)


def assert_document_equal(document: dict[str, Any], rows: pd.DataFrame, kind: str) -> None:
    for version, numbers in document["versions"].items():
        mine = rows[rows.version == version]
        assert (numbers["resolution"], numbers["n"], numbers["n_labelled"]) == ("exact", len(mine), len(mine))
        whole, against = expected_metrics(mine, kind)
        assert_close(numbers, whole, version)
        for name, of_class in against.items():
            assert_close(numbers["one_vs_rest"][name], of_class, f"{version} {name}")
            rate = numbers["violation_rate_by_class"][name]
            assert rate == pytest.approx(expected_metrics_of(mine, kind, name), rel=0, abs=TOLERANCE)
            assert numbers["classes"][name]["violation_rate"] == rate
            assert numbers["classes"][name]["accuracy"] == pytest.approx(of_class["recall"], rel=0, abs=TOLERANCE)
        weight = mine.groupby("truth")["sample_weight" if "sample_weight" in mine else "split"]
        shares = weight.sum() if "sample_weight" in mine else weight.count()
        for name in ("precision", "recall", "f1", "roc_auc", "average_precision"):
            mean = np.average([against[label][name] for label in shares.index], weights=shares)
            assert numbers["weighted_averages"][name] == pytest.approx(mean, rel=0, abs=TOLERANCE)
        for split, part in numbers["splits"].items():
            assert_close(part, expected_metrics(mine[mine.split == split], kind)[0], f"{version} {split}")
        assert {"positive_share", "predicted_positive_share"} <= set(numbers["undefined"])
        if kind == "decision":
            assert numbers["log_loss"] is numbers["brier_score"] is None


def expected_metrics_of(rows: pd.DataFrame, kind: str, name: str) -> float:
    """The violation rate among the rows of a class."""
    mine = rows[rows.truth == name]
    columns = mine.columns[mine.columns.str.startswith(f"{KINDS[kind]}_")]
    own = list(columns).index(f"{KINDS[kind]}_{name}")
    s = mine[columns].to_numpy(np.float64)
    s = np.log(s) if kind == "probability" else s
    margin = s[:, own] - np.delete(s, own, axis=1).max(axis=1)
    return float(np.average(margin < 1, weights=mine.sample_weight if "sample_weight" in mine else None))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("name", sorted(LOADERS))
def test_json_equals_scikit_learn(name: str, kind: str, weighted: bool, report_of_csv: Callable[..., Report]) -> None:
    rows = answered(name, kind)
    rows = rows if weighted else rows.drop(columns="sample_weight")
    report = report_of_csv(rows.to_csv(index=False))
    assert report.facts.weighted is weighted
    assert report.facts.mapping.score_kind.value == kind
    assert_document_equal(json.loads(render_json(report)), rows, kind)
