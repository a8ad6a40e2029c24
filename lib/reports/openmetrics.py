"""What the gate has decided as OpenMetrics text, for the textfile collector of a Prometheus node exporter.

All are gauges without time stamps, so that the older text format of Prometheus, which that collector reads, takes the
file too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from lib import __version__
from lib.gate import Decision, GateResult
from lib.policy import Limit

OUTCOMES = ("pass", "fail", "cannot tell")
Sample = tuple[dict[str, str], float]


def render_openmetrics(result: GateResult) -> str:
    """The decisions as gauges; words from data are escaped label values."""
    settings, decisions = result.settings, result.decisions
    whole = {
        "dataset": result.facts.name,
        "baseline": settings.baseline,
        "candidate": settings.candidate,
        "policy": result.policy.name,
    }
    each = [{**whole, **_labels(decision)} for decision in decisions]
    families: list[tuple[str, str, list[Sample]]] = [
        ("passed", "Whether the candidate passes: 1, or 0.", [(whole, float(result.passed))]),
        (
            "decisions",
            "How many numbers keep their limit (pass), break it (fail), or cannot be told.",
            [({**whole, "verdict": name}, float(result.count(name))) for name in OUTCOMES],
        ),
        ("forbidden_findings", "Findings that the policy forbids.", [(whole, float(len(result.forbidden)))]),
        (
            "kept",
            "1 for a number that keeps its limit, 0 for one that breaks it, NaN where it cannot be told.",
            [(labels, _kept(decision)) for labels, decision in zip(each, decisions, strict=True)],
        ),
    ]
    for name, words in (
        ("value", "The number that is held against a limit, in its own unit, shares from 0 to 1."),
        ("lower", "Lower end of the interval that decides."),
        ("upper", "Upper end of the interval that decides."),
    ):
        ends = [(labels, float(getattr(it.number, name))) for labels, it in zip(each, decisions, strict=True)]
        families.append((name, words, ends))
    families += [
        ("rows", "Rows that the number is over.", [(a, d.number.n) for a, d in zip(each, decisions, strict=True)]),
        ("limit", "The limit.", [(a, d.limit.value) for a, d in zip(each, decisions, strict=True)]),
        ("timestamp_seconds", "When the gate judged, in seconds since 1970.", [(whole, result.made_at.timestamp())]),
        ("build_info", "The product's version.", [({"version": __version__}, 1.0)]),
    ]
    return "".join(line for family in families for line in _family(*family)) + "# EOF\n"


def _labels(decision: Decision) -> dict[str, str]:
    """What tells decisions apart: policies have no two limits with the same."""
    limit, part = decision.limit, decision.part
    return {
        "metric": limit.metric,
        "kind": limit.kind,
        "cohort": part.cohort,
        "value": part.value,
        "class": part.of_class,
        # The number of a part of no name may stand for the whole, for lack of rows.
        "of": _kind_of_part(limit),
        **{
            f"{name}_{number}": text
            for number, pair in enumerate(part.further, start=2)
            for name, text in zip(("cohort", "value"), pair, strict=True)
        },
    }


def _kind_of_part(limit: Limit) -> str:
    if limit.crossing:
        return "crossings"
    return "cohorts" if limit.cohorts else "classes" if limit.by_class else "whole"


def _kept(decision: Decision) -> float:
    return {"pass": 1.0, "fail": 0.0}.get(decision.outcome, math.nan)


def _family(name: str, words: str, samples: list[Sample]) -> Iterable[str]:
    if not samples:
        return
    full = f"marginalia_gate_{name}"
    yield f"# TYPE {full} gauge\n"
    yield f"# HELP {full} {words}\n"
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{full}{{{inner}}} {_number(value)}\n"


def _escaped(text: str) -> str:
    shown = text.encode("utf-8", "replace").decode()
    return shown.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if math.isinf(value) else repr(value)
