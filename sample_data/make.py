"""Makes the files in this directory; the same seeds write the same bytes.

``python -m sample_data.make`` writes all of them, ``--out DIR`` elsewhere. The functions return data frames (the
broken file: text), take a seed, and touch no file; what is planted is exported as :data:`INCIDENT` and
:data:`WRONG_ROWS`. ``README.md`` beside this file describes every column.
"""

from __future__ import annotations

import argparse
import csv
import functools
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_data.embeddings import make_digit_items, make_digit_vectors, make_index, make_index_items, npz

__all__ = [
    "DIGITS_SEED",
    "FILES",
    "INCIDENT",
    "INCIDENT_SEED",
    "WRONG_BLANK_LINES",
    "WRONG_RECORDS",
    "WRONG_ROWS",
    "WRONG_SEED",
    "IncidentTruth",
    "WrongRow",
    "make_clean",
    "make_digits_hinge",
    "make_digits_joint",
    "make_digits_logistic",
    "make_incident",
    "make_training",
    "make_which_digit",
    "make_wrong",
    "render",
    "write_all",
    "wrong_rows_table",
]

Floats = npt.NDArray[np.float64]
Loss = Literal["hinge", "logistic"]

DIGITS_SEED = 2026
INCIDENT_SEED = 2026
WRONG_SEED = 2026

# ---------------------------------------------------------------------------------------------------------------
# (a) Real: handwritten digits, "is the digit even?", by a hinge-trained and a logistic linear model; and which it is
# ---------------------------------------------------------------------------------------------------------------

_DIGIT_NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
_SPLIT_SIZES = (("train", 900), ("validation", 400), ("test", 497))
# Version -> (feature set, C). Both losses use the same: they minimise |w|²/2 + C·Σ loss, so that C means the same.
_RECIPES: dict[int, tuple[str, float]] = {1: ("pixels", 0.1), 2: ("pixels+strokes", 1.0)}


@dataclass(frozen=True, eq=False)
class _Digits:
    """The task: images, what they show, and how the rows are split."""

    images: Floats  # n × 8 × 8, from 0 to 1
    digit: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]  # +1 even, -1 odd
    split: npt.NDArray[np.str_]

    def design(self, features: str) -> Floats:
        """The feature matrix of one recipe, centred on the training rows."""
        pixels = self.images.reshape(len(self.images), -1)
        columns = [pixels]
        if features == "pixels+strokes":
            # Products of neighbouring pixels are large where a stroke runs through both.
            columns.append((self.images[:, :, :-1] * self.images[:, :, 1:]).reshape(len(pixels), -1))
            columns.append((self.images[:, :-1] * self.images[:, 1:]).reshape(len(pixels), -1))
        matrix = np.concatenate(columns, axis=1)
        return matrix - matrix[self.split == "train"].mean(axis=0)


@functools.lru_cache(maxsize=4)
def _digits(seed: int) -> _Digits:
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    digit = np.asarray(bunch.target, dtype=np.int64)
    images = np.asarray(bunch.images, dtype=np.float64) / 16
    names = np.repeat([name for name, _ in _SPLIT_SIZES], [size for _, size in _SPLIT_SIZES])
    # Stratified by digit: deal the shuffled rows, digit after digit, over an evenly spread sequence of splits.
    rng = np.random.default_rng([seed, 1])
    shuffled = rng.permutation(len(digit))
    by_digit = shuffled[np.argsort(digit[shuffled], kind="stable")]
    position = np.concatenate([(np.arange(size) + 0.5) / size for _, size in _SPLIT_SIZES])
    split = np.empty(len(digit), dtype=names.dtype)
    split[by_digit] = names[np.argsort(position, kind="stable")]
    return _Digits(images, digit, np.where(digit % 2 == 0, 1, -1).astype(np.int64), split)


