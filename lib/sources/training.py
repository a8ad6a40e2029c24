"""Training histories: recognised by their shape, read as the libraries write them, normalised to curves.

A history is no table of predictions: each value is of a metric, at a step or an epoch, of a run. `read_history` gives
None for anything else, so that it is asked before a file is taken for predictions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from lib.errors import DataError, LimitError
from lib.sources.files import compute_sha256, compute_stem
from lib.sources.training_json import read_document
from lib.sources.training_names import SPLITS, read_metric
from lib.sources.training_order import Disorder, FloatArray, in_order
from lib.sources.training_tables import read_training_table
from lib.sources.training_text import Found, read_start

MOST_CURVES: Final = 5_000
MOST_VALUES: Final = 5_000_000
LARGEST: Final = 1e100
"""What is larger has left every scale of a loss: it counts as infinite, and no sum of such values overflows."""
MILLISECONDS: Final = 1e11
"""A time beyond this, in seconds the year 5138, is in milliseconds."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric of one run on one split, in the order of training. Arrays have shape (n,), n at least 1.

    Attributes:
        run: the run's name.
        split: train, validation or test.
        metric: the standard word (`loss`, `log_loss`, `accuracy`, …), or the name as written without its split.
        written: the name in the file.
        per: "epoch" or "step" where the name says that it is of one, else "".
        step, epoch: where each value was logged; NaN where the file does not say.
        time: seconds since the run's first value; NaN where the file does not say.
        value: as logged; NaN and infinities are what the training gave, not gaps.
    """

    run: str
    split: str
    metric: str
    written: str
    per: str
    step: FloatArray
    epoch: FloatArray
    time: FloatArray
    value: FloatArray

    @property
    def x(self) -> FloatArray:
        """The steps, or the epochs where there are no steps; ascending."""
        return self.step if np.isfinite(self.step).all() else self.epoch

    @property
    def is_by_step(self) -> bool:
        """Whether `x` are steps."""
        return bool(np.isfinite(self.step).all())

    @property
    def has_epochs(self) -> bool:
        """Whether the epoch of each value is known."""
        return bool(np.isfinite(self.epoch).all())


@dataclass(frozen=True, eq=False)
class History:
    """What one file holds.

    Attributes:
        name: what the file is called.
        sha256: of its bytes.
        format: who wrote it, as "Lightning CSVLogger".
        evidence: by what that was recognised.
        notes: what was done to read it, in sentences.
        curves: at least one.
    """

    name: str
    sha256: str
    format: str
    evidence: str
    notes: tuple[str, ...]
    curves: tuple[Curve, ...]

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs, in the order of the file."""
        return tuple(dict.fromkeys(curve.run for curve in self.curves))

    @property
    def n_values(self) -> int:
        """All values."""
        return sum(len(curve.value) for curve in self.curves)

    @property
    def reading(self) -> str:
        """How the file was read, in a sentence."""
        said = "".join(f" {note[:1].upper()}{note[1:]}." for note in self.notes)
        article = "an" if self.format[:1] in "AEIOUX" else "a"
        return f"{self.name} was read as {article} {self.format} file: {self.evidence}.{said}"


@dataclass(frozen=True, eq=False)
class Training:
    """The histories that are looked at together; runs of one name in two files are told apart by the file."""

    histories: tuple[History, ...] = ()

    @classmethod
    def of(cls, histories: Iterable[History]) -> Training:
        """Histories side by side."""
        seen: set[tuple[str, str, str]] = set()
        kept: list[History] = []
        for history in histories:
            taken = {curve.run for curve in history.curves if (curve.run, curve.split, curve.written) in seen}
            names = {run: _free_name(run, history.name, {run for run, _split, _written in seen}) for run in taken}
            renamed = tuple(replace(curve, run=names.get(curve.run, curve.run)) for curve in history.curves)
            seen |= {(curve.run, curve.split, curve.written) for curve in renamed}
            kept.append(replace(history, curves=renamed))
        return cls(tuple(kept))

    @property
    def curves(self) -> tuple[Curve, ...]:
        """All curves, file by file."""
        return tuple(curve for history in self.histories for curve in history.curves)

    @property
    def runs(self) -> tuple[str, ...]:
        """All runs, in the order of the files."""
        return tuple(dict.fromkeys(curve.run for curve in self.curves))

    def of_run(self, run: str) -> tuple[Curve, ...]:
        """The curves of one run."""
        return tuple(curve for curve in self.curves if curve.run == run)


NO_TRAINING: Final = Training()


def _free_name(run: str, file: str, taken: set[str]) -> str:
    folder = Path(file.replace("\\", "/")).parent.name
    names = [f"{folder}/{run}"] if folder else []
    names += [f"{run} ({number})" for number in range(2, len(taken) + 3)]
    return next(name for name in names if name not in taken)


def read_history(path: Path, name: str, sha256: str | None = None) -> History | None:
    """The training history in a file; None for a file that has not the shape of one.

    Args:
        path: the file; plain, or compressed with gzip or zstd.
        name: what to call it.
        sha256: of its bytes, where that is known.

    Raises:
        DataError: it has the shape, but cannot be read; the text names line or key and what to do.
        LimitError: it is larger than what a page can hold.
    """
    start = read_start(path, name)
    if start is None:
        return None
    found = read_document(start) if start.is_json else read_training_table(start)
    if found is None:
        return None
    curves, notes = _curves(found, compute_stem(name))
    if not curves:
        raise DataError(f"{name} looks like a {found.format} file, but holds no value of any metric. Log one first.")
    n_values = sum(len(curve.value) for curve in curves)
    if len(curves) > MOST_CURVES or n_values > MOST_VALUES:
        raise LimitError(
            f"{name} holds {len(curves):,} curves with {n_values:,} values; at most {MOST_CURVES:,} with "
            f"{MOST_VALUES:,} can be looked at. Export fewer runs or metrics."
        )
    return History(
        name,
        sha256 or compute_sha256(path),
        found.format,
        found.evidence,
        (*found.notes, *notes),
        tuple(sorted(curves, key=lambda curve: SPLITS.index(curve.split))),
    )


def _curves(found: Found, stem: str) -> tuple[list[Curve], list[str]]:
    disorder = Disorder()
    curves: list[Curve] = []
    began: dict[str, float] = {}
    for series in found.series:
        for part in in_order(replace(series, run=series.run or stem), disorder) if len(series.value) else ():
            named = read_metric(part.written)
            time = part.time / 1000 if np.nanmax(part.time, initial=0.0) > MILLISECONDS else part.time
            first = np.nanmin(time, initial=np.inf)
            began[part.run] = min(began.get(part.run, np.inf), float(first))
            curves.append(
                Curve(
                    part.run,
                    part.split or named.split,
                    named.metric,
                    part.written,
                    named.per,
                    part.step,
                    part.epoch,
                    time,
                    np.where(np.abs(part.value) > LARGEST, np.copysign(np.inf, part.value), part.value),
                )
            )
    return [
        replace(curve, time=curve.time - began[curve.run]) if np.isfinite(began[curve.run]) else curve
        for curve in curves
    ], disorder.sentences()
