"""The whole of a policy."""

from __future__ import annotations

from dataclasses import dataclass

from lib.policy.limits import FindingRules, Limit, read_findings, read_limits
from lib.policy.table import Source

SECTIONS = ("gate", "limits", "findings")


@dataclass(frozen=True)
class Policy:
    """What numbers have to keep.

    Attributes:
        name: of the file.
        limits: on metrics.
        findings: which findings of the checks are forbidden; None where nothing is said of them.
    """

    name: str
    limits: tuple[Limit, ...] = ()
    findings: FindingRules | None = None


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
    return Policy(name, read_limits(source), read_findings(source))
