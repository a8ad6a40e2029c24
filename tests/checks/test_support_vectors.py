"""H-F10: too few and too many support vectors of real solvers, found where they are, silent where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from lib.checks import Severity, Status, run_checks
from lib.checks.run import run_check
from lib.checks.support_vectors import find_support
from lib.metrics.intervals import wilson
from lib.schema import ScoreKind
from tests.checks.hinge_worlds import CHECKS, FAULTS, diagnosis_of, fires, hinge_world
from tests.checks.rates import CHECK_NAMED
from tests.checks.tables import diagnose

N_CLEAN, N_FAULTY, LEAST_FOUND = 40, 12, 11
FEW, MANY = CHECKS


def answer(name: str, frame: pd.DataFrame):
    (result,) = run_check(CHECK_NAMED[name], diagnosis_of(frame))
    return result


@pytest.mark.parametrize("name", CHECKS)
def test_machines_as_they_should_be_raise_no_alarm(name: str) -> None:
    worlds = [hinge_world(seed) for seed in range(N_CLEAN)]
    assert sum(fires(name, world) for world in worlds) <= 1
    assert sum(isinstance(find_support(diagnosis_of(world)), list) for world in worlds) >= 0.8 * N_CLEAN


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults])
def test_faults_are_found(name: str, fault: str) -> None:
    assert sum(fires(name, hinge_world(seed, fault)) for seed in range(2_000, 2_000 + N_FAULTY)) >= LEAST_FOUND


def test_few_says_both_rates_as_they_can_be_counted() -> None:
    frame = hinge_world(5, "leak")
    found = answer(FEW, frame)
    train, test = (frame[frame["split"] == name] for name in ("train", "test"))
    margin = (2 * train["label"] - 1) * train["score"]
    wrong = (test["score"] > 0) != (test["label"] > 0)
    assert (found.status, found.severity, found.topic) == (Status.WARN, Severity.WARNING, "support_vectors")
    assert found.evidence["n_support"] == (margin <= 1.001).sum()
    assert found.evidence["share"] == pytest.approx((margin <= 1.001).mean())
    assert found.evidence["error_rate"] == pytest.approx(wrong.mean())
    assert found.evidence["error_rate_ci"] == pytest.approx([float(x) for x in wilson(wrong.mean(), len(wrong), 0.98)])
    assert found.evidence["is_held_out"] is True


@pytest.mark.parametrize(("fault", "words"), [("small C", "C is small"), ("narrow kernel", "on the margin itself")])
def test_many_says_which_kind_they_are(fault: str, words: str) -> None:
    found = answer(MANY, hinge_world(8, fault))
    assert (found.status, found.severity) == (Status.WARN, Severity.INFO)
    assert words in found.title


def test_noise_makes_many_and_is_no_finding() -> None:
    # Labels at random beside one feature: errors of a third, and twice as many support vectors.
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1_200, 6))
    y = np.where(x[:, 0] + rng.normal(size=1_200) * 1.6 > 0, 1, -1)
    train = np.arange(1_200) < 600
    score = SVC(kernel="linear", tol=1e-5).fit(x[train], y[train]).decision_function(x)
    split = np.where(train, "train", "test")
    frame = pd.DataFrame({"label": (y > 0) * 1.0, "score": score, "split": split, "version": "v1"})
    found = answer(MANY, frame)
    assert found.status is Status.PASS
    assert found.evidence["share"] > 0.6


def test_other_models_have_no_margin_of_their_own() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(2_000, 6))
    y = (x[:, 0] * 2 + rng.normal(size=2_000) > 0).astype(float)
    score = LogisticRegression().fit(x, y).decision_function(x)
    frame = pd.DataFrame({"label": y, "score": score, "split": "train", "version": "v1"})
    for name in CHECKS:
        assert answer(name, frame).status is Status.NOT_APPLICABLE
        # Rounded to steps, as many rows lie at 1 as at any other step.
        rounded = frame.assign(score=np.round(score, 2))
        assert "rest at a margin of 1" in answer(name, rounded).title


def test_reasons() -> None:
    frame = hinge_world(1)
    few, many = (CHECK_NAMED[name] for name in CHECKS)
    probability = diagnose(frame.assign(score=1 / (1 + np.exp(-frame["score"]))), ())
    assert "only a decision score" in run_check(few, probability)[0].title
    assert "No split is called train" in answer(MANY, frame.assign(split="test")).title
    assert "held-out rows" in answer(FEW, frame[frame["split"] == "train"]).title
    assert answer(MANY, frame[frame["split"] == "train"]).status is Status.PASS
    unlabelled = diagnose(frame.drop(columns="label"), (), score_kind=ScoreKind.DECISION)
    assert "There are no labels." in run_check(many, unlabelled)[0].title
    assert answer(MANY, frame.groupby("split").head(60)).status is Status.NOT_APPLICABLE


def test_two_versions_alike_are_one_finding() -> None:
    first = hinge_world(8, "narrow kernel")
    both = pd.concat([first, hinge_world(9, "narrow kernel").assign(version="v2")], ignore_index=True)
    (found,) = [each for each in run_checks(diagnosis_of(both)) if each.name == MANY]
    assert found.version is None
    assert len(found.evidence["versions"]) == 2
    one = pd.concat([first, hinge_world(9).assign(version="v2")], ignore_index=True)
    (found,) = [each for each in run_checks(diagnosis_of(one)) if each.name == MANY]
    assert found.version == "v1"
