"""Triplets: drawn evenly and rightly, their shares and losses by hand and by double loop, unmoved by a rotation."""

import numpy as np
import pytest

from lib.metrics.triplets import NO_PROXIES, NO_TRIPLETS, Triplets, draw_triplets, proxy_loss, shares_at
from lib.vectors import NO_LABEL, Distance, Truth
from tests.metrics.vector_worlds import matrix, rotation

N = 60
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    found = np.arange(N) % 4
    found[[3, 9]] = NO_LABEL
    found[10] = 7
    return found


@pytest.fixture(scope="module")
def cloud(labels: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    return matrix(rng.normal(size=(8, 5))[labels] + rng.normal(size=(N, 5)))


def made(positive, negative) -> Triplets:
    rows = np.arange(len(positive))
    return Triplets(rows, rows, rows, np.array(positive, float), np.array(negative, float), len(rows), 0)


@pytest.mark.parametrize("distance", list(Distance))
def test_triplets_are_right_and_their_distances_too(cloud: np.ndarray, labels: np.ndarray, distance: Distance) -> None:
    rows = ROWS[5:]
    found = draw_triplets(cloud, rows, Truth(labels=labels), distance, 4_000)
    assert (labels[found.anchor] == labels[found.positive]).all()
    assert (labels[found.anchor] != labels[found.negative]).all()
    assert (found.anchor != found.positive).all()
    used = np.concatenate([found.anchor, found.positive, found.negative])
    assert set(used.tolist()) == set(rows[labels[rows] != NO_LABEL].tolist())
    x, y = (cloud[each].astype(float) for each in (found.anchor, found.negative))
    if distance is Distance.COSINE:
        expected = 1 - (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    else:
        expected = np.linalg.norm(x - y, axis=1)
    assert found.d_negative == pytest.approx(expected)


def test_triplets_are_drawn_evenly() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    found = draw_triplets(matrix(np.eye(6)), np.arange(6), Truth(labels=labels), Distance.EUCLIDEAN, 60_000)
    assert found.n_anchors == 5
    assert np.bincount(found.anchor, minlength=6) / 60_000 == pytest.approx([0.2] * 5 + [0], abs=0.01)
    first = found.anchor == 0
    assert np.bincount(found.positive[first], minlength=6) / first.sum() == pytest.approx(
        [0, 0.5, 0.5, 0, 0, 0], abs=0.02
    )
    third = 1 / 3
    assert np.bincount(found.negative[first], minlength=6) / first.sum() == pytest.approx(
        [0, 0, 0, third, third, third], abs=0.02
    )


def test_triplets_of_a_list_of_right_answers() -> None:
    # Row 0 is answered by 1 and 2, row 3 by 4; 5 is not usable.
    truth = Truth(offsets=np.array([0, 2, 2, 2, 3, 3, 4]), relevant=np.array([1, 2, 4, 0]))
    found = draw_triplets(matrix(np.eye(6)), np.arange(5), truth, Distance.EUCLIDEAN, 3_000)
    pairs = set(zip(found.anchor.tolist(), found.positive.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 2), (3, 4)}
    assert {(a, n) for a, n in zip(found.anchor.tolist(), found.negative.tolist(), strict=True)} == {
        (0, 3),
        (0, 4),
        (3, 0),
        (3, 1),
        (3, 2),
    }


def test_the_same_seed_draws_the_same(cloud: np.ndarray, labels: np.ndarray) -> None:
    one, same, other = (
        draw_triplets(cloud, ROWS, Truth(labels=labels), Distance.COSINE, 100, seed) for seed in (1, 1, 2)
    )
    assert (one.negative == same.negative).all()
    assert (one.negative != other.negative).any()


def test_a_rotation_changes_no_margin(cloud: np.ndarray, labels: np.ndarray) -> None:
    for distance in Distance:
        before, after = (
            draw_triplets(each, ROWS, Truth(labels=labels), distance, 200).triplet_margin
            for each in (cloud, matrix(cloud @ rotation(5, 2)))
        )
        assert after == pytest.approx(before, abs=1e-5)


def test_shares_and_losses_by_hand() -> None:
    # Margins 2, 0.5, 0, −1 at α = 1: easy, semi-hard, hard, hard.
    found = shares_at(made([1, 1, 2, 2], [3, 1.5, 2, 1]), 1.0)
    assert (found.easy.value, found.semi_hard.value, found.hard.value) == (0.25, 0.25, 0.5)
    assert found.violation_rate.value == 0.75
    assert found.triplet_loss.value == pytest.approx((0 + 0.5 + 1 + 2) / 4)
    assert found.contrastive_loss.value == pytest.approx((1 + 1 + 4 + 4) / 16)
    near = shares_at(made([0.5], [0.25]), 1.0)
    assert near.contrastive_loss.value == pytest.approx((0.25 + 0.75**2) / 4)


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5, 2.0])
def test_shares_make_a_whole_and_violations_grow(cloud: np.ndarray, labels: np.ndarray, margin: float) -> None:
    triplets = draw_triplets(cloud, ROWS, Truth(labels=labels), Distance.COSINE, 500)
    found, more = shares_at(triplets, margin), shares_at(triplets, margin + 0.1)
    assert found.easy.value + found.semi_hard.value + found.hard.value == pytest.approx(1)
    assert found.violation_rate.value == pytest.approx(1 - found.easy.value)
    assert more.violation_rate.value >= found.violation_rate.value
    assert found.violation_rate.n == 500


def test_proxy_loss_is_that_of_a_double_loop(cloud: np.ndarray, labels: np.ndarray) -> None:
    u = cloud.astype(float) / np.linalg.norm(cloud.astype(float), axis=1, keepdims=True)
    names = [0, 1, 2, 3, 7]
    proxies = {each: u[labels == each].sum(axis=0) for each in names}
    proxies = {each: p / np.linalg.norm(p) for each, p in proxies.items()}
    loss = []
    for row in ROWS[labels != NO_LABEL]:
        far = {each: ((u[row] - p) ** 2).sum() for each, p in proxies.items()}
        others = sum(np.exp(-far[each]) for each in names if each != labels[row])
        loss.append(far[int(labels[row])] + np.log(others))
    found = proxy_loss(cloud, ROWS, labels)
    assert found.value == pytest.approx(np.mean(loss))
    assert found.n == len(loss)


def test_no_triplet_has_a_reason() -> None:
    x = matrix(np.eye(4))
    for truth in (Truth(labels=np.arange(4)), Truth(labels=np.zeros(4, np.int64)), Truth()):
        found = draw_triplets(x, np.arange(4), truth, Distance.COSINE)
        assert found.n_anchors == 0
        assert shares_at(found, 0.2).violation_rate.reason == NO_TRIPLETS
    assert proxy_loss(x, np.arange(4), np.zeros(4, np.int64)).reason == NO_PROXIES
