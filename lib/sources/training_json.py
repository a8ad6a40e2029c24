"""Training histories in JSON: `trainer_state.json`, eval results of boosted trees, loss curves, lists by metric."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import numpy as np

from lib.errors import DataError
from lib.sources.columns import join_names
from lib.sources.training_names import TRAIN, VALIDATION, read_metric, shows_training, split_of
from lib.sources.training_order import Series
from lib.sources.training_text import MOST_JSON, Found, Start

_MARKS: Final = (b'"log_history"', b'"loss_curve_"', b'"val_loss"', b'"validation_0"', b'"valid_0"', b'"eval_loss"')
"""Keys by which a damaged or oversized document is still known for what it was meant to be."""
_BOOKKEEPING: Final = re.compile(r"(runtime|samples_per_second|steps_per_second|total_flos|num_input_tokens_seen)$")
"""What `Trainer` logs about its own speed."""
_LIGHTGBM: Final = re.compile(r"^(training|valid_\d+)$")
_LIGHTGBM_METRICS: Final = frozenset({"binary_logloss", "multi_logloss", "binary_error", "multi_error", "l1", "l2"})
_XGBOOST: Final = re.compile(r"^validation_\d+$")
_XGBOOST_METRICS: Final = frozenset({"logloss", "mlogloss", "error", "merror", "aucpr"})
_PLACES: Final = frozenset({"step", "steps", "epoch", "epochs", "iteration", "iterations", "round"})
_LOSS_CURVE: Final = "loss_curve_"
_SCORES: Final = "validation_scores_"

Object = dict[str, Any]


def read_document(start: Start) -> Found | None:
    """The history in a JSON document; None where it has another shape.

    Raises:
        DataError: it was meant to be a history, but is no whole JSON, or holds something else than numbers.
        LimitError: it is too large.
    """
    is_meant = any(mark in start.head for mark in _MARKS)
    if not is_meant and start.compression == "none" and start.path.stat().st_size > MOST_JSON:
        return None
    try:
        document: Any = json.loads(start.read_all(MOST_JSON), parse_int=float)
    except RecursionError:
        document = None
        if is_meant:
            raise DataError(f"{start.name} is nested too deeply to be a training history. Export it again.") from None
    except ValueError as error:
        document = None
        if isinstance(error, json.JSONDecodeError) and _is_cut_list(error):
            raise DataError(
                f"{start.name} is a JSON list that is cut short: it breaks off at line {error.lineno}, column "
                f"{error.colno}. Copy or write it again."
            ) from error
        if is_meant:
            at = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise DataError(
                f"{start.name} looks like a training history, but is no whole JSON document: it breaks off or is "
                f"damaged{at}. Copy or write it again."
            ) from error
    if isinstance(document, list):
        if document and all(isinstance(each, float) for each in cast("list[Any]", document)):
            raise DataError(
                f"{start.name} is a list of numbers without a name. Write it under the name of its metric, as in "
                '{"loss_curve_": [0.7, 0.5]}.'
            )
        return _read_log(start.name, "", cast("list[Any]", document))
    if not isinstance(document, dict):
        return None
    whole = cast("Object", document)
    if isinstance(whole.get("log_history"), list):
        return _read_log(start.name, "log_history", whole["log_history"])
    return _read_eval_results(start.name, whole) or _read_lists(start.name, whole)


def _is_cut_list(error: json.JSONDecodeError) -> bool:
    """Whether a text begins a JSON list and is sound up to its end, which is missing."""
    text = error.doc.rstrip()
    return text.startswith("[") and (error.msg.startswith("Unterminated") or error.pos >= len(text) - 2)


def _number(value: object, name: str, place: str) -> float:
    """A number, NaN and infinities included."""
    if isinstance(value, float):
        return value
    found = json.dumps(value, default=str)[:60]
    raise DataError(
        f"{name} holds {found} at {place}, where a number is expected. Write numbers there, NaN where a value is "
        "undefined, or take the key out."
    )


def _read_log(name: str, key: str, entries: list[Any]) -> Found | None:
    """What `Trainer` of Hugging Face logs: an object for each time that something was logged."""
    whole = [cast("Object", each) for each in entries if isinstance(each, dict)]
    if not key and (not whole or len(whole) < len(entries) or not any(map(_is_log_entry, whole))):
        return None
    columns: dict[str, list[tuple[float, float, float]]] = {}
    for number, entry in enumerate(entries):
        place = f"{key or 'the list'}[{number}]"
        if not isinstance(entry, dict):
            raise DataError(f"{name} holds no object at {place}, where one is expected. Export it again.")
        logged = cast("Object", entry)
        if "train_runtime" in logged:
            continue  # The summary at the end repeats no step of the training.
        step, epoch = (
            math.nan if logged.get(each) is None else _number(logged[each], name, f"{place}.{each}")
            for each in ("step", "epoch")
        )
        for written, value in logged.items():
            is_other = isinstance(value, (str, list, dict)) and not shows_training(written)
            if (
                written not in ("step", "epoch")
                and value is not None
                and not is_other
                and not _BOOKKEEPING.search(written)
            ):
                columns.setdefault(written, []).append((step, epoch, _number(value, name, f"{place}.{written}")))
    series = [_series("", written, rows) for written, rows in columns.items()]
    said = f"the key {key}, " if key else ""
    evidence = f"{said}{len(entries):,} entries with {join_names([each.written for each in series])}"
    return Found("Hugging Face trainer_state.json" if key else "Hugging Face log_history", evidence, tuple(series))


def _is_log_entry(entry: Object) -> bool:
    return ("step" in entry or "epoch" in entry) and any(map(shows_training, entry))


def _read_eval_results(name: str, whole: Object) -> Found | None:
    """`evals_result` of XGBoost and LightGBM: metrics by data set, a list of a value for each round.

    Runs of scikit-learn's estimators by name have the same depth, and the key `loss_curve_`.
    """
    if not whole or not all(isinstance(each, dict) for each in whole.values()):
        return None
    sets = cast("dict[str, Object]", whole)
    if any(_LOSS_CURVE in each for each in sets.values()):
        series = [one for run, each in sets.items() for one in _lists(name, run, f"{run}.", each)]
        return Found("scikit-learn loss curves", f"{len(sets):,} runs with the key {_LOSS_CURVE}", tuple(series))
    if not all(each and all(isinstance(of, list) for of in each.values()) for each in sets.values()):
        return None
    metrics = {metric for each in sets.values() for metric in each}
    if any(map(_LIGHTGBM.match, sets)) or metrics & _LIGHTGBM_METRICS:
        format_ = "LightGBM eval results"
    elif any(map(_XGBOOST.match, sets)) or metrics & _XGBOOST_METRICS:
        format_ = "XGBoost eval results"
    elif any(map(shows_training, metrics)):
        format_ = "XGBoost or LightGBM eval results"
    else:
        return None
    splits, notes = _splits_of(list(sets))
    series = [
        _series(
            "",
            f"{one} {metric}",
            [(at, math.nan, value) for at, value in enumerate(_values(values, name, f"{one}.{metric}"), 1)],
            splits[one],
        )
        for one, each in sets.items()
        for metric, values in each.items()
    ]
    evidence = f"data sets {join_names(list(sets))}, each with a value of {join_names(sorted(metrics))} for each round"
    return Found(format_, evidence, tuple(series), tuple(notes))


def _splits_of(sets: list[str]) -> tuple[dict[str, str], list[str]]:
    """Which split each data set is, and what had to be taken for granted."""
    splits, notes = dict[str, str](), list[str]()
    numbered = [one for one in sets if _XGBOOST.match(one)]
    for one in sets:
        words = re.split(r"[\W_]+", one)
        said = next((split for word in words if (split := split_of(word))), "")
        splits[one] = said or (TRAIN if "train" in one.casefold() else VALIDATION)
        if not said and splits[one] == VALIDATION:
            notes.append(f"the data set {one} was taken for one of validation")
    if len(numbered) > 1 and TRAIN not in splits.values():
        splits[numbered[0]] = TRAIN
        notes.append(f"of several numbered data sets the first, {numbered[0]}, was taken for the training data")
    return splits, notes


def _read_lists(name: str, whole: Object) -> Found | None:
    """One object with a list for each metric: attributes of scikit-learn's estimators, `History.history` of Keras."""
    held = [key for key, value in whole.items() if isinstance(value, list)]
    is_curve = _LOSS_CURVE in held
    named = [key for key in held if shows_training(key)]
    if not is_curve and not (named and any(isinstance(each, float) for key in named for each in whole[key])):
        return None
    series = tuple(_lists(name, "", "", whole))
    evidence = f"{join_names([each.written for each in series])}, each a list with a value for each epoch"
    return Found("scikit-learn loss curve" if is_curve else "Keras History.history", evidence, series)