@functools.lru_cache(maxsize=8)
def _fit_scores(loss: Loss, version: int, seed: int) -> Floats:
    """Decision scores of one model on all rows; it has seen the training rows only."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    data = _digits(seed)
    features, c = _RECIPES[version]
    matrix = data.design(features)
    train = data.split == "train"
    model: Any
    if loss == "hinge":
        # Far beyond the default tolerance: what lies on the margin then has margin 1.000000, not 0.99973.
        model = LinearSVC(loss="hinge", C=c, tol=1e-10, max_iter=5_000_000, random_state=0)
    else:
        model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=1_000)
    model.fit(matrix[train], data.y[train])
    return np.asarray(model.decision_function(matrix), dtype=np.float64)


@functools.lru_cache(maxsize=4)
def _fit_digits(version: int, seed: int) -> Floats:
    """Probabilities, rows × ten digits, of one softmax model; it has seen the training rows only."""
    from sklearn.linear_model import LogisticRegression

    data = _digits(seed)
    features, c = _RECIPES[version]
    matrix, train = data.design(features), data.split == "train"
    model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=1_000)
    model.fit(matrix[train], data.digit[train])
    return np.asarray(model.predict_proba(matrix), dtype=np.float64)


def _shared_columns(data: _Digits, label: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """What is known of each row whatever the model, with the label in its place."""
    n = len(data.y)
    ink = data.images.mean(axis=(1, 2))
    low, high = np.quantile(ink, [1 / 3, 2 / 3])
    grid = np.arange(8.0)
    mass = data.images.sum(axis=(1, 2))
    rows, columns = data.images.sum(axis=2), data.images.sum(axis=1)
    spread = [np.sqrt((m * grid**2).sum(axis=1) / mass - ((m * grid).sum(axis=1) / mass) ** 2) for m in (rows, columns)]
    asymmetry = np.abs(data.images - data.images[:, :, ::-1]).mean(axis=(1, 2)) / ink / 2
    return {
        "split": data.split,
        "y_true": label,
        "digit": _DIGIT_NAMES[data.digit],
        "ink": np.where(ink < low, "light", np.where(ink < high, "medium", "heavy")),
        "file_part": np.array(["part 1", "part 2", "part 3", "part 4"])[np.arange(n) * 4 // n],
        "mean_ink": ink.round(6),
        "height": spread[0].round(6),
        "width": spread[1].round(6),
        "asymmetry": asymmetry.round(6),
    }


def _digits_frame(
    seed: int, versions: Sequence[tuple[str, Loss, int]], score: str, label: Literal["01", "±1"]
) -> pd.DataFrame:
    data = _digits(seed)
    n = len(data.y)
    shared = _shared_columns(data, data.y if label == "±1" else (data.y + 1) // 2)
    frames: list[pd.DataFrame] = []
    for name, loss, number in versions:
        s = _fit_scores(loss, number, seed)
        values = (1 / (1 + np.exp(-s))).round(9) if score == "y_prob" else s.round(6) + 0.0
        ids = [f"digit-{i:04d}" for i in range(n)]
        frame = pd.DataFrame({"id": ids, "version": name, **shared})
        frame.insert(4, score, values)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def make_digits_hinge(seed: int = DIGITS_SEED) -> pd.DataFrame:
    """``LinearSVC(loss="hinge")`` on "is the digit even?": hinge-1, hinge-2; ``decision_score``; labels −1/1."""
    return _digits_frame(seed, [("hinge-1", "hinge", 1), ("hinge-2", "hinge", 2)], "decision_score", "±1")


def make_digits_logistic(seed: int = DIGITS_SEED) -> pd.DataFrame:
    """``LogisticRegression`` on the same rows: logistic-1, logistic-2; ``y_prob``; labels 0/1."""
    return _digits_frame(seed, [("logistic-1", "logistic", 1), ("logistic-2", "logistic", 2)], "y_prob", "01")


def make_digits_joint(seed: int = DIGITS_SEED) -> pd.DataFrame:
    """hinge-2 and logistic-2 (same features, same C) on one axis: decision scores, the logistic's are log odds."""
    return _digits_frame(seed, [("hinge-2", "hinge", 2), ("logistic-2", "logistic", 2)], "decision_score", "±1")


def make_which_digit(seed: int = DIGITS_SEED) -> pd.DataFrame:
    """A softmax ``LogisticRegression`` on "which digit is it?": softmax-1, softmax-2; a probability for each digit."""
    data = _digits(seed)
    shared = _shared_columns(data, _DIGIT_NAMES[data.digit])
    del shared["digit"]  # it is the label
    frames: list[pd.DataFrame] = []
    for number in (1, 2):
        frame = pd.DataFrame({"id": [f"digit-{i:04d}" for i in range(len(data.y))], "version": f"softmax-{number}"})
        scores = pd.DataFrame(_fit_digits(number, seed).round(9), columns=[f"prob_{name}" for name in _DIGIT_NAMES])
        frames.append(pd.concat([frame, pd.DataFrame(shared), scores], axis=1))
    return pd.concat(frames, ignore_index=True)


