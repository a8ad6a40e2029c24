"""What the Losses page shows: curves, the margins that the data has, gradient shares, and its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_plural, format_share
from lib.figures.histogram_view import Bars, Distribution
from lib.figures.nothing import nothing_words
from lib.figures.text import margin_axis, name_of
from lib.metrics.estimates import Estimate
from lib.metrics.loss_functions import LossCurves, LossFunction, loss_curve, loss_named
from lib.metrics.summary import Summary, compute_summary
from lib.schema import VERSION

CURVE_POINTS = 161
SHARES = ("zero_hinge_gradient_share", "logistic_gradient_share_from_correct")
LEAST_LOSS_SHOWN, MOST_LOSS_SHOWN = 3.0, 6.0


@dataclass(frozen=True, eq=False)
class LossesView:
    """What the Losses page shows.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        versions: those shown, baseline first.
        margin_target: γ.
        losses: the loss functions, hinge and logistic first.
        curves: losses and gradients over the margins of the axis.
        distribution: the margins that the data has, by version.
        summary: the gradient shares, by version.
        nothing: why there are no margins, if there are none.
        axis: what the axis of margins is called.
    """

    baseline: str
    candidate: str
    versions: tuple[str, ...]
    margin_target: float
    losses: tuple[LossFunction, ...]
    curves: LossCurves
    distribution: Distribution
    summary: Summary
    nothing: str
    axis: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, others: Sequence[str] = ()) -> LossesView:
        """The view of a diagnosis, with other losses beside hinge and logistic."""
        settings = diagnosis.settings
        versions = diagnosis.shown_versions
        cells = diagnosis.cells(VERSION)
        cells = cells.among(VERSION, versions)
        distribution = Distribution.of(cells, settings.margin_target)
        losses = tuple(loss_named(name) for name in dict.fromkeys(("hinge", "logistic", *others)))
        points = np.linspace(distribution.edges[0], distribution.edges[-1], CURVE_POINTS)
        kinks = [kink + side for kink in (0.0, settings.margin_target) for side in (-1e-9, 0.0)]
        return cls(
            baseline=settings.baseline,
            candidate=settings.candidate,
            versions=tuple(each for each in versions if each in set(cells.groups[VERSION].tolist())),
            margin_target=settings.margin_target,
            losses=losses,
            curves=loss_curve(np.unique([*points, *kinks]), losses, settings.margin_target),
            distribution=distribution,
            summary=compute_summary(cells, diagnosis.metric_settings, SHARES),
            nothing=nothing_words(diagnosis),
            axis=margin_axis(diagnosis.facts.mapping),
        )

    def share(self, name: str, version: str) -> Estimate:
        """One of `SHARES` for a version."""
        (place,) = np.flatnonzero(self.summary.groups[VERSION] == version)
        return self.summary[name][int(place)]

    @property
    def focus(self) -> str:
        """The version that sentences speak of."""
        return self.candidate if self.candidate in self.versions else self.versions[0]

    def frame(self) -> pd.DataFrame:
        """One row per version and bar of margins, with each loss and its gradient in the middle of the bar as drawn."""
        table = self.distribution.frame().drop(columns="group")
        middle = np.concatenate([np.zeros(0), *(each.centre for each in self.distribution.bars)])
        curves = loss_curve(middle, self.losses, self.margin_target)
        table["margin"] = middle
        for place, name in enumerate(curves.names):
            table[name] = curves.values[place]
            table[f"{name}_gradient"] = curves.gradients[place]
        return table

    def shares_frame(self) -> pd.DataFrame:
        """One row per version and share."""
        return self.summary.frame()

    def answer(self) -> str:
        """What the page says, in one sentence (plain text)."""
        if self.nothing:
            return f"{self.nothing}: there are no margins to show."
        done, correct = (self.share(name, self.focus) for name in SHARES)
        if not done.is_defined:
            return f"What the losses learn from is undefined: {done.reason}."
        sentence = (
            f"At γ = {self.margin_target:g}, hinge has stopped learning from {format_share(done.value, 0)} of the rows "
            f"of {self.focus}"
        )
        if not correct.is_defined:
            return f"{sentence}; the logistic gradient is undefined: {correct.reason}."
        return f"{sentence}; logistic still draws {format_share(correct.value, 0)} of its gradient from correct ones."


def rows_words(bars: Sequence[Bars]) -> str:
    """How many rows a figure of these bars is of."""
    counts = {each.version: each.total for each in bars}
    if len(set(counts.values())) == 1:
        return f"n = {format_plural(next(iter(counts.values())), 'labelled row')}" + (
            " per version." if len(counts) > 1 else "."
        )
    listed = ", ".join(f"{format_count(total)} of {name_of(name)}" for name, total in counts.items())
    return f"n = {listed}, labelled rows."
