import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.cluster_words import class_tf_idf, class_words, name_by_value, name_by_words


def test_a_word_is_weighed_as_by_hand() -> None:
    # Two groups of 4 and 2 words. A = 3; the first word is there 4 times in all, the second twice.
    counts = np.array([[3.0, 1.0], [1.0, 1.0]])
    first, second = math.log(1 + 3 / 4), math.log(1 + 3 / 2)
    expected = [[3 / 4 * first, 1 / 4 * second], [1 / 2 * first, 1 / 2 * second]]
    assert class_tf_idf(counts) == pytest.approx(np.array(expected))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=5), st.integers(2, 9))
def test_weights_do_not_depend_on_how_often_a_group_is_repeated_alone(counts: list[list[int]], times: int) -> None:
    held = np.array(counts, float)
    weights = class_tf_idf(held)
    assert (weights >= 0).all()
    assert ((weights > 0) == (held > 0)).all()
    assert class_tf_idf(held * times) == pytest.approx(weights)


def test_groups_are_told_by_the_words_that_others_do_not_have() -> None:
    texts = ["the red kettle, new", "a red kettle", "the blue plate, new", "a blue plate"]
    words = class_words(texts, np.array([0, 0, 1, 1]), 2, 2)
    assert [set(each) for each in words] == [{"red", "kettle"}, {"blue", "plate"}]
    assert class_words(["", "!"], np.array([0, 1]), 2, 3) == [[], []], "texts without a word"


def test_values_stand_above_the_middle_of_their_rows_and_the_most_frequent_first() -> None:
    chance = np.random.default_rng(0)
    points = np.concatenate([chance.normal(0, 1, (40, 2)), chance.normal(20, 1, (60, 2)), [[np.nan, 0]]])
    values = np.array(["low"] * 40 + ["high"] * 60 + ["nowhere"], object)
    values[0] = None
    places = name_by_value(points.astype(np.float32), values)
    assert [(each.name, each.n) for each in places] == [("high", 60), ("low", 39)]
    assert abs(places[0].x - 20) < 1
    assert 20 < places[0].y < 23, "above the middle, within the group"


def test_parts_of_a_map_are_named_by_their_words() -> None:
    chance = np.random.default_rng(1)
    points = np.concatenate([chance.normal(0, 0.1, (50, 2)), chance.normal(9, 0.1, (50, 2))]).astype(np.float32)
    texts = np.array(["grey kettle"] * 50 + ["blue plate"] * 50, object)
    places = name_by_words(points, texts)
    assert {each.name for each in places} == {"grey kettle", "kettle grey", "blue plate", "plate blue"} & {
        each.name for each in places
    }
    assert len(places) == 2
    assert name_by_words(points, np.full(100, None, object)) == []
