"""The search for the worst slices: `python -m benchmarks.slices BY FILE STORE` prints JSON.

BY is `make` (FILE gets STORE rows), `marginalia`, or `pandas`: rates of every combination of up to three columns in one
half of the rows, and which of them are beyond the rest, as one would in a notebook. That has less to do: no second
half, nothing merged, nothing told apart from what holds it.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lib.scan import Scan
from lib.slices import SliceQuery, search_slices
from lib.sources import Answers, build_dataset, infer_mapping, read_table

COLUMNS = tuple(f"column_{place}" for place in range(8))
BASE, WITHIN = 0.2, 0.48


def make(path: Path, rows: int) -> None:
    """A file of 8 columns, half of them texts of 10 values and half of them numbers, with 1 % of rows worse."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, rows)
    texts = {name: np.array([f"v{each}" for each in range(10)])[rng.integers(0, 10, rows)] for name in COLUMNS[:4]}
    numbers = {name: rng.normal(size=rows) for name in COLUMNS[4:]}
    inside = (texts[COLUMNS[0]] == "v3") & (numbers[COLUMNS[4]] > 1.2816)
    wrong = rng.random(rows) < np.where(inside, WITHIN, BASE)
    score = np.where(wrong, -1, 1) * (2 * label - 1) * rng.exponential(1, rows)
    frame = pd.DataFrame({"id": np.arange(rows), "y_true": label, "decision_score": score, **texts, **numbers})
    frame.to_parquet(path, index=False)


def search(path: Path, store: Path) -> dict[str, object]:
    """Seconds of the search, rows prepared before, and what it told."""
    table = read_table(path, path.name, store)
    answers = Answers(cohorts=COLUMNS[:4], features=COLUMNS[4:], score_kind="decision")
    scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), store)
    scan.warm()
    began = time.perf_counter()
    found = search_slices(scan, SliceQuery(scan.facts.versions[-1], COLUMNS, "error_rate"))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "told": [[each.column for each in one.conditions] for one in found.search.slices]}


def search_in_pandas(path: Path) -> dict[str, object]:
    """The same of the sums of one half."""
    rows = pd.read_parquet(path)
    began = time.perf_counter()
    rows["wrong"] = ((rows["decision_score"] > 0) != (rows["y_true"] == 1)).astype(float)
    for name in COLUMNS:
        values = rows[name]
        rows[name] = pd.qcut(values, 10) if name in COLUMNS[4:] else values.astype("category")
    rows = rows[rows["id"] % 2 == 0]
    n, total, told = len(rows), rows["wrong"].sum(), 0
    for size in (1, 2, 3):
        for chosen in itertools.combinations(COLUMNS, size):
            groups = rows.groupby(list(chosen), observed=True)["wrong"].agg(["size", "sum"])
            groups = groups[groups["size"] >= 30]
            rest, others = (total - groups["sum"]) / (n - groups["size"]), n - groups["size"]
            error = np.sqrt(rest * (1 - rest) * (1 / groups["size"] + 1 / others))
            told += int(((groups["sum"] / groups["size"] - rest) / error > 5).sum())
    return {"seconds": time.perf_counter() - began, "told": told}


if __name__ == "__main__":
    by, target = sys.argv[1], Path(sys.argv[2])
    if by == "make":
        make(target, int(sys.argv[3]))
    else:
        print(json.dumps(search(target, Path(sys.argv[3])) if by == "marginalia" else search_in_pandas(target)))
