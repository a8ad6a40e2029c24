"""The pages Retrieval and What happened to recall?: their sentences, tables and controls, and what is missing."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import answer, assert_sound, findings, go_to, open_app, run, tables, text_of

DROP = {"vectors": "sample-recall", "v_k": "1"}


@pytest.fixture(scope="module")
def retrieval() -> AppTest:
    return open_app("retrieval", **DROP)


@pytest.fixture(scope="module")
def recall() -> AppTest:
    return open_app("recall", **DROP)


def test_retrieval_opens_with_the_change_and_shows_why(retrieval: AppTest) -> None:
    assert_sound(retrieval)
    assert answer(retrieval).startswith("Recall@1 fell from ")
    measures = tables(retrieval)[0]
    assert measures.heads == ["Measure", "Change", "index_2026.05", "index_2026.06"]
    assert measures["Recall@1 (hit rate)", "Change"].tone == "worse"
    assert measures["Recall@1 (hit rate)", "index_2026.05"].text in answer(retrieval)
    said = text_of(retrieval)
    assert "Share of queries with a right answer among the k nearest." in said
    assert "Of a query's right answers the share that is among the k nearest" in said
    assert "each of 3,000 rows has a vector that can be used" in said
    assert len(retrieval.get("plotly_chart")) == 3


def test_recall_names_its_two_causes_with_their_shares(recall: AppTest) -> None:
    assert_sound(recall)
    assert "Its causes are stale rows (49 % of the change) and lengths" in answer(recall)
    assert [each.split(":")[0] for each in findings(recall)] == [
        "confirmed Stale rows",
        "confirmed Lengths are not what they were",
    ]
    assert "the Euclidean distance takes for distance" in text_of(recall)
    heads = [each.heads for each in tables(recall)]
    assert ["Cause", "Why it is ruled out"] in heads
    assert ["What if", "Recall@1", "Of the change undone"] in heads
    assert ["Gallery of", "index_2026.05", "index_2026.06"] in heads
    moved = next(each for each in tables(recall) if each.heads[0] == "In index_2026.05")
    assert moved["Answered", "Not answered in index_2026.06"].tone == "worse"
    assert len(recall.get("plotly_chart")) == 1


def test_the_lists_of_a_lost_query_can_be_looked_at(recall: AppTest) -> None:
    queries, before, after = (each.value for each in recall.dataframe)
    assert list(queries.columns[:4]) == ["id", "displaced by", "its label", "its text"]
    second = str(queries["id"].iloc[1])
    assert (list(before["right answer"]), list(after["right answer"])) == (["yes"], ["no"])
    recall.selectbox(key="control:v_query").set_value(second)
    run(recall)
    assert recall.query_params["v_query"] == second
    assert recall.dataframe[2].value["id"].iloc[0] == queries["displaced by"].iloc[1]


def test_one_version_has_no_history_of_recall() -> None:
    app = open_app("recall", vectors="sample-recall", v_candidate="index_2026.05")
    assert_sound(app)
    assert answer(app).startswith("What happened to recall is told of two versions")
    assert not tables(app)
    go_to(app, "retrieval")
    assert_sound(app)
    assert "one is among the 10 nearest" in answer(app)


def test_what_did_not_change_beyond_chance_is_no_cause() -> None:
    app = open_app("recall", vectors="sample-vectors")
    assert_sound(app)
    assert answer(app).startswith("Recall@10 did not change beyond chance")
    assert "none is confirmed" in answer(app)
