"""Metrics over time, as they are drawn: one line per version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.checks import CheckResult
from lib.checks.words import place
from lib.diagnose import Diagnosis
from lib.figures.format import format_time
from lib.figures.nothing import nothing_words
from lib.metrics.cohorts import contrast_cohorts
from lib.metrics.estimates import Estimate, Estimates, FloatArray
from lib.metrics.margins import margin_quantile
from lib.metrics.summary import compute_summary
from lib.schema import NO_WINDOW, VERSION, WINDOW


@dataclass(frozen=True, eq=False)
class WindowLine:
    """One version over time.

    Attributes:
        version: whose rows.
        starts: shape (W,), epoch seconds at which its windows begin, ascending.
        metrics: name to estimates, one per window.
        lower_quartile, upper_quartile: of the margin, per window.
        whole: the first metric over all windows.
        p_adjusted: of that metric being worse than in the version's other windows, corrected over its windows; NaN
            where it is no rate.
    """

    version: str
    starts: NDArray[np.int64]
    metrics: dict[str, Estimates]
    lower_quartile: Estimates
    upper_quartile: Estimates
    whole: Estimate
    p_adjusted: FloatArray


@dataclass(frozen=True, eq=False)
class WindowsView:
    """What happened over time, per version.

    Attributes:
        baseline: the baseline's name.
        margin_target: γ.
        width: of a window, in seconds.
        words: that width as one says it.
        lines: one per version, baseline first.
        nothing: why there are no margins, if there are none.
        metric: the first of those drawn, which the title is about.
        change: of that metric as a whole, candidate − baseline; None where that is not beyond chance, or there are
            not two versions on one scale.
        named: the part and time of the first finding that has a time, behind a blank; "" without one.
    """

    baseline: str
    margin_target: float
    width: int
    words: str
    lines: tuple[WindowLine, ...]
    nothing: str
    metric: str = "violation_rate"
    change: Estimate | None = None
    named: str = ""

    @classmethod
    def of(
        cls,
        diagnosis: Diagnosis,
        metrics: tuple[str, ...] = ("violation_rate", "median_margin"),
        findings: Sequence[CheckResult] = (),
    ) -> WindowsView | None:
        """The view of a diagnosis, whose title may name what a finding says of a time; None without times."""
        grid = diagnosis.facts.windows
        if grid is None:
            return None
        cells = diagnosis.cells(VERSION, WINDOW)
        cells = cells.among(VERSION, diagnosis.shown_versions)
        summary = compute_summary(cells, diagnosis.metric_settings, metrics)
        metric = metrics[0]
        contrast = contrast_cohorts(cells, metric, diagnosis.metric_settings, key=WINDOW)
        versions = cells.rollup([VERSION])
        whole = compute_summary(versions, diagnosis.metric_settings, (metric,))[metric]
        quartiles = [margin_quantile(cells, q) for q in (0.25, 0.75)]
        lines: list[WindowLine] = []
        for version in diagnosis.shown_versions:
            here = np.flatnonzero((cells.groups[VERSION] == version) & (cells.groups[WINDOW] != NO_WINDOW))
            if len(here):
                lines.append(
                    WindowLine(
                        version,
                        cells.groups[WINDOW][here].astype(np.int64),
                        {name: each.take(here) for name, each in summary.metrics.items()},
                        quartiles[0].take(here),
                        quartiles[1].take(here),
                        whole[int(np.flatnonzero(versions.groups[VERSION] == version)[0])],
                        contrast.p_adjusted[here],
                    )
                )
        settings = diagnosis.settings
        nothing = nothing_words(diagnosis)
        judged = len(lines) == 2 and not nothing and diagnosis.verdict(metric) in ("better", "worse")
        timed = [each for each in findings if each.is_finding and each.where.window is not None]
        return cls(
            settings.baseline,
            settings.margin_target,
            grid.width,
            grid.words,
            tuple(lines),
            nothing,
            metric,
            diagnosis.change(metric) if judged else None,
            place(timed[0].version, timed[0].where, diagnosis.facts) if timed else "",
        )

    def frame(self) -> pd.DataFrame:
        """One row per version, window and metric."""
        parts = [
            pd.DataFrame(
                {
                    "version": line.version,
                    "window": [format_time(int(start)) for start in line.starts],
                    "metric": name,
                    **each.columns(),
                }
            )
            for line in self.lines
            for name, each in line.metrics.items()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
