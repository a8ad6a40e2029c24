"""What monitoring is told by a policy: objectives that somebody hears of when they are missed, and deploys."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast, get_args

from lib.metrics.burn_rate import (
    DAY,
    HOUR,
    MINUTE,
    RATE_NAMES,
    Action,
    BurnRule,
    Objective,
    RateName,
    default_rules,
)
from lib.metrics.deploys import Deploy
from lib.metrics.deploys import Kind as DeployKind
from lib.policy.table import Source, Table

UNITS = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
OBJECTIVE_KEYS = (
    "name", "metric", "at_most", "cohorts", "margin_target", "windows", "minimum_duration", "suppress_after_deploy",
    "period",
)  # fmt: skip
WINDOW_KEYS = ("long", "short", "burn", "action")
DEPLOY_KEYS = ("at", "name", "kind")
MOST_SECONDS = 36_600 * DAY
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*$")


def read_objectives(source: Source) -> tuple[Objective, ...]:
    """The `[[objectives]]` of a policy.

    Raises:
        SettingsError: something is wrong with one; the text names the line.
    """
    found: list[Objective] = []
    for table in source.tables("objectives", OBJECTIVE_KEYS):
        objective = _objective(table)
        if any(each.name == objective.name for each in found):
            table.fail(f"two objectives are called {objective.name!r}; give each a name of its own.", "name")
        found.append(objective)
    return tuple(found)


def read_deploys(source: Source) -> tuple[Deploy, ...]:
    """The `[[deploys]]` of a policy, in the order of time.

    Raises:
        SettingsError: something is wrong with one; the text names the line.
    """
    found: list[Deploy] = []
    for table in source.tables("deploys", DEPLOY_KEYS):
        _require(table, "at", "name")
        kind = table.one_of("kind", get_args(DeployKind), "deploy")
        found.append(Deploy(_moment(table, "at"), table.text("name"), cast(DeployKind, kind)))
    return tuple(sorted(found, key=lambda each: each.at))


def _objective(table: Table) -> Objective:
    _require(table, "metric", "at_most")
    metric = cast(RateName, table.one_of("metric", RATE_NAMES))
    at_most = table.number("at_most", 0.0, 1.0)
    if not 0 < at_most < 1:
        table.fail(f"at_most is {at_most:g}: that allows {'no row' if at_most <= 0 else 'every row'}.", "at_most")
    usual = Objective("", metric, at_most)
    gamma = table.number("margin_target", 0.0, 3.0) if "margin_target" in table.values else usual.margin_target
    return Objective(
        table.text("name", metric),
        metric,
        at_most,
        _texts(table, "cohorts"),
        gamma,
        _rules(table, at_most),
        _seconds(table, "minimum_duration", usual.minimum_duration),
        _seconds(table, "suppress_after_deploy", usual.suppress_after_deploy),
        _seconds(table, "period", usual.period, least=HOUR),
    )


def _rules(table: Table, at_most: float) -> tuple[BurnRule, ...]:
    if "windows" not in table.values:
        return default_rules(at_most)
    given = table.values["windows"]
    if not isinstance(given, list) or not given:
        table.fail("windows is a list of tables in braces, each with long, short, burn and action.", "windows")
    found: list[BurnRule] = []
    for place, values in enumerate(given):
        window = Table(table.source, (*table.path, "windows", place), values, WINDOW_KEYS, "one of the windows")
        _require(window, *WINDOW_KEYS)
        action = cast(Action, window.one_of("action", get_args(Action)))
        long, short = (_seconds(window, key, 0, least=MINUTE) for key in ("long", "short"))
        rule = BurnRule(long, short, window.number("burn", 1e-9, 1e9), action)
        if rule.short > rule.long:
            window.fail("the short window is longer than the long one.", "short")
        if rule.burn * at_most > 1:
            window.fail(f"{rule.burn:g} times {at_most:g} is more than all rows: that is never told.", "burn")
        found.append(rule)
    return tuple(found)


def _require(table: Table, *keys: str) -> None:
    for key in keys:
        if key not in table.values:
            table.fail(f"{table.header} has no {key}.")


def _texts(table: Table, key: str) -> tuple[str, ...] | None:
    """A list of texts; None without the key."""
    value = table.values.get(key)
    if value is not None and (not isinstance(value, list) or not all(isinstance(each, str) for each in value)):
        table.fail(f"{key} is {value!r}, not a list of texts.", key)
    return None if value is None else tuple(value)


def _seconds(table: Table, key: str, default: int, *, least: int = 0) -> int:
    """A length of time, as a text such as "15 min" or as a number of seconds."""
    value = table.values.get(key, default)
    found = _DURATION.match(value) if isinstance(value, str) else None
    seconds = float(found[1]) * UNITS[found[2]] if found is not None else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not least <= seconds <= MOST_SECONDS:
        table.fail(f'{key} is {value!r}; a length of time is expected, such as "15 min", "6 h" or "3 d".', key)
    return int(seconds)


def _moment(table: Table, key: str) -> int:
    """A date and time as an epoch second; without a zone it is UTC."""
    value = table.values[key]
    if not isinstance(value, datetime):
        table.fail(f"{key} is {str(value)!r}; a date and time is expected, such as 2026-04-02T09:00:00Z.", key)
    return int((value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp())


def objectives_text(objectives: Sequence[Objective], deploys: Sequence[Deploy] = ()) -> str:
    """Objectives and deploys as a policy that reads back as them."""
    lines: list[str] = []
    for each in objectives:
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
    for deploy in deploys:
        at = f"{datetime.fromtimestamp(deploy.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        lines += ["[[deploys]]", f"at = {at}", f"name = {_quoted(deploy.name)}", f'kind = "{deploy.kind}"', ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    # A string of JSON is one of TOML, but for the delete character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _span(seconds: int) -> str:
    unit, size = next((unit, size) for unit, size in reversed(UNITS.items()) if seconds % size == 0)
    return f"{seconds // size} {unit}"
