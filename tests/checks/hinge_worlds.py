"""Solvers of hinge loss on drawn data: as they should be, with C or a kernel out of place, and with a leak."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.svm import SVC

from lib.checks.support_vectors import check_few_support_vectors, check_many_support_vectors
from lib.diagnose import Diagnosis
from lib.schema import ScoreKind
from tests.checks.tables import diagnose

TOLERANCE = 1e-5
CHECKS = {"few-support-vectors": check_few_support_vectors, "many-support-vectors": check_many_support_vectors}
FAULTS = {
    "many-support-vectors": {
        "small C": "C of 0.05, radial kernel, ten features or more",
        "narrow kernel": "a kernel that follows every row",
    },
    "few-support-vectors": {
        "other rows": "a third of held-out labels turned round",
        "leak": "a feature that knows the answer, in training only",
    },
}


def hinge_world(seed: int, fault: str = "") -> pd.DataFrame:
    """Training and test rows of one model: classes that overlap by 2 to 15 %, 300 to 700 rows of training."""
    rng = np.random.default_rng([seed, 60])
    n_train, n_test, n_features = (
        int(rng.integers(300, 700)),
        600,
        int(rng.integers(10 if fault == "small C" else 4, 20)),
    )
    apart = rng.uniform(2.2, 4.0)
    if fault in ("small C", "other rows"):
        apart = 4.0
    y = np.where(rng.random(n_train + n_test) < rng.uniform(0.3, 0.6), 1, -1)
    x = rng.normal(size=(len(y), n_features))
    x[:, 0] += apart * y / 2
    train = np.arange(len(y)) < n_train
    model = SVC(kernel="linear" if seed % 2 else "rbf", C=float(rng.choice([1.0, 3.0, 10.0])), tol=TOLERANCE)
    if fault == "small C":
        model.set_params(kernel="rbf", C=0.05)
    elif fault == "narrow kernel":
        model.set_params(kernel="rbf", gamma=30.0, C=10.0)
    elif fault == "leak":
        # A feature that gives the answer away in training and is noise afterwards.
        x[:, 1] = 3.0 * np.where(train, y, rng.choice([-1, 1], len(y))) + 0.7 * rng.normal(size=len(y))
        model.set_params(kernel="linear", C=10.0)
    elif fault == "other rows":
        model.set_params(kernel="linear", C=1.0)
    model.fit(x[train], y[train])
    score = model.decision_function(x)
    if fault == "other rows":
        y = np.where(~train & (rng.random(len(y)) < 0.33), -y, y)
    frame = pd.DataFrame({"label": (y > 0).astype(float), "score": score, "split": np.where(train, "train", "test")})
    return frame.assign(version="v1", id=[f"r{each}" for each in range(len(y))])


def diagnosis_of(frame: pd.DataFrame) -> Diagnosis:
    return diagnose(frame, (), score_kind=ScoreKind.DECISION)


def fires(name: str, frame: pd.DataFrame) -> bool:
    return isinstance(CHECKS[name](diagnosis_of(frame)), list)


def measure_support_vectors(n_clean: int, n_faulty: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Rows of `rates.csv`: check, data, data sets, in how many it fired, and named the part (the whole version)."""
    clean = [hinge_world(seed) for seed in range(n_clean)]
    for name in CHECKS:
        fired = sum(fires(name, frame) for frame in clean)
        # On another scale no row rests at 1, and nothing is said.
        again = sum(fires(name, frame.assign(score=3 * frame["score"])) for frame in clean[: n_clean // 2])
        yield name, "clean", n_clean, fired, 0
        yield name, "clean, rescaled", n_clean // 2, again, 0
        for fault, words in FAULTS[name].items():
            found = sum(fires(name, hinge_world(1_000 + seed, fault)) for seed in range(n_faulty))
            yield name, words, n_faulty, found, found
