"""The Training page: histories arrive, alone or with predictions, are shown by the link, and are removed."""

import json

import numpy as np
import pytest

from lib.ui.datasets import workspace
from tests.ui.conftest import answer, assert_sound, figures, findings, open_app, run, tables, text_of, upload

EPOCHS = np.arange(30)
OVERFITTED = "epoch,loss,val_loss\n" + "".join(
    f"{epoch},{2 * np.exp(-epoch / 6):.4f},{0.5 + abs(epoch - 10) * 0.02:.4f}\n" for epoch in EPOCHS
)
PREDICTIONS = "id,y,score,group\n" + "".join(f"{n},{n % 2},{(n % 2) * 3 - 1.2 + n % 7 / 5},x\n" for n in range(60))
NAMED = "HelloKeras.csv"


@pytest.fixture(autouse=True)
def forget():
    yield
    for token in list(workspace()._histories):
        workspace().close(token)


def test_without_one_the_page_says_how_to_get_one():
    app = open_app("training")
    assert_sound(app)
    assert "No training history is loaded yet" in text_of(app)
    next(each for each in app.button if each.label == "Look at a sample").click()
    run(app)
    assert "2 runs from 1 file" in answer(app)


def test_the_sample():
    app = open_app("training", histories="sample-training")
    assert_sound(app)
    assert answer(app) == "2 runs from 1 file. small: val_loss is best at epoch 48; large: val_loss is best at epoch 8."
    assert len(findings(app)) == 1
    assert "Run large: val_loss rose" in findings(app)[0]
    assert len(figures(app)) == 1
    assert len(tables(app)[0].rows) == 8


def test_controls_are_in_the_link():
    app = open_app("training", histories="sample-training", curve="accuracy", scale="log", smooth="0.9", runs="2")
    assert_sound(app)
    (figure,) = figures(app)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert figure["layout"]["meta"]["title"].startswith("Best validation accuracy: ")
    assert "weight 0.9" in figure["layout"]["meta"]["subtitle"]
    assert "2 curves of 1 run" in figure["layout"]["meta"]["subtitle"]


def test_a_history_that_is_dropped_is_read_and_shown_and_removed():
    app = upload(open_app(), NAMED, OVERFITTED.encode())
    assert_sound(app)
    assert "1 run from 1 file" in answer(app)
    assert "Run HelloKeras: val_loss rose" in findings(app)[0]
    assert f"{NAMED} was read as a Keras CSVLogger file" in text_of(app)
    token = "".join(app.query_params["histories"])
    assert workspace().history(token) is not None
    next(each for each in app.button if each.label == f"Remove {NAMED}").click()
    run(app)
    assert "No training history is loaded yet" in text_of(app)
    assert workspace().history(token) is None


def test_of_many_runs_the_first_are_named_and_the_others_counted():
    table = "run,epoch,loss,val_loss\n" + "".join(
        f"r{run},{epoch},{1 / epoch:.3f},{1.1 / epoch:.3f}\n" for run in range(5) for epoch in range(1, 9)
    )
    app = upload(open_app(), "runs.csv", table.encode())
    assert_sound(app)
    assert answer(app).startswith("5 runs from 1 file. r0: val_loss is best at epoch 8; ")
    assert answer(app).endswith("; the other 2 runs in the table below.")


def test_a_link_to_what_is_gone_says_so():
    app = open_app("training", histories="no-such-token")
    assert "no longer here" in app.warning[0].value


def test_with_predictions_both_are_read():
    app = open_app()
    app.file_uploader[0].upload("p.csv", PREDICTIONS.encode()).upload("h.csv", OVERFITTED.encode())
    run(app)
    assert_sound(app)
    assert app.title[0].value == "p.csv"
    assert any("Run h: val_loss rose" in each for each in findings(app))
    app.switch_page("pages/training.py")
    run(app)
    assert "1 run from 1 file" in answer(app)


def test_a_bad_history_is_a_sentence_and_nothing_is_lost():
    app = open_app("training", histories="sample-training")
    app.switch_page("pages/home.py")
    run(app)
    upload(app, "bad.json", json.dumps({"log_history": [{"loss": "x", "step": 1}]}).encode())
    assert 'bad.json holds "x" at log_history[0].loss' in app.error[0].value


def test_markup_in_names_is_shown_as_it_is():
    text = "run,epoch,loss\n" + "".join(f"<b>bold</b><script>x</script>,{epoch},{9 - epoch}\n" for epoch in range(9))
    app = upload(open_app(), "<img src=x>.csv", text.encode())
    assert_sound(app)
    assert tables(app)[0].rows[0][0].text == "<b>bold</b><script>x</script>"
