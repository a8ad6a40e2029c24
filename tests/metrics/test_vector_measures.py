"""Drift of two versions in one go: what turning takes away, and cohorts that there may be none of."""

from __future__ import annotations

import numpy as np

from lib.metrics.sample_means import mean_of
from lib.metrics.vector_measures import VectorDrift, compute_drift, furthest_cohort
from lib.vectors import Distance, Vectors
from tests.checks.embeddings.sets import made
from tests.recall_drop.worlds import vectors_of

N, D = 300, 12


def drift_of(before: np.ndarray, after: np.ndarray) -> VectorDrift:
    one, two = (vectors_of(made(each)) for each in (before, after))
    rows = np.arange(len(before))
    return compute_drift(one, two, (rows, rows), {}, Distance.EUCLIDEAN, lambda _share, _words: None)


def rotation(rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(D, D)))[0]


def test_turning_takes_away_a_rotation_with_noise_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    items = rng.normal(size=(N, D)) * (1 + np.arange(D)) ** -0.5 + 1
    noise = 0.1 * rng.normal(size=(2, N, D))
    turned = drift_of(items + noise[0], (items + noise[1]) @ rotation(rng))
    assert turned.turned is not None
    assert turned.pairs is not None
    assert turned.pairs.has_drifted
    assert not turned.turned.has_drifted
    moved = items + noise[1]
    moved[: N // 4] *= 3
    told = drift_of(items + noise[0], moved @ rotation(rng))
    assert told.turned is not None
    assert told.turned.has_drifted


def test_the_same_coordinates_are_not_turned() -> None:
    rng = np.random.default_rng(1)
    items = rng.normal(size=(N, D))
    assert drift_of(items, items + 0.1 * rng.normal(size=(N, D))).turned is None
    assert drift_of(items, rng.normal(size=(N, D))).turned is None


def test_ids_that_are_not_shared_are_not_turned() -> None:
    rng = np.random.default_rng(2)
    nobody = np.zeros(0, np.int64)
    sides: list[Vectors] = [vectors_of(made(rng.normal(size=(N, D)))) for _ in range(2)]
    found = compute_drift(sides[0], sides[1], (nobody, nobody), {}, Distance.EUCLIDEAN, lambda _share, _words: None)
    assert (found.pairs, found.alignment, found.turned) == (None, None, None)
    assert found.rows is not None


def test_a_cohort_is_furthest_only_beyond_chance() -> None:
    rng, values = np.random.default_rng(3), [f"fam{place:02d}" for place in range(20)]
    own = np.arange(2_000) % 20

    def named(residual: np.ndarray) -> str | None:
        means = {value: mean_of(residual[own == code], "") for code, value in enumerate(values)}
        return furthest_cohort(residual, own, means, values)

    dealt = [named(rng.gamma(4, 0.1, len(own))) for _ in range(200)]
    assert sum(each is not None for each in dealt) <= 0.05 * 200
    apart = rng.gamma(4, 0.1, len(own))
    apart[own == 17] += 0.2
    assert named(apart) == "fam17"
    # Rounding, though surely more of it.
    assert named(1e-6 * apart) is None
    assert furthest_cohort(apart, own, {}, values) is None


def test_the_drift_of_a_cohort_that_was_left_behind_names_it() -> None:
    rng = np.random.default_rng(4)
    items, codes = rng.normal(size=(N, D)), np.arange(N) % 3
    turned = items @ rotation(rng)
    turned[codes == 1] += 0.8 * rng.normal(size=(N // 3, D))
    one, two = (vectors_of(made(each)) for each in (items, turned))
    same = np.arange(N)
    cohorts = {"source": (codes, codes, ["a", "b", "c"])}
    found = compute_drift(one, two, (same, same), cohorts, Distance.EUCLIDEAN, lambda _share, _words: None)
    assert found.furthest == {"source": "b"}
