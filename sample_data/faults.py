"""Small seeded data sets with a known fault, or none, by the hundred.

:func:`make_predictions` draws a world (class balance, separation, versions, windows, cohorts) from the seed. In a
clean world every part is like every other: cohorts, windows and versions differ by chance alone (versions by a
separation up to 3 % apart), probabilities are calibrated up to one common temperature, and labels are missing
completely at random. A fault is then put into a stated part of it, and :class:`Truth` says what and where.

Five thousand rows take about five milliseconds, so that a test can go over hundreds of seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["CHECKS", "DEFAULT_STRENGTH", "SCOPES", "Fault", "Layout", "Scope", "Truth", "make_predictions"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Seconds = npt.NDArray[np.datetime64]

Fault = Literal[
    "label-flip",
    "label-encoding",
    "margin-collapse",
    "constant-score",
    "cohort-disparity",
    "small-sample",
    "missing-scores",
    "missing-labels",
    "time-gap",
    "class-imbalance",
    "missing-version",
    "missing-time",
    "duplicate-ids",
    "leaky-split",
    "boundary-mass",
    "clipped-scores",
    "certain-errors",
    "score-drift",
    "class-mix",
    "noisy-labels",
    "overconfidence",
    "slow-candidate",
    "dear-candidate",
    "moved-threshold",
    "eager-model",
    "weaker-model",
]
Scope = Literal["all", "version", "window", "cohort", "cohort-window"]
Layout = Literal["sequential", "canary", "shadow"]
Mechanism = Literal["score", "label"]

# The check of DOMAIN.md that ought to fire.
CHECKS: dict[Fault, str] = {
    "label-flip": "label-flip",
    "label-encoding": "label-encoding",
    "margin-collapse": "margin-collapse",
    "constant-score": "constant-score",
    "cohort-disparity": "cohort-disparity",
    "small-sample": "small-sample",
    "missing-scores": "missing-telemetry",
    "missing-labels": "missing-telemetry",
    "time-gap": "missing-telemetry",
    "class-imbalance": "class-imbalance",
    "missing-version": "missing-deploy-context",
    "missing-time": "missing-deploy-context",
    "duplicate-ids": "duplicate-ids",
    "leaky-split": "leaky-split",
    "boundary-mass": "boundary-mass",
    "clipped-scores": "boundary-mass",
    "certain-errors": "boundary-mass",
    "score-drift": "score-drift",
    "class-mix": "score-drift",
    "noisy-labels": "noisy-labels",
    "overconfidence": "miscalibration",
    "slow-candidate": "latency-regression",
    "dear-candidate": "cost-regression",
    "moved-threshold": "threshold-shift",
    "eager-model": "false-positive-rise",
    "weaker-model": "quality-regression",
}

# Where each fault can be put; the first is the default.
SCOPES: dict[Fault, tuple[Scope, ...]] = {
    "label-flip": ("cohort-window", "version", "window", "cohort"),
    "label-encoding": ("all",),
    "margin-collapse": ("version", "window", "cohort", "cohort-window"),
    "constant-score": ("version", "all", "window", "cohort", "cohort-window"),
    "cohort-disparity": ("cohort",),
    "small-sample": ("all", "version"),
    "missing-scores": ("window", "version", "cohort", "cohort-window"),
    "missing-labels": ("window", "version", "cohort", "cohort-window"),
    "time-gap": ("window",),
    "class-imbalance": ("all",),
    "missing-version": ("all",),
    "missing-time": ("all",),
    "duplicate-ids": ("version", "all"),
    "leaky-split": ("version", "all"),
    "boundary-mass": ("version", "all"),
    "clipped-scores": ("version", "all"),
    "certain-errors": ("version", "all"),
    "score-drift": ("window", "cohort-window"),
    "class-mix": ("window",),
    "noisy-labels": ("cohort",),
    "overconfidence": ("version", "all"),
    "slow-candidate": ("version",),
    "dear-candidate": ("version",),
    "moved-threshold": ("version",),
    "eager-model": ("version", "window"),
    "weaker-model": ("version", "window", "cohort-window"),
}

DEFAULT_STRENGTH: dict[Fault, float] = {
    "label-flip": 1.0,  # share of the part's rows that are reversed
    "label-encoding": 1.0,  # the same, of all rows
    "margin-collapse": 0.15,  # decision scores are multiplied by it
    "constant-score": 1,  # how many distinct scores are left
    "cohort-disparity": 0.4,  # the cohort's separation as a share of everybody else's
    "small-sample": 30,  # rows left
    "missing-scores": 0.8,  # share of the part's rows without a score
    "missing-labels": 0.8,  # share of the part's labelled rows that lose the label
    "time-gap": 1.0,  # share of the window's rows that are gone
    "class-imbalance": 0.05,  # share of positives
    "missing-version": 1.0,  # the column is gone
    "missing-time": 1.0,  # the same
    "duplicate-ids": 0.02,  # share of the part's rows that have the id of another row of their version and split
    "leaky-split": 0.02,  # share of the part's test rows that have the id of a training row of their version
    "boundary-mass": 0.1,  # share of the part's rows that answer p = 0.5
    "clipped-scores": 0.3,  # share of the part's rows that are clipped at the upper end
    "certain-errors": 0.15,  # share of the part's rows that answer p = 0 or p = 1 by their side of a half
    "score-drift": 0.8,  # decision scores move towards the more frequent class by so many of their standard deviations
    "class-mix": 0.45,  # the share of positives goes up or down by so much, towards a half and beyond
    "noisy-labels": 0.25,  # share of the part\'s labels that are turned round
    "overconfidence": 2.0,  # calibrated log odds are multiplied by it
    "slow-candidate": 1.3,  # latencies are multiplied by it
    "dear-candidate": 1.3,  # costs are
    "moved-threshold": 0.8,  # decision scores move by so many standard deviations of a class, in one way or the other
    "eager-model": 0.8,  # decision scores of negatives move up by so many standard deviations of a class
    "weaker-model": 0.3,  # the part's separation as a share of everybody else's
}

_COLUMNS = ("region", "device", "plan", "channel")
_VALUES = {
    "region": ("north", "south", "east", "west", "centre", "coast", "hills", "islands"),
    "device": ("phone", "desktop", "tablet", "tv", "watch", "kiosk", "car", "speaker"),
    "plan": ("free", "basic", "plus", "pro", "team", "school", "trial", "partner"),
    "channel": ("search", "direct", "mail", "social", "referral", "store", "app", "print"),
}
_START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Truth:
    """What was drawn, and what was broken where.

    ``rows`` are positions in the returned frame: those in the faulty part for most faults, the remaining rows of
    that part for ``small-sample``, none for ``time-gap`` (they are gone; ``n_removed`` counts them).
    """

    seed: int
    prevalence: float
    roc_auc: float  # of the population, where nothing is broken
    layout: Layout
    versions: tuple[str, ...]
    cohort_columns: tuple[str, ...]
    start: datetime
    end: datetime
    unlabelled_share: float
    decimals: int | None  # to which scores are rounded, half the time not at all
    fault: Fault | None = None
    check: str | None = None
    scope: Scope | None = None
    strength: float | None = None
    mechanism: Mechanism | None = None  # of a flip: scores or labels reversed
    version: str | None = None
    cohort: tuple[str, str] | None = None  # column, value
    window: tuple[datetime, datetime] | None = None  # from, to (exclusive)
    n_removed: int = 0
    rows: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64), compare=False, repr=False)


def _codes(rng: np.random.Generator, shares: Floats, n: int) -> Ints:
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), side="right").astype(np.int64)


def _take(values: tuple[str, ...], codes: Ints) -> pd.Series:
    return pd.Series(values, dtype="str").take(codes).reset_index(drop=True)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(_START.timestamp() + seconds, tz=UTC)


def _decide(
    seed: int, n: int, fault: Fault | None, scope: Scope | None, strength: float | None, share: float
) -> tuple[Scope | None, float]:
    if seed < 0 or n < 1:
        raise ValueError(f"seed must be at least 0 and n at least 1, not {seed} and {n}")
    if fault is None:
        if scope is not None or strength is not None:
            raise ValueError("scope and strength belong to a fault; none was asked for")
        return None, 0.0
    if scope is None:
        scope = SCOPES[fault][0]
    elif scope not in SCOPES[fault]:
        raise ValueError(f"{fault} cannot be put into {scope!r}, only into {', '.join(SCOPES[fault])}")
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, not be {share}")
    return scope, DEFAULT_STRENGTH[fault] if strength is None else float(strength)


def _repeat_ids(rng: np.random.Generator, frame: pd.DataFrame, part: Bools, share: float, *, across: bool) -> pd.Series:
    """The ids of a frame, a share of the part's with that of another row; with `across` of its test rows, of train."""
    ids = frame["id"].copy()
    for _, group in frame[part].groupby(["version"] if across else ["version", "split"]):
        own = group.index[group["split"] == "test"] if across else group.index
        others = group.index.difference(own) if across else group.index
        hit = rng.choice(own, max(1, round(share * len(own))), replace=False)
        left = others.difference(pd.Index(hit))
        ids[hit] = frame["id"][rng.choice(left, len(hit), replace=False)].to_numpy()
    return ids