# ---------------------------------------------------------------------------------------------------------------
# (b) Incident: thirty days of a moderation classifier
# ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class IncidentTruth:
    """What happens in the incident sample."""

    start: datetime
    end: datetime
    deploy: datetime
    rollback: datetime
    baseline: str
    candidate: str
    cohort_column: str
    cohort_value: str
    cohort_share: float
    prevalence: float
    unlabelled_share: float
    roc_auc: dict[str, float]  # what each version reaches where nothing is broken (of the population)

    def in_fault(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """The rows whose score was flipped: the cohort while the candidate served."""
        time = pd.to_datetime(frame["time"], utc=True)
        during = (time >= self.deploy) & (time < self.rollback)
        return (during & (frame[self.cohort_column] == self.cohort_value)).to_numpy(dtype=bool)


INCIDENT = IncidentTruth(
    start=datetime(2026, 3, 16, tzinfo=UTC),
    end=datetime(2026, 4, 15, tzinfo=UTC),
    deploy=datetime(2026, 4, 2, 9, tzinfo=UTC),  # day 18
    rollback=datetime(2026, 4, 5, 9, tzinfo=UTC),
    baseline="2026.03",
    candidate="2026.04",
    cohort_column="language",
    cohort_value="pt",
    cohort_share=0.10,
    prevalence=0.20,
    unlabelled_share=0.03,
    roc_auc={"2026.03": 0.9552, "2026.04": 0.9643},
)

# Signal over noise of each version: the AUC is Φ(d/√2).
_SEPARATION = {"2026.03": 2.40, "2026.04": 2.55}
_LANGUAGES = {"en": 0.46, "es": 0.18, "pt": INCIDENT.cohort_share, "de": 0.12, "fr": 0.09, "ja": 0.05}
_PLATFORMS = {"android": 0.45, "ios": 0.32, "web": 0.23}
_TENANTS = (
    "acorn", "birch", "cobalt", "dahlia", "ember", "fjord", "garnet", "harbor", "indigo", "juniper",
    "kelp", "lumen", "meadow", "nimbus", "onyx", "pebble", "quartz", "raven", "saffron", "tundra",
)  # fmt: skip


def _choose(rng: np.random.Generator, weights: dict[str, float], n: int) -> npt.NDArray[np.object_]:
    codes = np.searchsorted(np.cumsum(list(weights.values()))[:-1], rng.random(n), side="right")
    return np.array(list(weights), dtype=object)[codes]


def _arrivals(rng: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
    """Sorted seconds since the start: busy afternoons, quiet nights, slower weekends (hours in UTC)."""
    hours = np.arange(int((INCIDENT.end - INCIDENT.start).total_seconds()) // 3600)
    daily = 1 + 0.6 * np.sin(2 * np.pi * (hours % 24 - 9) / 24)
    weekday = (hours // 24) % 7  # the first day is a Monday
    density = daily * np.where(weekday >= 5, 0.8, 1.0)
    edges = np.concatenate([[0.0], np.cumsum(density)])
    return np.sort(np.interp(rng.random(n) * edges[-1], edges, np.arange(len(edges)) * 3600.0).astype(np.int64))


def _moderation(seed: int, n: int, *, fault: bool) -> pd.DataFrame:
    world, model = np.random.default_rng([seed, 10]), np.random.default_rng([seed, 11])
    seconds = _arrivals(world, n)
    time = np.datetime64(INCIDENT.start.replace(tzinfo=None), "s") + seconds.astype("timedelta64[s]")
    deploy, rollback = (np.datetime64(t.replace(tzinfo=None), "s") for t in (INCIDENT.deploy, INCIDENT.rollback))
    deployed = (time >= deploy) & (time < rollback)
    language, platform = _choose(world, _LANGUAGES, n), _choose(world, _PLATFORMS, n)
    zipf = {name: 1 / (rank + 1) for rank, name in enumerate(_TENANTS)}
    tenant = _choose(world, {name: w / sum(zipf.values()) for name, w in zipf.items()}, n)
    y = (world.random(n) < INCIDENT.prevalence).astype(np.int64)
    labelled = world.random(n) >= INCIDENT.unlabelled_share
    text_length = np.clip(np.exp(world.normal(4.6, 0.8, n)), 3, 5000).astype(np.int64)
    report_rate = np.round(world.gamma(np.where(y == 1, 0.9, 0.15)), 3)

    # Two normal populations at distance d have log odds logit(prevalence) + d·z: the probability is calibrated.
    d = np.where(deployed, _SEPARATION[INCIDENT.candidate], _SEPARATION[INCIDENT.baseline])
    z = (y - 0.5) * d + model.standard_normal(n)
    s = np.log(INCIDENT.prevalence / (1 - INCIDENT.prevalence)) + d * z
    p = np.clip((1 / (1 + np.exp(-s))).round(4), 0.0001, 0.9999)
    if fault:
        p = np.where(deployed & (language == INCIDENT.cohort_value), (1 - p).round(4), p)

    load = 1 + 0.15 * np.sin(2 * np.pi * (seconds / 3600 % 24 - 9) / 24)
    latency = 38 * load * (1 + text_length / 2000) * np.exp(model.normal(0, 0.3, n))
    cost = 0.0002 + 0.000001 * text_length
    return pd.DataFrame(
        {
            "time": np.char.add(np.datetime_as_string(time), "Z"),
            "id": [f"post-{i:06d}" for i in range(1, n + 1)],
            "version": np.where(deployed, INCIDENT.candidate, INCIDENT.baseline),
            "y_true": pd.array(np.where(labelled, y, np.nan), dtype="Int64"),
            "y_prob": p,
            "language": language,
            "platform": platform,
            "tenant": tenant,
            "text_length": text_length,
            "report_rate": report_rate,
            "latency_ms": latency.round(1),
            "cost": cost.round(6),
        }
    )


def make_incident(seed: int = INCIDENT_SEED, n: int = 80_000) -> pd.DataFrame:
    """Thirty days; "2026.04" turns p into 1 − p for Portuguese posts from :data:`INCIDENT`'s deploy to rollback."""
    return _moderation(seed, n, fault=True)


def make_clean(seed: int = INCIDENT_SEED, n: int = 80_000) -> pd.DataFrame:
    """The same posts, deploy and rollback without the fault: only the flipped scores differ."""
    return _moderation(seed, n, fault=False)


# ---------------------------------------------------------------------------------------------------------------
# (c) Wrong: one small file with many things wrong
# ---------------------------------------------------------------------------------------------------------------

Outcome = Literal["reject", "undated", "unlabelled", "unscored", "keep"]


@dataclass(frozen=True)
class WrongRow:
    """One planted problem: where it is and what a careful reader does with the record."""

    record: int  # 1-based data record: neither the header nor blank lines count
    column: str  # empty: the whole record
    found: str  # the field as it stands in the file, unquoted
    problem: str
    outcome: Outcome
    note: str = ""

    @property
    def line(self) -> int:
        """1-based line of the file, on which the header and blank lines do count."""
        return self.record + 1 + sum(count for after, count in WRONG_BLANK_LINES.items() if after < self.record)


WRONG_RECORDS = 320
# Record -> how many blank lines follow it. No field holds a line break, so that a record is one line.
WRONG_BLANK_LINES: dict[int, int] = {60: 1, 140: 2, 255: 1}

WRONG_ROWS: tuple[WrongRow, ...] = (
    WrongRow(7, "y_prob", "n/a?", "unreadable-score", "reject"),
    WrongRow(12, "y_true", "Yes", "mixed-case-label", "keep", "is yes"),
    WrongRow(13, "y_true", "NO", "mixed-case-label", "keep", "is no"),
    WrongRow(19, "y_prob", "0,7x", "unreadable-score", "reject", "quoted in the file"),
    WrongRow(25, "language", "en ", "trailing-blank", "keep", "is en"),
    WrongRow(26, "language", "pt  ", "trailing-blank", "keep", "is pt"),
    WrongRow(33, "y_prob", "1.2", "probability-out-of-range", "reject"),
    WrongRow(34, "y_prob", "-0.05", "probability-out-of-range", "reject"),
    WrongRow(47, "y_true", "maybe", "unknown-label", "reject"),
    WrongRow(58, "y_true", "", "missing-label", "unlabelled"),
    WrongRow(59, "y_true", "", "missing-label", "unlabelled"),
    WrongRow(66, "y_prob", "", "missing-score", "unscored"),
    WrongRow(72, "", "8 fields", "too-many-fields", "reject", "7 expected; a stray field at the end"),
    WrongRow(83, "time", "2026-13-45T09:00:00Z", "unreadable-time", "undated", "no such month"),
    WrongRow(88, "y_prob", "87.5", "probability-out-of-range", "reject", "a percentage, it seems"),
    WrongRow(97, "time", "yesterday", "unreadable-time", "undated"),
    WrongRow(101, "y_true", "YES", "mixed-case-label", "keep", "is yes"),
    WrongRow(110, "weight", "-1.0", "negative-weight", "reject"),
    WrongRow(120, "id", "w-040", "duplicate-id", "keep", "record 40 once more, field for field"),
    WrongRow(144, "language", "es ", "trailing-blank", "keep", "is es"),
    WrongRow(155, "y_true", "No", "mixed-case-label", "keep", "is no"),
    WrongRow(187, "y_true", "yEs", "mixed-case-label", "keep", "is yes"),
    WrongRow(199, "y_true", "maybe", "unknown-label", "reject"),
    WrongRow(205, "id", "w-011", "duplicate-id", "keep", "the id of record 171, with another score"),
    WrongRow(210, "", "5 fields", "too-few-fields", "reject", "7 expected; language and weight are cut off"),
    WrongRow(230, "y_true", "", "missing-label", "unlabelled"),
    WrongRow(241, "y_prob", "", "missing-score", "unscored"),
    WrongRow(260, "time", "2026-02-30T10:00:00Z", "unreadable-time", "undated", "no such day"),
    WrongRow(275, "language", "de ", "trailing-blank", "keep", "is de"),
    WrongRow(290, "y_true", "nO", "mixed-case-label", "keep", "is no"),
    WrongRow(301, "language", "pt ", "trailing-blank", "keep", "is pt"),
)

_WRONG_COLUMNS = ("id", "time", "version", "y_true", "y_prob", "language", "weight")


def make_wrong(seed: int = WRONG_SEED) -> str:
    """The text of ``many_things_wrong.csv``: 160 ids scored by two versions, damaged as in :data:`WRONG_ROWS`."""
    rng = np.random.default_rng([seed, 20])
    per_version = WRONG_RECORDS // 2
    y = rng.random(per_version) < 0.4
    language = _choose(rng, {"en": 0.5, "es": 0.2, "pt": 0.2, "de": 0.1}, per_version)
    for row in WRONG_ROWS:  # Only the writing is wrong: both versions agree on what the record says.
        if row.problem == "mixed-case-label":
            y[(row.record - 1) % per_version] = row.found.lower() == "yes"
        elif row.problem == "trailing-blank":
            language[(row.record - 1) % per_version] = row.found.rstrip()
    weight = rng.choice([0.5, 1.0, 2.0], per_version, p=[0.2, 0.6, 0.2])
    minutes = np.sort(rng.integers(0, 8 * 24 * 60, per_version))
    time = np.datetime64("2026-05-04T00:00:00", "s") + (minutes * 60).astype("timedelta64[s]")
    table: list[dict[str, str]] = []
    for version, d in (("a", 2.2), ("b", 2.4)):
        s = np.log(0.4 / 0.6) + d * ((y - 0.5) * d + rng.standard_normal(per_version))
        p = np.clip((1 / (1 + np.exp(-s))).round(4), 0.0001, 0.9999)
        table += [
            {
                "id": f"w-{i + 1:03d}",
                "time": f"{time[i]}Z",
                "version": version,
                "y_true": "yes" if y[i] else "no",
                "y_prob": f"{p[i]:.4f}",
                "language": str(language[i]),
                "weight": f"{weight[i]:.1f}",
            }
            for i in range(per_version)
        ]
    for row in WRONG_ROWS:
        fields = table[row.record - 1]
        if row.record == 120:
            table[row.record - 1] = dict(table[39])
        elif row.column:
            fields[row.column] = row.found

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_WRONG_COLUMNS)
    shapes = {row.record: row.problem for row in WRONG_ROWS if not row.column}
    for record, fields in enumerate(table, start=1):
        values = [fields[column] for column in _WRONG_COLUMNS]
        if shapes.get(record) == "too-many-fields":
            values.append("oops")
        elif shapes.get(record) == "too-few-fields":
            values = values[:5]
        writer.writerow(values)
        out.write("\n" * WRONG_BLANK_LINES.get(record, 0))
    return out.getvalue()


def wrong_rows_table() -> str:
    """The planted problems as the Markdown table that stands in ``README.md``."""
    lines = [
        "| record | line | column | found | problem | what a careful reader does |",
        "|---:|---:|---|---|---|---|",
    ]
    for row in WRONG_ROWS:
        found = f"`{row.found}`" if row.column and row.found else (row.found or "(empty)")
        if row.found != row.found.rstrip():
            found = f'`"{row.found}"`'
        column = f"`{row.column}`" if row.column else "(all)"
        action = row.outcome + (f": {row.note}" if row.note else "")
        lines.append(f"| {row.record} | {row.line} | {column} | {found} | {row.problem} | {action} |")
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------------------
# (d) Real: the training of two networks on few digits, some of them with a wrong label
# ---------------------------------------------------------------------------------------------------------------

TRAINING_SEED = 2026
TRAINING_EPOCHS = 50
TRAINING_RUNS: tuple[tuple[str, tuple[int, ...], float], ...] = (("small", (12,), 1.0), ("large", (100,), 0.0))
"""Name, sizes of the hidden layers and L2 penalty of the two networks."""


def make_training(seed: int = TRAINING_SEED) -> pd.DataFrame:
    """Loss and accuracy by epoch of two networks on 400 digits, a fifth of which are labelled at random.

    ``loss`` is what scikit-learn's ``MLPClassifier`` appends to ``loss_curve_``; the other columns are measured after
    each epoch. The large network learns the wrong labels by heart.
    """
    from sklearn.datasets import load_digits
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    x, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    train, validation = order[:400], order[400:900]
    labels = y.copy()
    wrong = rng.choice(train, len(train) // 5, replace=False)
    labels[wrong] = rng.integers(0, 10, len(wrong))
    rows: list[dict[str, object]] = []
    for run, layers, alpha in TRAINING_RUNS:
        options: dict[str, Any] = {"alpha": alpha, "learning_rate_init": 0.01, "batch_size": 50, "random_state": seed}
        model = MLPClassifier(layers, **options)
        for epoch in range(1, TRAINING_EPOCHS + 1):
            with threadpool_limits(1):  # Sums in one order on every machine; small matrices gain nothing by more.
                model.partial_fit(x[train] / 16, labels[train], classes=np.arange(10))
            rows.append(
                {
                    "run": run,
                    "epoch": epoch,
                    "loss": model.loss_curve_[-1],
                    "accuracy": model.score(x[train] / 16, labels[train]),
                    "val_loss": log_loss(y[validation], model.predict_proba(x[validation] / 16), labels=np.arange(10)),
                    "val_accuracy": model.score(x[validation] / 16, y[validation]),
                }
            )
    return pd.DataFrame(rows).round(4)


# ---------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------

FILES: tuple[str, ...] = (
    "digits_hinge.csv",
    "digits_logistic.csv",
    "digits_hinge_vs_logistic.csv",
    "which_digit.csv.gz",
    "incident.csv.gz",
    "many_things_wrong.csv",
    "training_curves.csv",
    "index_items.csv",
    "index_2026.05.npz",
    "index_2026.06.npz",
    "digit_items.csv",
    "digits_raw.npz",
    "digits_pca.npz",
    "digits_learned.npz",
)


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def render(name: str) -> bytes:
    """The bytes of one of :data:`FILES`."""
    match name:
        case "digits_hinge.csv":
            return _csv(make_digits_hinge())
        case "digits_logistic.csv":
            return _csv(make_digits_logistic())
        case "digits_hinge_vs_logistic.csv":
            return _csv(make_digits_joint())
        case "which_digit.csv.gz":
            return gzip.compress(_csv(make_which_digit()), compresslevel=9, mtime=0)
        case "incident.csv.gz":
            # No file name and no time in the header: the bytes depend on the content alone.
            return gzip.compress(_csv(make_incident()), compresslevel=9, mtime=0)
        case "many_things_wrong.csv":
            return make_wrong().encode()
        case "training_curves.csv":
            return _csv(make_training())
        case "index_items.csv":
            return _csv(make_index_items())
        case "digit_items.csv":
            return _csv(make_digit_items())
        case "index_2026.05.npz" | "index_2026.06.npz":
            before, after, _truth = make_index()
            version = before if name == "index_2026.05.npz" else after
            return npz(version.ids, version.matrix.astype(np.float16))
        case "digits_raw.npz" | "digits_pca.npz" | "digits_learned.npz":
            vectors = make_digit_vectors()[name.removeprefix("digits_").removesuffix(".npz")]
            return npz(make_digit_items()["id"].to_numpy().astype(np.str_), vectors)
        case _:
            raise ValueError(f"no sample file is called {name!r}; there are {', '.join(FILES)}")


def write_all(directory: Path) -> dict[str, int]:
    """Writes all files into a directory; returns their sizes in bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    return {name: (directory / name).write_bytes(render(name)) for name in FILES}


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the sample files and says how large they are."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.make", description="Write the sample files.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, metavar="DIR")
    options = parser.parse_args(arguments)
    for name, size in write_all(options.out).items():
        print(f"{size:>10,}  {options.out / name}")


if __name__ == "__main__":
    main()
