"""Crossing, counterfactuals, samples and progress of a recall drop."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lib.errors import Cancelled
from lib.recall_drop import Asked, compute_recall_drop, question
from lib.vectors import Distance, Truth
from sample_data.embedding_faults import make_versions
from tests.recall_drop.worlds import asked_of, drop_of, quiet


def hits_by_hand(asking: np.ndarray, found: np.ndarray, label: np.ndarray, k: int) -> np.ndarray:
    """Whether a row with the same label is among the k nearest, the row itself left out; ties do not occur."""
    apart = np.linalg.norm(asking[:, None].astype(np.float64) - found[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :k]
    return (label[nearest] == label[:, None]).any(axis=1)


def test_crossing_is_recall_of_one_side_among_the_other() -> None:
    before, after, _truth = make_versions(4, 300, 16, faults=("stale-rows",))
    everything = np.ones(300, np.bool_)
    before, after = (replace(each, is_query=everything, is_gallery=everything) for each in (before, after))
    crossed = drop_of(before, after, 3).crossed
    able = np.bincount(before.label)[before.label] > 1
    for name, asking, found in (
        ("old_in_old", before, before),
        ("old_in_new", before, after),
        ("new_in_old", after, before),
        ("new_in_new", after, after),
    ):
        expected = hits_by_hand(asking.matrix, found.matrix, before.label, 3)[able].mean()
        assert getattr(crossed, name).value == pytest.approx(expected, abs=1e-12), name


def test_pairs_and_labels_as_truth_agree() -> None:
    before, after, _truth = make_versions(5, 300, 16, faults=("mixed-models",))
    asked = asked_of(before, after, 2)
    same = before.label[:, None] == before.label[None]
    np.fill_diagonal(same, val=False)
    query, relevant = np.nonzero(same)
    pairs = Truth(offsets=np.searchsorted(query, np.arange(301)), relevant=relevant)
    told = replace(asked, before=replace(asked.before, truth=pairs), after=replace(asked.after, truth=pairs))
    first, second = compute_recall_drop(asked, quiet), compute_recall_drop(told, quiet)
    assert first.before == second.before
    assert first.after == second.after
    assert first.crossed == second.crossed
    assert [each.verdict for each in first.hypotheses] == [each.verdict for each in second.hypotheses]


def test_a_sample_asks_the_same_ids_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, _truth = make_versions(6, 600, 16, faults=("misaligned-ids",))
    asked = asked_of(before, after)
    assert asked.sampled() is asked
    monkeypatch.setattr(question, "PAIRS", 600 * 600 // 8)
    sampled = asked.sampled()
    assert 0 < sampled.share <= 1
    first = sampled.before.vectors.is_query[sampled.first]
    assert np.array_equal(first, sampled.after.vectors.is_query[sampled.second])
    assert 0 < first.sum() < before.is_query.sum()
    assert compute_recall_drop(asked, quiet).share == sampled.share


def test_an_index_that_misses_rows_is_a_part_of_its_own() -> None:
    before, after, _truth = make_versions(7, 300, 16, clean="fine-tuned")
    asked = asked_of(before, after)
    misses = np.where(np.arange(300) % 2 == 0, 0.0, 1.0)
    parts = compute_recall_drop(replace(asked, after=replace(asked.after, hits=misses)), quiet).parts
    exact = compute_recall_drop(asked, quiet).parts
    assert parts.parts["within_cohorts"].value == exact.parts["within_cohorts"].value
    assert parts.parts["ann_loss"].value < -0.2
    assert math.fsum(each.value for each in parts.parts.values()) == pytest.approx(parts.change.value, abs=1e-12)


def test_added_rows_and_copies_are_parts_of_their_own() -> None:
    grown = drop_of(*make_versions(1, 600, 16, faults=("gallery-growth",))[:2])
    assert grown.parts.parts["gallery_growth"].upper < 0
    copied = drop_of(*make_versions(1, 600, 16, faults=("duplicates",))[:2])
    assert copied.parts.parts["duplicates"].upper < 0
    mixed = drop_of(*make_versions(0, 900, 24, faults=("cohort-mix",))[:2])
    assert mixed.parts.parts["cohort_mix"].upper < 0
    assert mixed.parts_column == "source"
    for drop in (grown, copied, mixed):
        total = math.fsum(each.value for each in drop.parts.parts.values())
        assert total == pytest.approx(drop.after.value - drop.before.value, abs=1e-12)


def test_progress_only_rises_and_what_it_raises_ends_the_work() -> None:
    before, after, _truth = make_versions(8, 300, 16)
    asked = asked_of(before, after)
    told: list[float] = []
    compute_recall_drop(asked, lambda share, _words: told.append(share))
    assert told == sorted(told)
    assert max(told) < 1

    def stop(share: float, _words: str) -> None:
        if share >= 0.3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        compute_recall_drop(asked, stop)


def test_versions_without_common_rows_or_queries_have_reasons() -> None:
    before, after, _truth = make_versions(9, 300, 16)
    asked = asked_of(before, after)
    nobody = replace(asked.after, vectors=replace(asked.after.vectors, is_query=np.zeros(300, np.bool_)))
    drop = compute_recall_drop(Asked(asked.before, nobody, asked.first, asked.second, Distance.EUCLIDEAN, 1), quiet)
    assert not drop.after.is_defined
    assert drop.parts.reason
    assert not drop.lost.sentences
