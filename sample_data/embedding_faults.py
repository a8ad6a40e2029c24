"""Small seeded pairs of embedding versions with a known fault in the candidate, or none.

:func:`make_versions` draws a world from the seed: items of classes, in cohorts that are not equally easy, and models
that turn an item into a vector of norm 1. Two models of one world are two seeds of one training: they agree about what
is near what, up to noise, and not about coordinates. A fault is then put into the candidate, and :class:`VersionsTruth`
holds its matrix as it would be without each fault, by which the share of the loss that a fault has can be measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["CLEAN", "FAULTS", "Clean", "Fault", "Version", "VersionsTruth", "make_versions"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

Fault = Literal[
    "misaligned-ids",
    "stale-rows",
    "mixed-models",
    "not-normalised",
    "truncated",
    "quantised",
    "dead-dimensions",
    "collapse",
    "rotation",
    "query-gallery-mismatch",
    "duplicates",
    "gallery-growth",
    "cohort-mix",
]
Clean = Literal["two-seeds", "fine-tuned", "split-halves"]
CLEAN: tuple[Clean, ...] = ("two-seeds", "fine-tuned", "split-halves")

FAULTS: dict[Fault, float] = {
    "misaligned-ids": 0.3,  # share of the rows whose vectors are dealt out anew among them
    "stale-rows": 0.33,  # share of the rows that still hold the vector of the baseline
    "mixed-models": 0.3,  # share of the rows that a third model made
    "not-normalised": 0.7,  # spread of the logarithm of norms
    "truncated": 0.6,  # share of the dimensions cut off
    "quantised": 3,  # bits left of each value
    "dead-dimensions": 0.6,  # share of the dimensions that hold one value
    "collapse": 0.7,  # exponent by which singular values fall towards the smallest
    "rotation": 1,  # always whole
    "query-gallery-mismatch": 1,  # share of the queries that the baseline made
    "duplicates": 6,  # copies of each row of which there are any
    "gallery-growth": 2,  # so many times as many rows
    "cohort-mix": 0.9,  # share of the easy cohorts' queries that are no longer asked
}
"""Each fault, with its default strength."""

_COHORTS = ("web", "phone", "scan", "photo")
_COHORT_NOISE = np.array([0.72, 0.80, 0.95, 1.15])
_COHORT_SHARE = np.array([0.35, 0.30, 0.20, 0.15])


@dataclass(frozen=True, eq=False)
class Version:
    """One version of an embedding: a matrix of shape (n, d), and what is known of each row."""

    name: str
    matrix: npt.NDArray[np.float32]
    ids: npt.NDArray[np.str_]
    label: Ints  # −1: none
    cohort: npt.NDArray[np.str_]
    is_query: Bools
    is_gallery: Bools

    def take(self, rows: Ints) -> Version:
        """Some rows, in the order given."""
        return Version(
            self.name,
            self.matrix[rows],
            self.ids[rows],
            self.label[rows],
            self.cohort[rows],
            self.is_query[rows],
            self.is_gallery[rows],
        )


@dataclass(frozen=True, eq=False)
class VersionsTruth:
    """What was done to the candidate: which of its rows each fault touched, and its matrix without that fault alone."""

    faults: tuple[Fault, ...]
    rows: dict[Fault, Bools] = field(default_factory=dict)
    without: dict[Fault, npt.NDArray[np.float32]] = field(default_factory=dict)
    clean: npt.NDArray[np.float32] | None = None  # without any fault
    cohort: str = ""  # whose vectors are not normalised, "" where all are


class _World:
    """Items in classes, and models that embed them."""

    def __init__(self, seed: int, n: int, dimension: int) -> None:
        self.seed, self.dimension = seed, dimension
        rng = np.random.default_rng([seed, 30])
        self.label = np.sort(rng.integers(0, n // 10, n))
        # Variance falls from dimension to dimension, as it does in embeddings.
        spread = (1 + np.arange(dimension)) ** -0.25
        centres = rng.standard_normal((n // 10, dimension)) * spread
        self.cohort = rng.choice(len(_COHORTS), n, p=_COHORT_SHARE)
        noise = _COHORT_NOISE[self.cohort][:, None] * rng.standard_normal((n, dimension)) * spread
        self.items = centres[self.label] + noise
        order = rng.permutation(n)
        self.items, self.label, self.cohort = self.items[order], self.label[order], self.cohort[order]

    def rotation(self, number: int) -> Floats:
        """The coordinates of a model: 0 those of the baseline."""
        rng = np.random.default_rng([self.seed, 31, number])
        q, r = np.linalg.qr(rng.standard_normal((self.dimension, self.dimension)))
        return q * np.sign(np.diag(r))

    def embed(self, model: int, coordinates: int, noise: float = 0.12) -> Floats:
        """Vectors of norm 1 of a model, which has noise of its own, in some coordinates."""
        rng = np.random.default_rng([self.seed, 32, model])
        size = np.sqrt((self.items**2).mean())
        made = self.items @ self.rotation(coordinates) + noise * size * rng.standard_normal(self.items.shape)
        return _unit(made)


def make_versions(
    seed: int,
    n: int = 900,
    dimension: int = 24,
    *,
    faults: tuple[Fault, ...] = (),
    strength: float | None = None,
    clean: Clean | None = None,
    cohort: str | None = None,
) -> tuple[Version, Version, VersionsTruth]:
    """A baseline and a candidate.

    Args:
        seed: of everything.
        n: rows of either version, unless the fault is about that.
        dimension: of the vectors.
        faults: what is wrong with the candidate, put in one after the other.
        strength: of the fault, if there is one; else that of `FAULTS`.
        clean: which clean pair it is without a fault; with one the seed says whether the candidate is another seed of
            the model or a tuned one, unless the fault is only one where the coordinates are others.
        cohort: whose vectors are not normalised; None: the seed says, it may be all.

    Raises:
        ValueError: a strength is given for several faults, or a fault for a clean pair.
    """
    if (strength is not None and len(faults) != 1) or (clean is not None and faults):
        raise ValueError("a strength is that of one fault, and a clean pair has none")
    rng = np.random.default_rng([seed, 33])
    grown = int(n * (strength or FAULTS["gallery-growth"])) if "gallery-growth" in faults else n
    world = _World(seed, grown, dimension)
    is_elsewhere = bool(rng.random() < 0.5) or bool(
        {"stale-rows", "mixed-models", "query-gallery-mismatch"} & {*faults}
    )
    has_sides = bool(rng.random() < 0.5) or bool({"query-gallery-mismatch", "cohort-mix"} & {*faults})
    if clean is not None:
        is_elsewhere = clean == "two-seeds"
    asks = rng.random(grown) < 0.35
    is_query, is_gallery = (asks, ~asks) if has_sides else (np.ones(grown, np.bool_), np.ones(grown, np.bool_))
    ids = np.array([f"item-{i:05d}" for i in range(grown)])
    cohorts = np.array(_COHORTS)[world.cohort]
    old = world.embed(0, 0)
    new = world.embed(1, 1 if is_elsewhere else 0)
    before = Version("v1", old.astype(np.float32), ids, world.label, cohorts, is_query, is_gallery)
    after = replace(before, name="v2", matrix=new.astype(np.float32))
    if clean == "split-halves":
        half = rng.permutation(grown)
        return before.take(half[: grown // 2]), replace(before, name="v2").take(half[grown // 2 :]), VersionsTruth(())
    if "gallery-growth" in faults:
        # What is added is of other classes.
        before = before.take(np.flatnonzero(world.label < n // 10))
        # The same queries are asked.
        known = np.isin(ids, before.ids)
        after = replace(after, is_query=is_query & known)
    where = {fault: rng.random(len(after.ids)) for fault in faults}
    if cohort is None:
        cohort = str(rng.choice(["", *_COHORTS]))

    def damaged(left_out: Fault | None) -> tuple[Version, dict[Fault, Bools]]:
        made, rows = after, dict[Fault, Bools]()
        for place, fault in enumerate(faults):
            if fault != left_out:
                size = FAULTS[fault] if strength is None else strength
                how = np.random.default_rng([seed, 34, place])
                made, rows[fault] = _damage(fault, size, world, before, made, where[fault], cohort, how)
        return made, rows

    broken, rows = damaged(None)
    others: list[tuple[Fault, Version]] = [(fault, damaged(fault)[0]) for fault in faults]
    without: dict[Fault, npt.NDArray[np.float32]] = {
        fault: each.matrix for fault, each in others if len(each.ids) == len(broken.ids)
    }
    truth = VersionsTruth(faults, rows, without, after.matrix, cohort if "not-normalised" in faults else "")
    return before, broken, truth


def _damage(
    fault: Fault,
    strength: float,
    world: _World,
    before: Version,
    after: Version,
    where: Floats,
    cohort: str,
    rng: np.random.Generator,
) -> tuple[Version, Bools]:
    """The candidate with one fault, and the rows that it touches."""
    n, dimension = after.matrix.shape
    new = after.matrix.astype(np.float64)
    hit = np.ones(n, np.bool_)
    match fault:
        case "misaligned-ids":
            hit = where < strength
            rows = np.flatnonzero(hit)
            new[rows] = new[rng.permutation(rows)]
        case "stale-rows":
            hit = where < strength
            new[hit] = before.matrix[hit]
        case "query-gallery-mismatch":
            hit = after.is_query & (where < strength)
            new[hit] = before.matrix[hit]
        case "mixed-models":
            hit = where < strength
            new[hit] = world.embed(2, 2)[hit]
        case "not-normalised":
            if cohort:
                # Rows that still hold a vector of the baseline are as they were.
                hit = (after.cohort == cohort) & (after.matrix != before.matrix).any(axis=1)
            new[hit] *= np.exp(strength * rng.standard_normal((int(hit.sum()), 1)))
        case "truncated":
            new[:, dimension - int(strength * dimension) :] = 0
            new = _unit(new)
        case "quantised":
            # One scale for all: the largest value takes the last level.
            top = 2 ** (int(strength) - 1) - 1
            new = np.rint(new / np.abs(new).max() * top) / top
            new[~new.any(axis=1), 0] = 1 / top
        case "dead-dimensions":
            dead = rng.permutation(dimension - 1)[: int(strength * dimension)]
            new[:, dead] = 0
            new = _unit(new)
        case "collapse":
            u, s, vt = np.linalg.svd(new, full_matrices=False)
            fallen = s * np.exp(-strength * np.arange(dimension))
            new = _unit((u * np.maximum(fallen, 1e-4 * s[0])) @ vt)
            new = _unit(new + 0.002 * rng.standard_normal(new.shape))
        case "rotation":
            new = before.matrix.astype(np.float64) @ world.rotation(3)
        case "duplicates":
            picked = np.flatnonzero(after.is_gallery & (where < 0.15))
            copies = np.repeat(picked, int(strength))
            copied = replace(
                after.take(copies),
                ids=np.array([f"copy-{i:05d}" for i in range(len(copies))]),
                label=np.full(len(copies), -1),
                is_query=np.zeros(len(copies), np.bool_),
            )
            return _joined(after, copied), np.arange(n + len(copies)) >= n
        case "gallery-growth":
            return after, ~np.isin(after.ids, before.ids)
        case "cohort-mix":
            hit = np.isin(after.cohort, _COHORTS[:2]) & after.is_query & (where < strength)
            return replace(after, is_query=after.is_query & ~hit), hit
    return replace(after, matrix=new.astype(np.float32)), hit


def _joined(one: Version, other: Version) -> Version:
    names = ("matrix", "ids", "label", "cohort", "is_query", "is_gallery")
    return Version(one.name, *(np.concatenate([getattr(one, name), getattr(other, name)]) for name in names))


def _unit(vectors: Floats) -> Floats:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
