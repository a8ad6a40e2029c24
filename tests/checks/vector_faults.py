"""Worlds of vectors with one thing broken, and what a finding has to name; how often the checks find it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.checks.embeddings import EMBEDDING_CHECKS
from lib.checks.result import Finding
from lib.sources.embeddings import FoundNeighbours
from lib.vectors import Distance
from sample_data.embedding_faults import Fault, make_versions
from tests.checks.embeddings.sets import made
from tests.checks.vector_worlds import (
    DISTANCES,
    HIDDEN,
    Items,
    World,
    irregular_times,
    measure_clean_vectors,
    rotation,
    unit,
)

Rng = np.random.Generator
Names = Callable[[Finding], bool]
Broken = tuple[World, Names]
"""A world, and whether a finding names what is wrong there."""

SHAPES = ((300, 16), (450, 64), (600, 24), (900, 32), (400, 384))
PAPER = {"source": "paper"}


def drawn(rng: Rng, noise: float = 0.7, per_class: int = 10) -> Items:
    n, dimension = SHAPES[int(rng.integers(len(SHAPES)))]
    return Items.draw(rng, n, dimension, noise * (dimension / 16) ** 0.25, per_class)


def compared(
    old: np.ndarray,
    new: np.ndarray | None,
    label: np.ndarray,
    columns: Mapping[str, np.ndarray] | None = None,
    distance: Distance = Distance.COSINE,
    k: int = 1,
) -> World:
    """One version or two of the same rows, with the same columns."""
    versions = tuple(made(each, label, name) for each, name in ((old, "v1"), (new, "v2")) if each is not None)
    return World(versions, {each.name: dict(columns or {"row": each.ids}) for each in versions}, distance, k)


def scale_of(vectors: np.ndarray) -> float:
    return float(np.sqrt(vectors.var(axis=0).sum()))


def blurred(rng: Rng, vectors: np.ndarray, size: float) -> np.ndarray:
    """Vectors with more noise: as much more of more dimensions as it takes to lose as many answers."""
    size *= np.sqrt((vectors**2).mean()) * (vectors.shape[1] / 16) ** 0.35
    return vectors + size * rng.standard_normal(vectors.shape)


def part(rng: Rng, n: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `source = paper`, and that column."""
    inside = rng.random(n) < share
    return inside, np.where(inside, "paper", rng.choice(["web", "phone"], n))


def moved(rng: Rng) -> Broken:
    items, distance = drawn(rng), DISTANCES[int(rng.integers(2))]
    old, new = unit(items.embed()), unit(items.embed())
    new = new + 0.3 * scale_of(new) * unit(rng.standard_normal((1, new.shape[1])))
    return compared(old, new, items.label, distance=distance), lambda it: "the mean moved" in it.title


def moved_cohort(rng: Rng) -> Broken:
    items = drawn(rng)
    inside, source = part(rng, len(items.label), 0.3)
    old, new = items.embed(), items.embed()
    new[inside] += 0.6 * scale_of(new) * unit(rng.standard_normal((1, new.shape[1])))
    world = compared(old, new, items.label, {"source": source}, Distance.EUCLIDEAN)
    return world, lambda it: it.where.cohort == PAPER


def stale(rng: Rng) -> Broken:
    items = drawn(rng)
    old, new = items.embed(), items.embed(turned=True)
    rows = rng.random(len(old)) < 0.12
    new[rows] = old[rows] * rng.choice([1.0, 0.5])
    world = compared(old, new, items.label, distance=DISTANCES[int(rng.integers(2))])
    return world, lambda it: it.evidence.get("n_stale") == rows.sum()


def stale_cohort(rng: Rng) -> Broken:
    items = drawn(rng)
    inside, source = part(rng, len(items.label), 0.3)
    old, new = items.embed(), items.embed(turned=True)
    rows = inside & (rng.random(len(old)) < 0.7)
    new[rows] = old[rows]
    world = compared(old, new, items.label, {"source": source})
    return world, lambda it: it.evidence.get("n_stale") == rows.sum() and it.where.cohort == PAPER


