"""The share of each loss that the worst rows carry, as it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.diagnose import Diagnosis
from lib.figures.losses_view import LossesView
from lib.metrics.estimates import Estimate
from lib.metrics.loss_accounting import LossAccounting, loss_accounting
from lib.metrics.loss_functions import LossFunction
from lib.schema import VERSION

WORST = 0.01
"""The worst one per cent of rows."""


@dataclass(frozen=True, eq=False)
class AccountingView:
    """The share of each loss that the worst rows carry, by version; `nothing` says why, if no row has a margin."""

    baseline: str
    versions: tuple[str, ...]
    losses: tuple[LossFunction, ...]
    accounting: LossAccounting
    nothing: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, view: LossesView, share: float = WORST) -> AccountingView:
        """For the losses and versions of the page."""
        cells = diagnosis.cells(VERSION)
        cells = cells.among(VERSION, view.versions)
        found = loss_accounting(cells, view.losses, share, view.margin_target)
        return cls(view.baseline, view.versions, view.losses, found, view.nothing)

    def carried(self, loss: str, version: str) -> Estimate:
        """The share of a loss that the worst rows of a version carry."""
        (place,) = np.flatnonzero(self.accounting.groups[VERSION] == version)
        return self.accounting.carried[loss][int(place)]
