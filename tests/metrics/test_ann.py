"""Recall of an index's answers: by hand, with ties, of exact answers, and of answers that are none."""

from __future__ import annotations

import numpy as np
import pytest

from lib.errors import SettingsError
from lib.metrics.ann import AnnRecall, ann_recall, judged_answers
from lib.neighbours import compute_graph
from lib.vectors import NO_ROW, Distance, Vectors
from tests.neighbours import oracle


def judged(of: Vectors, answers: object, k: int, distance: Distance = Distance.EUCLIDEAN) -> AnnRecall:
    graph = compute_graph(of, distance, max(k, 3), lambda _share, _words: None)
    return ann_recall(of, graph, np.asarray(answers, np.int64), k)


@pytest.mark.parametrize("distance", Distance)
@pytest.mark.parametrize("world", oracle.worlds())
def test_exact_answers_are_all_right_in_any_order_of_ties(world: str, distance: Distance) -> None:
    of = oracle.vectors(oracle.worlds()[world])
    answers: list[list[int]] = []
    for query in oracle.queries(of, distance):
        ranking = sorted(oracle.found(of, query, distance), key=lambda each: (each[0], -each[1]))
        answers.append([row for _gap, row in ranking[:5]])
    made = judged(of, answers, 5, distance)
    assert made.recall.values.tolist() == [1.0] * len(answers)
    assert (made.n_itself, made.n_repeated, made.n_strange, made.n_short) == (0, 0, 0, 0)


def test_by_hand() -> None:
    # Places 0, 1, 3, 7, 15, 31 on a line; the last is not in the gallery.
    of = oracle.vectors([[0], [1], [3], [7], [15], [31]], is_query=[1] * 4 + [0, 0], is_gallery=[1] * 5 + [0])
    made = judged(
        of,
        [
            [1, 2, 3],  # exact
            [1, 0, 2],  # itself first, which takes no place
            [1, 1, 4],  # one twice, which takes none either, and one that is too far
            [5, 2, NO_ROW],  # one that is not in the gallery
        ],
        2,
    )
    assert made.recall.values.tolist() == [1, 1, 0.5, 0.5]
    assert (made.n_itself, made.n_repeated, made.n_strange, made.n_short) == (1, 1, 1, 1)


def test_a_random_half_has_half_the_recall() -> None:
    generator = np.random.default_rng(0)
    of = oracle.vectors(generator.normal(size=(500, 8)))
    graph = compute_graph(of, Distance.COSINE, 10, lambda _share, _words: None)
    answers = np.where(generator.random(graph.rows.shape) < 0.5, graph.rows, NO_ROW)
    made = ann_recall(of, graph, answers.astype(np.int64), 10)
    assert made.recall.values.mean() == pytest.approx((answers != NO_ROW).mean())


def test_answers_that_do_not_fit_are_refused() -> None:
    of = oracle.vectors(np.random.default_rng(1).normal(size=(5, 2)))
    with pytest.raises(SettingsError, match="answers to 4 queries; 5 were expected"):
        judged(of, np.zeros((4, 2)), 2)
    with pytest.raises(SettingsError, match="Answers to 0 cannot be judged"):
        judged(of, np.zeros((5, 2)), 0)


def test_which_answers_count_by_hand() -> None:
    answers = np.array([[4, 1, 1, 2, 3], [NO_ROW, 5, NO_ROW, 6, 5]])
    assert judged_answers(np.array([4, 0]), answers, 2).tolist() == [
        [False, True, False, True, False],
        [False, True, False, True, False],
    ]
