"""How often each check fires on clean data, and finds what was broken: the experiments behind `docs/checks.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from lib.checks import CHECKS, CheckResult, run_checks
from lib.checks.run import run_check
from lib.schema import ScoreKind
from sample_data.faults import CHECKS as CHECK_OF
from sample_data.faults import SCOPES, Fault, Scope, Truth, make_predictions
from tests.checks.tables import diagnose

N_CLEAN = 200
CHECK_NAMED = {check.name: check for check in CHECKS}

CLEAN_WORLDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("as drawn", {}),
    ("2 % positives", {"prevalence": 0.02, "n": 8_000}),
    ("weak model, AUC 0.6", {"separation": 0.36}),
    ("no order at all, AUC 0.5", {"separation": 0.02}),
    ("all labels", {"unlabelled_share": 0.0}),
    ("half the labels", {"unlabelled_share": 0.5}),
    ("weighted", {"weighted": True}),
    ("small", {"n": 1_000}),
    ("large", {"n": 20_000}),
)
"""Names and arguments of clean worlds; seeds go through them in turn."""


def clean_data(seed: int) -> tuple[str, pd.DataFrame]:
    """The clean data set of a seed, with the name of its world."""
    name, arguments = CLEAN_WORLDS[seed % len(CLEAN_WORLDS)]
    chosen: dict[str, Any] = {"n": 5_000, "serving": True, "temperature": 1.0, **arguments}
    frame, _ = make_predictions(seed, **chosen)
    return name, frame


EXPECTED = {("small-sample", "small"), ("class-imbalance", "2 % positives")}
"""Check and clean world in which it is right to fire: a thousand rows in three versions are a small sample."""


def false_alarms(world: str, found: Iterable[CheckResult]) -> set[str]:
    """The names of the checks that fired and ought not to have."""
    return {each.name for each in found if (each.name, world) not in EXPECTED}


SCALES = (0.05, 0.2, 3.0, 20.0)


def rescaled_data(seed: int) -> tuple[str, pd.DataFrame]:
    """A clean data set of two versions or more, as decision scores of models that have no unit in common.

    Each later version's scores are multiplied by a number, or squeezed as those of a support vector machine with a
    radial kernel are; what ranks and decides stays the same.
    """
    name, arguments = CLEAN_WORLDS[seed % len(CLEAN_WORLDS)]
    chosen: dict[str, Any] = {"n": 5_000, "n_versions": 2 + seed % 2, **arguments}
    frame, truth = make_predictions(seed, **chosen)
    rng = np.random.default_rng([seed, 40])
    s = logit(np.clip(frame["score"].to_numpy(np.float64), 1e-6, 1 - 1e-6))
    for version in truth.versions[1:]:
        part = (frame["version"] == version).to_numpy()
        squeezed = np.tanh(s[part] / 2) if rng.random() < 0.5 else s[part]
        s[part] = rng.choice(SCALES) * squeezed
    return name, frame.assign(score=s)


@dataclass(frozen=True)
class Case:
    """A kind of injected fault; with `decision` in decision scores, which have no unit, and with noise.

    A collapse of a whole version is told from another unit by what else is lost: the noise is as large as the spread of
    the faulty part's scores within a class.
    """

    fault: Fault
    scope: Scope
    arguments: tuple[tuple[str, Any], ...] = ()
    decision: bool = False

    @property
    def name(self) -> str:
        told = "".join(f", {key} = {value}" for key, value in self.arguments)
        return f"{self.fault} in {self.scope}{told}" + (", decision scores and noise" if self.decision else "")


WORSE = ("threshold-shift", "false-positive-rise", "quality-regression")

CASES: tuple[Case, ...] = (
    *(Case(fault, scope) for fault, scopes in SCOPES.items() for scope in scopes),
    Case("margin-collapse", "version", decision=True),
)


def with_noise(frame: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """The log odds of a frame, the faulty part's with noise as large as their spread within a class."""
    s = logit(np.clip(frame["score"].to_numpy(np.float64), 1e-6, 1 - 1e-6))
    own = s[truth.rows]
    label = frame["label"].to_numpy(np.float64)[truth.rows]
    spread = np.mean([own[label == each].std() for each in (0.0, 1.0)])
    s[truth.rows] += spread * np.random.default_rng([truth.seed, 41]).standard_normal(len(own))
    return frame.assign(score=s)


