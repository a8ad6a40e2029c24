"""A policy file: objectives that somebody is told of when they are missed, and deploys that no column tells.

TOML, a table for each thing that is asked for. What cannot be read is a sentence that names the file, the line and the
key; nothing that is not understood is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from lib.errors import DataError
from lib.metrics.burn_rate import HOUR, MINUTE, RATE_NAMES, Action, BurnRule, Objective, default_rules
from lib.metrics.deploys import Deploy, Kind
from lib.policy.entries import UNITS, Entry, read_tables


@dataclass(frozen=True)
class Policy:
    """What a policy file says.

    Attributes:
        name: of the file; empty for one that was made on the page.
        objectives: in the order of the file.
        deploys: in the order of time; those of the version column hold where there are none.
    """

    name: str = ""
    objectives: tuple[Objective, ...] = ()
    deploys: tuple[Deploy, ...] = ()


def read_policy(text: str, name: str = "policy") -> Policy:
    """The policy that a file says.

    Args:
        text: of the file.
        name: what the file is called in sentences.

    Raises:
        DataError: it is no TOML, or says something that is not understood; the sentence names line and key.
    """
    found = read_tables(text, name, tuple(_READERS))
    held = {table: [_READERS[table](entry) for entry in entries] for table, entries in found.items()}
    objectives = tuple(held.get("objectives", []))
    names = [each.name for each in objectives]
    for entry, objective in zip(found.get("objectives", []), objectives, strict=True):
        if names.count(objective.name) > 1:
            raise entry.wrong("name", f"two objectives are called {objective.name!r}.")
    if not any(held.values()):
        raise DataError(f"{name} says nothing: it has none of the tables {', '.join(f'[[{t}]]' for t in _READERS)}.")
    return Policy(name, objectives, tuple(sorted(held.get("deploys", []), key=lambda each: each.at)))


def _objective(entry: Entry) -> Objective:
    entry.only(
        "name", "metric", "at_most", "cohorts", "margin_target", "windows", "minimum_duration",
        "suppress_after_deploy", "period",
    )  # fmt: skip
    at_most = entry.number("at_most", above=0, below=1)
    metric = entry.text("metric", among=RATE_NAMES)
    usual = Objective("", "violation_rate", at_most)
    windows = entry.entries("windows")
    rules = default_rules(at_most) if windows is None else tuple(_rule(each, at_most) for each in windows)
    return Objective(
        entry.text("name", default=metric),
        next(each for each in RATE_NAMES if each == metric),
        at_most,
        entry.texts("cohorts"),
        entry.number("margin_target", above=-1e-9, below=3.000001, default=usual.margin_target),
        rules,
        entry.seconds("minimum_duration", usual.minimum_duration),
        entry.seconds("suppress_after_deploy", usual.suppress_after_deploy),
        entry.seconds("period", usual.period, least=HOUR),
    )


def _rule(entry: Entry, at_most: float) -> BurnRule:
    entry.only("long", "short", "burn", "action")
    rule = BurnRule(
        entry.seconds("long", least=MINUTE),
        entry.seconds("short", least=MINUTE),
        entry.number("burn", above=0),
        next(each for each in get_args(Action) if each == entry.text("action", among=get_args(Action))),
    )
    if rule.short > rule.long:
        raise entry.wrong("short", "the short window is longer than the long one.")
    if rule.burn * at_most > 1:
        raise entry.wrong("burn", f"{rule.burn:g} times {at_most:g} is more than all rows: this can never alert.")
    return rule


def _deploy(entry: Entry) -> Deploy:
    entry.only("at", "name", "kind")
    kind = entry.text("kind", among=get_args(Kind), default="deploy")
    return Deploy(entry.moment("at"), entry.text("name"), next(each for each in get_args(Kind) if each == kind))


_READERS: dict[str, Callable[[Entry], Any]] = {"objectives": _objective, "deploys": _deploy}
"""The tables that are known, each with what reads one of them."""


def policy_text(policy: Policy) -> str:
    """A policy as a file that `read_policy` reads back."""
    lines: list[str] = []
    for each in policy.objectives:
        lines += [
            "[[objectives]]",
            f"name = {_quoted(each.name)}",
            f"metric = {_quoted(each.metric)}",
            f"at_most = {each.at_most:g}",
            *([] if each.cohorts is None else [f"cohorts = [{', '.join(map(_quoted, each.cohorts))}]"]),
            f"margin_target = {each.margin_target:g}",
            "windows = [",
            *(
                f'    {{ long = "{_span(rule.long)}", short = "{_span(rule.short)}", burn = {rule.burn:g}, '
                f'action = "{rule.action}" }},'
                for rule in each.rules
            ),
            "]",
            f'minimum_duration = "{_span(each.minimum_duration)}"',
            f'suppress_after_deploy = "{_span(each.suppress_after_deploy)}"',
            f'period = "{_span(each.period)}"',
            "",
        ]
    for deploy in policy.deploys:
        at = f"{datetime.fromtimestamp(deploy.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        lines += ["[[deploys]]", f"at = {at}", f"name = {_quoted(deploy.name)}", f'kind = "{deploy.kind}"', ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    # A string of JSON is one of TOML, but for the delete character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _span(seconds: int) -> str:
    unit, size = next((unit, size) for unit, size in reversed(UNITS.items()) if seconds % size == 0)
    return f"{seconds // size} {unit}"
