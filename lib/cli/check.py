"""`python -m lib check`: what is wrong, whom the model fails, what changed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.output import terminal_width, write_text
from lib.cli.reading import read_tables, refuse_unused, split_histories
from lib.cli.status import FAILED, GOOD

if TYPE_CHECKING:
    from lib.reports import Report, TrainingReport
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
    tables = read_tables(inputs, options, store, run, report)

    from lib.checks import run_checks
    from lib.diagnose import Diagnosis, Settings
    from lib.reports import build_report

    settings = Settings.choose(
        tables.facts,
        baseline=options.baseline,
        candidate=options.candidate,
        margin_target=options.gamma,
        recalibration=options.recalibrate,
    )
    diagnosis = Diagnosis(tables, settings)
    if options.recalibrate:
        diagnosis.calibrations.read_folds(run=run, on_progress=report)
    if diagnosis.can_read_features:
        diagnosis.read_features(run=run, on_progress=report)
    diagnosis.read_pairs(run=run, on_progress=report)
    report(0.0, "Running the checks")
    results = run_checks(diagnosis, training)
    report(0.0, "Writing the report")
    built = build_report(diagnosis, results, training)
    run.check()
    return write_report(built, options, report)


def check_training(training: Training, options: argparse.Namespace, report: Callable[[float, str], None]) -> int:
    """Write the report of training histories alone."""
    from lib.checks import run_checks
    from lib.reports import build_training_report

    return write_report(build_training_report(training, run_checks(None, training)), options, report)


def write_report(
    built: Report | TrainingReport, options: argparse.Namespace, report: Callable[[float, str], None]
) -> int:
    """Write a report as the options say; 1 when a check failed with severity error."""
    from lib.checks import Severity, Status
    from lib.reports import render_json, render_markdown, render_text

    render: dict[str, Callable[[Report | TrainingReport], str]] = {
        "json": render_json,
        "markdown": render_markdown,
        "text": lambda it: render_text(it, terminal_width(options.output)),
    }
    text = render[options.format](built)
    report(1.0, "")
    write_text(text, options.output)
    failed = any(each.status is Status.FAIL and each.severity is Severity.ERROR for each in built.checks)
    return FAILED if failed else GOOD
