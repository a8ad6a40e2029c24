"""The command line: `python -m lib check` tells what is wrong, `python -m lib cells` summarises where the data is.

Exit status 0: all good; 1: a check failed with severity error; 2: a usage or data error, one sentence on standard
error; 130: stopped with Ctrl-C. What is heavy is imported when it is needed, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import difflib
import math
import os
import queue
import re
import secrets
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lib import __version__
from lib.errors import AmbiguityError, Cancelled, MarginaliaError, MisreadError, SettingsError

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis
    from lib.figures.slices_view import SlicesView
    from lib.reports import Report, TrainingReport
    from lib.scan import SavedCells, Scan
    from lib.scan.held import HeldTables
    from lib.scan.slices import Outcome
    from lib.schema import Mapping, Question
    from lib.sources import Answers, Inference, Run
    from lib.sources.inputs import Input
    from lib.sources.training import Training

GOOD, FAILED, ERROR, STOPPED = 0, 1, 2, 130
PROGRAM = "python -m lib"
SINGLE_ROLES = ("label", "score", "id", "version", "time", "split", "weight", "latency", "cost")
"""Options that name the column of a role."""
QUESTION_OPTIONS = {
    "score_kind": "--score-kind",
    "pos_label": "--positive",
    "unlabelled": "--unlabelled",
    "date_format": "--date-format",
    "cohorts": "--cohort",
}
"""Options that settle a question; of a role that is the option that names its column."""
TWO_CLASSES = 2
MOST_GAMMA = 100
"""Beyond it nearly every row of any model is a violation, and the numbers say nothing."""
SCORE_KINDS = ("decision", "logit", "probability")
FORMATS = ("text", "json", "markdown")
SLICE_METRICS = ("violation_rate", "error_rate", "average_logistic_loss", "average_hinge_loss")
MAPS = ("platt", "temperature", "beta", "isotonic")
TRACEBACK_VARIABLE = "MARGINALIA_TRACEBACK"
STOP_SECONDS = 20
"""How long work that was stopped may take to notice; on an idle machine it takes a blink."""

CHECK_EXAMPLES = f"""examples:
  {PROGRAM} check predictions.csv
  {PROGRAM} check v1.parquet v2.parquet --label y --score p --score-kind probability --format json
  {PROGRAM} check log.csv.gz --baseline 2026.03 --candidate 2026.04 --format markdown -o report.md
  {PROGRAM} check logs/ --version model
  {PROGRAM} check 'cells/2026-04-*.parquet'
  {PROGRAM} check history.csv trainer_state.json predictions.csv

Columns and their meaning are inferred; what could be read in two ways is an error (exit status 2) that names the
option that settles it. '' as a column says that no column plays the role: --split ''.
"""
CELLS_EXAMPLES = f"""examples:
  {PROGRAM} cells predictions.csv -o cells.parquet
  {PROGRAM} check cells.parquet --format json
  {PROGRAM} cells 'cells/2026-04-*.parquet' -o april.parquet

