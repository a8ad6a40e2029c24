"""`python -m lib gate`: whether a candidate may pass, by a policy."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.output import terminal_width, write_text
from lib.cli.reading import read_diagnosis, split_histories
from lib.cli.status import FAILED, GOOD
from lib.errors import DataError, SettingsError

if TYPE_CHECKING:
    from lib.gate import GateResult
    from lib.policy import Policy
    from lib.sources import Run


def gate(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write what the policy says of the candidate; 1 when it does not pass."""
    from lib.sources.inputs import find_inputs, protect_inputs

    outputs = [each for each in (options.junit, options.markdown, options.openmetrics) if each is not None]
    # Before anything is read for minutes.
    policy = read_policy_file(options.policy)
    protect_inputs(outputs, [options.policy])
    training, inputs = split_histories(find_inputs(options.files, outputs, store), run)
    if not inputs:
        raise SettingsError(
            f"{training.histories[0].name} holds training curves, and no file holds predictions, which the gate judges."
        )
    diagnosis = read_diagnosis(inputs, options, store, run, report)

    from lib.checks import run_checks
    from lib.gate import judge_gate

    if any(limit.is_relative for limit in policy.limits):
        diagnosis.read_pairs(run=run, on_progress=report)
    judge_gate(diagnosis, policy)  # What the dataset does not have is said before the checks are run.
    results = ()
    if policy.findings is not None:
        if diagnosis.can_read_features:
            diagnosis.read_features(run=run, on_progress=report)
        report(0.0, "Running the checks")
        results = run_checks(diagnosis, training)
    result = judge_gate(diagnosis, policy, results)
    run.check()
    report(1.0, "")
    write_result(result, options)
    return GOOD if result.passed else FAILED


def read_policy_file(path: Path) -> Policy:
    """The policy of a file.

    Raises:
        DataError: the file is not there, cannot be read, or is no text.
        SettingsError: it says something that means nothing; the text names the line.
    """
    from lib.policy import read_policy

    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise DataError(f"The policy {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"The policy {path} is no UTF-8 text, which TOML is.") from error
    return read_policy(text, path.name)


def write_result(result: GateResult, options: argparse.Namespace) -> None:
    """Write a result wherever the options say, and as text to the terminal."""
    from lib.reports import gate_outline, render_junit, render_markdown, render_openmetrics, render_text

    outline = gate_outline(result)
    for path, render in (
        (options.junit, lambda: render_junit(result)),
        (options.markdown, lambda: render_markdown(outline)),
        (options.openmetrics, lambda: render_openmetrics(result)),
    ):
        if path is not None:
            write_text(render(), path)
    write_text(render_text(outline, terminal_width(None)), None)