def is_named(result: CheckResult, truth: Truth) -> bool:
    """Whether a finding names the version, cohort and time that were broken."""
    if truth.scope == "all":
        return True
    if truth.scope == "version":
        return result.version == truth.version and not result.where.cohort
    if truth.cohort is not None and result.where.cohort != dict([truth.cohort]):
        return False
    if truth.cohort is None and result.where.cohort:
        return False
    if truth.window is not None:
        if result.where.window is None:
            return False
        start, end = result.where.window
        low, high = truth.window[0].timestamp(), truth.window[1].timestamp()
        overlap = min(end, high) - max(start, low)
        return overlap > 0.5 * (high - low) or overlap > 0.5 * (end - start)
    return True


def findings(
    frame: pd.DataFrame, score_kind: ScoreKind = ScoreKind.PROBABILITY, name: str | None = None
) -> list[CheckResult]:
    """What all checks find, or one of them alone."""
    diagnosis = diagnose(frame, score_kind=score_kind)
    results = run_checks(diagnosis) if name is None else run_check(CHECK_NAMED[name], diagnosis)
    return [each for each in results if each.is_finding]


def measure_clean(seeds: Iterable[int], *, rescaled: bool = False) -> Iterator[tuple[int, str, list[CheckResult]]]:
    for seed in seeds:
        world, frame = rescaled_data(seed) if rescaled else clean_data(seed)
        yield seed, world, findings(frame, ScoreKind.DECISION if rescaled else ScoreKind.PROBABILITY)


@dataclass(frozen=True)
class Outcome:
    """What a check made of one faulty data set."""

    fired: bool
    named: bool
    n_findings: int
    others: tuple[CheckResult, ...]
    truth: Truth
    titles: tuple[str, ...]


def measure_case(case: Case, seeds: Iterable[int], n: int = 5_000, *, alone: bool = False) -> Iterator[Outcome]:
    """Faulty data sets, one for each seed, under all checks or `alone` under the one that ought to fire."""
    name = CHECK_OF[case.fault]
    for seed in seeds:
        # Windows of a day, of which the fault covers at least one whole: beyond thirty days five thousand rows get
        # windows of a week. In less than two weeks a gap on a Saturday may be a weekend, and is not told.
        world: dict[str, Any] = {}
        if "window" in case.scope:
            world = {"days": 14 + seed % 17 if case.fault == "time-gap" else 10 + seed % 21}
        if name == "score-drift":
            # The rest of the version is what a drift is told by: of three versions in turn one may drift all its time.
            # Scores of better models are at the ends of what services write, where constant-score names the part.
            world |= {"n_versions": 1 + seed % 2, "separation": 2.0}
        if name == "miscalibration":
            # Weak models are never sure, and of three versions one has too few rows: that may stay within two points.
            world |= {"separation": 2.0, "n_versions": 2}
        if name in ("false-positive-rise", "quality-regression"):
            # Of rare classes a weaker model gets one wrong above all, and scores that move for a time are a drift.
            world |= {"separation": 2.0, "prevalence": 0.6 if name == "false-positive-rise" else 0.5}
        if case.fault in ("slow-candidate", "dear-candidate") or (case.scope == "version" and name in WORSE):
            # Of versions side by side the one that is broken need not be the one that is seen last.
            world |= {"layout": "sequential"}
        arguments: dict[str, Any] = {"n": n, "fault": case.fault, "scope": case.scope, **world, **dict(case.arguments)}
        frame, truth = make_predictions(seed, **arguments)
        kind = ScoreKind.DECISION if case.decision else ScoreKind.PROBABILITY
        found = findings(with_noise(frame, truth) if case.decision else frame, kind, name if alone else None)
        own = [each for each in found if each.name == name]
        others = tuple(each for each in found if each.name != name)
        yield Outcome(
            bool(own),
            any(is_named(each, truth) for each in own),
            len(own),
            others,
            truth,
            tuple(each.title for each in own),
        )


__all__ = [
    "CASES",
    "CLEAN_WORLDS",
    "Case",
    "clean_data",
    "false_alarms",
    "is_named",
    "measure_case",
    "measure_clean",
    "np",
    "rescaled_data",
]
