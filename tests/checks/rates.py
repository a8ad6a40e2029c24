"""How often each check fires on clean data, and finds what was broken: the experiments behind `docs/checks.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lib.checks import CheckResult, run_checks
from sample_data.faults import CHECKS as CHECK_OF
from sample_data.faults import SCOPES, Fault, Scope, Truth, make_predictions
from tests.checks.tables import diagnose

N_CLEAN = 200

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
    chosen: dict[str, Any] = {"n": 5_000, **arguments}
    frame, _ = make_predictions(seed, **chosen)
    return name, frame


@dataclass(frozen=True)
class Case:
    """A kind of injected fault."""

    fault: Fault
    scope: Scope
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        told = "".join(f", {key} = {value}" for key, value in self.arguments)
        return f"{self.fault} in {self.scope}{told}"


CASES: tuple[Case, ...] = (*(Case(fault, scope) for fault, scopes in SCOPES.items() for scope in scopes),)


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


def findings(frame: pd.DataFrame) -> list[CheckResult]:
    return [each for each in run_checks(diagnose(frame)) if each.is_finding]


def measure_clean(seeds: Iterable[int]) -> Iterator[tuple[int, str, list[CheckResult]]]:
    for seed in seeds:
        world, frame = clean_data(seed)
        yield seed, world, findings(frame)


@dataclass(frozen=True)
class Outcome:
    """What a check made of one faulty data set."""

    fired: bool
    named: bool
    n_findings: int
    others: tuple[CheckResult, ...]
    truth: Truth
    titles: tuple[str, ...]


def measure_case(case: Case, seeds: Iterable[int], n: int = 5_000) -> Iterator[Outcome]:
    for seed in seeds:
        # Windows of a day, of which the fault covers at least one whole: beyond thirty days five thousand rows get
        # windows of a week. In less than two weeks a gap on a Saturday may be a weekend, and is not told.
        days: dict[str, Any] = {}
        if "window" in case.scope:
            days = {"days": 14 + seed % 17 if case.fault == "time-gap" else 10 + seed % 21}
        arguments: dict[str, Any] = {"n": n, "fault": case.fault, "scope": case.scope, **days, **dict(case.arguments)}
        frame, truth = make_predictions(seed, **arguments)
        found = findings(frame)
        own = [each for each in found if each.name == CHECK_OF[case.fault]]
        others = tuple(each for each in found if each.name != CHECK_OF[case.fault])
        yield Outcome(
            bool(own),
            any(is_named(each, truth) for each in own),
            len(own),
            others,
            truth,
            tuple(each.title for each in own),
        )


__all__ = ["CASES", "CLEAN_WORLDS", "Case", "clean_data", "is_named", "measure_case", "measure_clean", "np"]
