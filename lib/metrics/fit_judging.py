"""What two fits are worth on rows that neither has seen: one cell table each, and the metrics that all pages use.

The logistic fit's scores are log odds. Those of hinge are in no unit: they become probabilities by Platt's map, fitted
on nine tenths of the test rows (by the fold of the id) and applied to the tenth.

References: DeLong, DeLong and Clarke-Pearson (1988) for the change of an AUC between two scores of the same rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lib.cells import Cells, cells_of_rows
from lib.metrics.calibration import Calibration, compute_calibration
from lib.metrics.catalogue import MetricSettings
from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.fit_lab import Fit, LabFits, LabRows, LabSettings, LossName, Report, fit_both
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import normal_quantile
from lib.metrics.margins import support_vector_counts
from lib.metrics.recalibration import recalibrate
from lib.metrics.summary import compute_summary
from lib.schema import VERSION, ScoreKind

PROBABILITY_METRICS = ("log_loss", "brier_score")
DECISION_METRICS = ("accuracy", "roc_auc", "average_hinge_loss", "average_logistic_loss", "violation_rate")


@dataclass(frozen=True, eq=False)
class JudgedFit:
    """One fit, judged.

    Attributes:
        loss: which.
        cells: of the test rows, with the loss's name as version.
        support_share: share of the training rows with a margin of at most 1 + tolerance.
        probability: log loss and Brier score of its probabilities on the test rows, Platt's for hinge.
        calibration: of these probabilities; None where Platt's map could not be fitted.
    """

    loss: LossName
    cells: Cells
    support_share: Estimate
    probability: dict[str, Estimate]
    calibration: Calibration | None

    def metrics(self, margin_target: float) -> dict[str, Estimate]:
        """What its scores decide on the test rows, by name, in the order of `DECISION_METRICS`."""
        summary = compute_summary(self.cells, MetricSettings(margin_target), DECISION_METRICS)
        return {name: summary[name][0] for name in DECISION_METRICS}


@dataclass(frozen=True, eq=False)
class Lab:
    """Both fits and what they are worth.

    Attributes:
        fits: of the same rows.
        hinge, logistic: judged on the test rows.
        auc_change: ROC AUC of logistic minus that of hinge, paired by row.
    """

    fits: LabFits
    hinge: JudgedFit
    logistic: JudgedFit
    auc_change: Estimate

    @property
    def seconds(self) -> float:
        """How long both fits took."""
        return self.fits.hinge.seconds + self.fits.logistic.seconds


def run_lab(rows: LabRows, settings: LabSettings, report: Report = lambda _share, _words: None) -> Lab:
    """Fit both losses to the training rows and judge them on the others.

    Raises:
        SettingsError: there is too little to fit.
    """
    fits = fit_both(rows, settings, report)
    report(0.75, "Judging hinge on the test rows")
    hinge = judge(fits.hinge, rows)
    report(0.9, "Judging logistic on the test rows")
    logistic = judge(fits.logistic, rows)
    test = ~rows.is_train
    change = paired_auc_change(rows.label[test], fits.hinge.score[test], fits.logistic.score[test])
    return Lab(fits, hinge, logistic, change)


def judge(fit: Fit, rows: LabRows) -> JudgedFit:
    """A fit on the rows that it was not fitted to."""
    train, test = rows.is_train, ~rows.is_train
    cells = cells_of_rows(rows.label[test], fit.score[test], {VERSION: np.full(int(test.sum()), fit.loss)})
    share = support_vector_counts(cells_of_rows(rows.label[train], fit.score[train])).estimates()[0]
    if fit.loss == "logistic":
        summary = compute_summary(cells, MetricSettings(score_kind=ScoreKind.LOGIT), PROBABILITY_METRICS)
        probability = {name: summary[name][0] for name in PROBABILITY_METRICS}
        return JudgedFit(fit.loss, cells, share, probability, compute_calibration(Forecasts.of(cells)))
    of_fold = [test & (rows.fold == fold) for fold in np.unique(rows.fold[test])]
    folds = [Forecasts.of(cells_of_rows(rows.label[here], fit.score[here])) for here in of_fold]
    mapped = recalibrate(folds, is_probability=False, names=("platt",))
    if not mapped.maps:
        nothing = Estimate(math.nan, math.nan, math.nan, mapped.n, mapped.reason)
        return JudgedFit(fit.loss, cells, share, dict.fromkeys(PROBABILITY_METRICS, nothing), None)
    (platt,) = mapped.maps
    return JudgedFit(fit.loss, cells, share, platt.losses, compute_calibration(platt.forecasts))


def paired_auc_change(label: IntArray, first: FloatArray, second: FloatArray) -> Estimate:
    """ROC AUC of `second` minus that of `first` over the same rows of both classes, with DeLong's paired interval.

    Args:
        label: shape (n,), −1 or +1.
        first: shape (n,), scores.
        second: likewise.
    """
    above, below = (_placements(label, second)[place] - _placements(label, first)[place] for place in (0, 1))
    change = float(above.mean())
    least = min(len(above), len(below))
    if least < 2:
        return Estimate(change, math.nan, math.nan, len(label))
    half = normal_quantile() * math.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    return Estimate(change, max(change - half, -1.0), min(change + half, 1.0), len(label))


def _placements(label: IntArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of each positive row the share of negative ones below it, ties half; of each negative that of positive above."""
    positive, negative = score[label > 0], score[label < 0]
    rank = stats.rankdata(np.concatenate([positive, negative]))
    n, m = len(positive), len(negative)
    return (rank[:n] - stats.rankdata(positive)) / m, 1 - (rank[n:] - stats.rankdata(negative)) / n
