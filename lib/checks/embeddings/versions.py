"""What is judged version by version: one finding where both show the same, and whether it came with the candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lib.checks import words
from lib.checks.result import Finding, Severity, Status, Where
from lib.embeddings import EmbeddingDiagnosis
from lib.sources.columns import shorten

ONE_VERSION = "there is one version, and nothing to compare it with"
NO_TRUTH = "nothing tells which rows are right answers: no label, no pairs"


@dataclass(frozen=True)
class Seen:
    """What is wrong with a version: a clause behind which its name can stand, in numbers, and how bad it is."""

    clause: str
    numbers: dict[str, Any]
    strength: float
    status: Status = Status.WARN
    severity: Severity | None = None
    where: Where = field(default_factory=Where)


def look_at(
    diagnosis: EmbeddingDiagnosis, judge: Callable[[str], Seen | None], *, of_baseline: bool = False
) -> list[Finding]:
    """One finding at most: of the candidate, or of both, told of the candidate then.

    Args:
        diagnosis: of which versions.
        judge: what is wrong with a version; None where nothing is.
        of_baseline: tell too what the baseline alone shows. What a candidate has overcome is no finding, but broken
            rows of a baseline are.
    """
    seen = {version: found for version in diagnosis.settings.versions if (found := judge(version)) is not None}
    if not seen or (diagnosis.settings.candidate not in seen and not of_baseline):
        return []
    told = diagnosis.settings.candidate if diagnosis.settings.candidate in seen else next(iter(seen))
    each = seen[told]
    return [
        Finding(
            each.status,
            told if len(seen) < len(diagnosis.settings.versions) else None,
            each.where,
            f"{each.clause}{place(diagnosis, told)}{_also(told, seen)}",
            {
                **each.numbers,
                "versions": [{"version": version, **one.numbers} for version, one in seen.items()],
                "is_new": diagnosis.is_compared and list(seen) == [diagnosis.settings.candidate],
                "consequences": [],
            },
            each.strength,
            each.severity,
        )
    ]


def place(diagnosis: EmbeddingDiagnosis, version: str) -> str:
    """Which version, behind a blank; empty where there is one."""
    return f" in version {short(version)}" if diagnosis.is_compared else ""


def _also(told: str, seen: dict[str, Seen]) -> str:
    others = [short(version) for version in seen if version != told]
    return f"; version {words.listing(others)} shows it too" if others else ""


def short(name: str) -> str:
    """A name from data, short enough for a sentence."""
    return shorten(name, words.LONGEST) or "(none)"


def points(change: float) -> str:
    """A difference of shares: "12.3 points"."""
    return f"{abs(100 * change):.1f} points"


def explained_words(share: float, change: float) -> str:
    """What a cause accounts for: "49 % of the change"; of more than all, "all of the change, and 0.6 points more".

    Args:
        share: of the change, above 0.
        change: of recall, in [−1, 1].
    """
    more = points((share - 1) * change)
    if share > 1 and more != points(0.0):
        return f"all of the change, and {more} more"
    return f"{words.percent(min(share, 1.0))} of the change"
