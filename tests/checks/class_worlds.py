"""Clean worlds of several classes, the same with classes exchanged or one answer for all, and their cells in numpy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit, softmax

from lib.cells import Cells, Coded
from lib.checks import CHECKS, CheckResult, run_checks
from lib.diagnose import Diagnosis
from lib.grid import EXACT, Resolution
from lib.schema import CLASS, ONE_VS_REST, PREDICTED, TOP_LABEL, ClassColumn, Filter, ScoreKind
from lib.settings import Settings
from tests.checks.tables import FrameTables

COHORTS = ("language", "plan")
CLEAN = "clean, several classes"
RARE = (0.5, *[0.5 / 9] * 9)
CLEAN_WORLDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("as drawn", {}),
    ("three classes, small", {"k": 3, "n": 2_000}),
    ("ten classes", {"k": 10}),
    ("ten classes, weak", {"k": 10, "separation": 1.0}),
    ("no order at all", {"separation": 0.05}),
    ("one class of ten has half of the rows", {"k": 10, "n": 8_000, "shares": RARE}),
    ("rare classes", {"shares": (0.6, 0.25, 0.13, 0.02)}),
    ("a class that is never answered", {"k": 5, "separation": 0.5, "shares": (0.7, 0.1, 0.1, 0.05, 0.05)}),
    ("fifty classes", {"k": 50, "n": 10_000}),
    ("decision scores", {"decision": True, "versions": 3}),
)
"""Names and arguments; seeds go through them in turn."""
EXPECTED = {"class-imbalance", "small-sample"}
"""They are right to fire: some worlds have rare classes, or few rows of each."""


def class_names(k: int) -> tuple[str, ...]:
    return tuple(f"c{place:02d}" for place in range(k))


def make_classes(
    seed: int,
    *,
    n: int = 5_000,
    k: int = 4,
    shares: tuple[float, ...] | None = None,
    separation: float = 2.5,
    decision: bool = False,
    versions: int = 2,
) -> pd.DataFrame:
    """Ten days of versions side by side of a model that knows how frequent classes are: a score for each, a label."""
    rng = np.random.default_rng([seed, k])
    p = np.full(k, 1 / k) if shares is None else np.array(shares)
    truth = rng.choice(k, n, p=p)
    scores = rng.standard_normal((n, k))
    scores[np.arange(n), truth] += separation
    scores = scores * separation + np.log(p)
    names = class_names(k)
    return pd.DataFrame(
        scores if decision else softmax(scores, axis=1), columns=[f"score_{name}" for name in names]
    ).assign(
        label=np.array(names)[truth],
        version=np.array([f"v{place + 1}" for place in range(versions)])[rng.integers(0, versions, n)],
        language=rng.choice(["de", "en", "pt"], n, p=[0.5, 0.3, 0.2]),
        plan=rng.choice(["free", "paid"], n),
        time=pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 10 * 86_400, n)), unit="s"),
    )


def rows_of(frame: pd.DataFrame, scope: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The rows of a scope: the second version, a language, three days, or these together."""
    days = frame["time"].between(pd.Timestamp("2026-01-08", tz="UTC"), pd.Timestamp("2026-01-11", tz="UTC"), "left")
    parts = {"version": frame["version"] == "v2", "cohort": frame["language"] == "pt", "window": days}
    chosen = np.ones(len(frame), bool)
    for name in () if scope == "all" else scope.split("-"):
        chosen &= parts[name].to_numpy()
    return chosen


def exchange(frame: pd.DataFrame, rows: np.ndarray[Any, Any], to: list[int], *, labels: bool = False) -> pd.DataFrame:
    """A frame in which the score of each class, or its label, stands as that of class `to[class]` in some rows."""
    columns = [column for column in frame.columns if column.startswith("score_")]
    names = [column.removeprefix("score_") for column in columns]
    changed = frame.copy()
    if labels:
        renamed = {name: names[to[place]] for place, name in enumerate(names)}
        changed.loc[rows, "label"] = frame.loc[rows, "label"].map(renamed)
        return changed
    changed.loc[rows, [columns[place] for place in to]] = frame.loc[rows, columns].to_numpy().copy()
    return changed


def cycle(k: int, *members: int) -> list[int]:
    """Each member stands as the next, the last as the first."""
    to = list(range(k))
    for place, member in enumerate(members):
        to[member] = members[(place + 1) % len(members)]
    return to