The file holds counts and sums by version, split, cohort and window: no row, no id, no feature of the original.
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, to be told like any other error."""
        raise SettingsError(f"{message[:1].upper()}{message[1:].rstrip('.')}. See {self.prog} --help.")


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The command line's grammar, and that of each command."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog=PROGRAM,
        description="From a file of predictions to a finding that can be trusted.",
        epilog=f"{CHECK_EXAMPLES}\nMore: {PROGRAM} check --help, {PROGRAM} cells --help; docs/command-line.md.",
        formatter_class=raw,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Marginalia {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    check = commands.add_parser(
        "check",
        help="say what is wrong, whom the model fails and what changed",
        description="Say what is wrong, whom the model fails and what changed. Exit status: 0 all good, 1 a check "
        "failed with severity error, 2 usage or data error.",
        epilog=CHECK_EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    _add_mapping(check)
    compared = check.add_argument_group("what is compared, and how it is shown")
    compared.add_argument(
        "--baseline", metavar="V", help="the version to compare with (default: the first in time, else by name)"
    )
    compared.add_argument("--candidate", metavar="V", help="the version that is judged (default: the last)")
    compared.add_argument("--gamma", metavar="γ", type=_gamma, default=1.0, help="margin target (default: 1)")
    compared.add_argument(
        "--recalibrate",
        choices=MAPS,
        help="make probabilities of the score by this map, each row by one that was fitted without it",
    )
    compared.add_argument(
        "--slices",
        metavar="METRIC",
        choices=SLICE_METRICS,
        help="also search for the worst slices of up to three cohort and feature columns by one of "
        + ", ".join(SLICE_METRICS),
    )
    compared.add_argument("--format", choices=FORMATS, default="text", help="(default: text)")
    compared.add_argument("-o", "--output", metavar="FILE", type=Path, help="write there instead of to the terminal")
    cells = commands.add_parser(
        "cells",
        help="summarise where the data is, to look at it elsewhere",
        description="Summarise predictions into a small Parquet file that `check` and the dashboard take in place of "
        "the rows.",
        epilog=CELLS_EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    _add_mapping(cells)
    cells.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the Parquet file to write")
    return parser, {"check": check, "cells": cells}


def _add_mapping(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILES",
        nargs="*",
        help="CSV, TSV, JSONL, Parquet or Arrow, also gzip or zstd; or saved cells, or training "
        "histories; folders and patterns stand for the files in them",
    )
    group = parser.add_argument_group("what the columns mean (default: inferred)")
    for role in SINGLE_ROLES:
        meaning = {
            "version": "the model's version (without one each file is a version)",
            "weight": "sample weights",
        }.get(role, f"the {role}")
        group.add_argument(f"--{role}", metavar="C", help=f"column of {meaning}")
    group.add_argument("--cohort", metavar="C", nargs="+", action="extend", help="cohort columns; after FILES")
    group.add_argument("--positive", metavar="L", help="the label of the positive class")
    group.add_argument(
        "--unlabelled",
        metavar="L",
        nargs="+",
        action="extend",
        help="labels that say that there is none, such as maybe; after FILES",
    )
    group.add_argument("--score-kind", choices=SCORE_KINDS, help="what the score is")
    group.add_argument(
        "--date-format",
        metavar="F",
        help="iso, epoch_seconds (or _milliseconds, _microseconds, _nanoseconds) or a pattern such as %%d/%%m/%%Y",
    )
    group.add_argument("--timezone", metavar="Z", help="of times that carry none, such as Europe/Berlin (default: UTC)")


def _gamma(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MOST_GAMMA:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no margin target: a number from 0 to {MOST_GAMMA} is expected, in the unit of decision "
            "scores, where 1 is usual"
        )
    return value


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command; files may stand anywhere among them.

    Raises:
        SettingsError: they make no sense; the text says which.
    """
    parser, commands = build_parser()
    options, rest = parser.parse_known_args(arguments)
    if options.command is None:
        raise SettingsError(f"Name a command: check or cells. See {PROGRAM} --help.")
    for each in rest:
        if each.startswith("-") and each != "-":
            name = each.split("=")[0]
            near = difflib.get_close_matches(name, _option_names(commands[options.command]), 1)
            hint = f" Did you mean {near[0]}?" if near else f" See {PROGRAM} {options.command} --help."
            raise SettingsError(f"There is no option {name}.{hint}")
    options.files = [*options.files, *rest]
    if not options.files:
        greedy = [name for name in ("cohort", "unlabelled") if getattr(options, name)]
        hint = "".join(f" Files stand before --{name}, which takes all that is behind it." for name in greedy)
        raise SettingsError(f"Name at least one file.{hint}")
    return options


def _option_names(parser: Parser) -> list[str]:
    return re.findall(r"--[a-z][a-z-]*", parser.format_help())


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


def _option_of(topic: str) -> str:
    return QUESTION_OPTIONS.get(topic, f"--{topic}")


def _worded(question: Question) -> str:
    from lib.sources.columns import join_names

    option = _option_of(question.topic)
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


