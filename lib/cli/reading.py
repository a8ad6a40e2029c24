"""From the files and options that were named to the tables that every command looks at."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.options import SINGLE_ROLES
from lib.errors import AmbiguityError, SettingsError

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis
    from lib.scan import SavedCells, Scan
    from lib.scan.held import HeldTables
    from lib.schema import Mapping, Question
    from lib.sources import Answers, Inference, Run
    from lib.sources.inputs import Input
    from lib.sources.training import Training

QUESTION_OPTIONS = {
    "score_kind": "--score-kind",
    "pos_label": "--positive",
    "unlabelled": "--unlabelled",
    "date_format": "--date-format",
    "cohorts": "--cohort",
}
"""Options that settle a question; of a role that is the option that names its column."""
TWO_CLASSES = 2


def answers_of(options: argparse.Namespace) -> Answers:
    """What the options settle of the mapping."""
    from lib.sources import Answers

    return Answers(
        roles={role: getattr(options, role) for role in SINGLE_ROLES if getattr(options, role) is not None},
        cohorts=None if options.cohort is None else tuple(column for column in options.cohort if column),
        score_kind=options.score_kind,
        pos_label=options.positive,
        unlabelled=None if options.unlabelled is None else tuple(label for label in options.unlabelled if label),
        time_pattern=options.date_format,
        timezone=options.timezone,
    )


def split_histories(inputs: Sequence[Input], run: Run) -> tuple[Training, list[Input]]:
    """The training histories among the files, and the other files."""
    from lib.sources.training import History, Training, read_history

    found: list[History] = []
    others: list[Input] = []
    for each in inputs:
        run.check()
        history = read_history(each.path, each.name)
        if history is None:
            others.append(each)
        else:
            found.append(history)
    return Training.of(found), others


def refuse_unused(training: Training, options: argparse.Namespace) -> None:
    """Say which options are of no use where only training histories were named."""
    if answers_of(options) != type(answers_of(options))() or options.baseline or options.candidate or options.slices:
        raise SettingsError(
            f"{training.histories[0].name} holds training curves, and no file holds predictions: leave out what says "
            "which columns mean what, the baseline, the candidate and --slices."
        )


def read_diagnosis(
    inputs: Sequence[Input], options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]
) -> Diagnosis:
    """The files under the settings that the options choose, read by fold where probabilities are made of the score."""
    tables = read_tables(inputs, options, store, run, report)

    from lib.diagnose import Diagnosis
    from lib.settings import Settings

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
    return diagnosis


def read_tables(
    inputs: Sequence[Input], options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]
) -> HeldTables:
    """The cells of the files that were named: scanned, or read as they were saved and merged."""
    from lib.scan import is_saved_cells, merge_cells, read_cells

    saved = [each for each in inputs if is_saved_cells(each.path)]
    if not saved:
        return scan_files(inputs, options, store, run, report)
    if len(saved) < len(inputs):
        rows = next(each for each in inputs if each not in saved)
        raise SettingsError(
            f"{saved[0].name} holds saved cells and {rows.name} rows, which are not read together. Write cells of the "
            "rows first: python -m lib cells."
        )
    answers = answers_of(options)
    if answers != type(answers)():
        raise SettingsError(
            f"{saved[0].name} holds saved cells: what their columns mean was settled when they were written. "
            "Leave the mapping options out."
        )
    parts: list[SavedCells] = []
    for place, each in enumerate(saved):
        run.check()
        report(place / len(saved), f"Reading {each.name}")
        parts.append(read_cells(each.path, each.name))
    return merge_cells(parts, [each.name for each in saved])


def settled_mapping(inference: Inference) -> Mapping:
    """The mapping, where nothing is left to be asked.

    Raises:
        AmbiguityError: something is; the text names the options that settle it.
    """
    if inference.questions:
        raise AmbiguityError(" ".join(_worded(question) for question in inference.questions))
    return inference.mapping


def option_of(topic: str) -> str:
    """The option that settles a topic."""
    return QUESTION_OPTIONS.get(topic, f"--{topic}")


def _worded(question: Question) -> str:
    from lib.sources.columns import join_names

    option = option_of(question.topic)
    values = join_names([_as_arguments(value) for value, _ in question.options], len(question.options), "or")
    more = ""
    if question.topic == "pos_label" and len(question.options) > TWO_CLASSES:
        more = " Labels that say that there is none are named with --unlabelled."
    return f"{question.sentence} Say it with {option}{', one of: ' if values else ''}{values}.{more}"


def _as_arguments(value: str) -> str:
    """An answer as it is typed; one that holds several texts as one argument each."""
    texts = value.split("\n")
    return value or "''" if len(texts) == 1 else " ".join(map(shlex.quote, texts))


def scan_files(
    inputs: Sequence[Input], options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]
) -> Scan:
    """The files, read under the mapping that the options settle, with the default tables computed."""
    from lib.scan import Scan
    from lib.sources import build_dataset, infer_mapping, read_table
    from lib.sources.files import read_stamp, refuse_change

    stamps = [read_stamp(each.path) for each in inputs]
    tables = [read_table(each.path, each.name, store, run=run, on_progress=report) for each in inputs]
    dataset = build_dataset(tables, settled_mapping(infer_mapping(tables, answers_of(options))))
    scan = Scan(dataset, store, run=run, on_progress=report)
    scan.warm(run=run, on_progress=report)
    # A Parquet file is read where it lies, up to here.
    for each, stamp in zip(inputs, stamps, strict=True):
        refuse_change(each.path, each.name, stamp)
    return scan
