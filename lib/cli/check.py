"""`python -m lib check`: what is wrong, whom the model fails, what changed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.output import terminal_width, write_text
from lib.cli.reading import read_diagnosis, refuse_unused, split_histories
from lib.cli.status import status_of
from lib.errors import SettingsError

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis
    from lib.figures.slices_view import SlicesView
    from lib.reports import Report, TrainingReport
    from lib.scan.slices import Outcome
    from lib.sources import Run
    from lib.sources.training import Training


def check(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write the report; 1 when a check failed with severity error."""
    from lib.sources.inputs import find_inputs

    outputs = [] if options.output is None else [options.output]
    training, inputs = split_histories(find_inputs(options.files, outputs, store), run)
    if not inputs:
        refuse_unused(training, options)
        return check_training(training, options, report)
    diagnosis = read_diagnosis(inputs, options, store, run, report)

    from lib.checks import run_checks
    from lib.reports import build_report

    if diagnosis.can_read_features:
        diagnosis.read_features(run=run, on_progress=report)
    diagnosis.read_pairs(run=run, on_progress=report)
    slices = search(diagnosis, options.slices, run, report) if options.slices else None
    report(0.0, "Running the checks")
    results = run_checks(diagnosis, training)
    report(0.0, "Writing the report")
    built = build_report(diagnosis, results, training, slices)
    run.check()
    return write_report(built, options, report)


def search(diagnosis: Diagnosis, metric: Outcome, run: Run, report: Callable[[float, str], None]) -> SlicesView:
    """The worst slices of the candidate, of the columns that the page would search."""
    from lib.figures.slices_view import SlicesView
    from lib.scan import Scan
    from lib.scan.slices import LABEL_OF
    from lib.slices import AT_FIRST, search_slices

    columns = diagnosis.slice_columns[:AT_FIRST]
    if not isinstance(diagnosis.tables, Scan):
        raise SettingsError("Saved cells hold no rows to search for slices: name the files themselves for --slices.")
    if not columns:
        raise SettingsError("There are no cohort and no feature columns to search for --slices: name some by --cohort.")
    if metric in LABEL_OF and diagnosis.facts.mapping.is_multiclass:
        raise SettingsError(f"Of several classes none is positive: --slices error_rate searches them, {metric} cannot.")
    query = diagnosis.slice_query(columns, metric, 3)
    return SlicesView.of(diagnosis, search_slices(diagnosis.tables, query, run=run, on_progress=report))


def check_training(training: Training, options: argparse.Namespace, report: Callable[[float, str], None]) -> int:
    """Write the report of training histories alone."""
    from lib.checks import run_checks
    from lib.reports import build_training_report

    return write_report(build_training_report(training, run_checks(None, training)), options, report)


def write_report(
    built: Report | TrainingReport, options: argparse.Namespace, report: Callable[[float, str], None]
) -> int:
    """Write a report as the options say; 1 when a check failed with severity error."""
    from lib.reports import render_json, render_markdown, render_text

    render: dict[str, Callable[[Report | TrainingReport], str]] = {
        "json": render_json,
        "markdown": render_markdown,
        "text": lambda it: render_text(it, terminal_width(options.output)),
    }
    text = render[options.format](built)
    report(1.0, "")
    write_text(text, options.output)
    return status_of(built.checks)
