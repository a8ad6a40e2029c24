"""What theory makes of the support vectors of training rows, as statements with numbers, and what a share means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_interval, format_loss, format_share
from lib.figures.support_vectors_view import bounds_of
from lib.metrics.support_vectors import TrainingBounds

NEAR = 0.1
"""A share within this much of 0, or of the most that ν can be, in parts of that most, is near it."""


@dataclass(frozen=True)
class Statement:
    """One statement: what it is of, why it holds, and what it says of each version, with a lighter line beneath."""

    head: str
    reason: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class BoundsView:
    """What theory says of the training rows of some versions.

    Attributes:
        versions: those with training rows, baseline first.
        statements: one row of a table each.
        sentences: what the shares mean, in words (plain text).
        reason: why there is nothing to say, if there is not.
    """

    versions: tuple[str, ...]
    statements: tuple[Statement, ...]
    sentences: tuple[str, ...]
    reason: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, c: float = math.nan, n: int | None = None) -> BoundsView:
        """The view of the versions that are shown, with C and the number of training rows as far as they are known."""
        found = {version: bounds_of(diagnosis, version, c, n) for version in diagnosis.shown_versions}
        bounds = {version: each for version, (each, _reason) in found.items() if each is not None}
        if not bounds:
            return cls((), (), (), next((reason for _each, reason in found.values() if reason), ""))
        meanings: dict[str, list[str]] = {}
        for version, each in bounds.items():
            meanings.setdefault(_meaning(each), []).append(version)
        sentences = [f"{' and '.join(names)}: {meaning}" for meaning, names in meanings.items()]
        if diagnosis.facts.weighted:
            sentences.append(
                "Rows are counted here, not weighted: with weights in training each row has a C of its own."
            )
        return cls(tuple(bounds), _statements(list(bounds.values()), c), tuple(sentences), "")


def _statements(bounds: list[TrainingBounds], c: float) -> tuple[Statement, ...]:
    made = [
        Statement(
            "Leave-one-out error",
            "Leaving out a row that is no support vector changes nothing (Luntz and Brailovsky 1969; Vapnik 1998)",
            tuple(
                (
                    f"at most {format_share(each.loo_error_most)}",
                    f"{format_count(each.n_support)} support vectors of {format_count(each.n)} rows",
                )
                for each in bounds
            ),
        ),
        Statement(
            "ν = Σα/(nC)",
            "Karush, Kuhn and Tucker: α = C where m < 1, and 0 where m > 1 (Schölkopf et al. 2000)",
            tuple(
                (
                    format_interval(*each.nu, "share"),
                    f"at least the {format_count(each.n_bounded)} rows with m < 1, at most all support vectors",
                )
                for each in bounds
            ),
        ),
        Statement(
            "the same, class by class",
            "With a free intercept and one C for both classes Σα is the same in both (Crisp and Burges 2000)",
            tuple(
                (format_interval(*each.nu_balanced, "share"), f"never above {format_share(each.nu_most)}")
                if each.is_balanced
                else (
                    "cannot be",
                    f"at least {format_share(each.nu_balanced[0])} by one class, at most "
                    f"{format_share(each.nu_balanced[1])} by the other",
                )
                for each in bounds
            ),
        ),
        Statement(
            "Mean slack",
            "A constant answer costs 2·C for each row of the rarer class, and the optimum no more",
            tuple((format_loss(each.mean_slack), f"at most {format_loss(each.nu_most)}") for each in bounds),
        ),
    ]
    if c > 0:
        made.append(
            Statement(
                "Width of the margin, 1/|w|",
                "Σα·m = |w|² on the margin and inside it, so |w|² = n·C·(ν − mean slack)",
                tuple(_width(each) for each in bounds),
            )
        )
    if not all(each.is_whole for each in bounds):
        made.append(
            Statement(
                "Training rows in the log",
                "Shares are those of the rows that are there",
                tuple((format_count(each.n), f"of {format_count(each.n_given)} named") for each in bounds),
            )
        )
    return tuple(made)


def _width(bounds: TrainingBounds) -> tuple[str, str]:
    low, high = bounds.norm
    if not high > 0:
        return "cannot be", "the slack is more than C and n allow"
    least = format_loss(1 / high)
    return (f"{least} to {format_loss(1 / low)}" if low > 0 else f"at least {least}", "in units of the kernel's space")


def _meaning(bounds: TrainingBounds) -> str:
    """What a share says about C, and whether its rows can be what a solver has left (plain text)."""
    share, most = bounds.loo_error_most, bounds.nu_most
    if not bounds.is_balanced:
        return (
            "no C leaves such rows where the intercept is free, both classes have one C and these are the "
            "rows of training. A regularised intercept (LinearSVC), class weights, a solver that stopped early, or "
            "other rows do."
        )
    if bounds.nu_balanced[0] >= (1 - NEAR) * most:
        return (
            f"ν is near {format_share(most)}, twice the share of the rarer class: its limit as C goes to "
            "0: nearly every row of that class has its full weight. A larger C would part the classes further."
        )
    if share >= (1 - NEAR) * most:
        return (
            "most support vectors rest on the margin itself, so the model can follow nearly every row: it "
            "has as many features, or as narrow a kernel, as that takes, and the leave-one-out bound says little."
        )
    if share <= NEAR * most:
        return (
            "a share near 0 is that of classes which can be parted: few rows decide, the others could be "
            "left out, and a larger C would change little."
        )
    return (
        f"between 0, that of classes which can be parted, and {format_share(most)}, to which it goes as C "
        "goes to 0. In large samples, with a kernel that can follow anything, it tends to twice the least error that "
        "any rule can have (Steinwart 2003)."
    )
