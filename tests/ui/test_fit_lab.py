"""The Fit lab page with a real worker: nothing before the button, the result, C, the link, and what it cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.jobs import shared_pool
from lib.sources import Run
from lib.ui.jobs import Job
from tests.ui.conftest import answer, assert_sound, figures, open_app, open_frame, press, run, tables, text_of


@pytest.fixture(autouse=True)
def wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker gives way to all other processes: where these keep all processors busy its start takes minutes."""
    monkeypatch.setattr("tests.ui.conftest.PATIENCE", 300)


def world(n: int = 400, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, n)
    frame = pd.DataFrame({"y_true": label, "y_prob": rng.uniform(size=n).round(4)})
    frame["size, cm"], frame["weight_kg"] = rng.normal(label, 1), rng.normal(-label, 1)
    frame["length"] = rng.normal(0, 1, n)
    return frame.assign(**columns)


def test_a_fit_that_is_done_between_two_looks_leaves_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    wait, looks = Job.wait, iter([False])

    def just_missed(job: Job[Any], _seconds: float = 0.0) -> bool:
        return wait(job, 300) and next(looks, True)

    app = open_frame("fit_lab", world())
    monkeypatch.setattr(Job, "wait", just_missed)
    press(app, "Fit")
    assert list(looks) == []
    assert_sound(app)
    assert len(figures(app)) == 4


def test_fits_come_with_the_button_and_follow_c() -> None:
    app = open_app("fit_lab", dataset="sample-losses")
    assert_sound(app)
    assert figures(app) == []
    press(app, "Fit")
    assert_sound(app)
    assert len(figures(app)) == 4
    assert "900 to train and 497 to test" in text_of(app)
    (before,) = tables(app)
    assert before.heads == ["On the test rows", "Hinge", "Logistic"]
    assert before["Rests on", "Logistic"].text == "100.0\N{NO-BREAK SPACE}%"
    assert answer(app).endswith("of the training rows.")
    app.select_slider(key="control:c").set_value("0.003")
    run(app)
    assert_sound(app)
    (after,) = tables(app)
    assert after["Rests on", "Hinge"] != before["Rests on", "Hinge"]
    assert app.query_params["c"] == "0.003"
    linked = open_app("fit_lab", **{name: app.query_params[name] for name in ("dataset", "c", "fit")})
    (again,) = tables(linked)
    assert again["ROC AUC", "Hinge"] == after["ROC AUC", "Hinge"]
    assert answer(linked) == answer(app)


def test_gamma_moves_the_numbers_without_a_fit() -> None:
    app = open_app("fit_lab", dataset="sample-hinge", fit="yes")
    (before,) = tables(app)
    app.slider(key="control:gamma").set_value(0.5)
    run(app)
    assert_sound(app)
    (after,) = tables(app)
    assert after["Violation rate", "Hinge"] != before["Violation rate", "Hinge"]
    assert after["Training time", "Hinge"] == before["Training time", "Hinge"]


def test_one_of_ten_classes_with_a_kernel_is_shown_as_points_and_as_a_slice() -> None:
    app = open_app(
        "fit_lab", dataset="sample-digits", kernel="rbf", fit_class="three", kernel_plane="projection", fit="yes"
    )
    assert_sound(app)
    assert "three against the rest" in text_of(app)
    assert not [trace for figure in figures(app)[:2] for trace in figure["data"] if trace["type"] == "contour"]
    app = open_app("fit_lab", dataset="sample-digits", kernel="rbf", fit_class="three", fit="yes", across="width")
    assert_sound(app)
    assert len([trace for figure in figures(app)[:2] for trace in figure["data"] if trace["type"] == "contour"]) == 4
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"] == "width"


def test_a_name_with_a_comma_is_a_feature_like_any_other() -> None:
    app = open_frame("fit_lab", world())
    press(app, "Fit")
    assert_sound(app)
    assert len(figures(app)) == 4
    app.multiselect(key="control:fit_features").set_value(["size%2C cm", "length"])
    run(app)
    assert_sound(app)
    assert app.query_params["fit_features"] == "size%2C cm,length"
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"] == "size, cm"
    app.multiselect(key="control:fit_features").set_value(["length"])
    run(app)
    assert "Choose two features at least" in text_of(app)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (world()[["y_true", "y_prob"]], "No column was read as a feature. A fit needs two"),
        (world()[["y_true", "y_prob", "length"]], "Only one column was read as a feature: length."),
        (world().drop(columns="y_true"), "There are no labels"),
    ],
)
def test_what_cannot_be_fitted_says_why(frame: pd.DataFrame, said: str) -> None:
    app = open_frame("fit_lab", frame)
    assert_sound(app)
    assert said in text_of(app)
    assert figures(app) == []


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (world(y_true=1), "Of the negative class there are 0 training rows"),
        (world(30), "a fit needs 10 of each class in training and in test"),
        (world(length=np.where(np.arange(400) < 375, np.nan, np.arange(400) % 17 / 7)), "fewer missing values"),
    ],
)
def test_too_little_is_said_after_the_button(frame: pd.DataFrame, said: str) -> None:
    app = open_frame("fit_lab", frame)
    press(app, "Fit")
    assert_sound(app)
    assert said in text_of(app)
    assert "fit" not in app.query_params or app.query_params["fit"] != "yes"
    assert any(button.label == "Fit" for button in app.button)


def test_without_a_dataset_or_when_it_is_gone_it_says_so() -> None:
    app = open_app("fit_lab")
    assert_sound(app)
    assert "Nothing is loaded yet" in text_of(app)
    app = open_app("fit_lab", dataset="gone")
    assert not app.exception
    assert "no longer open here" in app.warning[0].value


def test_a_link_with_nonsense_shows_the_default_and_hostile_names_are_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    app = open_frame("fit_lab", world().rename(columns={"length": hostile}))
    app = open_app(
        "fit_lab", dataset=app.query_params["dataset"], kernel="poly", c="-1", plane="x", across="y", fit_features="z",
        fit="yes",
    )  # fmt: skip
    assert_sound(app)
    assert "Choose two features at least" in text_of(app)
    app.multiselect(key="control:fit_features").set_value([hostile, "weight_kg", "size%2C cm"])
    run(app)
    app.segmented_control(key="control:plane").set_value("features")
    run(app)
    app.selectbox(key="control:across").set_value(hostile)
    run(app)
    assert_sound(app)
    assert len(figures(app)) == 4
    assert "<img" not in "".join(each.proto.body for each in app.get("html"))
    assert "<img" not in str(figures(app))


def test_a_fit_can_be_cancelled_and_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(_scan: object, _request: object, run: Run, report: Any, _vectors: object) -> object:
        return shared_pool().work("rest", 60.0, run=run, on_progress=report)

    monkeypatch.setattr("lib.ui.fit_lab.fit_lab", slowly)
    app = open_app("fit_lab", dataset="sample-hinge", c="30")
    with monkeypatch.context() as patched:
        # One run of the page, without waiting for the job.
        patched.setattr("tests.ui.conftest.JOBS", ())
        press(app, "Fit")
        press(app, "Cancel")
    run(app)
    assert_sound(app)
    assert "Cancelled: nothing was fitted." in text_of(app)
    assert "Fit" in [button.label for button in app.button]
    assert app.query_params.get("fit") != "yes"
    monkeypatch.undo()
    press(app, "Fit")
    assert_sound(app)
    assert len(figures(app)) == 4
