"""The Gate page: the policy that it writes, what it decides, a policy of one's own, and what is wrong with one."""

from __future__ import annotations

import tomllib

from streamlit.testing.v1 import AppTest

from lib.policy import read_policy
from tests.ui.conftest import answer, assert_sound, findings, go_to, open_app, run, tables, text_of

KEEPS = '[[limits]]\nmetric = "accuracy"\nat_least = 0.6\n'


def shown_policy(app: AppTest) -> str:
    return str(app.text_area(key="gate-policy-text").value)


def type_policy(app: AppTest, text: str) -> AppTest:
    app.text_area(key="gate-policy-text").set_value(text)
    return run(app)


def test_the_page_writes_a_policy_and_says_what_it_does() -> None:
    app = open_app("gate", dataset="sample-incident")
    assert_sound(app)
    text = shown_policy(app)
    policy = read_policy(text)
    assert "version 2026.03 of incident.csv.gz" in text
    assert {each.cohorts for each in policy.limits} == {"", "language", "platform", "tenant"}
    assert answer(app).startswith("Version 2026.04 does not pass: of ")
    assert answer(app).endswith(", 1 finding forbidden.")
    assert findings(app)[0].startswith("error Scores are reversed for language = pt")
    shown = tables(app)
    failed = shown[0].rows
    assert (failed[0][1].text, failed[0][1].tone) == ("fail", "worse")
    assert any(row[0].detail.startswith("language = pt, n") and row[1].text == "fail" for row in failed)
    # What cannot be told of several parts is a line to unfold, after what fails and before what passes.
    gathered = [each for each in app.expander if "cannot be told" in each.label]
    assert gathered
    assert [each.heads[:2] for each in shown] == [
        ["Limit", "Verdict"], *[["Rows", "What would tell"]] * len(gathered), ["Limit", "Verdict"],
    ]  # fmt: skip
    assert len(shown[1].rows) == int(gathered[0].label.split(": ")[1].split(" of ")[0])
    assert {row[1].text for row in shown[-1].rows} == {"pass"}

    # It follows the controls, and they the link.
    app.slider(key="control:gate_points").set_value(10.0)
    run(app)
    assert app.query_params["gate_points"] == "10"
    wider = read_policy(shown_policy(app))
    assert [each.value > other.value for each, other in zip(wider.limits, policy.limits, strict=True)] == [
        each.kind != "at_least" and each.of.unit != "loss" for each in wider.limits
    ]

    # What was typed stays on another page and back, and is what decides; until it is given up.
    type_policy(app, KEEPS)
    assert answer(app) == "Version 2026.04 passes: the limit kept."
    assert app.slider(key="control:gate_points").disabled
    assert "A policy of your own is not in the link of this view" in text_of(app)
    go_to(go_to(app, "margins"), "gate")
    assert shown_policy(app) == KEEPS
    assert answer(app) == "Version 2026.04 passes: the limit kept."
    next(each for each in app.button if each.label == "Write it from what is shown").click()
    run(app)
    assert tomllib.loads(shown_policy(app))["gate"] == {"on_cannot_tell": "fail"}

    # What is wrong is said, and the text is left as it is.
    for wrong, words in (
        (KEEPS + "at_most = 2\n", "policy.toml, line 4: the limit on accuracy"),
        (KEEPS + 'cohorts = "<b>x</b>"\n', "is no cohort column of incident.csv.gz"),
        ("# nothing\n", "policy.toml limits nothing"),
    ):
        type_policy(app, wrong)
        assert not app.exception
        assert [words in each.value for each in app.error] == [True]
        assert shown_policy(app) == wrong


def test_a_policy_from_a_file_and_a_filter() -> None:
    app = open_app("gate", dataset="sample-logistic")
    app.file_uploader(key="gate-policy-file").upload("ours.toml", KEEPS.replace("0.6", '"x"').encode())
    run(app)
    assert [each.value for each in app.error] == [
        "ours.toml, line 3: at_least is 'x'; a number from 0 to 1 is expected."
    ]
    app.file_uploader(key="gate-policy-file").upload("ours.toml", KEEPS.encode())
    run(app)
    assert_sound(app)
    assert answer(app).endswith(" passes: the limit kept.")
    app = open_app("gate", dataset="sample-logistic", split="test")
    assert "Only rows that pass the filter are judged" in text_of(app)
