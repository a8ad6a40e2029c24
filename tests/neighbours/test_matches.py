"""Rankings of right answers against a slow oracle, with lists that settle much, little and nothing."""

from __future__ import annotations

import numpy as np
import pytest

from lib.errors import SettingsError
from lib.metrics.ranked_matches import RankedMatches, expected_reciprocal_rank
from lib.neighbours import compute_graph, compute_matches
from lib.neighbours import matches as matches_module
from lib.vectors import NO_LABEL, Distance, Truth, Vectors
from tests.neighbours import oracle

WORLDS = {name: matrix for name, matrix in oracle.worlds(n=50).items() if name not in ("huge", "an outlier")}


def ignore(_share: float, _words: str) -> None:
    pass


def matches_of(of: Vectors, truth: Truth, distance: Distance, k: int, ks: tuple[int, ...]) -> RankedMatches:
    return compute_matches(of, truth, compute_graph(of, distance, k, ignore), ks, ignore)


def check(of: Vectors, truth: Truth, is_right: oracle.IsRight, distance: Distance, k: int, ks: tuple[int, ...]) -> None:
    made = matches_of(of, truth, distance, k, ks)
    reciprocal = expected_reciprocal_rank(made.nearer, made.ties, made.matching)
    assert made.in_sample.all()
    for place, one in enumerate(oracle.all_expected(of, is_right, distance, ks)):
        numbers = (reciprocal[place], made.r_precision[place], made.average_precision_at_r[place])
        if one is None:
            assert made.n_relevant[place] == 0
            assert np.isnan([*numbers, *made.matches[place], *made.hit[place]]).all()
            continue
        assert made.n_relevant[place] == one.n_relevant
        np.testing.assert_allclose(made.matches[place], one.matches)
        np.testing.assert_allclose(made.hit[place], one.hit, atol=1e-12)
        np.testing.assert_allclose(numbers, (one.reciprocal_rank, one.r_precision, one.average_precision_at_r))


@pytest.mark.parametrize("distance", Distance)
@pytest.mark.parametrize("world", WORLDS)
def test_rankings_are_those_of_the_oracle(world: str, distance: Distance) -> None:
    generator, matrix = np.random.default_rng(1), WORLDS[world]
    n = len(matrix)
    labels = generator.integers(NO_LABEL, 7, n)
    labels[5] = 30  # nobody else has it
    relevant = [
        np.sort(generator.choice(np.delete(np.arange(n), row), generator.integers(0, 5), replace=False))
        for row in range(n)
    ]
    truths: list[tuple[Truth, oracle.IsRight]] = [
        (Truth(labels=labels), lambda query, row: bool(labels[query] == labels[row] != NO_LABEL)),
        (oracle.pairs(relevant), lambda query, row: row in relevant[query]),
    ]
    together = oracle.vectors(matrix)
    apart = oracle.vectors(matrix, is_query=generator.random(n) < 0.5, is_gallery=generator.random(n) < 0.6)
    for of in (together, apart):
        for truth, is_right in truths:
            check(of, truth, is_right, distance, 10, (1, 5, 10))
            check(of, truth, is_right, distance, 2 * n, (1, 20, 2 * n))


def large(n: int = 400) -> tuple[Vectors, Truth]:
    generator = np.random.default_rng(2)
    labels = generator.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])
    return oracle.vectors(generator.normal(size=(n, 6)) + labels[:, None] / 4), Truth(labels=labels)


def test_what_takes_too_long_is_worked_out_for_a_sample_by_label(monkeypatch: pytest.MonkeyPatch) -> None:
    of, truth = large()
    whole = matches_of(of, truth, Distance.EUCLIDEAN, 10, (1, 5))
    monkeypatch.setattr(matches_module, "PAIRS", 40_000)
    part = matches_of(of, truth, Distance.EUCLIDEAN, 10, (1, 5))
    chosen = part.in_sample
    assert truth.labels is not None
    assert 0 < chosen.sum() < 200
    np.testing.assert_allclose(np.bincount(truth.labels[chosen]), chosen.mean() * np.bincount(truth.labels), atol=1.5)
    for name in ("nearer", "ties", "matching", "r_precision", "average_precision_at_r"):
        np.testing.assert_array_equal(getattr(part, name)[chosen], getattr(whole, name)[chosen])
        assert np.isnan(getattr(part, name)[~chosen]).all()
    # Lists say how many are among the first k, of every query.
    np.testing.assert_array_equal(part.matches, whole.matches)
    np.testing.assert_array_equal(part.hit, whole.hit)


def test_a_sample_is_drawn_with_one_chance_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    strata, counts = np.repeat([0, 1, 2], [70, 29, 1]), np.zeros(100)
    for seed in range(2_000):
        monkeypatch.setattr(matches_module, "SEED", seed)
        drawn = matches_module._drawn(strata, 0.25)  # pyright: ignore[reportPrivateUsage]
        assert abs(drawn.sum() - 25) <= 1
        counts += drawn
    # Four standard errors of 2,000 draws with a chance of 0.25.
    assert np.abs(counts / 2_000 - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 2_000)


def test_ties_beyond_a_list_are_looked_for() -> None:
    # All rows are at one distance: the first of a list is any of them.
    of = oracle.vectors(np.ones((40, 3)))
    made = matches_of(of, Truth(labels=np.repeat([0, 1], [4, 36])), Distance.EUCLIDEAN, 2, (1,))
    assert made.hit[0, 0] == pytest.approx(3 / 39)
    assert made.ties[0] == 39
    assert made.hit[39, 0] == pytest.approx(35 / 39)


def test_a_truth_without_any_answer_answers_nothing() -> None:
    of = oracle.vectors(WORLDS["normal"])
    for truth in (Truth(labels=np.full(of.n, NO_LABEL)), oracle.pairs([np.empty(0, np.int64)] * of.n)):
        made = matches_of(of, truth, Distance.COSINE, 3, (1, 3))
        assert not made.is_answerable.any()
        assert np.isnan(made.hit).all()


@pytest.mark.parametrize("ks", [(), (0, 1), (5, 1), (1, 1), (1, 4)])
def test_lengths_that_make_no_sense_are_refused(ks: tuple[int, ...]) -> None:
    of = oracle.vectors(WORLDS["normal"])
    with pytest.raises(SettingsError, match="were asked for"):
        matches_of(of, Truth(labels=np.zeros(of.n, np.int64)), Distance.COSINE, 3, ks)