def make_predictions(
    seed: int,
    n: int = 5_000,
    *,
    fault: Fault | None = None,
    scope: Scope | None = None,
    share: float = 0.2,
    strength: float | None = None,
    mechanism: Mechanism = "score",
    prevalence: float | None = None,
    separation: float | None = None,
    temperature: float | None = None,
    n_versions: int | None = None,
    n_cohort_columns: int | None = None,
    days: int | None = None,
    layout: Layout | None = None,
    unlabelled_share: float | None = None,
    weighted: bool = False,
    serving: bool = False,
) -> tuple[pd.DataFrame, Truth]:
    """Draws a data set of predictions, clean or with one fault.

    Args:
        seed: Decides everything that is not given; the same arguments give the same frame.
        n: Rows (before ``small-sample`` or ``time-gap`` remove some).
        fault: What to break, or None for a clean data set.
        scope: Which kind of part to break; see :data:`SCOPES` for what is possible and the default.
        share: Size of the broken part: the share of rows that the cohort has, of the period that the window
            takes, or both (a cohort within a window then holds ``share²`` of the rows). Versions keep theirs.
        strength: How badly; see :data:`DEFAULT_STRENGTH` for the unit and the default.
        mechanism: Whether ``label-flip`` and ``label-encoding`` reverse scores (p → 1 − p) or labels.
        prevalence: Share of positives; otherwise between 0.15 and 0.85.
        separation: Distance of the two classes' scores in standard deviations, AUC = Φ(separation/√2); otherwise
            between 1.5 and 3, an AUC from 0.86 to 0.98.
        temperature: By what all log odds are multiplied: 1 is calibrated; otherwise between 0.8 and 1.2, and 1 under
            ``overconfidence``.
        n_versions: Number of versions; otherwise 1 to 3, and at least 2 where one of them is to break.
        n_cohort_columns: Number of cohort columns (up to 4, of 2 to 8 values each); otherwise 1 to 4.
        days: Length of the period; otherwise 7 to 40.
        layout: Versions one after the other, each row to one of them at random all along, or each id to all of
            them; otherwise one of these.
        unlabelled_share: Share of labels missing at random; otherwise none or up to 5 %.
        weighted: Whether to add a column ``weight``.
        serving: Whether to add ``latency`` and ``cost``, as ``slow-candidate`` and ``dear-candidate`` do.

    Returns:
        A frame with columns id, time, version, split, label (0, 1 or NaN), score (a probability), one column per
        cohort, perhaps weight, in the order of time; and the truth about it.
    """
    chosen, power = _decide(seed, n, fault, scope, strength, share)
    world = np.random.default_rng([seed, 30])
    model = np.random.default_rng([seed, 31])
    damage = np.random.default_rng([seed, 32])

    # The world. All draws are made whatever the arguments say, so that an argument changes only what it names.
    drawn = world.random(12)
    pi = 0.15 + 0.7 * drawn[0] if prevalence is None else prevalence
    pi = power if fault == "class-imbalance" else pi
    d = 1.5 + 1.5 * drawn[1] if separation is None else separation
    k = 1 + int(3 * drawn[2]) if n_versions is None else n_versions
    if n_versions is None and chosen == "version":
        k = max(k, 2)
    columns = _COLUMNS[: 1 + int(4 * drawn[3]) if n_cohort_columns is None else n_cohort_columns]
    period = (7 + int(34 * drawn[4]) if days is None else days) * 86_400
    layouts: tuple[Layout, ...] = ("sequential", "canary", "shadow")
    arranged = layouts[int(3 * drawn[5])] if layout is None else layout
    missing = max(0.0, 0.10 * drawn[6] - 0.05) if unlabelled_share is None else unlabelled_share
    decimals = (None, None, 4, 6)[int(4 * drawn[7])]
    usual = 1.0 if fault == "overconfidence" else 0.8 + 0.4 * drawn[8]
    heat = usual if temperature is None else temperature
    season = 0.6 * drawn[9]
    if pi <= 0 or pi >= 1 or k < 1 or not 0 <= missing < 1 or period <= 0:
        raise ValueError("prevalence must lie between 0 and 1, versions and days be at least 1")
    if chosen == "version" and k < 2:
        raise ValueError("a fault in one version needs at least two of them")
    if chosen in ("cohort", "cohort-window") and not columns:
        raise ValueError(f"a fault in {chosen!r} needs at least one cohort column")

    # Rows: `units` are what is classified; under "shadow" every version scores each of them.
    copies = k if arranged == "shadow" else 1
    units = math.ceil(n / copies)
    grid = np.linspace(0, period, 24 * 60 + 1)
    travelled = grid + season * 86_400 / (2 * np.pi) * (1 - np.cos(2 * np.pi * grid / 86_400))
    seconds = np.sort(np.interp(world.random(units) * travelled[-1], travelled, grid).astype(np.int64))
    seconds = np.minimum(seconds, period - 1)
    y = (world.random(units) < pi).astype(np.float64)
    labelled = world.random(units) >= missing
    split = _codes(world, np.array([0.5, 0.5]), units)
    unit_cohorts: dict[str, Ints] = {}
    cohort_values: dict[str, tuple[str, ...]] = {}
    for position, column in enumerate(columns):
        size = int(world.integers(2, 9))
        shares = world.dirichlet(np.full(size, 2.0))
        if position == 0 and chosen in ("cohort", "cohort-window"):
            # The value that will break: its share is given, the others share the rest.
            shares = np.concatenate([[share], shares[1:] / shares[1:].sum() * (1 - share)])
        cohort_values[column] = _VALUES[column][:size]
        unit_cohorts[column] = _codes(world, shares, units)
    weight = np.exp(world.normal(0, 0.5, units)).round(3)

    unit = np.repeat(np.arange(units), copies)[:n]
    seconds, y, labelled, split = seconds[unit], y[unit], labelled[unit], split[unit]
    cohorts = {column: codes[unit] for column, codes in unit_cohorts.items()}
    if arranged == "shadow":
        version = np.arange(n, dtype=np.int64) % k
    elif arranged == "canary":
        version = model.integers(0, k, n)
    else:
        version = seconds * k // period

    # The fault's part.
    names = tuple(f"v{i + 1}" for i in range(k))
    part: Bools = np.ones(n, dtype=np.bool_)
    at_version: str | None = None
    at_cohort: tuple[str, str] | None = None
    at_window: tuple[datetime, datetime] | None = None
    if chosen == "version":
        at_version = names[-1]
        part = version == k - 1
    if chosen in ("window", "cohort-window"):
        hours = period // 3600
        length = min(max(1, round(hours * share)), hours - 1)
        # Not at the very start, so that there is a before to compare with.
        first = int(damage.integers(min(max(1, hours // 10), hours - length), hours - length + 1))
        at_window = (_moment(first * 3600), _moment((first + length) * 3600))
        part = (seconds >= first * 3600) & (seconds < (first + length) * 3600)
    if chosen in ("cohort", "cohort-window"):
        at_cohort = (columns[0], cohort_values[columns[0]][0])
        part = part & (cohorts[columns[0]] == 0)

    if fault == "class-mix":
        moved = pi + power if pi < 0.5 else pi - power
        y = np.where(part, damage.random(units)[unit] < moved, y).astype(np.float64)

    # Scores: log odds of two normal populations at distance d, up to the common temperature.
    per_version = d * (1 + 0.03 * model.random(k))
    z = model.standard_normal(n)
    true_d = per_version[version]
    signal = np.where(part, true_d * power, true_d) if fault in ("cohort-disparity", "weaker-model") else true_d
    s = heat * (math.log(pi / (1 - pi)) + true_d * ((y - 0.5) * signal + z))
    if fault in ("margin-collapse", "overconfidence"):
        s = np.where(part, s * power, s)
    if fault == "score-drift":
        s = np.where(part, s + math.copysign(power, pi - 0.5) * s.std(), s)
    if fault == "moved-threshold":
        s = np.where(part, s + (1 if damage.random() < 0.5 else -1) * power * heat * true_d, s)
    if fault == "eager-model":
        s = np.where(part & (y == 0), s + power * heat * true_d, s)
    p = np.clip(1 / (1 + np.exp(-s)), 1e-6, 1 - 1e-6)
    if fault == "constant-score":
        levels = p[damage.integers(0, n, max(1, round(power)))]
        p = np.where(part, levels[damage.integers(0, len(levels), n)], p)
    if fault == "boundary-mass":
        p = np.where(part & (damage.random(n) < power), 0.5, p)
    if fault == "clipped-scores":
        p = np.where(part, np.minimum(p, np.quantile(p[part], 1 - power)), p)
    label = np.where(labelled, y, np.nan)
    if fault == "noisy-labels":
        label = np.where(part & (damage.random(n) < power), 1 - label, label)
    if fault in ("label-flip", "label-encoding"):
        hit = part & (damage.random(n) < power)
        if mechanism == "score":
            p = np.where(hit, 1 - p, p)
        else:
            label = np.where(hit, 1 - label, label)
    if decimals is not None:
        # Clipped as a careful service does: a rounded 0 or 1 would claim an infinite decision score.
        p = np.clip(p.round(decimals), 10.0**-decimals, 1 - 10.0**-decimals).round(decimals)
    if fault == "certain-errors":
        p = np.where(part & (damage.random(n) < power), (p > 0.5).astype(np.float64), p)
    if fault == "missing-scores":
        p = np.where(part & (damage.random(n) < power), np.nan, p)
    if fault == "missing-labels":
        label = np.where(part & (damage.random(n) < power), np.nan, label)

    keep: Ints | None = None
    if fault == "small-sample":
        inside = np.flatnonzero(part)
        left = damage.permutation(inside)[: max(1, round(power))]
        keep = np.sort(np.concatenate([np.flatnonzero(~part), left]))
    elif fault == "time-gap":
        keep = np.flatnonzero(~(part & (damage.random(n) < power)))

    time: Seconds = np.datetime64(_START.replace(tzinfo=None), "us") + seconds.astype("timedelta64[s]")
    frame = pd.DataFrame(
        {
            "id": pd.Series([f"{seed}-{i}" for i in unit.tolist()], dtype="str"),
            "time": pd.Series(time).dt.tz_localize("UTC"),
            "version": _take(names, version),
            "split": _take(("validation", "test"), split),
            "label": label,
            "score": p,
            **{column: _take(cohort_values[column], codes) for column, codes in cohorts.items()},
            **({"weight": weight[unit]} if weighted else {}),
        }
    )
    if serving or fault in ("slow-candidate", "dear-candidate"):
        load = np.exp(0.1 * damage.standard_normal(period // 3600 + 1))[seconds // 3600]
        for column, of, middle in (("latency", "slow-candidate", 40.0), ("cost", "dear-candidate", 0.001)):
            frame[column] = (
                middle * load * np.exp(0.5 * damage.standard_normal(n)) * np.where(part & (fault == of), power, 1)
            )
    if fault == "leaky-split":
        frame["split"] = _take(("train", "test"), split)
    if fault in ("duplicate-ids", "leaky-split"):
        frame["id"] = _repeat_ids(damage, frame, part, power, across=fault == "leaky-split")
    if fault in ("missing-version", "missing-time"):
        frame = frame.drop(columns=fault.removeprefix("missing-"))
    if keep is not None:
        frame, part = frame.take(keep).reset_index(drop=True), part[keep]
    broken = fault is not None and fault != "time-gap"
    return frame, Truth(
        seed=seed,
        prevalence=float(pi),
        roc_auc=0.5 * math.erfc(-float(d) / 2),
        layout=arranged,
        versions=names,
        cohort_columns=columns,
        start=_START,
        end=_moment(period),
        unlabelled_share=float(missing),
        decimals=decimals,
        fault=fault,
        check=None if fault is None else CHECKS[fault],
        scope=chosen,
        strength=None if fault is None else power,
        mechanism=mechanism if fault in ("label-flip", "label-encoding") else None,
        version=at_version,
        cohort=at_cohort,
        window=at_window,
        n_removed=n - len(frame),
        rows=np.flatnonzero(part) if broken else np.empty(0, dtype=np.int64),
    )
