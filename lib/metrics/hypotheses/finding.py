"""What a test of a hypothesis says: confirmed, ruled out or undecided, with its evidence and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NAMES = (
    "misaligned-ids",
    "stale-rows",
    "mixed-models",
    "not-normalised",
    "truncated",
    "quantised",
    "dead-dimensions",
    "collapse",
    "rotation",
    "query-gallery-mismatch",
    "duplicates",
    "gallery-growth",
    "cohort-mix",
)
"""All hypotheses, in the order in which they are told."""


class Verdict(StrEnum):
    """What a test decides. Confirmed: it has happened, whatever it did to recall."""

    CONFIRMED = "confirmed"
    RULED_OUT = "ruled_out"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Finding:
    """What one test says.

    Attributes:
        name: of `NAMES`.
        verdict: its verdict.
        sentence: it in words, with numbers.
        evidence: the numbers that it rests on, by name.
    """

    name: str
    verdict: Verdict
    sentence: str
    evidence: dict[str, float]


@dataclass(frozen=True)
class Hypothesis:
    """A finding, and how much of the change of recall it accounts for.

    Attributes:
        name: of `NAMES`.
        verdict: confirmed, ruled out or undecided.
        explains: share of the change; 0 where it is ruled out, NaN where it is not known. Shares of several may add
            up to more or less than 1; negative where recall would be even lower without it.
        evidence: the numbers that the verdict rests on, by name.
        sentence: verdict and evidence in words.
        reason: why `explains` is not known; "" where it is.
    """

    name: str
    verdict: Verdict
    explains: float
    evidence: dict[str, float]
    sentence: str
    reason: str = ""