def two_models(rng: Rng) -> Broken:
    items = drawn(rng)
    old, new, other = items.embed(), items.embed(turned=True), items.embed(turned=True)
    rows = rng.random(len(old)) < 0.1
    new[rows] = other[rows]
    world = compared(old, new, items.label)
    return world, lambda it: abs(it.evidence.get("n_far", 0) - rows.sum()) <= 0.1 * rows.sum()


def long_cohort(rng: Rng) -> Broken:
    items = drawn(rng)
    inside, source = part(rng, len(items.label), 0.3)
    old, new = unit(items.embed()), unit(items.embed())
    new[inside] *= 2 * np.exp(0.7 * rng.standard_normal((int(inside.sum()), 1)))
    world = compared(old, new, items.label, {"source": source}, Distance.EUCLIDEAN)
    return world, lambda it: it.where.cohort == PAPER or it.evidence.get("is_paired", False)


def fall(fault: Fault) -> Callable[[Rng], Broken]:
    def broken(rng: Rng) -> Broken:
        before, after, _truth = make_versions(int(rng.integers(1 << 30)), 900, 16, faults=(fault,), cohort="")
        columns = {each.name: {"row": each.ids} for each in (before, after)}
        world = World((before, after), columns, Distance.EUCLIDEAN, 1)
        return world, lambda it: fault in [each["name"] for each in it.evidence.get("hypotheses", [])]

    return broken


def worse_segment(rng: Rng) -> Broken:
    items = drawn(rng, 0.5)
    inside, source = part(rng, len(items.label), 0.4)
    old, new = items.embed(), items.embed()
    new[inside] = blurred(rng, new[inside], 1.2)
    world = compared(old, new, items.label, {"source": source})
    return world, lambda it: "paper" in [each["value"] for each in it.evidence.get("values", [])]


def hidden(rng: Rng) -> Broken:
    # Of a class of thirty one right answer among ten is easily found, thirty of thirty are not.
    items = drawn(rng, 0.35, 30)
    old = items.embed()
    return compared(old, blurred(rng, items.embed(), 0.6), items.label, k=10), lambda it: HIDDEN in it.title


def broken_rows(what: str, value: float) -> Callable[[Rng], Broken]:
    def broken(rng: Rng) -> Broken:
        items = drawn(rng)
        old, new = items.embed(), items.embed()
        rows = rng.choice(len(new), 9, replace=False)
        new[rows] = value
        return compared(old, new, items.label), lambda it: it.evidence["index_problems"].get(what) == 9

    return broken


