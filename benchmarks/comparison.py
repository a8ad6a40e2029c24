"""Two versions joined on their ids: `python -m benchmarks.comparison BY FILE STORE` prints JSON.

BY is `make` (FILE gets STORE rows, half of them of each version, the second scored anew), `marginalia`, or `pandas`:
the join, flips, and changes of three metrics by value of three cohort columns, as one would in a notebook.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from lib.comparisons import Comparison
from lib.diagnose import Diagnosis
from lib.figures.comparison_view import ComparisonView
from lib.figures.decomposition_view import DecompositionView
from lib.scan import Scan
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

COHORTS = ("language", "platform", "tenant")

# hash() in place of random numbers: the same rows whatever the number of threads. One version's rows are not in the
# order of the other's.
_QUERY = """
    WITH drawn AS (
        SELECT i % {half} AS id, i // {half} AS version,
            (hash(i % {half}, 1) % 1000000007 + 0.5) / 1000000007.0 AS u,
            (hash(i % {half}, 2) % 1000000007 + 0.5) / 1000000007.0 AS v,
            (hash(i, 3) % 1000000007 + 0.5) / 1000000007.0 AS moved,
            (hash(i % {half}, 4) % 2)::INTEGER AS label
        FROM range({rows}) AS rows(i)
    )
    SELECT id, label, 'v' || (version + 1) AS version,
        sqrt(-2 * ln(u)) * cos(2 * pi() * v) + (label * 2 - 1) * 1.2 + (moved - 0.5) * version AS score,
        ['en', 'es', 'de', 'pt', 'fr'][(hash(id, 5) % 5 + 1)::INTEGER] AS language,
        ['android', 'ios', 'web'][(hash(id, 6) % 3 + 1)::INTEGER] AS platform,
        'tenant-' || lpad((hash(id, 7) % 20 + 1)::VARCHAR, 2, '0') AS tenant
    FROM drawn ORDER BY version, hash(id, version)
"""


def make(path: Path, rows: int) -> None:
    """A file of two versions of the same ids."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({_QUERY.format(rows=rows, half=rows // 2)}) TO '{path}' (FORMAT parquet)")


def compare(path: Path, store: Path) -> dict[str, object]:
    """Seconds from the scan to all that the page shows, and again when nothing has to be read."""
    table = read_table(path, path.name, store)
    answers = Answers(cohorts=COHORTS, score_kind="decision")
    scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), store)
    scan.warm()
    settings = Settings.choose(scan.facts)

    def show() -> int:
        """What the page asks for."""
        diagnosis = Diagnosis(scan, settings)
        diagnosis.read_pairs()
        comparison = Comparison(diagnosis)
        view = ComparisonView.of(comparison, 1.0, 2.0)
        for column in COHORTS:
            DecompositionView.of(comparison, column, "accuracy")
        return 0 if view.flips is None else view.flips.n

    began = time.perf_counter()
    n = show()
    first = time.perf_counter() - began
    began = time.perf_counter()
    show()
    return {"seconds": first, "again": time.perf_counter() - began, "pairs": n}


def compare_in_pandas(path: Path) -> dict[str, object]:
    """The join and what is counted of it."""
    rows = pd.read_parquet(path)
    began = time.perf_counter()
    before, after = (rows[rows["version"] == version] for version in ("v1", "v2"))
    pairs = before.merge(after, on="id", suffixes=("_before", "_after"))
    right = [(pairs[f"score_{side}"] > 0) == (pairs[f"label_{side}"] == 1) for side in ("before", "after")]
    flips = pd.crosstab(right[0], right[1]).to_numpy()
    for column in COHORTS:
        by = pairs[f"{column}_before"]
        for side, good in zip(("before", "after"), right, strict=True):
            good.groupby(by).mean()
            margin = pairs[f"score_{side}"] * (2 * pairs[f"label_{side}"] - 1)
            (1 - margin).clip(lower=0).groupby(by).agg(["mean", "var"])
            (margin < 1).groupby(by).mean()
    return {"seconds": time.perf_counter() - began, "pairs": int(flips.sum())}


if __name__ == "__main__":
    by, target = sys.argv[1], Path(sys.argv[2])
    if by == "make":
        make(target, int(sys.argv[3]))
    else:
        print(json.dumps(compare(target, Path(sys.argv[3])) if by == "marginalia" else compare_in_pandas(target)))
