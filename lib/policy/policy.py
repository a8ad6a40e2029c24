"""The whole of a policy."""

from __future__ import annotations

from dataclasses import dataclass

from lib.metrics.burn_rate import Objective
from lib.metrics.deploys import Deploy
from lib.policy.limits import FindingRules, Limit, read_findings, read_limits
from lib.policy.objectives import read_deploys, read_objectives
from lib.policy.table import Source

SECTIONS = ("gate", "limits", "findings", "objectives", "deploys")


@dataclass(frozen=True)
class Policy:
    """What numbers have to keep.

    Attributes:
        name: of the file.
        limits: on metrics.
        findings: which findings of the checks are forbidden; None where nothing is said of them.
        objectives: that monitoring watches, in the order of the file.
        deploys: in the order of time; those of the version column hold where there are none.
    """

    name: str
    limits: tuple[Limit, ...] = ()
    findings: FindingRules | None = None
    objectives: tuple[Objective, ...] = ()
    deploys: tuple[Deploy, ...] = ()


def read_policy(text: str, name: str = "policy.toml") -> Policy:
    """Read a policy.

    Args:
        text: TOML.
        name: what the file is called in errors.

    Raises:
        SettingsError: it is no TOML, or says something that means nothing; the text names the line and the key.
    """
    source = Source(text, name)
    source.refuse_unknown(source.values, (), SECTIONS, "section")
    return Policy(name, read_limits(source), read_findings(source), read_objectives(source), read_deploys(source))
