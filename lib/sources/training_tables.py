"""Training histories in delimited text: Keras, Lightning, MLflow, Weights & Biases, TensorBoard, and plain tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lib.sources.columns import join_names
from lib.sources.files import compute_stem
from lib.sources.names import normalise_name
from lib.sources.training_columns import TIMES, TextTable, read_numbers, read_place, read_texts, read_time
from lib.sources.training_names import (
    EPOCHS,
    STEPS,
    VALIDATION,
    has_score_and_label,
    read_metric,
    shows_training,
    split_of,
)
from lib.sources.training_order import FloatArray, Series
from lib.sources.training_text import Found, Start

_RUNS: Final = ("run", "run_id", "run_uuid", "run_name", "trial", "trial_id", "experiment")
_BATCHES: Final = ("batch", "batch_idx", "batch_index")
_PANEL: Final = re.compile(r"^(?P<run>.+) - (?P<metric>.+?)(?P<end>__MIN|__MAX)?$")
_TENSORBOARD: Final = re.compile(r"^run-(?P<run>.*?)-tag-(?P<tag>.+)$")


def read_training_table(start: Start) -> Found | None:
    """The history in a delimited text; None for a table of another shape, predictions above all.

    Raises:
        DataError: it has the shape of a history, but a line or a value cannot be read.
        LimitError: it is too large.
    """
    line = start.head.split(b"\n", 1)[0].rstrip(b"\r").decode("utf-8", "replace")
    delimiter = max(",;\t|", key=line.count)
    try:
        header = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return None
    header = [each.strip() for each in header]
    reader = _recognise(header)
    return None if reader is None else reader(read_texts(start, header, delimiter))


def _recognise(header: list[str]) -> Callable[[TextTable], Found] | None:
    """Who wrote a table with this header."""
    lower = {each.casefold() for each in header}
    if lower == {"wall time", "step", "value"}:
        return _read_tensorboard
    if {"key", "value", "step"} <= lower and lower & {"run_id", "run_uuid", "timestamp"}:
        return _read_mlflow
    found = [_PANEL.match(each) for each in header[1:]]
    if found and all(found) and any(each and each["end"] for each in found):
        return _read_panel
    if "_step" in lower and lower & {"_runtime", "_timestamp"}:
        return _read_wandb
    if has_score_and_label(header):
        return None
    metrics = [each for each in header if shows_training(each)]
    if lower & {*STEPS, *EPOCHS} and metrics:
        return _read_wide
    named = [read_metric(each) for each in metrics]
    paired = {each.metric for each in named if each.split == VALIDATION} & {
        each.metric for each in named if each.split != VALIDATION
    }
    return _read_wide if paired or "loss_curve_" in lower else None


def _columns_series(
    table: TextTable,
    columns: Sequence[str],
    step: FloatArray,
    epoch: FloatArray,
    runs: NDArray[np.object_] | None = None,
) -> tuple[list[Series], list[str], int]:
    """A series for each column and run; the columns that hold no numbers; how many cells are blank."""
    time = read_time(table)
    series, left_out, blank = list[Series](), list[str](), 0
    groups = [("", np.arange(len(step)))]
    if runs is not None:
        groups = _groups(runs)
    for column in columns:
        found = read_numbers(table, column)
        if found is None:
            left_out.append(column)
            continue
        values, given = found
        blank += int((~given).sum())
        for run, rows in groups:
            here = rows[given[rows]]
            if len(here):
                series.append(Series(run, column, step[here], epoch[here], time[here], values[here]))
    return series, left_out, blank


def _read_wide(table: TextTable) -> Found:
    """A column for each metric: Keras has an epoch, Lightning an epoch and a step and gaps."""
    step_name, epoch_name = table.first(STEPS), table.first(EPOCHS)
    run_name, batch = table.first(_RUNS), table.first(_BATCHES)
    frame = {step_name, epoch_name, run_name, batch, table.first(TIMES)}
    columns = [each for each in table.columns if each and each not in frame]
    runs = _texts(table, run_name) if run_name else None
    series, left_out, blank = _columns_series(
        table, columns, read_place(table, step_name), read_place(table, epoch_name), runs
    )
    metrics = join_names([each for each in columns if shows_training(each)])
    if step_name and epoch_name and not run_name and not batch:
        format_ = "Lightning CSVLogger"
        evidence = f"columns {epoch_name}, {step_name} and {metrics}{', with gaps' if blank else ''}"
    elif epoch_name and not run_name and not batch:
        format_, evidence = "Keras CSVLogger", f"columns {epoch_name} and {metrics}, a line for each epoch"
    else:
        format_ = "table of metrics"
        evidence = (
            f"columns {join_names([each for each in (run_name, epoch_name, step_name, batch) if each] + columns)}"
        )
    return Found(format_, evidence, tuple(series), _left_out(left_out))


def _read_wandb(table: TextTable) -> Found:
    """`run.history()` of Weights & Biases: a column for each metric beside its own of step and time."""
    epoch = table.first((*EPOCHS, "train/epoch"))
    own = {each for each in table.columns if each.startswith("_") or not each}
    columns = [each for each in table.columns if each not in own and each not in (epoch, table.first(_RUNS))]
    steps = read_place(table, table.first(("_step",)))
    run_name = table.first(_RUNS)
    runs = _texts(table, run_name) if run_name else None
    series, left_out, _ = _columns_series(table, columns, steps, read_place(table, epoch), runs)
    evidence = f"columns {join_names(sorted(own - {''}))} beside {join_names(columns)}"
    return Found("Weights & Biases history", evidence, tuple(series), _left_out(left_out))


def _read_panel(table: TextTable) -> Found:
    """A panel exported by Weights & Biases: a column `run - metric` for each line, with __MIN and __MAX beside it."""
    x, *others = table.columns
    parts = [(each, found) for each in others if (found := _PANEL.match(each)) and not found["end"]]
    places = read_place(table, x)
    step, epoch = (read_place(table, ""), places) if "epoch" in normalise_name(x) else (places, read_place(table, ""))
    series: list[Series] = []
    for column, found in parts:
        if found["metric"] == "_step":
            continue
        run = found["run"].removeprefix("Group: ")
        held = _columns_series(table, [column], step, epoch)[0]
        series += [Series(run, found["metric"], one.step, one.epoch, one.time, one.value) for one in held]
    evidence = f"column {x} and {len(parts):,} lines named as run - metric, with __MIN and __MAX beside them"
    return Found("Weights & Biases panel", evidence, tuple(series))


def _read_mlflow(table: TextTable) -> Found:
    """Metrics exported by MLflow: a line for each value, with its run, key and step."""
    keys = _texts(table, table.first(("key",)))
    run_name = table.first(_RUNS)
    runs = _texts(table, run_name) if run_name else np.full(len(keys), "", object)
    step, time = read_place(table, table.first(("step",))), read_time(table)
    found = read_numbers(table, table.first(("value",)), strict=True)
    assert found is not None, "a strict reading gives numbers or raises"
    values, given = found
    pairs = np.array([f"{run}\0{key}" for run, key in zip(runs, keys, strict=True)], object)
    none = read_place(table, "")
    series: list[Series] = []
    for name, rows in _groups(pairs):
        run, key = name.split("\0", 1)
        here = rows[given[rows]]
        series.append(Series(run, key, step[here], none[here], time[here], values[here]))
    evidence = f"columns {join_names(list(table.columns))}, a line for each value"
    return Found("MLflow metrics", evidence, tuple(series))


def _read_tensorboard(table: TextTable) -> Found:
    """One scalar downloaded from TensorBoard: which, and of which run, only the file's name says."""
    stem = compute_stem(table.name)
    named = _TENSORBOARD.match(stem)
    run, tag = (named["run"].strip(". "), named["tag"]) if named else ("", stem)
    # Keras logs the splits of a run as runs of their own.
    ends = re.split(r"[/\\_]", run)
    split = split_of(ends[-1]) if ends[-1] else ""
    if split:
        run = run[: len(run) - len(ends[-1])].rstrip("/\\_")
    found = read_numbers(table, table.first(("value",)), strict=True)
    assert found is not None, "a strict reading gives numbers or raises"
    values, given = found
    one = Series(
        run or ("run" if named else stem),
        tag,
        read_place(table, table.first(("step",)))[given],
        read_place(table, "")[given],
        read_time(table)[given],
        values[given],
        split,
    )
    source = "the file's name says the run and the tag" if named else "the metric is named by the file"
    return Found("TensorBoard scalars", f"columns {join_names(list(table.columns))}; {source}", (one,))


def _groups(names: NDArray[np.object_]) -> list[tuple[str, NDArray[np.int64]]]:
    """Each distinct text, in the order in which they come first, with the places where it stands."""
    found, firsts, codes = np.unique(names.astype(str), return_index=True, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes, minlength=len(found)))[:-1])
    return [(str(found[place]), parts[place]) for place in np.argsort(firsts)]


def _texts(table: TextTable, column: str) -> NDArray[np.object_]:
    return np.array(table.columns[column].to_pylist(), object)


def _left_out(columns: Sequence[str]) -> tuple[str, ...]:
    return (f"columns without numbers were left out: {join_names(columns)}",) if columns else ()
