"""A solver's support vectors against those of the rows that it was trained on, by number and by id, and of others."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.svm import SVC

from lib.errors import DataError
from lib.metrics.dual import compare_sets
from lib.scan.dual import compare_dual
from lib.sources.dual import DualSolution
from tests.scan.conftest import ScanOf

N = 240


def trained(c: float = 1.0, kernel: str = "rbf") -> tuple[SVC, pd.DataFrame]:
    """A model and a log of it, in which rows of test stand between those of training."""
    x, y = make_moons(2 * N, noise=0.3, random_state=5)
    train = np.arange(2 * N) % 2 == 0
    model = SVC(C=c, kernel=kernel, tol=1e-5).fit(x[train], y[train])
    frame = pd.DataFrame({"id": [f"m{i}" for i in range(2 * N)], "version": "svc", "y": y})
    frame["decision_score"] = model.decision_function(x)
    return model, frame.assign(split=np.where(train, "train", "test"))


def solution(model: SVC, frame: pd.DataFrame, *, by_id: bool = False) -> DualSolution:
    names = frame.loc[frame["split"] == "train", "id"].to_numpy(str)[model.support_]
    support = names if by_id else model.support_.astype(np.int64)
    return DualSolution("svc.npz", support, by_id, model.dual_coef_[0], (model.C, model.C), N)


@pytest.mark.parametrize("by_id", [False, True])
def test_the_sets_agree_on_the_rows_of_training(scan_of: ScanOf, by_id: bool) -> None:
    model, frame = trained()
    found = compare_dual(scan_of(frame, roles={"id": "id"}), "svc", "train", solution(model, frame, by_id=by_id))
    of = found.agreement
    assert (of.n, of.n_uploaded, of.n_missing, of.turned) == (N, len(model.support_), 0, 0)
    assert (of.only_uploaded, int(of.differs.sum()), len(found.differing)) == (0, 0, 0)
    assert of.in_both == len(model.support_)
    assert (
        of.counts["wrong_side"][2] + of.counts["inside"][2]
        == (np.abs(np.asarray(model.dual_coef_[0])) >= 1 - 1e-6).sum()
    )
    assert of.balance == pytest.approx(0, abs=1e-9)
    assert of.nu == pytest.approx(np.abs(np.asarray(model.dual_coef_)).sum() / N)


def test_the_norm_is_that_of_the_weights(scan_of: ScanOf) -> None:
    model, frame = trained(kernel="linear")
    of = compare_dual(scan_of(frame, roles={"id": "id"}), "svc", "train", solution(model, frame)).agreement
    assert of.norm == pytest.approx(np.linalg.norm(model.coef_), rel=1e-4)


def test_other_rows_are_told(scan_of: ScanOf) -> None:
    model, frame = trained()
    scan = scan_of(frame, roles={"id": "id"})
    found = compare_dual(scan, "svc", "test", solution(model, frame))
    assert found.agreement.differs.sum() == len(found.differing) > 20
    assert found.agreement.turned > 20
    assert {"id", "margin", "alpha", "record"} <= set(found.differing.columns)
    far = (found.differing["margin"] - 1).abs()
    assert far.is_monotonic_decreasing
    turned = DualSolution("t.npz", model.support_, False, -model.dual_coef_[0], (1.0, 1.0), None)
    assert compare_dual(scan, "svc", "train", turned).agreement.turned == len(model.support_)


def test_what_does_not_fit_is_a_sentence(scan_of: ScanOf) -> None:
    model, frame = trained()
    scan = scan_of(frame, roles={"id": "id"})
    far = DualSolution("f.npz", np.array([0, 900]), False, np.ones(2), (1.0, 1.0), None)
    with pytest.raises(DataError, match="names row 900, counted from 0, and the split train of version svc has 240"):
        compare_dual(scan, "svc", "train", far)
    strangers = DualSolution("s.npz", np.array(["x", "y"]), True, np.ones(2), (1.0, 1.0), None)
    with pytest.raises(DataError, match="names no id"):
        compare_dual(scan, "svc", "train", strangers)
    bare = scan_of(frame.drop(columns="id"), name="bare")
    with pytest.raises(DataError, match="no column of this dataset is an id"):
        compare_dual(bare, "svc", "train", strangers)
    some = solution(model, frame, by_id=True)
    more = DualSolution("m.npz", np.append(some.support, "x"), True, np.append(some.coef, 0.5), (1.0, 1.0), None)
    assert compare_dual(scan, "svc", "train", more).agreement.n_missing == 1


def test_by_hand() -> None:
    label, score = np.array([1, 1, 1, -1, -1]), np.array([0.5, 1.0, 2.0, -1.0, 0.3])
    of = compare_sets(label, score, np.array([1.0, 0.4, 0.2, 0.0, -0.6]), 10, 2, (1.0, 1.0))
    # Inside with α = C; on the margin between; free with an α, which cannot be; on the margin without; wrong, not full.
    assert of.counts == {"wrong_side": (0, 1, 0), "inside": (0, 0, 1), "on_margin": (1, 1, 0), "free": (0, 1, 0)}
    assert of.differs.tolist() == [False, False, True, False, True]
    assert (of.n_uploaded, of.in_both, of.only_uploaded, of.only_predicted) == (6, 3, 1, 1)
    assert of.balance == pytest.approx(1.0 / 2.2)
    assert of.nu == pytest.approx(0.22)
    assert math.isnan(of.norm)
    unknown = compare_sets(label, score, np.array([1.0, 0.4, 0.2, 0.0, -0.6]), 10, 0)
    assert unknown.differs.tolist() == [False, False, True, False, False]
