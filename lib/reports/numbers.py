"""The numbers of groups of rows, as a report holds them."""

from __future__ import annotations

from dataclasses import dataclass

from lib.diagnose import Diagnosis
from lib.metrics.calibration_parts import CalibrationPart
from lib.metrics.catalogue import METRICS
from lib.metrics.estimates import Estimate
from lib.metrics.summary import Summary
from lib.schema import CLASS

OF_WHOLE_VERSIONS = "recalibrated probabilities are measured for whole versions, and classes against the rest"


@dataclass(frozen=True)
class Numbers:
    """Every metric of one group of rows.

    Attributes:
        n: all usable rows.
        n_labelled: rows with a label, scored or not.
        n_unscored: rows without a score, labelled or not.
        metrics: name to number, in the order of `METRICS`.
        violation_rate_by_class: "-1" and "1" to number; several classes by name, and none by cohort or window.
        resolution: how finely the scores behind them are kept: `exact`, `0.02`, `0.1` or `0.5`.
        calibration: gap and errors, of several classes those of the top label; None where they are not measured.
    """

    n: int
    n_labelled: int
    n_unscored: int
    metrics: dict[str, Estimate]
    violation_rate_by_class: dict[str, Estimate]
    resolution: str
    calibration: CalibrationPart | None = None

    @property
    def n_unlabelled(self) -> int:
        """Rows without a label."""
        return self.n - self.n_labelled


def numbers_of(diagnosis: Diagnosis, *keys: str, label: int | None = None) -> list[tuple[tuple[str, ...], Numbers]]:
    """The key values of each group by these keys, as text, and its numbers; of one class, if a label is given."""
    summary, cells = diagnosis.summary(*keys), diagnosis.cells(*keys)
    if label is not None:
        summary, cells = diagnosis.summary_of_class(label, *keys), cells.of_label(label)
    by_class = diagnosis.violation_rate_by_class(*keys, label=label)
    parts = None if label is not None or CLASS in keys else diagnosis.calibrations.parts(*keys)
    unscored = cells.unscored.n.sum(axis=1)
    values = zip(*(summary.groups[key].tolist() for key in keys), strict=True)
    return [
        (
            tuple(str(value) for value in group),
            Numbers(
                n=int(summary.n[place]),
                n_labelled=int(summary.n_labelled[place]),
                n_unscored=int(unscored[place]),
                metrics=_metrics(summary, place, diagnosis, None if parts is None else parts[place]),
                violation_rate_by_class=by_class[place],
                resolution=cells.resolution.name,
                calibration=None if parts is None else parts[place],
            ),
        )
        for place, group in enumerate(values)
    ]


def _metrics(summary: Summary, place: int, diagnosis: Diagnosis, part: CalibrationPart | None) -> dict[str, Estimate]:
    found = {metric.name: summary[metric.name][place] for metric in METRICS}
    if part is not None:
        return found | {"expected_calibration_error": part.errors["expected_calibration_error"].estimate}
    nan = float("nan")
    reason = diagnosis.calibrations.reason or OF_WHOLE_VERSIONS
    return found | {"expected_calibration_error": Estimate(nan, nan, nan, summary.n_labelled[place], reason, nan)}
