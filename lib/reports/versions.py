"""The numbers of each version, as a report holds them: whole, by class and by split."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from lib.diagnose import Diagnosis
from lib.figures.support_vectors_view import CLASSES, SupportRow, bounds_of, cells_of_split, support_rows
from lib.metrics.calibration import Calibration, no_calibration
from lib.metrics.calibration_parts import CalibrationPart
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration import Recalibration
from lib.metrics.rounding import Rounding
from lib.metrics.support_vectors import TrainingBounds
from lib.reports.numbers import Numbers, numbers_of
from lib.reports.thresholds import VersionThresholds
from lib.schema import CLASS, MISSING_KEY, ONE_VS_REST, SPLIT, VERSION

OF_COMPARED_VERSIONS = "of so many versions calibration is measured for the two that are compared"
MOST_CALIBRATED = 12
"""Of more versions only the two that are compared have their calibration measured."""


@dataclass(frozen=True)
class SupportNumbers:
    """The support vectors of one version: whole, by class ("-1", "1"; none with several) and by split.

    `training` is what theory says of its training rows, or None for a `reason`.
    """

    whole: SupportRow
    classes: dict[str, SupportRow]
    splits: dict[str, SupportRow]
    training: TrainingBounds | None
    reason: str


@dataclass(frozen=True)
class VersionNumbers:
    """One version, whole, by class ("-1", "1") and by split; `splits` is empty where there is no split column.

    Of several classes `classes` are those with rows, by name; `one_vs_rest` is what each has against the rest, by
    metric, `taken_for` the wrong answer that its rows get most and how many get it, and `weighted_averages` the mean of
    metrics over classes, each as heavy as its rows; `calibration` is that of the top label, `calibration_by_class` that
    of each class against the rest. All are empty with two. `recalibration` is None where none was asked for, `rounding`
    where probabilities were not rounded.
    """

    name: str
    whole: Numbers
    classes: dict[str, Numbers]
    splits: dict[str, Numbers]
    one_vs_rest: dict[str, dict[str, Estimate]]
    taken_for: dict[str, tuple[str, Estimate]]
    weighted_averages: dict[str, Estimate]
    calibration: Calibration
    calibration_by_class: dict[str, CalibrationPart]
    recalibration: Recalibration | None
    rounding: Rounding | None
    thresholds: VersionThresholds
    support_vectors: SupportNumbers


def versions_of(diagnosis: Diagnosis) -> tuple[VersionNumbers, ...]:
    """Each version with rows, in the order of the dataset."""
    whole = {group[0]: numbers for group, numbers in numbers_of(diagnosis, VERSION)}
    calibrations = diagnosis.calibrations
    measured = {version: _calibration(diagnosis, version) for version in whole}
    for version, each in measured.items():
        error = each.errors["expected_calibration_error"].estimate
        metrics = {**whole[version].metrics, "expected_calibration_error": error}
        part = whole[version].calibration if each.reason else calibrations.whole(version)
        whole[version] = dataclasses.replace(whole[version], metrics=metrics, calibration=part)
    classes = _classes(diagnosis)
    against, averages = diagnosis.against_the_rest(VERSION) or {}, diagnosis.weighted_averages(VERSION) or {}
    tables = diagnosis.class_tables(VERSION)
    places = {str(version): place for place, version in enumerate(diagnosis.versions.groups[VERSION])}
    splits: dict[str, dict[str, Numbers]] = {}
    if diagnosis.facts.splits:
        for (version, split), numbers in numbers_of(diagnosis, VERSION, SPLIT):
            splits.setdefault(version, {})[split] = numbers
    order = [*diagnosis.facts.splits, MISSING_KEY]
    support, by_class = _support_vectors(diagnosis), _calibration_by_class(diagnosis)
    return tuple(
        VersionNumbers(
            version,
            whole[version],
            {label: numbers[version] for label, numbers in classes.items() if version in numbers},
            {split: splits[version][split] for split in order if split in splits.get(version, {})},
            {
                name: {metric: of[places[version]][name] for metric, of in against.items()}
                for name in diagnosis.facts.mapping.class_names
                if against
            },
            {} if tables is None else tables.taken_for[places[version]],
            {name: each[places[version]] for name, each in averages.items()},
            measured[version],
            by_class.get(version, {}),
            None if diagnosis.settings.recalibration is None else calibrations.recalibration(version),
            calibrations.rounding(version),
            VersionThresholds.of(diagnosis, version),
            support[version],
        )
        for version in diagnosis.facts.versions
        if version in whole
    )


def _calibration(diagnosis: Diagnosis, version: str) -> Calibration:
    if len(diagnosis.facts.versions) > MOST_CALIBRATED and version not in diagnosis.shown_versions:
        return no_calibration(0, OF_COMPARED_VERSIONS)
    return diagnosis.calibrations.of(version)


def _calibration_by_class(diagnosis: Diagnosis) -> dict[str, dict[str, CalibrationPart]]:
    """Of several classes the calibration of each against the rest, by version."""
    found: dict[str, dict[str, CalibrationPart]] = {}
    names = diagnosis.facts.mapping.class_names
    parts = diagnosis.calibrations.parts(VERSION, ONE_VS_REST) if names else None
    if parts is not None:
        pairs = zip(parts.groups[VERSION].tolist(), parts.groups[ONE_VS_REST].tolist(), strict=True)
        for place, (version, name) in enumerate(pairs):
            if name in names:
                found.setdefault(version, {})[name] = parts[place]
    return found


def _support_vectors(diagnosis: Diagnosis) -> dict[str, SupportNumbers]:
    """The support vectors of each version."""
    whole = diagnosis.cells(VERSION)
    labels = () if diagnosis.facts.mapping.is_multiclass else [label for label in CLASSES if label]
    by_label = {str(label): {row.version: row for row in support_rows(whole, label)} for label in labels}
    by_split = {
        split: {row.version: row for row in support_rows(cells_of_split(diagnosis, split))}
        for split in diagnosis.facts.splits
    }
    return {
        row.version: SupportNumbers(
            row,
            {label: rows[row.version] for label, rows in by_label.items()},
            {split: rows[row.version] for split, rows in by_split.items() if row.version in rows},
            *bounds_of(diagnosis, row.version),
        )
        for row in support_rows(whole)
    }


def _classes(diagnosis: Diagnosis) -> dict[str, dict[str, Numbers]]:
    """The numbers of each class, by version."""
    if not diagnosis.facts.mapping.is_multiclass:
        return {
            str(label): {group[0]: numbers for group, numbers in numbers_of(diagnosis, VERSION, label=label)}
            for label in (-1, 1)
        }
    found: dict[str, dict[str, Numbers]] = {name: {} for name in diagnosis.facts.mapping.class_names}
    if diagnosis.class_tables(VERSION) is not None:
        for (version, name), numbers in numbers_of(diagnosis, VERSION, CLASS):
            if name != MISSING_KEY:
                found[name][version] = numbers
    return found
