"""Predictions joined with vectors by id: margins, losses, violations and flips of the rows of a map.

An id is a text on both sides and has to be the same character by character. Of several predictions of an id the latest
counts, without times the first. Rows of a version of the vectors that share an id pair with nothing: which of them a
prediction is of is not known.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore
from lib.embeddings.projection import Numbering
from lib.embeddings.row_measures import RowValues
from lib.grid import score_id
from lib.metrics.estimates import BoolArray, FloatArray
from lib.metrics.loss_functions import loss_named
from lib.scan import Facts, Scan
from lib.scan.by_id import find_rows, single_ids
from lib.sources import Run
from lib.vectors import Rows

MARGIN, HINGE, LOGISTIC, VIOLATION, FLIP = (
    f"predicted:{name}" for name in ("margin", "hinge", "logistic", "violation", "flip")
)
MEASURES: Final = (MARGIN, HINGE, LOGISTIC, VIOLATION, FLIP)
OF_MARGIN_TARGET: Final = (HINGE, VIOLATION)
"""Those that γ moves."""
VIOLATION_WORDS: Final = {True: "violation", False: "no violation"}
FLIP_WORDS: Final = {
    (False, True): "fixed",
    (True, False): "broken",
    (True, True): "right in both",
    (False, False): "wrong in both",
}
"""By whether the baseline and the candidate are right."""
KEPT_JOINS = 4

Of = tuple[str, str]
"""A version of the vectors, and one of the predictions."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What predictions say of the rows of baseline and candidate of a set of vectors.

    Attributes:
        of: by version of the vectors the version of the predictions that speaks of it.
        compared: the two versions of the predictions between which rows flip; empty where there is but one.
        is_found: by `Of`, shape (n,), whether a row has a prediction.
        margins: by `Of`, shape (n,), NaN where a row has no prediction with a label and a score.
        is_right: by `Of`, shape (n,), whether that is right; False where there is no margin.
        n_several: by version of the predictions how many ids of the vectors have several of them.
        n_shared: by version of the vectors how many rows have an id that another row has too.
        has_labels: whether the predictions have a label.
        has_times: whether they have times, by which one of several is chosen.
    """

    of: dict[str, str]
    compared: tuple[str, ...]
    is_found: dict[Of, BoolArray]
    margins: dict[Of, FloatArray]
    is_right: dict[Of, BoolArray]
    n_several: dict[str, int]
    n_shared: dict[str, int]
    has_labels: bool
    has_times: bool

    def has_any(self, version: str) -> BoolArray:
        """Which rows of a version of the vectors have a prediction of any version that was read, shape (n,)."""
        return np.any([found for (own, _name), found in self.is_found.items() if own == version], axis=0)

    @property
    def n_found(self) -> int:
        """How many rows of all versions of the vectors have one."""
        return sum(int(self.has_any(version).sum()) for version in self.of)

    @property
    def measures(self) -> tuple[str, ...]:
        """What a map can be coloured by."""
        if not self.n_found or not self.has_labels:
            return ()
        return MEASURES if self.compared else MEASURES[:-1]

    def needed(self, measure: str, version: str) -> tuple[str, ...]:
        """The versions of the predictions that a measure reads for a version of the vectors."""
        return self.compared if measure == FLIP else (self.of[version],)

    def n_joined(self, measure: str, version: str) -> int:
        """How many rows of a version of the vectors have every prediction that a measure reads."""
        return int(np.all([self.is_found[version, each] for each in self.needed(measure, version)], axis=0).sum())

    def n_undefined(self, measure: str, version: str) -> int:
        """How many of those have no label or no score in one of them."""
        known = [~np.isnan(self.margins[version, each]) for each in self.needed(measure, version)]
        return self.n_joined(measure, version) - int(np.all(known, axis=0).sum())

    def values(self, measure: str, margin_target: float) -> dict[str, RowValues]:
        """One of `MEASURES` by version of the vectors, shape (n,): numbers, NaN where it is not defined, or texts."""
        return {version: self._values(version, measure, margin_target) for version in self.of}

    def _values(self, version: str, measure: str, margin_target: float) -> RowValues:
        if measure == FLIP:
            first, second = ((version, each) for each in self.compared)
            is_known = ~np.isnan(self.margins[first]) & ~np.isnan(self.margins[second])
            before, after = self.is_right[first], self.is_right[second]
            held = [(word, (before == was) & (after == now)) for (was, now), word in FLIP_WORDS.items()]
            return _words(is_known, held)
        margins = self.margins[version, self.of[version]]
        if measure == MARGIN:
            return margins
        if measure == VIOLATION:
            below = is_violation(margins, margin_target)
            return _words(~np.isnan(margins), [(word, below == flag) for flag, word in VIOLATION_WORDS.items()])
        is_known, losses = ~np.isnan(margins), margins.copy()
        losses[is_known] = loss_named("hinge" if measure == HINGE else "logistic").value(
            margins[is_known], margin_target
        )
        return losses


def is_violation(margins: FloatArray, margin_target: float) -> BoolArray:
    """Whether each margin is below the target, strictly, as cells tell it: on a step within its 10⁻⁹; not for NaN."""
    known, edge = np.nan_to_num(margins, nan=np.inf), int(score_id(margin_target))
    below = known < margin_target
    if edge % 2 == 0:
        here = np.isfinite(known)
        below[here] = score_id(known[here]) < edge
    return below


def _words(is_known: BoolArray, held: Iterable[tuple[str, BoolArray]]) -> RowValues:
    """A word for each row that is known, by the rows that have it; None for the others."""
    values = np.full(len(is_known), None, object)
    for word, rows in held:
        values[rows & is_known] = word
    return values


def say_why_not(diagnosis: EmbeddingDiagnosis, tables: object) -> str:
    """Why predictions cannot be joined with these vectors, in a sentence; "" where they may be."""
    if not isinstance(tables, Scan):
        return "Only saved cells of the predictions are loaded: they hold no rows to join with these vectors."
    if tables.facts.mapping.id is None:
        return "The predictions have no id column, so they cannot be joined with these vectors."
    if diagnosis.embeddings.roles.column("id") is None:
        return "These vectors have no id column, so predictions cannot be joined with them."
    return ""


_HELD: WeakKeyDictionary[Scan, dict[Hashable, Predicted]] = WeakKeyDictionary()


def held_predictions(diagnosis: EmbeddingDiagnosis, scan: Scan, compared: tuple[str, str]) -> Predicted | None:
    """What was joined of these before; None where nothing was."""
    return _HELD.get(scan, {}).get(_wanted(diagnosis, compared))


def _wanted(diagnosis: EmbeddingDiagnosis, compared: tuple[str, str]) -> Hashable:
    return diagnosis.embeddings.key, diagnosis.settings.versions, compared


def read_predictions(
    diagnosis: EmbeddingDiagnosis,
    scan: Scan,
    compared: tuple[str, str],
    run: Run | None = None,
    on_progress: Report = ignore,
) -> Predicted:
    """Join the predictions of a dataset with the vectors that are looked at, and hold what was found.

    A version of the vectors has the predictions of the version of the same name, where there is one, else those of the
    candidate.

    Args:
        diagnosis: of vectors with ids.
        scan: of predictions with ids.
        compared: baseline and candidate of the predictions.
        run: what may cancel it.
        on_progress: told how far it is.

    Raises:
        Cancelled: `run` was cancelled; nothing is held.
    """
    held = held_predictions(diagnosis, scan, compared)
    if held is not None:
        return held
    of = name_versions(diagnosis.settings.versions, scan.facts, compared[1])
    single = {version: single_ids(diagnosis.vectors(version).ids) for version in of}
    ids = [diagnosis.vectors(version).ids[rows].astype(object) for version, rows in single.items()]
    codes, unique = pd.factorize(np.concatenate(ids))
    versions = tuple(dict.fromkeys([*of.values(), *compared]))
    found = find_rows(scan, versions, np.asarray(unique, object), run=run, on_progress=on_progress)
    is_found: dict[Of, BoolArray] = {}
    margins: dict[Of, FloatArray] = {}
    is_right: dict[Of, BoolArray] = {}
    start = 0
    for version, rows in single.items():
        n, here = diagnosis.vectors(version).n, codes[start : start + len(rows)]
        start += len(rows)
        for name, each in found.items():
            of_row = np.full(n, -1, np.int64)
            of_row[rows] = here
            is_found[version, name] = _spread(each.is_found, of_row, False)
            margins[version, name] = _spread(each.margin, of_row, np.nan)
            # A positive prediction is s > 0: of the negative class a margin of 0 is right.
            is_right[version, name] = _spread(
                (each.margin > 0) | ((each.margin == 0) & (each.label < 0)), of_row, False
            )
    made = Predicted(
        of,
        compared if compared[0] != compared[1] else (),
        is_found,
        margins,
        is_right,
        {name: each.n_several for name, each in found.items()},
        {version: diagnosis.vectors(version).n - len(rows) for version, rows in single.items()},
        has_labels=scan.facts.mapping.label is not None,
        has_times=scan.prepared.has_time,
    )
    kept = _HELD.setdefault(scan, {})
    while len(kept) >= KEPT_JOINS:
        kept.pop(next(iter(kept)))
    return kept.setdefault(_wanted(diagnosis, compared), made)


def name_versions(versions: tuple[str, ...], facts: Facts, candidate: str) -> dict[str, str]:
    """By version of vectors the version of predictions that speaks of it: its namesake, else the candidate."""
    return {version: version if version in facts.versions else candidate for version in versions}


def _spread(values: NDArray[Any], of_row: Rows, none: float) -> NDArray[Any]:
    """Values by id as values by row; `none` in rows without one, which have −1 in place of an id."""
    return np.append(values, np.asarray([none], values.dtype))[of_row]


def say_why_no_cohort(predicted: Predicted, numbering: Numbering, numbers: Rows) -> str:
    """Why some samples cannot be compared with the others by their predictions, in a sentence; "" where they can."""
    inside = outside = 0
    for version in predicted.of:
        is_chosen, is_found = np.isin(numbering.rows[version], numbers), predicted.has_any(version)
        inside, outside = inside + int((is_found & is_chosen).sum()), outside + int((is_found & ~is_chosen).sum())
    if not inside:
        return "None of these rows has a prediction."
    return "" if outside else "All rows with a prediction are selected: there are no others to compare them with."


def split_ids(
    diagnosis: EmbeddingDiagnosis, numbering: Numbering, numbers: Rows
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The ids of some samples, and those of all others of the versions that are looked at; of each its own text."""
    chosen: set[str] = set()
    others: set[str] = set()
    for version in diagnosis.settings.versions:
        ids = diagnosis.vectors(version).ids
        rows = single_ids(ids)
        is_chosen = np.isin(numbering.rows[version][rows], numbers)
        chosen.update(map(str, ids[rows[is_chosen]]))
        others.update(map(str, ids[rows[~is_chosen]]))
    return np.array(sorted(chosen), object), np.array(sorted(others - chosen), object)