def check(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write the report; 1 when a check failed with severity error."""
    from lib.sources.inputs import find_inputs

    training, inputs = split_histories(find_inputs(options.files, options.output, store), run)
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
    from lib.slices import AT_FIRST, search_slices

    columns = diagnosis.slice_columns[:AT_FIRST]
    if not isinstance(diagnosis.tables, Scan):
        raise SettingsError("Saved cells hold no rows to search for slices: name the files themselves for --slices.")
    if not columns:
        raise SettingsError("There are no cohort and no feature columns to search for --slices: name some by --cohort.")
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
    from lib.checks import Severity, Status
    from lib.reports import render_json, render_markdown, render_text

    render: dict[str, Callable[[Report | TrainingReport], str]] = {
        "json": render_json,
        "markdown": render_markdown,
        "text": lambda it: render_text(it, _width(options)),
    }
    text = render[options.format](built)
    report(1.0, "")
    _write(text, options.output)
    failed = any(each.status is Status.FAIL and each.severity is Severity.ERROR for each in built.checks)
    return FAILED if failed else GOOD


def cells(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write the cells of the files."""
    from lib.sources.inputs import find_inputs

    training, inputs = split_histories(find_inputs(options.files, options.output, store), run)
    if training.histories:
        raise SettingsError(
            f"{training.histories[0].name} holds training curves, of which there are no cells: leave it out, and give "
            "it to `check` beside the cells."
        )
    tables = read_tables(inputs, options, store, run, report)

    from lib.scan import save_cells

    report(0.0, "Writing the cells")
    try:
        save_cells(tables, options.output)
    except OSError as error:
        from lib.sources.inputs import unwritable

        raise unwritable(options.output, error) from error
    report(1.0, "")
    return GOOD


def _width(options: argparse.Namespace) -> int:
    """The terminal's width within 80 to 100 columns; 100 for a file or a pipe."""
    if options.output is not None or not sys.stdout.isatty():
        return 100
    try:
        return min(100, max(80, os.get_terminal_size(sys.stdout.fileno()).columns))
    except OSError:
        return 100


def _write(text: str, output: Path | None) -> None:
    """To a file, whole or not at all, or to standard output; always in UTF-8."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file():  # such as /dev/stdout
        output.write_text(text, "utf-8")
        return
    partial = output.with_name(f"{output.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(output)
    except OSError as error:
        from lib.sources.inputs import unwritable

        raise unwritable(output, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _progress() -> Callable[[float, str], None]:
    """A line that is written over on standard error; silent where that is no terminal."""
    if not sys.stderr.isatty():
        return lambda _share, _words: None

    def report(_share: float, words: str) -> None:
        sys.stderr.write(f"\r\x1b[K{words}{'…' if words else ''}")
        sys.stderr.flush()

    return report


def _work(command: Callable[..., int], options: argparse.Namespace) -> int:
    """Run a command in a thread of its own with a private store, so that Ctrl-C is heard at any moment.

    The engine does not listen to signals while it works; the main thread does, and cancels the run.
    """
    from lib.sources import Run

    run, report = Run(), _progress()
    answers: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()

    def work(store: Path) -> None:
        try:
            answers.put(command(options, store, run, report))
        except BaseException as error:
            answers.put(error)

    # Named before it is made, so that there is no moment at which a signal leaves it behind.
    folder = Path(tempfile.gettempdir()) / f"marginalia-{secrets.token_hex(16)}"
    try:
        folder.mkdir(mode=0o700)
        thread = threading.Thread(target=work, args=(folder,), daemon=True)
        thread.start()
        try:
            answer = answers.get()
        except BaseException:
            run.cancel()
            thread.join(timeout=STOP_SECONDS)
            raise
        finally:
            report(1.0, "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _say(sentence: str) -> None:
    """One line on standard error, whatever is in it."""
    words = " ".join("".join(each if each.isprintable() else " " for each in sentence).split())
    try:
        sys.stderr.buffer.write(f"{words}\n".encode("utf-8", "replace"))
        sys.stderr.buffer.flush()
    except OSError:
        pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
        return _work({"check": check, "cells": cells}[options.command], options)
    except KeyboardInterrupt:
        return STOPPED
    except Cancelled:
        return STOPPED
    except MisreadError as error:
        options_named = " or ".join(map(_option_of, error.topics))
        _say(f"{error} Say it with {options_named}." if options_named else str(error))
    except MarginaliaError as error:
        _say(str(error))
    except BrokenPipeError:
        # What is still in the buffer must not be tried again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _say("The output was closed before the report was written to its end.")
    except MemoryError:
        _say("There is not enough memory for this; summarise the rows with `python -m lib cells` on a larger machine.")
    except OSError as error:
        _say(f"The system refused: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exc()
        _say(
            f"Marginalia itself has a fault: {type(error).__name__}: {error}. Set {TRACEBACK_VARIABLE}=1 to see where, "
            "and please report it."
        )
    return ERROR


if __name__ == "__main__":
    if not sys.warnoptions:
        # What a library mutters is nothing that a person here could act on.
        warnings.simplefilter("ignore")
    # A job that is told to end cleans up like one that is stopped by hand.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
