"""Clean worlds of vectors: with cohorts, times and a recall from middling to its ceiling."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lib.checks import CheckResult
from lib.checks.embeddings import run_embedding_checks
from lib.embeddings import EmbeddingDiagnosis
from lib.schema import TimeFormat
from lib.sources.embeddings import EmbeddingRoles, FoundNeighbours, RowFaults
from lib.vectors import Distance
from sample_data.embedding_faults import Version
from tests.checks.embeddings.sets import diagnosis_with, made

DISTANCES = tuple(Distance)
HIDDEN = "hides a fall"
"""What the title of a fall says that recall at its ceiling does not show."""
CEILING = "recall at its ceiling"
WORLDS = (
    "two seeds",
    "two seeds, recall at its ceiling",
    "tuned",
    "tuned, recall at its ceiling",
    "split halves",
    "queries resampled",
    "queries resampled, recall at its ceiling",
    "times without a season",
)
SIZES = ((150, 16), (200, 64), (300, 16), (300, 384), (450, 32), (600, 24), (900, 64), (1_200, 384), (2_000, 24))
LARGE = (5_000, 48)
"""One world in twenty."""


@dataclass(frozen=True, eq=False)
class World:
    """Versions, the columns of each, and what is asked of them."""

    versions: tuple[Version, ...]
    columns: dict[str, dict[str, np.ndarray]]
    distance: Distance
    k: int
    sensitive: bool = False
    faults: Mapping[str, RowFaults] = field(default_factory=dict[str, RowFaults])
    neighbours: Mapping[str, FoundNeighbours] = field(default_factory=dict[str, FoundNeighbours])

    def diagnosis(self, folder: Path) -> EmbeddingDiagnosis:
        """The columns `time`, `split` and `group` are what their names say, others are cohorts."""
        names = list(self.columns[self.versions[0].name])
        roles = EmbeddingRoles(
            single={role: role for role in ("time", "split") if role in names},
            time_format=TimeFormat("epoch_seconds") if "time" in names else None,
            cohorts=tuple(name for name in names if name not in ("time", "split", "group")),
            sensitive=("group",) if "group" in names else (),
        )
        asked = self.versions, self.columns, roles, self.distance, (self.k,)
        return diagnosis_with(folder, *asked, self.faults, self.neighbours)


@dataclass(frozen=True, eq=False)
class Items:
    """What models embed: classes of about ten, about centres, with a variance that falls from axis to axis."""

    rng: np.random.Generator
    values: np.ndarray
    label: np.ndarray

    @property
    def spread(self) -> np.ndarray:
        return spread_of(self.values.shape[1])

    @staticmethod
    def draw(rng: np.random.Generator, n: int, dimension: int, noise: float, per_class: int = 10) -> Items:
        spread = spread_of(dimension)
        label = rng.permutation(np.arange(n) % max(2, n // per_class))
        centres = rng.standard_normal((int(label.max()) + 1, dimension)) * spread
        return Items(rng, centres[label] + noise * spread * rng.standard_normal((n, dimension)), label)

    def embed(self, noise: float = 0.1, *, turned: bool = False) -> np.ndarray:
        """Vectors by a model that has noise of its own, in coordinates of its own where it is another seed."""
        size = np.sqrt((self.values**2).mean())
        made = self.values + noise * size * self.rng.standard_normal(self.values.shape)
        return made @ rotation(self.rng, made.shape[1]) if turned else made


def spread_of(dimension: int) -> np.ndarray:
    return (1 + np.arange(dimension)) ** -0.25


def rotation(rng: np.random.Generator, dimension: int) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((dimension, dimension)))
    return q * np.sign(np.diag(r))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clean_world(seed: int) -> tuple[str, World]:
    """Its name, and versions of which nothing is wrong: columns are dealt at random."""
    rng = np.random.default_rng([seed, 60])
    name = WORLDS[seed % len(WORLDS)]
    n, dimension = LARGE if seed % 20 == 0 else SIZES[int(rng.integers(len(SIZES)))]
    # Of more dimensions classes lie farther apart.
    noise = 0.25 if name.endswith(CEILING) else rng.uniform(0.6, 0.9) * (dimension / 16) ** 0.25
    items = Items.draw(rng, n, dimension, noise, int(rng.choice([4, 10, 30])))
    old, second = items.embed(), "v2"
    new = items.embed(turned="two seeds" in name)
    if "tuned" in name:  # A little elsewhere, which does not matter: of what a class leaves in one dimension 0.05.
        new = new + 0.05 * noise * rng.choice([-1, 1], dimension) * items.spread / np.sqrt(dimension)
    if rng.random() < 0.5:
        old, new = unit(old), unit(new)
    columns = {f"cohort {place}": dealt(rng, n) for place in range(int(rng.integers(0, 3)))}
    if rng.random() < 0.5:
        columns["group"] = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    if rng.random() < 0.3:
        columns["split"] = rng.choice(["train", "test"], n)
    if name == "times without a season":
        columns["time"] = irregular_times(rng, n, int(rng.integers(4, 40)))
        if rng.random() < 0.5:  # Vectors that wander, and never come back but by chance.
            day = ((columns["time"] - columns["time"].min()) // 86_400).astype(np.int64)
            walk = np.cumsum(rng.standard_normal((int(day.max()) + 1, dimension)), axis=0)
            away = walk[day] * rng.uniform(0, 0.3) * np.sqrt(old.var(axis=0).sum() / (walk.var(axis=0).sum() + 1e-9))
            old, new = old + away, new + away
    before, after = made(old, items.label), made(new, items.label, second)
    distance, k = DISTANCES[int(rng.integers(2))], int(rng.choice([1, 5, 10]))
    if name == "split halves":
        order = rng.permutation(n)
        parts = {"v1": np.sort(order[: n // 2]), second: np.sort(order[n // 2 :])}
        halves = before.take(parts["v1"]), replace(before, name=second).take(parts[second])
        own = {part: {column: of[rows] for column, of in columns.items()} for part, rows in parts.items()}
        return name, World(halves, own, distance, k)
    if "resampled" in name:
        after = replace(before, name=second) if rng.random() < 0.5 else after
        asks = rng.random((2, n)) < rng.uniform(0.4, 0.8)
        before, after = (replace(each, is_query=asked) for each, asked in zip((before, after), asks, strict=True))
    return name, World((before, after), {"v1": columns, second: columns}, distance, k)


def dealt(rng: np.random.Generator, n: int) -> np.ndarray:
    """A cohort of 2 to 12 values, not equally frequent."""
    values = int(rng.integers(2, 13))
    return rng.choice([f"value {each}" for each in range(values)], n, p=rng.dirichlet(np.full(values, 2.0)))


def irregular_times(rng: np.random.Generator, n: int, days: int) -> np.ndarray:
    """Epoch seconds in order: fewer at night and at the week's end, in bursts, with a gap of some days."""
    minute = np.arange(days * 1_440)
    hour, weekday = minute // 60 % 24, minute // 1_440 % 7
    rate = (0.2 + (np.abs(hour - 13) < 6)) * np.where(weekday >= 5, 0.5, 1.0)
    rate *= np.exp(0.5 * rng.standard_normal(days * 24))[minute // 60]
    if days > 14:
        gap = int(rng.integers(2, days - 4))
        rate[gap * 1_440 : (gap + int(rng.integers(1, 3))) * 1_440] = 0
    chosen = np.sort(rng.choice(minute, n, p=rate / rate.sum()))
    # From a Thursday, 1 January 2026, on.
    return 1_767_225_600 + 60 * chosen + rng.integers(0, 60, n)


def findings_of(world: World) -> list[CheckResult]:
    with tempfile.TemporaryDirectory() as folder:
        results = run_embedding_checks(world.diagnosis(Path(folder)))
    return [each for each in results if each.is_finding]


def measure_clean_vectors(seeds: range) -> Iterator[tuple[int, str, list[CheckResult]]]:
    """Of each clean world its name, and its findings, which are wrong."""
    for seed in seeds:
        name, world = clean_world(seed)
        yield seed, name, findings_of(world)
