"""The grammar of the command line, and what is said where options make no sense."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lib import __version__
from lib.errors import SettingsError

PROGRAM = "python -m lib"
SINGLE_ROLES = ("label", "score", "id", "version", "time", "split", "weight", "latency", "cost")
"""Options that name the column of a role."""
MOST_GAMMA = 100
"""Beyond it nearly every row of any model is a violation, and the numbers say nothing."""
SCORE_KINDS = ("decision", "logit", "probability")
FORMATS = ("text", "json", "markdown")
SLICE_METRICS = (
    "violation_rate", "error_rate", "miss_rate", "false_positive_rate", "average_logistic_loss", "average_hinge_loss",
)  # fmt: skip
EMBED_ROLES = ("id", "label", "version", "split", "time", "query", "text", "image")
"""Options of `embed` that name the column of a role."""
DISTANCES = ("cosine", "euclidean")
MOST_NEIGHBOURS = 100
MAPS = ("platt", "temperature", "beta", "isotonic")

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
GATE_EXAMPLES = f"""examples:
  {PROGRAM} gate predictions.csv --policy policy.toml
  {PROGRAM} gate main.parquet pr.parquet --policy policy.toml --junit gate.xml --markdown gate.md
  {PROGRAM} gate cells.parquet --policy policy.toml --openmetrics /var/lib/node_exporter/gate.prom

A policy limits metrics, absolutely or against the baseline, of all rows, of each cohort or of each class:

  [[limits]]
  metric = "violation_rate"
  at_most = 0.05
  cohorts = "language"
"""
CELLS_EXAMPLES = f"""examples:
  {PROGRAM} cells predictions.csv -o cells.parquet
  {PROGRAM} check cells.parquet --format json
  {PROGRAM} cells 'cells/2026-04-*.parquet' -o april.parquet

The file holds counts and sums by version, split, cohort and window: no row, no id, no feature of the original.
"""
EMBED_EXAMPLES = f"""examples:
  {PROGRAM} embed vectors.npz
  {PROGRAM} embed v1.npy v2.npy --metadata rows.csv --label class --format json
  {PROGRAM} embed tensors.tsv metadata.tsv
  {PROGRAM} embed queries.npy gallery.npy --qrels test.qrels
  {PROGRAM} embed index.parquet --query is_query --neighbours answers.csv --distance euclidean

