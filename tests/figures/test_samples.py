"""Samples: choices to queries, links and sentences."""

from __future__ import annotations

import pandas as pd
import pytest

from lib.figures.samples import SampleChoice, link_columns, sample_link
from lib.scan.listing import Order, RowQuery
from lib.schema import Filter


def test_a_choice_is_a_query_and_its_link_the_same_choice() -> None:
    choice = SampleChoice("v2", "unlabelled", -0.5, 1.0, Order.MARGIN)
    where = Filter((("language", "pt"),), "test")
    query = choice.query(where)
    assert query == RowQuery(where, "v2", 0, -0.5, 1.0, order=Order.MARGIN)
    link = sample_link(query)
    assert link == {
        "rows_version": "v2",
        "rows_class": "unlabelled",
        "margin_from": "-0.5",
        "margin_to": "1",
        "order": "margin",
        "split": "test",
        "cohort_column": "language",
        "cohort": "pt",
    }
    again = SampleChoice(
        link["rows_version"],
        link["rows_class"],
        float(link["margin_from"]),
        float(link["margin_to"]),
        Order(link["order"]),
    )
    assert again == choice


def test_a_link_says_nothing_of_what_is_as_usual() -> None:
    assert not any(sample_link(SampleChoice().query(Filter())).values())


@pytest.mark.parametrize(
    ("choice", "total", "sentence"),
    [
        (SampleChoice(), 2, "2 rows, highest loss first."),
        (SampleChoice(), 1, "1 row."),
        (
            SampleChoice("v1", "negative", None, 0.0, Order.PLACE),
            1234,
            "1,234 negative rows of version v1 with a margin below 0.00, as in the file.",
        ),
        (SampleChoice(low=1.0), 3, "3 rows with a margin of 1.00 or more, highest loss first."),
        (SampleChoice(low=-1.0, high=1.0), 0, "0 rows with a margin from \u22121.00 up to 1.00."),
    ],
)
def test_sentences(choice: SampleChoice, total: int, sentence: str) -> None:
    assert choice.sentence(total) == sentence


def test_only_columns_of_plain_web_addresses_are_links() -> None:
    frame = pd.DataFrame(
        {
            "page": ["https://example.org/a", None],
            "picture": ["https://example.org/a.png?w=1", "http://example.org/b.JPG"],
            "script": ["javascript:alert(1)", "https://example.org/a.png"],
            "quoted": ['https://example.org/"><script>', "https://example.org/c.png"],
            "text": ["see https://example.org", "b"],
            "nothing": [None, None],
            "n": [1, 2],
        }
    )
    assert link_columns(frame) == (["page", "picture"], ["picture"])
