"""Times of metadata as epoch seconds, in every format that a column may have."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from lib.schema import TimeFormat
from lib.sources.embeddings.times import epoch_seconds

NOON = datetime.datetime(2026, 4, 30, 12, tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        (pa.array(["2026-04-30T12:00:00Z", None]), "iso"),
        (pa.array(["2026-04-30 14:00:00+02:00", "nonsense"]), "iso"),
        (pa.array(["30/04/2026 12:00", "31/31/2026 12:00"]), "%d/%m/%Y %H:%M"),
        (pa.array([int(NOON), None]), "epoch_seconds"),
        (pa.array([str(int(NOON) * 1000), ""]), "epoch_milliseconds"),
        (pa.array([int(NOON), None], pa.timestamp("s")), "native"),
        (pa.array([datetime.datetime(2026, 4, 30, 12, tzinfo=datetime.UTC), None]), "native"),
    ],
)
def test_a_time_and_one_that_is_none(column: pa.Array, pattern: str) -> None:
    seconds = epoch_seconds(column, TimeFormat(pattern))
    assert seconds[0] == NOON
    assert np.isnan(seconds[1])