Columns and their meaning are inferred; what could be read in two ways is an error (exit status 2) that names the
option that settles it. --id '' joins metadata by row order.
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
        epilog=f"{CHECK_EXAMPLES}\nMore: {PROGRAM} check --help, gate, cells or embed --help; docs/command-line.md.",
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
    _add_compared(check)
    shown = check.add_argument_group("how it is shown")
    shown.add_argument(
        "--slices",
        metavar="METRIC",
        choices=SLICE_METRICS,
        help="also search for the worst slices of up to three cohort and feature columns by one of "
        + ", ".join(SLICE_METRICS),
    )
    shown.add_argument("--format", choices=FORMATS, default="text", help="(default: text)")
    shown.add_argument("-o", "--output", metavar="FILE", type=Path, help="write there instead of to the terminal")
    gate = commands.add_parser(
        "gate",
        help="say whether a candidate may pass, by a policy",
        description="Hold the candidate against the limits of a policy. Exit status: 0 it passes, 1 it does not, 2 "
        "usage or data error.",
        epilog=GATE_EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    _add_mapping(gate)
    _add_compared(gate)
    shown = gate.add_argument_group("what has to be kept, and where it is written")
    shown.add_argument("--policy", metavar="FILE", type=Path, required=True, help="the limits, in TOML: docs/ci.md")
    shown.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit XML there too")
    shown.add_argument("--markdown", metavar="FILE", type=Path, help="write Markdown for a pull request there too")
    shown.add_argument("--openmetrics", metavar="FILE", type=Path, help="write OpenMetrics text there too")
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
    embed = commands.add_parser(
        "embed",
        help="say what an embedding finds, whether its index is sound and what a new version changed",
        description="Say what an embedding finds, whether its index is sound and what a new version changed. Exit "
        "status: 0 all good, 1 a check failed with severity error, 2 usage or data error.",
        epilog=EMBED_EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    _add_embed(embed)
    return parser, {"check": check, "gate": gate, "cells": cells, "embed": embed}


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


def _add_compared(parser: argparse.ArgumentParser) -> None:
    compared = parser.add_argument_group("what is compared")
    compared.add_argument(
        "--baseline",
        metavar="V",
        help="the version to compare with (default: the first file; of a version column the first in time, else by "
        "name)",
    )
    compared.add_argument("--candidate", metavar="V", help="the version that is judged (default: the last)")
    compared.add_argument("--gamma", metavar="γ", type=_gamma, default=1.0, help="margin target (default: 1)")
    compared.add_argument(
        "--recalibrate",
        choices=MAPS,
        help="make probabilities of the score by this map, each row by one that was fitted without it",
    )


def _add_embed(embed: Parser) -> None:
    embed.add_argument(
        "files",
        metavar="FILES",
        nargs="*",
        help="NPY, NPZ, safetensors, Parquet, Arrow, CSV, TSV, JSONL or a projector's .bytes, also gzip or zstd; each "
        "is a version unless a column says it; one file without vectors among them is their metadata",
    )
    beside = embed.add_argument_group("files beside the vectors")
    beside.add_argument(
        "--metadata", metavar="FILE", help="a table with a row for each vector, joined by id or in order"
    )
    beside.add_argument("--pairs", metavar="FILE", help="right answers: a table of query id and relevant id")
    beside.add_argument("--qrels", metavar="FILE", help="right answers as TREC or BEIR write them")
    beside.add_argument("--neighbours", metavar="FILE", help="what an index has answered: query id, neighbour id, rank")
    group = embed.add_argument_group("what the columns mean (default: inferred)")
    group.add_argument(
        "--vectors", metavar="C", help="the array or column that holds the vectors (dim_* of a column each)"
    )
    for role in EMBED_ROLES:
        meaning = {
            "id": "the id; '' joins metadata by row order",
            "query": "which rows are queries and which gallery",
            "image": "the image's URL",
            "version": "the version (without one each file is a version)",
        }.get(role, f"the {role}")
        group.add_argument(f"--{role}", metavar="C", help=f"column of {meaning}")
    group.add_argument("--cohort", metavar="C", nargs="+", action="extend", help="cohort columns; after FILES")
    group.add_argument("--sensitive", metavar="C", nargs="+", action="extend", help="sensitive columns; after FILES")
    compared = embed.add_argument_group("what is compared")
    compared.add_argument("--distance", choices=DISTANCES, help="(default: cosine; euclidean where length 1 was lost)")
    compared.add_argument(
        "--k", metavar="K", type=_neighbours, default=(1, 5, 10), help="how many neighbours count (default: 1,5,10)"
    )
    compared.add_argument("--baseline", metavar="V", help="the version to compare with (default: the first)")
    compared.add_argument("--candidate", metavar="V", help="the version that is judged (default: the last)")
    shown = embed.add_argument_group("how it is shown")
    shown.add_argument("--format", choices=FORMATS, default="text", help="(default: text)")
    shown.add_argument("-o", "--output", metavar="FILE", type=Path, help="write there instead of to the terminal")


def _neighbours(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    values = {int(part) for part in parts if part.isdecimal()}
    if not all(part.isdecimal() for part in parts) or not all(1 <= value <= MOST_NEIGHBOURS for value in values):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of numbers of neighbours: whole numbers from 1 to {MOST_NEIGHBOURS:,} are expected, "
            "with commas between"
        )
    return tuple(sorted(values))


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
        raise SettingsError(f"Name a command: check, gate, cells or embed. See {PROGRAM} --help.")
    for each in rest:
        if each.startswith("-") and each != "-":
            name = each.split("=")[0]
            near = difflib.get_close_matches(name, _option_names(commands[options.command]), 1)
            hint = f" Did you mean {near[0]}?" if near else f" See {PROGRAM} {options.command} --help."
            raise SettingsError(f"There is no option {name}.{hint}")
    options.files = [*options.files, *rest]
    if not options.files:
        greedy = [name for name in ("cohort", "unlabelled", "sensitive") if getattr(options, name, None)]
        hint = "".join(f" Files stand before --{name}, which takes all that is behind it." for name in greedy)
        raise SettingsError(f"Name at least one file.{hint}")
    return options


def _option_names(parser: Parser) -> list[str]:
    return re.findall(r"--[a-z][a-z-]*", parser.format_help())
