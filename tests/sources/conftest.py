"""Real files in a temporary folder, read the way the product reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lib.sources import RawTable, read_table

Read = Callable[..., RawTable]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_file(content: str | bytes, name: str = "predictions.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def read(write: Callable[..., Path], store: Path) -> Read:
    def read_file(content: str | bytes, name: str = "predictions.csv", **options: Any) -> RawTable:
        path = write(content, name)
        return read_table(path, name, store, **options)

    return read_file


def rows_of(table: RawTable) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute("SELECT * FROM read_parquet(?)", [str(table.parquet)]).fetchall()


@pytest.fixture
def rows() -> Callable[[RawTable], list[tuple[Any, ...]]]:
    return rows_of