def ids_twice(rng: Rng) -> Broken:
    items = drawn(rng)
    before, after = made(items.embed(), items.label), made(items.embed(), items.label, "v2")
    ids = after.ids.copy()
    ids[rng.choice(len(ids) // 2, 5, replace=False)] = ids[-5:]
    versions = before, replace(after, ids=ids)
    world = World(versions, {each.name: {"row": each.ids} for each in versions}, Distance.COSINE, 1)
    return world, lambda it: it.evidence["index_problems"].get("repeated_id") == 5


def poor_index(rng: Rng) -> Broken:
    """An index that has a fifth of the rows not in it."""
    items = drawn(rng)
    vectors = unit(items.embed())
    apart = 2 - 2 * vectors @ vectors.T
    np.fill_diagonal(apart, np.inf)
    apart[:, rng.random(len(vectors)) < 0.2] = np.inf
    answers = np.argsort(apart, axis=1)[:, :10].astype(np.int32)
    found = {"v1": FoundNeighbours(np.arange(len(vectors)), answers)}
    world = replace(compared(vectors, None, items.label, k=10), neighbours=found)
    return world, lambda it: it.evidence["ann_recall"] < 0.9


def leak(rng: Rng) -> Broken:
    items = drawn(rng)
    group = rng.choice(["a", "b", "c"], len(items.label), p=[0.5, 0.3, 0.2])
    vectors = items.embed()
    vectors[group == "b"] += 0.5 * scale_of(vectors) * unit(rng.standard_normal((1, vectors.shape[1])))
    return compared(vectors, None, items.label, {"group": group}), lambda it: it.evidence["column"] == "group"


def skew(rng: Rng) -> Broken:
    items = drawn(rng, 0.5)
    inside, source = part(rng, len(items.label), 0.4)
    vectors = items.embed()
    vectors[inside] = blurred(rng, vectors[inside], 1.2)
    return compared(vectors, None, items.label, {"source": source}), lambda it: it.where.cohort == PAPER


def hubs(rng: Rng) -> Broken:
    """Rows near the middle, and so near to all."""
    items = Items.draw(rng, 900, 64, 1.5)
    vectors = items.embed()
    rows = rng.choice(len(vectors), max(1, len(vectors) // 100), replace=False)
    vectors[rows] *= 0.05
    return compared(vectors, None, items.label, distance=Distance.EUCLIDEAN, k=10), lambda _it: True


def few_axes(rng: Rng) -> Broken:
    vectors = drawn(rng).embed()
    n, dimension = vectors.shape
    vectors = rng.standard_normal((n, 2)) @ rng.standard_normal((2, dimension)) + 0.05 * vectors
    return compared(vectors, None, np.full(n, -1)), lambda it: it.evidence["participation_ratio"] <= 3


def dead(rng: Rng) -> Broken:
    vectors = drawn(rng).embed()
    n, dimension = vectors.shape
    gone = rng.permutation(dimension)[: dimension // 3]
    vectors[:, gone] = rng.standard_normal(len(gone))
    return compared(
        vectors, None, np.full(n, -1), distance=Distance.EUCLIDEAN
    ), lambda it: it.evidence["n_dead"] == len(gone)


def one_way(rng: Rng) -> Broken:
    vectors = drawn(rng).embed()
    vectors = vectors + 6 * scale_of(vectors) * unit(rng.standard_normal((1, vectors.shape[1])))
    return compared(vectors, None, np.full(len(vectors), -1)), lambda it: it.evidence["mean_cosine"] > 0.95


def oversized(rng: Rng) -> Broken:
    """Eight dimensions say all, in coordinates of 64."""
    items = Items.draw(rng, 900, 8, 0.15)
    vectors = np.concatenate([items.embed(), 0.001 * rng.standard_normal((900, 56))], axis=1)
    if rng.random() < 0.5:
        vectors = vectors @ rotation(rng, 64)
    return compared(vectors, None, items.label), lambda it: it.evidence["smaller_dimension"] <= 16


def copies(rng: Rng) -> Broken:
    items = drawn(rng)
    vectors = unit(items.embed())
    n = len(vectors) // 25
    vectors[:n] = vectors[n : 2 * n] + 0.05 * unit(rng.standard_normal((n, vectors.shape[1])))
    return compared(vectors, None, items.label), lambda it: abs(it.evidence["n_duplicates"] - 2 * n) <= 0.2 * n


def default_vector(rng: Rng) -> Broken:
    items = drawn(rng)
    vectors = items.embed()
    rows = rng.random(len(vectors)) < 0.05
    vectors[rows] = rng.standard_normal(vectors.shape[1])
    world = compared(vectors, None, items.label, distance=DISTANCES[int(rng.integers(2))])
    return world, lambda it: it.evidence.get("n_equal") == rows.sum() - 1


def copies_across_splits(rng: Rng) -> Broken:
    items = drawn(rng)
    vectors, n = unit(items.embed()), len(items.label)
    split = np.where(np.arange(n) < n // 2, "train", "test")
    m = n // 25
    vectors[-m:] = vectors[:m]
    world = compared(vectors, None, items.label, {"split": split})
    return world, lambda it: it.evidence.get("n_leaking", 0) >= 2 * m


def season(cycle: str) -> Callable[[Rng], Broken]:
    """Four weeks or ten days, few rows at night and at the week's end; half of the worlds drift besides."""

    def broken(rng: Rng) -> Broken:
        items = Items.draw(rng, 2_500, int(rng.choice([16, 64])), 0.8)
        vectors, days = items.embed(), 28 if cycle == "week" else 10
        seconds = irregular_times(rng, len(vectors), days)
        away = 0.7 * scale_of(vectors) * unit(rng.standard_normal((1, vectors.shape[1])))
        # From a Thursday on.
        phase = (seconds // 86_400 + 3) % 7 >= 5 if cycle == "week" else (seconds % 86_400) // 3_600 >= 17
        trend = (seconds - seconds[0]) / (seconds[-1] - seconds[0]) if rng.random() < 0.5 else np.zeros(len(vectors))
        beside = unit(rng.standard_normal((1, vectors.shape[1]))) * scale_of(vectors)
        vectors = vectors + phase[:, None] * away + trend[:, None] * beside
        return compared(vectors, None, items.label, {"time": seconds}), lambda it: it.evidence["cycle"] == cycle

    return broken


FALLS: tuple[Fault, ...] = (
    "misaligned-ids",
    "stale-rows",
    "mixed-models",
    "not-normalised",
    "truncated",
    "quantised",
    "dead-dimensions",
    "collapse",
    "query-gallery-mismatch",
    "duplicates",
    "gallery-growth",
)
FAULTS: dict[tuple[str, str], Callable[[Rng], Broken]] = {
    ("embedding-drift", "mean moved by 0.3 of the spread"): moved,
    ("embedding-drift", "a cohort moved by 0.6 of the spread"): moved_cohort,
    ("embedding-drift", "new coordinates, 12 % stale"): stale,
    ("embedding-drift", "new coordinates, a cohort stale"): stale_cohort,
    ("embedding-drift", "10 % of another model"): two_models,
    ("embedding-drift", "a cohort not normalised"): long_cohort,
    **{("recall-drop", each): fall(each) for each in FALLS},
    ("recall-drop", "a segment worse"): worse_segment,
    ("recall-drop", "hidden by the ceiling"): hidden,
    ("index-corruption", "9 rows of NaN"): broken_rows("nan", np.nan),
    ("index-corruption", "9 rows of zeros"): broken_rows("zero_norm", 0.0),
    ("index-corruption", "5 ids twice"): ids_twice,
    ("index-corruption", "a fifth not in the index"): poor_index,
    ("leakage", "a group moved by 0.5 of the spread"): leak,
    ("segment-skew", "a segment with more noise"): skew,
    ("hubness", "1 % of the rows in the middle"): hubs,
    ("collapse", "variance on two axes"): few_axes,
    ("collapse", "a third of the dimensions dead"): dead,
    ("collapse", "all one way"): one_way,
    ("oversized-dimension", "8 of 64 dimensions"): oversized,
    ("duplicates", "copies of 4 %, with noise"): copies,
    ("duplicates", "one vector in 5 %"): default_vector,
    ("duplicates", "copies in the other split"): copies_across_splits,
    ("seasonal-drift", "weekends of four weeks"): season("week"),
    ("seasonal-drift", "evenings of ten days"): season("day"),
}


def outcome(check: str, words: str, seed: int) -> tuple[bool, bool]:
    """Whether the check of a fault finds something, and whether it names what."""
    world, names = FAULTS[check, words](np.random.default_rng([seed, 61]))
    function = next(each.function for each in EMBEDDING_CHECKS if each.name == check)
    with tempfile.TemporaryDirectory() as folder:
        found = function(world.diagnosis(Path(folder)))
    findings = found if isinstance(found, list) else []
    return bool(findings), any(names(each) for each in findings)


def measure_vectors(n_clean: int, n_faulty: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Rows of `rates.csv`: check, data, data sets, in how many it fired, and named the part."""
    alarms: Counter[str] = Counter()
    for _seed, _name, found in measure_clean_vectors(range(n_clean)):
        alarms.update({each.name for each in found})
    yield from ((each.name, "clean", n_clean, alarms[each.name], 0) for each in EMBEDDING_CHECKS)
    for check, words in FAULTS:
        found = [outcome(check, words, seed) for seed in range(n_faulty)]
        yield check, words, n_faulty, sum(fired for fired, _ in found), sum(named for _, named in found)