def _lists(name: str, run: str, prefix: str, whole: Object) -> Iterator[Series]:
    """A series for each list of a metric; lists of epochs or steps beside them say where."""
    epochs: list[float] | None = None
    for key, values in whole.items():
        if key in _PLACES and isinstance(values, list):
            epochs = _values(cast("list[Any]", values), name, prefix + key)
    for key, values in whole.items():
        is_curve = key in (_LOSS_CURVE, _SCORES) or shows_training(key) or read_metric(key).says_split
        if key in _PLACES or not isinstance(values, list) or not is_curve:
            continue
        rows = cast("list[Any]", values)
        if epochs is not None and len(epochs) != len(rows):
            raise DataError(
                f"{name} has {len(rows):,} values at {prefix}{key} for {len(epochs):,} epochs or steps. Write one for "
                "each, null where nothing was logged."
            )
        places = range(1, len(rows) + 1) if epochs is None else epochs
        logged = [
            (math.nan, place, value)
            for place, value, raw in zip(places, _values(rows, name, prefix + key), rows, strict=True)
            if raw is not None
        ]
        yield _series(run, key, logged)


def _values(rows: list[Any], name: str, place: str) -> list[float]:
    """The numbers of a list, NaN for null."""
    return [math.nan if each is None else _number(each, name, f"{place}[{at}]") for at, each in enumerate(rows)]


def _series(run: str, written: str, logged: Sequence[tuple[float, float, float]], split: str = "") -> Series:
    """A series of step, epoch and value."""
    step, epoch, value = np.array(logged, np.float64).reshape(-1, 3).T
    return Series(run, written, step, epoch, np.full(len(value), np.nan), value, split)
