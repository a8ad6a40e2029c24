"""The time column of metadata as epoch seconds, in memory: vectors are short, and their metadata with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.schema import EPOCHS, ISO, NATIVE, TimeFormat


def epoch_seconds(column: Any, time_format: TimeFormat) -> NDArray[np.float64]:
    """Epoch seconds of a pyarrow column, shape (n,); NaN for what is missing or cannot be read."""
    values = column.to_pandas()
    pattern = time_format.pattern
    if pattern in EPOCHS:
        return pd.to_numeric(values, errors="coerce").to_numpy(np.float64) / EPOCHS[pattern]
    if pattern != NATIVE:
        values = values.astype("string").str.strip()
    form = None if pattern == NATIVE else "ISO8601" if pattern == ISO else pattern
    moments = pd.to_datetime(values, format=form, errors="coerce", utc=True)
    seconds = moments.astype("datetime64[us, UTC]").astype(np.int64).to_numpy() / 1e6
    return np.where(moments.isna(), np.nan, seconds)
