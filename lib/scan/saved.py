"""Cells in a file: written where the rows are, read where they are looked at.

One Parquet file holds all tables of a dataset, a row a cell, with the keys that a table lacks left null; its
metadata holds the facts. It has no rows of the original, no ids and no features.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lib.cells import LABELS, UNWEIGHTED, WEIGHTED, Cells, Coded
from lib.errors import DataError, SettingsError
from lib.grid import Resolution, resolution_named
from lib.scan.compute import CELLS_SCHEMA_VERSION
from lib.scan.facts import Facts, IdCounts, InputFile
from lib.scan.held import HeldTables
from lib.scan.tables import saved_tables_of, words_of
from lib.scan.windows import WindowGrid
from lib.schema import LABEL, ONE_VS_REST, SPLIT, TOP_LABEL, VERSION, WINDOW, Filter, Mapping, cohort_key

METADATA_KEY = b"marginalia"
FORMAT = "marginalia-cells"


def is_saved_cells(path: Path) -> bool:
    """Whether a file is a table of cells that `save_cells` wrote."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return False
    return METADATA_KEY in metadata


def save_cells(held: HeldTables, path: Path) -> None:
    """Write the default tables and that by fold, of a scan or of saved cells, to one file, whole or not at all."""
    facts = held.facts
    tables = saved_tables_of(facts)
    if isinstance(held, SavedCells):
        tables = [(keys, finest) for keys, finest in tables if held.has_table(keys)]
    parts: list[pa.Table] = []
    described: list[dict[str, Any]] = []
    for index, (keys, finest) in enumerate(tables):
        cells = held.cells(keys, finest=finest)
        columns = {"table": np.full(len(cells.score_bin), index, np.int16), **cells.columns()}
        parts.append(pa.table({name: pa.array(values) for name, values in columns.items()}))
        described.append({"keys": list(keys), "resolution": cells.resolution.name, "finest": finest.name})
    metadata = {
        "format": FORMAT,
        "cells_schema_version": CELLS_SCHEMA_VERSION,
        "tables": described,
        "facts": {**dataclasses.asdict(facts), "mapping": facts.mapping.as_json(), "saved": True},
    }
    whole = pa.concat_tables(parts, promote_options="permissive")
    whole = whole.replace_schema_metadata({METADATA_KEY: json.dumps(metadata).encode()})
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        pq.write_table(whole, partial, compression="zstd")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class SavedCells(HeldTables):
    """The tables of saved cells. Rows cannot be asked for; filters work where a table has their keys."""

    def __init__(self, facts: Facts, tables: Sequence[tuple[Cells, Resolution]]) -> None:
        """Tables, each with the resolution at which it was begun, and the facts of their rows."""
        super().__init__()
        self.facts = facts
        self.tables = tuple(tables)

    def has_table(self, keys: Sequence[str]) -> bool:
        """Whether there is a table by these keys; files of an earlier version have none by fold or top label."""
        return any(set(keys) <= set(table.keys) for table, _began in self.tables)

    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        needed = {*keys, *(cohort_key(column) for column, _value in where.cohorts)}
        if where.start is not None or where.end is not None:
            needed.add(WINDOW)
        for table, _began in sorted(self.tables, key=lambda held: held[1].order):
            apart = {ONE_VS_REST, TOP_LABEL}
            if needed <= set(table.keys) and apart & set(keys) == apart & set(table.keys):
                return _filtered(table, where).rollup(list(keys))
        raise SettingsError(
            f"These saved cells have no table by {words_of(sorted(needed - {VERSION, SPLIT}))}; "
            "open the rows themselves for this view, or take the filter away."
        )


def read_cells(path: Path, name: str) -> SavedCells:
    """The tables of a file of saved cells.

    Raises:
        DataError: it was not written by `save_cells`, or by a version whose cells mean something else.
    """
    try:
        whole = pq.read_table(path)
        metadata = json.loads((whole.schema.metadata or {})[METADATA_KEY])
        if metadata["cells_schema_version"] != CELLS_SCHEMA_VERSION:
            raise DataError(
                f"{name} holds cells of schema version {metadata['cells_schema_version']}, this version reads "
                f"{CELLS_SCHEMA_VERSION}; write the file again from its rows."
            )
        tables = [_table(whole, index, described) for index, described in enumerate(metadata["tables"])]
        return SavedCells(_facts(metadata["facts"]), tables)
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f"{name} cannot be read as saved cells: it is damaged or was written by another program. "
            "Write it again with `python -m lib cells`."
        ) from error


def _filtered(cells: Cells, where: Filter) -> Cells:
    if where.is_everything:
        return cells
    keep = np.ones(cells.n_groups, dtype=bool)
    for column, value in where.cohorts:
        keep &= cells.groups[cohort_key(column)] == value
    if where.split is not None:
        keep &= cells.groups[SPLIT] == where.split
    if where.start is not None:
        keep &= cells.groups[WINDOW].astype(np.int64) >= where.start
    if where.end is not None:
        keep &= cells.groups[WINDOW].astype(np.int64) < where.end
    return cells.where(keep)


def _facts(values: dict[str, Any]) -> Facts:
    windows = values["windows"]
    fields = dict(values)
    fields["inputs"] = tuple(_input_file(each) for each in values["inputs"])
    fields["mapping"] = Mapping.from_json(values["mapping"])
    fields["windows"] = None if windows is None else WindowGrid(**windows)
    ids = values.get("ids")
    fields["ids"] = None if ids is None else tuple(IdCounts(**each) for each in ids)
    for name in ("versions", "splits", "cohorts"):
        fields[name] = tuple(values[name])
    return Facts(**fields)


def _input_file(values: dict[str, Any]) -> InputFile:
    fields = dict(values)
    for name in ("notes", "lacks"):
        fields[name] = tuple(values.get(name, ()))
    return InputFile(**fields)


def _table(whole: Any, index: int, described: dict[str, Any]) -> tuple[Cells, Resolution]:
    part = whole.filter(pa.array(whole["table"].to_numpy() == index))
    keys: Sequence[str] = described["keys"]
    names = WEIGHTED if "w" in part.column_names else UNWEIGHTED
    sums = np.stack([part[name].to_numpy().astype(np.float64) for name in names], axis=1)
    labels = part[LABEL].to_numpy()
    if not np.isin(labels, LABELS).all() or not np.isfinite(sums).all() or (sums[:, 0] < 0).any():
        raise ValueError("labels or sums that no scan writes")
    resolution = resolution_named(described["resolution"])
    cells = Cells.build(
        {key: _coded(part[key]) for key in keys},
        labels,
        part["score_bin"].to_numpy(),
        part["probability_bin"].to_numpy(),
        sums,
        resolution=resolution,
        score=part["score"].to_numpy() if resolution.is_exact else None,
    )
    return cells, resolution_named(described["finest"])


def _coded(column: Any) -> Coded | np.ndarray[Any, Any]:
    """A key column of a file, text coded without sorting every row."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column.to_numpy(zero_copy_only=False)
    encoded = column.combine_chunks().dictionary_encode()
    values = np.asarray(encoded.dictionary.to_pylist(), dtype=str)
    ascending = np.argsort(values, kind="stable")
    place = np.empty(len(values), np.int64)
    place[ascending] = np.arange(len(values))
    return Coded(values[ascending], place[encoded.indices.to_numpy(zero_copy_only=False)])
