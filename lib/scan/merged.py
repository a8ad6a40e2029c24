"""Saved cells of several files as one: of days, of machines, of whatever was summarised apart.

Cells add up. What has to fit is what they mean: the columns behind them, the score kind, the classes, the cohorts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lib.cells import UNWEIGHTED, WEIGHTED, Cells, merge
from lib.errors import DataError
from lib.grid import COARSE, RESOLUTIONS, Resolution
from lib.scan.compute import CELL_BUDGET
from lib.scan.facts import Facts
from lib.scan.order import order_splits, order_versions
from lib.scan.saved import SavedCells
from lib.scan.tables import saved_tables_of
from lib.scan.windows import WindowGrid, choose_windows
from lib.schema import FOLD, MAX_VERSIONS, NO_WINDOW, SPLIT, TOP_LABEL, VERSION, WINDOW, LabelEncoding, Mapping
from lib.sources.columns import join_names

ROLES_IN_CELLS = ("score", "score_kind", "label", "version", "split", "time", "weight")
"""What cells hold: it has to be the same in all files. Of the rest of a mapping that is kept which is."""


def merge_cells(parts: Sequence[SavedCells], names: Sequence[str]) -> SavedCells:
    """The cells of several files added up, at the coarsest of their resolutions and windows.

    `names` are what the files are called. Raises `DataError` where they do not fit together.
    """
    if len(parts) == 1:
        return parts[0]
    facts = [part.facts for part in parts]
    for (name, each), (other_name, other) in itertools.combinations(zip(names, facts, strict=True), 2):
        _refuse_same_rows(name, each, other_name, other)
        _refuse_misfit(name, each, other_name, other)
    starts = _unite([each.version_starts for each in facts], min)
    ends = _unite([each.version_ends for each in facts], max)
    versions = tuple(dict.fromkeys(version for each in facts for version in each.versions))
    keys = [each.key for each in facts]
    if facts[0].mapping.version is not None:
        versions, keys = order_versions(versions, starts, ends), sorted(keys)
    if len(versions) > MAX_VERSIONS:
        raise DataError(f"These files hold {len(versions)} versions, and at most {MAX_VERSIONS} are compared.")
    windows = _choose_windows(parts)
    firsts = [each.first for each in facts if each.first is not None]
    lasts = [each.last for each in facts if each.last is not None]
    merged = dataclasses.replace(
        facts[0],
        name=f"{names[0]} and {len(parts) - 1} more",
        key=hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16],
        inputs=tuple(each for part in facts for each in part.inputs),
        mapping=_unite_mappings([each.mapping for each in facts]),
        n_rows=sum(each.n_rows for each in facts),
        versions=versions,
        splits=order_splits({split for each in facts for split in each.splits}),
        windows=windows,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        problems=_unite_problems(facts),
        version_starts=starts,
        version_ends=ends,
        n_clipped=sum(each.n_clipped for each in facts),
        gathered=_unite_gathered(facts),
        ids=_unite_ids(facts),
    )
    tables: list[tuple[Cells, Resolution]] = []
    for keys, finest in saved_tables_of(merged):
        if {FOLD, TOP_LABEL} & {*keys} and not all(part.has_table(keys) for part in parts):
            continue
        cells = merge([_part_of(part, keys, finest, windows) for part in parts])
        while len(cells.score_bin) > CELL_BUDGET and cells.resolution != COARSE:
            cells = cells.coarsen(RESOLUTIONS[cells.resolution.order + 1])
        tables.append((cells, finest))
    return SavedCells(merged, tables)


def _refuse_misfit(first_name: str, first: Facts, name: str, other: Facts) -> None:
    """Say why the cells of two files do not mean the same."""
    for role in ROLES_IN_CELLS:
        here, there = (_word(getattr(each.mapping, role)) for each in (first, other))
        if here != there:
            raise DataError(
                f"{first_name} and {name} cannot be merged: the {role.replace('_', ' ')} is {here} in the first and "
                f"{there} in the second. Write one of them again with the same options."
            )
    for column in (*first.cohorts, *other.cohorts):
        if column not in first.cohorts or column not in other.cohorts:
            lacking = name if column in first.cohorts else first_name
            raise DataError(
                f"{first_name} and {name} cannot be merged: {lacking} has no cells by {column}. Write it again with "
                "the same --cohort columns."
            )
    if first.mapping.class_names != other.mapping.class_names:
        here, there = (join_names(each.mapping.class_names, 4) or "two" for each in (first, other))
        raise DataError(
            f"{first_name} and {name} cannot be merged: the classes are {here} in the first and {there} in the second. "
            "Write one of them again from files with the same classes."
        )
    for left, right, left_name, right_name in ((first, other, first_name, name), (other, first, name, first_name)):
        if both := set(left.mapping.unlabelled) & set(_labels_of(right.mapping)):
            raise DataError(
                f"{first_name} and {name} cannot be merged: {min(both)} is no label in {left_name} and a class in "
                f"{right_name}. Write one of them again with the same --unlabelled."
            )
    one, two = first.mapping.label_encoding, other.mapping.label_encoding
    if one is not None and two is not None and not _fit(one, two):
        raise DataError(
            f"{first_name} and {name} cannot be merged: the positive class is {one.pos_label} in the first and "
            f"{two.pos_label} in the second. Write one of them again with --positive."
        )
    if first.mapping.version is None and (shared := set(first.versions) & set(other.versions)):
        raise DataError(
            f"{first_name} and {name} both hold a file named {min(shared)}, and without a version column a version is "
            "named after its file: write them again with --version, or from files of other names."
        )


def _word(value: object) -> str:
    return "none" if value is None else str(value)


def _labels_of(mapping: Mapping) -> tuple[str, ...]:
    """The texts that stand for a class."""
    encoding = mapping.label_encoding
    texts = () if encoding is None else (*encoding.positive, *encoding.negative)
    return (*texts, *(text for each in mapping.classes for text in each.labels))


def _fit(one: LabelEncoding, two: LabelEncoding) -> bool:
    """Whether no label is positive in one file and negative in the other, and some are the same."""
    crossed = set(one.positive) & set(two.negative) | set(one.negative) & set(two.positive)
    shared = set(one.positive) & set(two.positive) | set(one.negative) & set(two.negative)
    return bool(shared) and not crossed


def _refuse_same_rows(first_name: str, first: Facts, name: str, other: Facts) -> None:
    held = {each.sha256: each.name for each in first.inputs}
    for each in other.inputs:
        if each.sha256 in held:
            raise DataError(
                f"{first_name} and {name} both hold the rows of {held[each.sha256]}, which would count twice. Give one "
                "of them."
            )


def _unite(times: Sequence[dict[str, float]], choose: Callable[[float, float], float]) -> dict[str, float]:
    united: dict[str, float] = {}
    for version, time in (pair for each in times for pair in each.items()):
        united[version] = choose(time, united.get(version, time))
    return united


def _unite_problems(facts: Sequence[Facts]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code, count in (pair for each in facts for pair in each.problems.items()):
        counts[code] = counts.get(code, 0) + count
    return counts


def _unite_gathered(facts: Sequence[Facts]) -> dict[str, int]:
    """Of each column that some file gathers, the most that one does: how many are the same in several is not known."""
    columns = dict.fromkeys(column for each in facts for column in each.gathered)
    return {column: max(each.gathered.get(column, 0) for each in facts) for column in columns}


def _unite_ids(facts: Sequence[Facts]) -> Any:
    """What is known of ids: nothing where rows of one version are in two files, which may share some."""
    versions = [version for each in facts for version in each.versions]
    if len(set(versions)) < len(versions) or any(each.ids is None for each in facts):
        return None
    return tuple(count for each in facts for count in each.ids or ())


def _unite_mappings(mappings: Sequence[Mapping]) -> Mapping:
    """What the files agree on, and all spellings of the classes."""
    first = mappings[0]
    rest = {name: getattr(first, name) for name in ("id", "time_format", "latency", "cost", "features")}
    agreed = {
        name: value if all(getattr(each, name) == value for each in mappings) else (() if name == "features" else None)
        for name, value in rest.items()
    }
    encodings = [each.label_encoding for each in mappings if each.label_encoding is not None]
    encoding = None
    if encodings:
        encoding = LabelEncoding(
            tuple(dict.fromkeys(text for each in encodings for text in each.positive)),
            tuple(dict.fromkeys(text for each in encodings for text in each.negative)),
        )
    classes = tuple(
        dataclasses.replace(alike[0], labels=tuple(dict.fromkeys(text for each in alike for text in each.labels)))
        for alike in zip(*(each.classes for each in mappings), strict=True)
    )
    unlabelled = tuple(dict.fromkeys(text for each in mappings for text in each.unlabelled))
    return dataclasses.replace(first, label_encoding=encoding, classes=classes, unlabelled=unlabelled, **agreed)


def _choose_windows(parts: Sequence[SavedCells]) -> WindowGrid | None:
    """The windows of all rows together, or the widest that a file has."""
    timed = [part for part in parts if part.facts.windows is not None]
    if not timed:
        return None
    n_rows = 0.0
    for part in timed:
        cells = part.cells((VERSION, SPLIT, WINDOW))
        has_time = cells.groups[WINDOW].astype(np.int64) != NO_WINDOW
        n_rows += cells.sums[has_time[cells.block // 3], 0].sum()
    first = min(part.facts.first for part in timed if part.facts.first is not None)
    last = max(part.facts.last for part in timed if part.facts.last is not None)
    grids = [part.facts.windows for part in timed if part.facts.windows is not None]
    return max([choose_windows(first, last, int(n_rows)), *grids], key=lambda grid: grid.width)


def _part_of(part: SavedCells, keys: tuple[str, ...], finest: Resolution, windows: WindowGrid | None) -> Cells:
    """One file's table by these keys, over the windows of all files: each of its own lies in one of them."""
    if WINDOW not in keys or windows is None:
        return part.cells(keys, finest=finest)
    if part.facts.windows is None:
        # No time of this file could be read.
        cells = part.cells([key for key in keys if key != WINDOW])
        columns = cells.columns() | {WINDOW: np.full(len(cells.score_bin), NO_WINDOW)}
    else:
        cells = part.cells(keys, finest=finest)
        columns = cells.columns()
        begin = columns[WINDOW].astype(np.int64)
        begin_there = (begin - windows.origin) // windows.width * windows.width + windows.origin
        columns[WINDOW] = np.where(begin == NO_WINDOW, NO_WINDOW, begin_there)
    made = Cells.build(
        {key: columns[key] for key in keys},
        columns["label"],
        columns["score_bin"],
        columns["probability_bin"],
        np.stack([columns[name] for name in (WEIGHTED if cells.weighted else UNWEIGHTED)], axis=1),
        resolution=cells.resolution,
        score=columns["score"],
    )
    return made if made.resolution.order >= finest.order else made.coarsen(finest)