class ClassTables(FrameTables):
    """`FrameTables` over a frame with a score for each class and the name of the true one as label."""

    def __init__(self, frame: pd.DataFrame, score_kind: ScoreKind, **options: Any) -> None:
        columns = [column for column in frame.columns if column.startswith("score_")]
        names = tuple(column.removeprefix("score_") for column in columns)
        raw = frame[columns].to_numpy(np.float64)
        eps = np.finfo(np.float64).eps
        scores = np.log(np.clip(raw, eps, 1 - eps)) if score_kind is ScoreKind.PROBABILITY else raw
        truth = frame["label"].map({name: place for place, name in enumerate(names)}).to_numpy(np.int64)
        at = np.arange(len(frame))
        own, others = scores[at, truth], scores.copy()
        others[at, truth] = -np.inf
        rest = frame.drop(columns=columns)
        super().__init__(
            rest.assign(score=own - others.max(axis=1), label=1.0), COHORTS, score_kind=ScoreKind.LOGIT, **options
        )
        classes = tuple(ClassColumn(name, column, (name,)) for name, column in zip(names, columns, strict=True))
        mapping = dataclasses.replace(
            self.facts.mapping, score="score_*", score_kind=score_kind, classes=classes, label_encoding=None
        )
        self.facts = dataclasses.replace(self.facts, mapping=mapping)
        self.columns[CLASS] = Coded.of(frame["label"].to_numpy(str))
        self.columns[PREDICTED] = Coded.of(np.array(names)[scores.argmax(axis=1)])
        each = np.repeat(at, len(names))
        against = logit(np.clip(raw, eps, 1 - eps)) if score_kind is ScoreKind.PROBABILITY else raw
        one = rest.iloc[each].assign(score=against.ravel(), label=np.eye(len(names))[truth].ravel())
        self._one_vs_rest = FrameTables(one, COHORTS, score_kind=ScoreKind.LOGIT, windows=self.facts.windows)
        self._one_vs_rest.columns[ONE_VS_REST] = Coded.of(np.tile(np.array(names), len(frame)))
        answer = rest.assign(score=against.max(axis=1), label=(own > others.max(axis=1)).astype(float))
        self._answer = FrameTables(answer, COHORTS, score_kind=ScoreKind.LOGIT, windows=self.facts.windows)
        self._answer.columns[TOP_LABEL] = Coded.of(np.zeros(len(frame), np.int64))

    def cells(self, keys: Any, where: Filter = Filter(), *, finest: Resolution = EXACT) -> Cells:
        tables = self._one_vs_rest if ONE_VS_REST in keys else self._answer if TOP_LABEL in keys else super()
        return tables.cells(keys, where, finest=finest)


def diagnose_classes(frame: pd.DataFrame, *, decision: bool = False) -> Diagnosis:
    tables = ClassTables(frame, ScoreKind.DECISION if decision else ScoreKind.PROBABILITY)
    return Diagnosis(tables, Settings.choose(tables.facts))


def class_findings(frame: pd.DataFrame, *, decision: bool = False) -> list[CheckResult]:
    return [each for each in run_checks(diagnose_classes(frame, decision=decision)) if each.is_finding]


def clean_classes(seed: int) -> tuple[str, list[CheckResult]]:
    """The name of the clean world of a seed, and the findings that ought not to be there."""
    name, arguments = CLEAN_WORLDS[seed % len(CLEAN_WORLDS)]
    found = class_findings(make_classes(seed, **arguments), decision=bool(arguments.get("decision")))
    return name, [each for each in found if each.name not in EXPECTED]


SCOPES = ("version", "cohort", "window", "cohort-window")
FAULTS: tuple[tuple[str, str, str], ...] = (
    *(("label-flip", f"classes exchanged in {scope}", scope) for scope in SCOPES),
    ("label-encoding", "classes exchanged in all", "all"),
    *(("constant-score", f"one answer in {scope}", scope) for scope in SCOPES),
    ("constant-score", "the same scores in all", "all"),
)
"""Check, what it is called, and the scope."""


def faulty_classes(check: str, scope: str, seed: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """A frame of four, ten or three classes with a fault, and how its classes are exchanged.

    Two or three classes or all of them, by their scores or by their labels, in turn.
    """
    k = (4, 10, 3)[seed % 3]
    frame = make_classes(seed, k=k)
    rows, names = rows_of(frame, scope), class_names(k)
    if check == "constant-score":
        columns = [f"score_{name}" for name in names]
        frame.loc[rows, columns] = frame[columns].to_numpy()[seed % len(frame)]
        return frame, {}
    to = cycle(k, *range((2, 3, k)[seed // 3 % 3]))
    labels = seed // 9 % 2 == 1
    told = to if not labels else np.argsort(to).tolist()
    return exchange(frame, rows, to, labels=labels), {
        names[place]: names[other] for place, other in enumerate(told) if place != other
    }


def is_named(result: CheckResult, scope: str, exchanged: dict[str, str]) -> bool:
    """Whether a finding names the part, and the classes."""
    where = result.where
    if scope == "all":
        return result.evidence.get("exchanged", {}) == exchanged
    right = (result.version == "v2") == ("version" in scope) and result.evidence.get("exchanged", {}) == exchanged
    right &= where.cohort == ({"language": "pt"} if "cohort" in scope else {})
    if "window" not in scope:
        return right and where.window is None
    start = int(pd.Timestamp("2026-01-08", tz="UTC").timestamp())
    return right and where.window == (start, start + 3 * 86_400)


def measure_fault(check: str, scope: str, seeds: Iterable[int]) -> Iterator[tuple[list[CheckResult], dict[str, str]]]:
    """All findings of each faulty data set, and how its classes are exchanged."""
    for seed in seeds:
        frame, exchanged = faulty_classes(check, scope, seed)
        yield class_findings(frame), exchanged


def measure_classes(n_clean: int, n_faulty: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Per check and kind of data: data sets, those in which the check fired, those in which it named the right part."""
    alarms = dict.fromkeys((check.name for check in CHECKS), 0)
    for seed in range(n_clean):
        for name in {each.name for each in clean_classes(seed)[1]}:
            alarms[name] += 1
    yield from ((name, CLEAN, n_clean, count, 0) for name, count in alarms.items())
    for check, data, scope in FAULTS:
        fired, named = 0, 0
        for found, exchanged in measure_fault(check, scope, range(n_faulty)):
            own = [each for each in found if each.name == check]
            fired += bool(own)
            named += any(is_named(each, scope, exchanged) for each in own)
        yield check, data, n_faulty, fired, named
