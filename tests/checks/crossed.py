"""A month in which a version is wrong where two cohorts cross, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

DAY = 86_400
START = 1_767_571_200
"""Monday, 5 January 2026."""
DEPLOYED, BACK = START + 12 * DAY, START + 20 * DAY
"""When v2 took over from v1, and when v1 came back."""


def crossed_world(n: int = 9_000, *, seed: int = 0, shift: float = 3.0) -> pd.DataFrame:
    """Thirty days; while v2 serves, scores of tenant b on the web (one row in seventeen) are too high by `shift`."""
    rng = np.random.default_rng(seed)
    second = START + np.sort(rng.integers(0, 30 * DAY, n))
    label = (rng.random(n) < 0.3).astype(float)
    tenant, channel = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]), rng.choice(["app", "web"], n, p=[0.8, 0.2])
    served = (second >= DEPLOYED) & (second < BACK)
    hit = served & (tenant == "b") & (channel == "web")
    return pd.DataFrame(
        {
            "time": pd.to_datetime(second, unit="s", utc=True),
            "version": np.where(served, "v2", "v1"),
            "label": label,
            "score": expit(np.where(label > 0, 1.6, -2.0) + rng.normal(0, 1.2, n) + shift * hit),
            "tenant": tenant,
            "channel": channel,
        }
    )
