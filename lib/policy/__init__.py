"""A policy: what numbers have to keep, in TOML by those who answer for a model, read with the line of each error."""

from lib.policy.limits import FindingRules, Kind, Limit, OnCannotTell
from lib.policy.objectives import objectives_text
from lib.policy.policy import Policy, read_policy

__all__ = ["FindingRules", "Kind", "Limit", "OnCannotTell", "Policy", "objectives_text", "read_policy"]
