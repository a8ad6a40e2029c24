"""What was settled for a file is taken over for the next one of its shape, in the same session only."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.ui.conftest import assert_sound, open_app, run, text_of, upload


def dated(shift: int, heads: str = "id;when;label;score;site") -> bytes:
    """A file whose dates and scores can be read in two ways, and whose label is a pair that nobody knows."""
    rows = [
        f"r{shift}-{k};{k % 9 + 1:02d}/0{k % 3 + 1}/2026;{'AB'[k % 2]};{(k * 7 + shift) % 100 / 100};{'xy'[k % 3 // 2]}"
        for k in range(200)
    ]
    return "\n".join([heads, *rows]).encode()


def open_answered() -> AppTest:
    app = open_app()
    upload(app, "monday.csv", dated(0))
    for topic, value in (("pos_label", "B"), ("score_kind", "probability"), ("date_format", "%d/%m/%Y")):
        app.button(key=f"answer:{topic}:{value}").click()
        run(app)
    confirm(app)
    assert_sound(app)
    return app


def confirm(app: AppTest) -> None:
    (button,) = (button for button in app.button if button.label == "Open with this mapping")
    assert not button.disabled
    button.click()
    run(app)


def is_asking(app: AppTest) -> bool:
    return any((button.key or "").startswith("answer:") for button in app.button)


def test_the_next_file_of_the_same_shape_is_read_alike() -> None:
    app = open_answered()
    upload(app, "tuesday.csv", dated(1))
    assert_sound(app)
    assert not is_asking(app)
    words = text_of(app)
    for sentence in (
        "As for monday.csv; numbers from 0 to 0.99.",
        "B is positive as for monday.csv, A is negative.",
        "As for monday.csv: times without a zone are UTC.",
    ):
        assert sentence in words
    assert app.selectbox(key="map:time_format").value == "%d/%m/%Y"
    # One click changes it, and what was changed is no longer as before.
    app.selectbox(key="map:score_kind").set_value("logit")
    run(app)
    words = text_of(app)
    assert "Declared; values from 0 to 0.99." in words
    assert "B is positive as for monday.csv" in words
    confirm(app)
    upload(app, "wednesday.csv", dated(2))
    assert_sound(app)
    assert app.selectbox(key="map:score_kind").value == "logit"
    assert "As for tuesday.csv; values from 0 to 0.99." in text_of(app)


def test_another_shape_and_another_session_are_asked_again() -> None:
    app = open_answered()
    upload(app, "other.csv", dated(3, "id;when;label;score;place"))
    assert is_asking(app)
    again = open_app()
    upload(again, "tuesday.csv", dated(1))
    assert is_asking(again)


def test_what_does_not_settle_the_next_file_is_not_taken_over() -> None:
    app = open_answered()
    upload(app, "turned.csv", dated(4).replace(b";A;", b";C;").replace(b";B;", b";D;"))
    assert is_asking(app)
    assert "monday.csv" not in text_of(app)


def test_the_same_content_is_opened_not_read_again() -> None:
    def go_back(to: str) -> None:
        app.selectbox(key="control:dataset").set_value(to)
        run(app)

    app = open_answered()
    token = app.query_params["dataset"]
    upload(app, "other.csv", dated(3, "id;when;label;score;place"))
    draft = app.query_params["dataset"]
    assert draft != token
    go_back(token)
    upload(app, "monday.csv", dated(0))
    assert_sound(app)
    assert app.query_params["dataset"] == token
    assert "monday.csv is here already, byte for byte the same; this is it. It was not read again." in text_of(app)
    assert not any("(2)" in name for name in app.selectbox(key="control:dataset").options)
    # Said once; and under another name it is the same all the same.
    run(app)
    assert "byte for byte" not in text_of(app)
    upload(app, "copy.csv", dated(0))
    assert app.query_params["dataset"] == token
    assert "copy.csv has byte for byte the content of monday.csv, which is here already" in text_of(app)
    # A draft with questions open is gone back to as well; another content under the same name is another dataset.
    upload(app, "again.csv", dated(3, "id;when;label;score;place"))
    assert app.query_params["dataset"] == draft
    go_back(token)
    upload(app, "monday.csv", dated(7))
    assert app.query_params["dataset"] not in (token, draft)
