"""Cells in a file: the same tables as the rows give, and a sentence for every other file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import DataError, SettingsError
from lib.scan import Scan, is_saved_cells, read_cells, save_cells
from lib.scan.tables import default_tables
from lib.schema import EVERYTHING, VERSION, WINDOW, Filter, cohort_key
from tests.scan.conftest import ScanOf, predictions


@pytest.fixture
def saved(scan_of: ScanOf, tmp_path: Path) -> tuple[Scan, Path]:
    scan = scan_of(predictions(31, 3000))
    path = tmp_path / "cells.parquet"
    save_cells(scan, path)
    return scan, path


def test_the_same_tables_come_back(saved: tuple[Scan, Path]) -> None:
    scan, path = saved
    assert is_saved_cells(path)
    found = read_cells(path, "cells.parquet")
    assert found.facts.saved
    assert found.facts.versions == scan.facts.versions
    assert found.facts.mapping == scan.facts.mapping
    for keys, finest in default_tables(scan.facts.cohorts, has_time=True):
        expected, got = scan.cells(keys, finest=finest), found.cells(keys, finest=finest)
        assert got.resolution is expected.resolution
        for name, values in expected.columns().items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(got.columns()[name], values, rtol=1e-12)
            else:
                assert (got.columns()[name] == values).all()


def test_filters_work_where_a_table_has_their_keys(saved: tuple[Scan, Path]) -> None:
    scan, path = saved
    found = read_cells(path, "cells.parquet")
    where = Filter((("language", "pt"),), "test")
    assert found.cells((VERSION,), where).scored.n.sum() == scan.cells((VERSION,), where).scored.n.sum()
    assert found.cells((WINDOW,), where).scored.n.sum() == scan.cells((WINDOW,), where).scored.n.sum()
    with pytest.raises(SettingsError, match="open the rows themselves"):
        found.cells((cohort_key("platform"),), EVERYTHING)


def test_other_files_are_refused_with_a_sentence(saved: tuple[Scan, Path], tmp_path: Path) -> None:
    _scan, path = saved
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), other)
    assert not is_saved_cells(other)
    assert not is_saved_cells(tmp_path / "missing.parquet")
    with pytest.raises(DataError, match=r"other\.parquet cannot be read as saved cells"):
        read_cells(other, "other.parquet")
    whole = pq.read_table(path)
    metadata = json.loads(whole.schema.metadata[b"marginalia"])
    metadata["cells_schema_version"] = 99
    pq.write_table(whole.replace_schema_metadata({b"marginalia": json.dumps(metadata).encode()}), other)
    with pytest.raises(DataError, match="schema version 99"):
        read_cells(other, "other.parquet")
    truncated = tmp_path / "cut.parquet"
    truncated.write_bytes(path.read_bytes()[:-100])
    assert not is_saved_cells(truncated)
    hostile = whole.set_column(whole.schema.get_field_index("n"), "n", pa.array(np.full(whole.num_rows, -1.0)))
    pq.write_table(hostile, other)
    with pytest.raises(DataError):
        read_cells(other, "other.parquet")


def test_nothing_is_left_when_writing_fails(saved: tuple[Scan, Path], tmp_path: Path) -> None:
    scan, _path = saved
    with pytest.raises(OSError, match="No such file"):
        save_cells(scan, tmp_path / "nowhere" / "cells.parquet")
    assert list(tmp_path.glob("*.partial")) == []
