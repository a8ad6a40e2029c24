"""How much of a difference of violation rates is only that one class is more frequent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import Cells
from lib.checks.words import percent
from lib.metrics.margins import violation_rate_by_class

MOSTLY = 0.5


@dataclass(frozen=True)
class ClassMix:
    """The classes of some rows beside those of others.

    Attributes:
        positive_share: of the labelled, scored rows, here and there.
        share: the part of the difference of their violation rates that another mix of the classes makes, with the mean
            of both rates of each class (Kitagawa 1955); NaN where rates are equal or a class has no rows.
    """

    positive_share: tuple[float, float]
    share: float

    @classmethod
    def of(cls, here: Cells, there: Cells, margin_target: float) -> ClassMix:
        """Of two tables without keys."""
        n = np.stack([each.margins.n.sum(axis=0) for each in (here, there)])
        positive = n[:, 1] / np.maximum(n.sum(axis=1), 1.0)
        if not (n > 0).all():
            return cls((float(positive[0]), float(positive[1])), float("nan"))
        by_class = [violation_rate_by_class(each, margin_target) for each in (here, there)]
        rates = np.array([[float(each[label].value[0]) for label in (-1, 1)] for each in by_class])
        shares = n / n.sum(axis=1, keepdims=True)
        whole = float((shares[0] * rates[0]).sum() - (shares[1] * rates[1]).sum())
        of_mix = float(((shares[0] - shares[1]) * rates.mean(axis=0)).sum())
        return cls((float(positive[0]), float(positive[1])), of_mix / whole if whole else float("nan"))

    @property
    def words(self) -> str:
        """That it is so, behind a semicolon."""
        here, there = self.positive_share
        more = "more" if here > there else "fewer"
        return f"; most of that is because {more} of its rows are positive: {percent(here)} against {percent(there)}"

    @property
    def is_most(self) -> bool:
        """Whether it accounts for most of the difference."""
        return self.share >= MOSTLY
