"""Predictions and vectors of the same ids: the map in their colours, a lasso as a cohort, vectors in the fit lab."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lib.diagnose import Settings
from lib.ui.datasets import workspace
from lib.ui.map_link import pack_rows
from lib.workspace import SAMPLES_FOLDER
from tests.ui.conftest import answer, assert_sound, figures, go_to, open_app, run, tables, text_of, upload

SELECTED = np.arange(0, 900, 3)
"""Rows of the digits, by their number in both versions."""
BOTH = {"dataset": "sample-losses", "vectors": "sample-vectors", "v_method": "pca"}


@pytest.fixture(autouse=True)
def wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker gives way to all other processes: where these keep all processors busy its start takes minutes."""
    monkeypatch.setattr("tests.ui.conftest.PATIENCE", 300)


def colours(app: AppTest) -> list[str]:
    return next(each.options for each in app.selectbox if each.label == "Colour by")


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return run(app)


def call_it(app: AppTest, name: str) -> None:
    next(each for each in app.text_input if each.label == "Name of the column").set_value(name)


def test_a_map_in_colours_of_predictions_and_a_selection_as_their_cohort(monkeypatch: pytest.MonkeyPatch) -> None:
    # As of many rows, which are joined behind the page.
    monkeypatch.setattr("lib.ui.predictions_beside.ROWS_WITHOUT_WAITING", 0)
    app = open_app("projection", **BOTH, v_colour="predicted:flip", v_rows=pack_rows(SELECTED, 1797))
    assert_sound(app)
    assert "Predictions: violation" in colours(app)
    assert "Both maps are coloured by what became of each row from hinge-2 to logistic-2" in text_of(app)
    assert "1,797 of 1,797 rows have predictions of both." in text_of(app)
    (link,) = (each for each in app.get("page_link") if each.proto.label.startswith("Fit on this embedding"))
    assert "fit_from=vectors%3Adigits_learned" in link.proto.query_string
    call_it(app, "Digit")
    press(app, "Make the cohort")
    assert [each.value for each in app.title] == ["Map"]
    assert "digits_hinge_vs_logistic.csv has a column digit already. Choose another name." in text_of(app)
    call_it(app, "lasso, 1")
    press(app, "Make the cohort")
    assert_sound(app)
    assert [each.value for each in app.title] == ["Cohorts"]
    assert app.query_params["by"] == "lasso, 1"
    assert app.query_params["vectors"] == "sample-vectors"
    assert next(str(each.value) for each in app.selectbox if each.label == "Cohorts of") == "lasso, 1"
    made, before = workspace().get(app.query_params["dataset"]), workspace().get("sample-losses")
    assert made is not None
    assert before is not None
    assert made.name == "Hinge against logistic, with lasso, 1"
    assert made.tables.facts.cohorts == (*before.tables.facts.cohorts, "lasso, 1")
    assert made.tables.facts.mapping.features == before.tables.facts.mapping.features
    frame = pd.read_csv(SAMPLES_FOLDER / "digits_hinge_vs_logistic.csv")
    chosen = frame["id"].isin([f"digit-{row:04d}" for row in SELECTED])
    by = [frame["version"], np.where(chosen, "selected", "others")]
    margins = (frame["y_true"] * frame["decision_score"]).groupby(by)
    summary = made.diagnosis(Settings.choose(made.tables.facts)).summary("version", "cohort:lasso, 1")
    found = zip(summary.groups["version"], summary.groups["cohort:lasso, 1"], strict=True)
    rates = {tuple(each): summary["violation_rate"][place] for place, each in enumerate(found)}
    expected = margins.agg(n="size", rate=lambda m: (m < 1).mean())
    assert {key: (each.n, each.value) for key, each in rates.items()} == {
        key: (row["n"], pytest.approx(row["rate"])) for key, row in expected.iterrows()
    }


def test_the_fit_labs_features_are_the_vectors_of_the_link() -> None:
    app = open_app(
        "fit_lab", dataset="sample-losses", vectors="sample-vectors", fit_from="vectors:digits_learned", fit="yes"
    )
    assert_sound(app)
    assert "900 to train and 497 to test" in text_of(app)
    assert "that have a vector of Three embeddings, version digits_learned" in text_of(app)
    assert "16 features of Three embeddings, digits_learned" in str(figures(app)[0])
    assert float(tables(app)[0]["ROC AUC", "Logistic"].text) > 0.95
    assert answer(app).endswith("of the training rows.")


def test_predictions_of_other_ids_colour_nothing_and_it_is_said_why() -> None:
    rows = "\n".join(f"{row},{row % 2},{(row % 97) / 97:.3f}" for row in range(200))
    app = open_app("home", vectors="sample-vectors", v_method="pca")
    app = go_to(upload(app, "other.csv", f"id,y_true,y_prob\n{rows}".encode()), "projection")
    assert_sound(app)
    assert not any(each.startswith("Predictions") for each in colours(app))
    said = "ids of the vectors are such as digit-0000 and digit-0001, those of the predictions such as 0 and"
    assert said in text_of(app)
    assert "Make the cohort" not in [each.label for each in app.button]
    assert not any(each.proto.label.startswith("Fit on") for each in app.get("page_link"))


def test_a_link_to_predictions_that_have_to_be_settled_first_says_so() -> None:
    app = open_app("projection", **BOTH | {"dataset": "sample-wrong", "v_colour": "predicted:margin"})
    assert_sound(app)
    assert "has to be settled on the Home page first" in text_of(app)
