"""Bounds of the engine: memory and disk that are at their end are told in a sentence."""

from __future__ import annotations

import duckdb
import pytest

from lib.errors import Cancelled, LimitError
from lib.sources.engine import MEMORY_LIMIT_MB, SPILL_LIMIT_GB, Run, get_connection


def test_the_engine_is_bounded() -> None:
    settings = get_connection().execute(
        "SELECT name, value FROM duckdb_settings() WHERE name IN ('memory_limit', 'max_temp_directory_size')"
    )
    held = dict(settings.fetchall())
    assert float(held["memory_limit"].removesuffix(" MiB")) == pytest.approx(MEMORY_LIMIT_MB * 1e6 / 2**20, abs=0.1)
    spill = float(held["max_temp_directory_size"].removesuffix(" GiB"))
    assert spill == pytest.approx(SPILL_LIMIT_GB * 1e9 / 2**30, abs=0.1)


def test_a_full_disk_is_a_sentence() -> None:
    query = "COPY (SELECT range FROM range(200_000)) TO '/dev/full' (FORMAT csv)"
    with (
        pytest.raises(LimitError, match="The disk is full; what was loaded before is as it was"),
        Run().cursor() as cursor,
    ):
        cursor.execute(query)


def test_too_little_memory_is_a_sentence() -> None:
    with pytest.raises(LimitError, match=f"{MEMORY_LIMIT_MB} MB of memory"), Run().cursor():
        raise duckdb.OutOfMemoryException("could not allocate block")


def test_another_trouble_of_files_stays_what_it_is() -> None:
    with pytest.raises(duckdb.IOException), Run().cursor() as cursor:
        cursor.execute("SELECT * FROM read_parquet('/nowhere/at/all.parquet')")


def test_a_stream_of_batches_is_cancelled_like_a_query() -> None:
    run = Run()

    def read() -> None:
        with run.cursor() as cursor:
            for _batch in cursor.sql("SELECT range AS n FROM range(10000000)").to_arrow_reader(1_000):
                run.cancel()

    with pytest.raises(Cancelled):
        read()
    with pytest.raises(OSError, match="of the caller"), Run().cursor():
        raise OSError("of the caller")
