"""The file that is measured: predictions of two versions over thirty days, drawn by the engine, a function of the row.

`python -m benchmarks.data ROWS FOLDER [KIND …]` writes CSV and Parquet. It runs in a process of its own, so that its
memory is nobody else's, and not through `lib`, so that nothing is warm.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb

COHORTS = ("language", "platform", "tenant")
DAYS = 30

# hash() of the row number in place of random numbers: the same rows whatever the number of threads.
_QUERY = """
    WITH drawn AS (
        SELECT i,
            (hash(i, {seed}, 1) % 1000000007 + 0.5) / 1000000007.0 AS u,
            (hash(i, {seed}, 2) % 1000000007 + 0.5) / 1000000007.0 AS v,
            hash(i, {seed}, 3) % 100 < 20 AS positive
        FROM range({rows}) AS rows(i)
    ), scored AS (
        -- Box–Muller: two normal populations around −1.8 and +1.8; times 2·1.8/1.7² and with the classes' log odds p is
        -- calibrated.
        SELECT *, (sqrt(-2 * ln(u)) * cos(2 * pi() * v) * 1.7 + CASE WHEN positive THEN 1.8 ELSE -1.8 END)
            * 2 * 1.8 / (1.7 * 1.7) + ln(0.2 / 0.8) AS s FROM drawn
    )
    SELECT
        i AS id,
        positive::INTEGER AS label,
        1 / (1 + exp(-s)) AS score,
        CASE WHEN i < {rows} / 2 THEN 'v1' ELSE 'v2' END AS version,
        ['en', 'es', 'de', 'pt', 'fr'][(hash(i, {seed}, 4) % 5 + 1)::INTEGER] AS language,
        ['android', 'ios', 'web'][(hash(i, {seed}, 5) % 3 + 1)::INTEGER] AS platform,
        'tenant-' || lpad((hash(i, {seed}, 6) % 20 + 1)::VARCHAR, 2, '0') AS tenant,
        TIMESTAMP '2026-03-01' + to_seconds(i * ({days} * 86400.0 / {rows})) AS time
    FROM scored
"""


KINDS = ("csv", "parquet")


def write_files(rows: int, folder: Path, kinds: Sequence[str] = KINDS, seed: int = 0) -> None:
    """Write `rows` rows as CSV, Parquet or both under the names of `file_of`."""
    with duckdb.connect(config={"preserve_insertion_order": True}) as connection:
        for kind in kinds:
            how = "(FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ')" if kind == "csv" else "(FORMAT parquet)"
            query = _QUERY.format(rows=rows, days=DAYS, seed=seed)
            connection.execute(f"COPY ({query}) TO '{file_of(folder, rows, kind)}' {how}")


def file_of(folder: Path, rows: int, kind: str) -> Path:
    """Where the file of so many rows lies; `kind` is `csv` or `parquet`."""
    return folder / f"predictions-{rows}.{kind}"


if __name__ == "__main__":
    write_files(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or KINDS)
