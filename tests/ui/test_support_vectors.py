"""The Support vectors page: what it says of a hinge model and of a logistic one, C, the ledger, and the link."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lib.workspace import SAMPLES_FOLDER
from tests.ui.conftest import answer, assert_sound, figures, open_app, run, tables, text_of, upload


def frames(app: AppTest) -> list[list[str]]:
    """The columns of the lists of rows."""
    return [list(each.value.columns) for each in app.dataframe]


@pytest.mark.parametrize("token", ["sample-hinge", "sample-logistic", "sample-digits"])
def test_the_page_is_sound(token: str) -> None:
    app = open_app("support_vectors", dataset=token)
    assert_sound(app)
    assert len(figures(app)) == 2
    table = tables(app)[0]
    for row in table.rows:
        count = [int(cell.text.replace(",", "")) for cell in row[2:7]]
        assert sum(count[1:]) == count[0]
    assert "undefined" not in json.dumps(figures(app))


def test_training_rows_come_first_and_theory_speaks_of_them() -> None:
    app = open_app("support_vectors", dataset="sample-hinge", sv_c="1", sv_n="1000")
    assert_sound(app)
    assert answer(app).startswith("hinge-2 rests on 163 of 900 labelled train rows")
    assert app.query_params["sv_c"] == "1"
    theory = next(table for table in tables(app) if table.heads[0] == "On the training rows")
    assert theory["Leave-one-out error", "hinge-2"].text == "at most 18.1\N{NO-BREAK SPACE}%"
    assert theory["Training rows in the log", "hinge-2"].detail == "of 1,000 named"
    assert "Width of the margin, 1/|w|" in [row[0].text for row in theory.rows]


def test_a_logistic_model_has_no_margin_of_its_own() -> None:
    app = open_app("support_vectors", dataset="sample-logistic")
    assert answer(app).startswith("Hinge would call ")
    assert "which no hinge loss was trained on" in text_of(app)


def test_the_ledger_counts_every_pair_and_opens_its_rows() -> None:
    app = open_app("support_vectors", dataset="sample-hinge", sv_split="test")
    ledger = next(table for table in tables(app) if table.heads[0] == "In hinge-1")
    assert sum(int(cell.text) for row in ledger.rows for cell in row[1:]) == 497
    entered = sum(int(cell.text) for cell in ledger.rows[-1][1:4])
    left = sum(int(row[4].text) for row in ledger.rows[:3])
    assert f"{entered} entered the support vectors" in text_of(app)
    assert f"and {left} left them" in text_of(app)
    moved, worst = app.dataframe
    assert len(moved.value) == entered
    assert {"margin_before", "margin_after", "id"} <= set(moved.value.columns)
    assert (moved.value["margin_before"] > 1.001).all()
    assert worst.value["margin"].is_monotonic_increasing
    app.selectbox(key="control:moved").set_value("left")
    run(app)
    assert len(app.dataframe[0].value) == left
    assert app.query_params["moved"] == "left"


def test_one_version_has_no_ledger() -> None:
    app = open_app("support_vectors", dataset="sample-hinge", baseline="hinge-2", candidate="hinge-2")
    assert_sound(app)
    assert "Who entered, who left" not in [each.value for each in app.subheader]
    assert len(frames(app)) == 1


def test_the_solvers_own_set_is_compared_and_a_pickle_is_refused() -> None:
    frame = pd.read_csv(SAMPLES_FOLDER / "digits_hinge.csv")
    rows = frame[(frame["version"] == "hinge-2") & (frame["split"] == "train")]
    margin = rows["y_true"] * rows["decision_score"]
    support = np.flatnonzero(margin <= 1.0)
    file = io.BytesIO()
    coef = rows["y_true"].to_numpy()[support] * np.where(margin.to_numpy()[support] < 1, 1.0, 0.5)
    np.savez(file, support=support, dual_coef=coef, C=1.0)
    app = upload(open_app("support_vectors", dataset="sample-hinge"), "svc.npz", file.getvalue())
    assert_sound(app)
    assert f"svc.npz has {len(support)} support vectors: {len(support)} are those of the predictions too" in text_of(
        app
    )
    again = upload(open_app("support_vectors", dataset="sample-hinge"), "svc.pkl", b"\x80\x04K\x01.")
    assert "A pickle can run anything" in again.error[0].value


def test_many_rows_are_paired_at_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.ui.support_vectors.ROWS_WITHOUT_WAITING", 10)
    # Another choice of rows than those of other tests, whose pairs are held.
    app = open_app("support_vectors", dataset="sample-hinge", sv_split="validation")
    assert_sound(app)
    assert len(frames(app)) == 1
    next(button for button in app.button if button.label == "Pair 3,594 rows by id").click()
    run(app)
    assert_sound(app)
    assert "Of 400 rows in both" in text_of(app)
    assert len(frames(app)) == 2


def test_figures_say_which_rows_they_are_of() -> None:
    app = open_app("support_vectors", dataset="sample-hinge", sv_split="test")
    for figure in figures(app):
        assert "split = test" in figure["layout"]["meta"]["provenance"]
