"""The Calibration page without a browser: what it says of probabilities, of decision scores, and after a map."""

import pytest

from tests.ui.conftest import answer, assert_sound, figures, open_app, run, tables, text_of


def test_probabilities_are_judged_and_maps_compared() -> None:
    app = open_app("calibration", dataset="sample-logistic")
    assert_sound(app)
    assert answer(app).startswith("Not calibrated: of the ")
    errors, slopes, maps = tables(app)[:3]
    assert errors.heads == ["Version", "Smooth ECE", "Debiased error", "ECE", "ACE", "MCE"]
    assert "floor" in errors["logistic-2", "ECE"].detail
    assert slopes["logistic-1", "Slope"].detail
    assert [row[0].text for row in maps.rows] == ["As it is", "Platt", "temperature", "beta", "isotonic"]
    assert maps["temperature", "Change of log loss"].tone == "better"
    assert "Recommended for version logistic-2: " in text_of(app)
    assert len(figures(app)) == 4


def test_decision_scores_get_probabilities_from_a_map() -> None:
    app = open_app("calibration", dataset="sample-hinge")
    assert_sound(app)
    assert answer(app).startswith("Scores are raw decision scores, not probabilities")
    assert [row[0].text for row in tables(app)[0].rows] == ["Platt", "temperature", "beta", "isotonic"]
    assert figures(app) == []
    next(each for each in app.selectbox if each.label == "Recalibrated by").select("platt")
    run(app)
    assert_sound(app)
    assert app.query_params["recalibration"] == "platt"
    assert "recalibrated (Platt, cross-fitted)" in answer(app)
    assert len(figures(app)) == 3
    app.switch_page("pages/home.py")
    run(app)
    assert "Log loss" in tables(app)[0].heads
    assert "Log loss: recalibrated (Platt, cross-fitted)." in text_of(app)


@pytest.mark.parametrize("by", ["width", "mass"])
def test_bins_are_a_link(by: str) -> None:
    app = open_app("calibration", dataset="sample-logistic", bins_by=by, n_bins="20")
    assert_sound(app)
    title = figures(app)[2]["layout"]["meta"]["subtitle"]
    assert ("equal width" if by == "width" else "equal mass") in title


def test_several_classes_are_judged_one_by_one() -> None:
    app = open_app("calibration", dataset="sample-digits")
    assert_sound(app)
    assert figures(app)[0]["layout"]["meta"]["subtitle"].startswith("Top label: ")
    next(each for each in app.selectbox if each.label == "Probability of").select("eight")
    run(app)
    assert_sound(app)
    assert "against the rest" in figures(app)[0]["layout"]["meta"]["subtitle"]
    assert app.query_params["class"] == "eight"
    classes = tables(app)[2]
    assert classes.heads == ["Class", "Version", "Rows", "Mean p", "Came true", "Gap", "ECE", "Debiased error"]
    assert classes.rows[0][0].text.endswith("the answer (top label)")
    assert not any(each.label == "Recalibrated by" for each in app.selectbox)


def test_a_link_asks_for_a_map_that_there_is_not() -> None:
    app = open_app("calibration", dataset="sample-logistic", recalibration="magic")
    assert_sound(app)
    assert "recalibration = magic (shown instead: Nothing)" in text_of(app)
