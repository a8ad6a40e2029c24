"""Rows that a model was fitted to, among those that are shown."""

from __future__ import annotations

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_plural
from lib.metrics.parts import count_usable
from lib.scan.ids import TRAIN_SPLITS
from lib.schema import SPLIT, VERSION


def training_split(diagnosis: Diagnosis) -> str | None:
    """The split that a model is fitted to, if there is one."""
    return next((name for name in diagnosis.facts.splits if name.lower() in TRAIN_SPLITS), None)


def training_rows_words(diagnosis: Diagnosis) -> str:
    """How many of the candidate's rows that are shown its model was fitted to; "" where there are none (plain text)."""
    split = training_split(diagnosis)
    if split is None:
        return ""
    version = diagnosis.settings.candidate
    cells = diagnosis.cells(VERSION, SPLIT).among(VERSION, [version])
    n = float(count_usable(cells)[2].sum())
    fitted = float(count_usable(cells.among(SPLIT, [split]))[2].sum())
    if not fitted:
        return ""
    # A split of another name is there to choose only where there is one.
    others = [name for name in diagnosis.facts.splits if name != split]
    choose = " Choose another split in the sidebar to see the others alone." if others else ""
    return f"{fitted_words(version, split, fitted, n)}{choose}"


def fitted_words(version: str, split: str, fitted: float, n: float) -> str:
    """That so many of the rows of a version are of a split that models are fitted to (plain text)."""
    whole = f"{format_count(fitted)} of {format_plural(n, 'labelled row')}" if fitted < n else "All rows"
    return f"{whole} of {version} are of the split {split}: a model looks better on rows that it was fitted to."
