"""The Features page: the ranking, one feature in full, the link, and what it says where there is nothing to compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sample_data.faults import make_predictions
from tests.ui.conftest import assert_sound, findings, go_to, open_app, open_frame, tables, text_of


def figures(app) -> list[str]:
    return [chart.proto.id for chart in app.get("plotly_chart")]


def broken() -> pd.DataFrame:
    frame, _ = make_predictions(7, 4_000, n_versions=2, n_cohort_columns=1, layout="canary")
    frame["amount"] = np.random.default_rng(0).gamma(2, 50, len(frame))
    frame.loc[frame.version == "v2", "amount"] *= 1000
    return frame.rename(columns={"score": "y_prob", "label": "y_true"})


@pytest.mark.parametrize("token", ["sample-incident", "sample-losses"])
def test_the_page_is_sound_and_ranks_every_feature(token: str) -> None:
    app = open_app("features", dataset=token)
    assert_sound(app)
    (table, *_) = tables(app)
    listed = app.selectbox(key="control:feature").options
    assert [row[0].text for row in table.rows] == list(listed)
    assert len(figures(app)) >= 2
    assert "explains" in text_of(app)


def test_a_link_brings_the_feature_and_the_order() -> None:
    app = open_app("features", dataset="sample-losses", feature="width", rank="explains", feature_by="split")
    assert_sound(app)
    assert app.selectbox(key="control:feature").value == "width"
    (table, *_) = tables(app)
    assert table.rows[0][0].text == "digit"
    assert app.query_params["feature"] == "width"


def test_a_feature_that_moved_is_a_finding_and_stands_first() -> None:
    home = open_frame("home", broken())
    (finding,) = [each for each in findings(home) if "feature" in each]
    assert "amount" in finding
    page = go_to(home, "features")
    assert_sound(page)
    assert finding in findings(page)
    (table, *_) = tables(page)
    assert table.rows[0][0].text == "amount"
    assert "1 of" in text_of(page)


def test_without_features_it_says_where_to_declare_them() -> None:
    frame = pd.DataFrame({"y_true": [0, 1] * 50, "y_prob": np.linspace(0.1, 0.9, 100)})
    page = open_frame("features", frame)
    assert_sound(page)
    assert "No column was read as a feature" in text_of(page)
