"""Files to datasets to scans, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.scan import Scan
from lib.sources import Answers, build_dataset, infer_mapping, read_table

ScanOf = Callable[..., Scan]


@pytest.fixture
def scan_of(tmp_path: Path) -> ScanOf:
    """Write a frame as CSV or Parquet, read it, scan it."""

    def make(
        frame: pd.DataFrame, *, suffix: str = "parquet", name: str = "rows", budget: int = 250_000, **answers: object
    ) -> Scan:
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False)
        table = read_table(path, path.name, tmp_path / "store")
        inference = infer_mapping([table], Answers(**answers))  # type: ignore[arg-type]
        return Scan(build_dataset([table], inference.mapping), tmp_path / "store", budget=budget)

    return make


def predictions(seed: int = 0, n: int = 5000, *, probability: bool = False) -> pd.DataFrame:
    """Rows of a classifier: two versions, a cohort, a split, times, weights."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 2, n)
    score = generator.normal(2 * label - 1, 1.5)
    frame = pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "version": generator.choice(["v9", "v10"], n),
            "split": generator.choice(["train", "test"], n),
            "y_true": label,
            "decision_score": score,
            "language": generator.choice(["de", "en", "pt"], n),
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(generator.integers(0, 20 * 86_400, n), unit="s"),
            "sample_weight": generator.gamma(2.0, 1.0, n),
        }
    )
    if probability:
        frame["decision_score"] = 1 / (1 + np.exp(-score))
        frame = frame.rename(columns={"decision_score": "y_prob"})
    return frame
