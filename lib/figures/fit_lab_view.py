"""What the fit lab shows: both fits side by side in numbers and in words, and what they were fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import pandas as pd

from lib.cells import merge
from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_loss, format_plural, format_share, format_value
from lib.figures.frame import filter_words, source_line
from lib.figures.histogram_view import Distribution
from lib.figures.text import name_of, plain
from lib.jobs.fit_lab import LabAnswer, LabRequest
from lib.metrics.catalogue import Unit, metric_named
from lib.metrics.estimates import Estimate, IntArray
from lib.metrics.fit_judging import DECISION_METRICS, PROBABILITY_METRICS, JudgedFit
from lib.metrics.fit_lab import LANDMARKS, Fit, LossName

MOST_DRAWN = 2_000
"""Points that a picture shows at most: more would cover each other."""
LOSSES: tuple[LossName, LossName] = ("hinge", "logistic")
KERNEL_WORDS = {"linear": "linear", "rbf": "with a Gaussian kernel (RBF)"}
LEAST_AUC_CHANGE = 0.005
"""Below this two fits rank alike, however sure the difference is."""
PLATT = (
    "Log loss and Brier score: of hinge after Platt's map, fitted on nine tenths of the test rows and applied to the "
    "tenth; of logistic as it is."
)
RESTS_ON = (
    "Rests on: training rows with a margin of at most 1.001. Without the others the hinge fit would be the same; to "
    "logistic loss every row counts, with decaying weight."
)


@dataclass(frozen=True)
class LabRow:
    """A number of both fits.

    Attributes:
        name: as in tables and files.
        label: as on screen.
        unit: how it is written.
        hinge, logistic: the numbers.
    """

    name: str
    label: str
    unit: Unit
    hinge: Estimate
    logistic: Estimate


@dataclass(frozen=True, eq=False)
class FitLabView:
    """Two fits and what is said of them.

    Attributes:
        diagnosis: what they were made in.
        request: what was asked.
        answer: what came of it.
    """

    diagnosis: Diagnosis
    request: LabRequest
    answer: LabAnswer

    def fit(self, loss: LossName) -> Fit:
        """One of the fits."""
        fits = self.answer.lab.fits
        return fits.hinge if loss == "hinge" else fits.logistic

    def judged(self, loss: LossName) -> JudgedFit:
        """The same, judged."""
        return self.answer.lab.hinge if loss == "hinge" else self.answer.lab.logistic

    @property
    def margin_target(self) -> float:
        """γ."""
        return self.diagnosis.settings.margin_target

    @property
    def n_train(self) -> int:
        """Training rows."""
        return self.answer.drawn.rows.count(train=True)

    @property
    def n_test(self) -> int:
        """Test rows."""
        return self.answer.drawn.rows.count(train=False)

    @cached_property
    def provenance(self) -> str:
        """Where the figures come from."""
        draw, settings = self.request.draw, self.request.settings
        parts = (
            name_of(draw.version),
            filter_words(draw.where),
            f"{settings.kernel}, C = {settings.c:g}",
            self._features,
            f"n = {format_count(self.n_train)} + {format_count(self.n_test)}",
        )
        return source_line(self.diagnosis.facts, parts, datetime.now(UTC))

    @property
    def _features(self) -> str:
        """What was fitted, escaped."""
        embedding, columns = self.request.draw.embedding, self.answer.drawn.rows.columns
        of = "" if embedding is None else f" of {name_of(embedding.name)}, {name_of(embedding.version)}"
        return f"{format_plural(len(columns), 'feature')}{of}"

    @cached_property
    def rows(self) -> tuple[LabRow, ...]:
        """Every number of both fits on the test rows, in the order of the table."""
        by_fit = [self.judged(loss).metrics(self.margin_target) | self.judged(loss).probability for loss in LOSSES]
        names = (*DECISION_METRICS[:2], *PROBABILITY_METRICS, *DECISION_METRICS[2:])
        return tuple(self._row(name, *(found[name] for found in by_fit)) for name in names)

    @staticmethod
    def _row(name: str, hinge: Estimate, logistic: Estimate) -> LabRow:
        metric = metric_named(name)
        return LabRow(name, metric.label, metric.unit, hinge, logistic)

    def sentence(self) -> str:
        """What hinge against logistic loss means on this data."""
        auc = next(row for row in self.rows if row.name == "roc_auc")
        loss = next(row for row in self.rows if row.name == "log_loss")
        change = self.answer.lab.auc_change
        hinge, logistic = (format_value(each.value, "index") for each in (auc.hinge, auc.logistic))
        if abs(change.value) < LEAST_AUC_CHANGE:
            ranks = f"Both rank alike (ROC AUC {logistic} of logistic, {hinge} of hinge)"
        elif change.lower > 0:
            ranks = f"Logistic ranks better than hinge (ROC AUC {logistic} against {hinge})"
        elif change.upper < 0:
            ranks = f"Hinge ranks better than logistic (ROC AUC {hinge} against {logistic})"
        else:
            ranks = f"Logistic ranks as well as hinge (ROC AUC {logistic} against {hinge})"
        share = format_share(self.answer.lab.hinge.support_share.value)
        own = f"Logistic's probabilities have a log loss of {format_loss(loss.logistic.value)}"
        platt = f", hinge's after Platt's map {format_loss(loss.hinge.value)}" if loss.hinge.is_defined else ""
        return f"{ranks}. {own}{platt}; hinge rests on {share} of the training rows."

    def notes(self) -> tuple[str, ...]:
        """What was fitted, to which rows, and what was left out; escaped by who shows it."""
        return tuple(filter(None, (self._rows_note(), self._missing_note(), self._how_note(), self._end_note())))

    def _rows_note(self) -> str:
        drawn, draw = self.answer.drawn, self.request.draw
        one = f", {plain(draw.of_class)} against the rest" if draw.of_class else ""
        if drawn.train_splits:
            train, test = (" and ".join(map(plain, each)) for each in (drawn.train_splits, drawn.test_splits))
            where, parts = f" in the splits {train} and {test}", ""
        else:
            where = ""
            parts = ", by the hash of the id (of the place where there is none): folds 0 to 6 against 7 to 9"
        with_vector = ""
        if draw.embedding is not None:
            with_vector = (
                f" that have a vector of {plain(draw.embedding.name)}, version {plain(draw.embedding.version)}"
            )
        of = f"labelled rows of version {plain(draw.version)}{where}{with_vector}{one}"
        if drawn.n_drawn < drawn.n_all:
            rows = f"A sample of {format_count(drawn.n_drawn)} of {format_count(drawn.n_all)} {of}, drawn by class"
        else:
            rows = f"All {format_count(drawn.n_all)} {of}"
        return f"{rows}: {format_count(self.n_train)} to train and {format_count(self.n_test)} to test{parts}."

    def _missing_note(self) -> str:
        drawn = self.answer.drawn
        if not drawn.n_left_out:
            return ""
        most = ", ".join(f"{plain(column)} in {format_count(n)}" for column, n in drawn.missing[:3])
        return (
            f"Left out: {format_plural(drawn.n_left_out, 'drawn row that lacks', 'drawn rows that lack')} a value of a "
            f"feature (missing: {most})."
        )

    def _how_note(self) -> str:
        said = (
            f"Fitted here, {KERNEL_WORDS[self.request.settings.kernel]}, to features standardised by the training "
            "rows. C multiplies the sum of losses in both: ½|w|² + C·Σ loss."
        )
        near = [loss for loss in LOSSES if not self.fit(loss).is_exact]
        if near:
            said += f" The kernel is approximated by {LANDMARKS} of the training rows for {' and '.join(near)}."
        if self.diagnosis.facts.weighted:
            said += " Weights are not used here: each row counts once."
        return said

    def _end_note(self) -> str:
        short = [loss for loss in LOSSES if not self.fit(loss).is_converged]
        return f"The solver of {' and '.join(short)} stopped before its end: take its numbers as near." if short else ""

    @cached_property
    def distribution(self) -> Distribution:
        """The margins of the test rows under both fits."""
        return Distribution.of(merge([self.judged(loss).cells for loss in LOSSES]), self.margin_target)

    @cached_property
    def shown(self) -> IntArray:
        """Places among the training rows of those that pictures show: within each class the first of the draw."""
        rows, plane = self.answer.drawn.rows, self.answer.lab.fits.plane
        label = rows.label[rows.is_train]
        inside = ~plane.is_beyond
        share = min(1.0, MOST_DRAWN / max(int(inside.sum()), 1))
        own = [np.flatnonzero(inside & (label == side)) for side in (-1, 1)]
        return np.sort(np.concatenate([each[: int(share * len(each))] for each in own]))

    @property
    def n_beyond(self) -> int:
        """Training rows outside of the picture."""
        return int(self.answer.lab.fits.plane.is_beyond.sum())

    @property
    def axes(self) -> tuple[str, str]:
        """What the axes are, escaped."""
        plane, columns = self.answer.lab.fits.plane, self.request.draw.columns
        if plane.kind == "features":
            return name_of(columns[plane.features[0]]), name_of(columns[plane.features[1]])
        if plane.kind == "weights":
            return "along the weights of hinge (standard deviations)", "across them, towards those of logistic"
        return "first principal component (standard deviations)", "second principal component"

    def plane_words(self, loss: LossName) -> str:
        """What the plane is, and what its lines are worth; a slice and a projection are called so."""
        plane, fit, others = self.answer.lab.fits.plane, self.fit(loss), len(self.request.draw.columns) - 2
        if plane.is_whole:
            return "Two features: the lines are the whole boundary and its margins."
        if plane.kind == "weights":
            return "A projection onto the plane of both fits' weights: every row keeps its score, the lines are exact."
        if plane.kind == "components":
            return (
                "A projection onto the first two principal components: with a kernel no line in it is the boundary, so "
                "none is drawn."
            )
        return (
            f"A slice through the mean of {format_plural(others, 'other feature')}, not the whole boundary: "
            f"{format_share(fit.agreement)} of the training rows lie on the side of the line on which the fit has them."
        )

    def metrics_frame(self) -> pd.DataFrame:
        """One row per number and fit."""
        seconds = [Estimate(self.fit(loss).seconds, np.nan, np.nan, self.n_train) for loss in LOSSES]
        support = [self.judged(loss).support_share for loss in LOSSES]
        listed = [(row.name, row.hinge, row.logistic) for row in self.rows]
        listed += [("support_vector_share", *support), ("training_seconds", *seconds)]
        return pd.DataFrame(
            [
                {
                    "metric": name,
                    "fit": loss,
                    "value": each.value,
                    "lower": each.lower,
                    "upper": each.upper,
                    "n": int(each.n),
                    "reason": each.reason,
                }
                for name, *pair in listed
                for loss, each in zip(LOSSES, pair, strict=True)
            ]
        )

    def points_frame(self, loss: LossName) -> pd.DataFrame:
        """One row per training row: its place in the plane, class, score and margin, and whether hinge rests on it."""
        rows, fits = self.answer.drawn.rows, self.answer.lab.fits
        train = rows.is_train
        is_support = np.zeros(self.n_train, np.bool_)
        is_support[fits.support] = True
        score, label = self.fit(loss).score[train], rows.label[train]
        return pd.DataFrame(
            {
                "file": self.answer.drawn.file[train],
                "row": self.answer.drawn.row[train] + 1,
                "x": fits.plane.points[:, 0],
                "y": fits.plane.points[:, 1],
                "label": label,
                "score": score,
                "margin": label * score,
                "is_support_vector": is_support,
            }
        )

    def reliability_frame(self) -> pd.DataFrame:
        """One row per fit and bin of the reliability curve."""
        parts = [
            calibration.curve.frame().assign(fit=loss)
            for loss in LOSSES
            if (calibration := self.judged(loss).calibration) is not None and calibration.curve is not None
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
