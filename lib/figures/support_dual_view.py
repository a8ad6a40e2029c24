"""A solver's own support vectors beside those from predictions, in sentences and a small table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib.figures.format import format_count, format_loss, format_plural, format_share
from lib.metrics.dual import DualAgreement
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from lib.sources.dual import DualSolution

STATES = ("α = 0", "0 < α < C", "α = C")
BALANCED = 1e-3


@dataclass(frozen=True, eq=False)
class DualView:
    """What is said of one file."""

    solution: DualSolution
    agreement: DualAgreement

    def answer(self) -> str:
        """How far the two sets agree, in a sentence (plain text)."""
        of = self.agreement
        return (
            f"{self.solution.name} has {format_plural(of.n_uploaded, 'support vector')}: {format_count(of.in_both)} "
            f"are those of the predictions too, {format_count(of.only_uploaded)} only the solver's, "
            f"{format_count(of.only_predicted)} only the predictions', over {format_plural(of.n, 'row')}."
        )

    def notes(self) -> list[str]:
        """Why they differ, and what the coefficients give, in sentences (plain text)."""
        of, said = self.agreement, list[str]()
        n_differs = int(of.differs.sum())
        on_margin = of.counts["on_margin"][0]
        if on_margin:
            said.append(
                f"{format_plural(on_margin, 'row')} within {SUPPORT_VECTOR_TOLERANCE:g} of the margin with α = 0: "
                "there α may be anything from 0 to C, so that is the tolerance."
            )
        if n_differs:
            said.append(
                f"{format_plural(n_differs, 'row')} cannot be as both say: short of the margin α is C, beyond it 0. "
                "Either the solver stopped early, or these are other rows, other features or another model."
            )
        if of.n_missing:
            said.append(
                f"{format_plural(of.n_missing, 'support vector')} of the file are no labelled, scored row here."
            )
        if of.turned:
            said.append(
                f"{format_plural(of.turned, 'coefficient')} have another sign than the label: the file takes another "
                "class as positive, or these are other rows."
            )
        trained = self.solution.n_trained
        if trained is not None and trained != of.n:
            said.append(f"It was trained on {format_count(trained)} rows; here are {format_count(of.n)} labelled ones.")
        if of.balance > BALANCED:
            said.append(f"Σ yα is {format_share(of.balance)} of Σα, not 0: the intercept was not free.")
        if not math.isnan(of.nu):
            said.append(f"Σα/(nC) = ν is {format_share(of.nu)}.")
        if not math.isnan(of.norm):
            said.append(
                f"|w| is {format_loss(of.norm)}, so the margin is {format_loss(1 / of.norm)} wide on each side."
            )
        if self.solution.types:
            said.append(f"Types in the file, each reviewed: {', '.join(self.solution.types)}.")
        return said
