"""Each fault confirms its hypothesis alone, clean pairs confirm none, and shares of the loss are those planted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lib.metrics.alignment import align
from lib.metrics.hypotheses import NAMES
from lib.metrics.hypotheses.rows import Kind
from lib.recall_drop import RecallDrop
from lib.vectors import Distance
from sample_data.embedding_faults import CLEAN, FAULTS, Clean, Fault, make_versions
from sample_data.embeddings import INDEX_COHORT, make_index
from tests.recall_drop.worlds import asked_of, confirmed, drop_of, true_shares

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def index() -> RecallDrop:
    before, after, _truth = make_index()
    return drop_of(before, after)


def test_there_is_a_generator_for_every_hypothesis() -> None:
    assert tuple(FAULTS) == NAMES


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_confirms_its_hypothesis_alone(fault: Fault, seed: int) -> None:
    before, after, _truth = make_versions(seed, 600, 16, faults=(fault,))
    drop = drop_of(before, after)
    assert confirmed(drop) == [fault]
    assert [each.name for each in drop.hypotheses] == list(NAMES)
    for each in drop.hypotheses:
        assert each.sentence.endswith(".")
        assert math.isnan(each.explains) == bool(each.reason)


@pytest.mark.parametrize("clean", CLEAN)
@pytest.mark.parametrize("seed", SEEDS)
def test_clean_pairs_confirm_nothing(clean: Clean, seed: int) -> None:
    before, after, _truth = make_versions(seed, 600, 16, clean=clean)
    assert confirmed(drop_of(before, after)) == []


def test_of_halves_nothing_is_said_of_rows_that_are_not_shared() -> None:
    before, after, _truth = make_versions(3, 600, 16, clean="split-halves")
    drop = drop_of(before, after)
    verdicts = {each.name: each.verdict for each in drop.hypotheses}
    assert {verdicts[name] for name in ("misaligned-ids", "mixed-models", "rotation", "truncated")} == {"undecided"}
    assert not drop.crossed.old_in_new.is_defined
    assert "no row has the same id" in drop.crossed.old_in_new.reason


def test_ids_that_were_all_dealt_out_anew_are_told() -> None:
    for seed in SEEDS:  # in the old coordinates and in others
        before, after, _truth = make_versions(seed, 600, 16, faults=("misaligned-ids",), strength=1.0)
        assert confirmed(drop_of(before, after)) == ["misaligned-ids"]


@pytest.mark.parametrize(
    "fault", ["misaligned-ids", "stale-rows", "mixed-models", "query-gallery-mismatch", "truncated"]
)
def test_what_a_single_fault_explains_is_the_loss(fault: Fault) -> None:
    before, after, _truth = make_versions(1, 900, 24, faults=(fault,))
    (found,) = [each for each in drop_of(before, after).hypotheses if each.name == fault]
    assert found.explains == pytest.approx(1, abs=0.15)


def test_a_rotation_moves_no_recall_and_crossing_shows_it() -> None:
    before, after, _truth = make_versions(0, 600, 16, faults=("rotation",))
    drop = drop_of(before, after)
    assert drop.after.value == pytest.approx(drop.before.value, abs=0.003)
    assert drop.crossed.old_in_new.value < 0.1
    assert drop.crossed.mapped.value == pytest.approx(drop.before.value, abs=0.02)
    assert "the model is fine" in next(each.sentence for each in drop.hypotheses if each.name == "rotation")


def test_norms_do_not_matter_to_the_cosine_distance() -> None:
    before, after, _truth = make_versions(0, 600, 16, faults=("not-normalised",))
    drop = drop_of(before, after, distance=Distance.COSINE)
    assert confirmed(drop) == []
    assert drop.after.value == pytest.approx(drop.before.value, abs=0.03)


@pytest.mark.parametrize("distance", list(Distance))
def test_stale_rows_are_counted_however_long_they_are(distance: Distance) -> None:
    before, after, truth = make_versions(3, 900, 16, faults=("stale-rows",))
    stale, long = truth.rows["stale-rows"], after.cohort == "phone"
    assert (stale & long).sum() > 20
    one = replace(after, matrix=np.where(long[:, None], 5 * after.matrix, after.matrix).astype(np.float32))
    drop = drop_of(before, one, distance=distance)
    assert np.array_equal(drop.history == Kind.SAME, stale)
    pairs = asked_of(before, one)
    aligned = align(before.matrix, one.matrix, pairs.first, pairs.second, distance)
    assert np.array_equal(aligned.is_stale, stale[pairs.second])
    assert not aligned.is_strange.any()
    assert next(each.verdict for each in drop.hypotheses if each.name == "mixed-models") == "ruled_out"


# The incident ---------------------------------------------------------------------------------------------------------


def test_the_index_is_solved(index: RecallDrop) -> None:
    before, after, truth = make_index()
    assert confirmed(index) == ["stale-rows", "not-normalised"]
    shares = {each.name: each.explains for each in index.hypotheses}
    for fault, share in true_shares(before, after, truth, 1).items():
        assert shares[fault] == pytest.approx(share, abs=0.06)
    sentences = {each.name: each.sentence for each in index.hypotheses}
    assert f"of source = {INDEX_COHORT}" in sentences["not-normalised"]
    n_stale = int(truth.rows["stale-rows"].sum())
    assert f"{n_stale:,} of 3,000 rows still hold" in sentences["stale-rows"]
    assert np.array_equal(index.history == 1, truth.rows["stale-rows"])


def test_the_remedies_of_the_index_bring_recall_back(index: RecallDrop) -> None:
    table = {each.name: each for each in index.counterfactuals}
    both = table["stale-rows + not-normalised"]
    assert both.recall.value == pytest.approx(index.before.value, abs=0.02)
    assert both.restored == pytest.approx(1, abs=0.1)
    for name in ("stale-rows", "not-normalised"):
        assert index.after.value + 0.05 < table[name].recall.value < both.recall.value - 0.05
    assert "hubs-corrected" in table


def test_the_lost_queries_of_the_index_are_told(index: RecallDrop) -> None:
    first, second = index.lost.sentences
    assert first.endswith("of the lost first places.")
    assert second == "34 % of the lost queries had a right answer that still has the vector of the baseline."
    ledger = index.lost.ledger
    assert index.lost.hub_share == pytest.approx(
        ledger.displacers.counts[: index.lost.n_hubs].sum() / ledger.is_lost.sum()
    )
    assert index.groups.n_lost == ledger.is_lost.sum()
    assert [(each.column, each.value) for each in index.groups.shared] == [("source", INDEX_COHORT)]


@pytest.mark.parametrize("seed", SEEDS)
def test_two_faults_at_once_are_told_with_their_shares(seed: int) -> None:
    before, after, truth = make_versions(seed, 1_500, 24, faults=("stale-rows", "not-normalised"), cohort="phone")
    drop = drop_of(before, after)
    assert confirmed(drop) == ["stale-rows", "not-normalised"]
    shares = {each.name: each.explains for each in drop.hypotheses}
    for fault, share in true_shares(before, after, truth, 1).items():
        assert shares[fault] == pytest.approx(share, abs=0.15)
