"""Every page, empty and loaded, without a browser: what it says, and that nothing it meets makes it fail."""

import csv
import io
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from lib.checks import run_checks
from lib.scan.listing import PAGE_ROWS
from lib.ui.findings import link_of, page_of
from lib.ui.upload_folder import close_upload_store
from tests.checks.class_worlds import cycle, diagnose_classes, exchange, make_classes
from tests.checks.class_worlds import rows_of as rows_of_scope
from tests.ui.conftest import (
    PAGES,
    SAMPLES,
    answer,
    assert_sound,
    figures,
    findings,
    go_to,
    htmls,
    open_app,
    run,
    tables,
    text_of,
    upload,
)

FLIP = "Scores are reversed for language = pt in version 2026.04"
READ_AS_PROBABILITY = "answer:score_kind:probability"


def csv_of(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue().encode()


def rows_of(n: int, versions: Sequence[str] = ("a", "b"), seed: int = 1) -> Iterator[list[object]]:
    """Rows of id, version, label, probability and group: right about four times of five."""
    chance = random.Random(seed)
    for version in versions:
        for place in range(n):
            label = int(chance.random() < 0.4)
            prob = chance.betavariate(4, 2) if label else chance.betavariate(2, 4)
            yield [f"r{place}", version, label, round(prob, 4), chance.choice(["red", "green", "blue"])]


HEADS = ("id", "version", "label", "prob", "group")


def open_file(content: bytes, name: str = "file.csv") -> AppTest:
    app = open_app()
    upload(app, name, content)
    assert "dataset" in app.query_params, text_of(app)
    return app


def title_of(app: AppTest) -> str:
    (title,) = (each.value for each in app.title)
    return title


@pytest.mark.parametrize("page", PAGES)
def test_empty_pages_say_how_to_get_data(page: str) -> None:
    app = open_app(page)
    assert_sound(app)
    if page == "home":
        assert title_of(app) == "Marginalia"
        assert {f"open:{token}" for token in SAMPLES} <= {button.key for button in app.button}
        assert len(app.file_uploader) == 1
    else:
        assert title_of(app) == page.capitalize().replace("_", " ")
        assert "Nothing is loaded yet" in text_of(app)
        assert "Findings" not in text_of(app)
    assert figures(app) == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("sample", ["sample-incident", "sample-losses", "sample-digits"])
def test_every_page_draws_every_sample(sample: str, page: str) -> None:
    app = open_app(page, dataset=sample)
    assert_sound(app)
    assert answer(app).endswith(".")
    assert app.query_params["dataset"] == sample
    has_times = sample == "sample-incident"
    drawn = {
        "home": int(has_times),
        "losses": 3,
        "margins": 1 + has_times,
        "cohorts": 1,
        "features": 2,
        "samples": 0,
        "gate": 0,
        "monitoring": 2 * has_times,
    }
    is_decision = sample == "sample-losses"
    several = sample == "sample-digits"  # each class has a row on the Margins page, and no column on that of cohorts
    drawn["calibration"] = 0 if is_decision else 4 + has_times + several
    drawn["support_vectors"] = drawn["thresholds"] = drawn["comparison"] = 2
    # No slice of the ten digits stands out.
    drawn["slices"] = 1 - several
    assert len(figures(app)) == drawn[page]
    for figure in figures(app):
        assert figure["layout"]["meta"]["title"]
        notes = [note["text"] for note in figure["layout"]["annotations"]]
        assert any("Marginalia 0." in note and "UTC" in note for note in notes), "the line of provenance"
    has_sure_errors = sample in ("sample-incident", "sample-logistic")
    shown = {
        "calibration": 1 if is_decision else 4 + has_times,
        "home": 1,
        "losses": 0,
        "margins": 1 + several,
        "cohorts": 1 - several,
        "slices": 1 - several,
        "features": 1,
        # What cannot be told is a table for each limit, folded.
        "gate": 3 if sample == "sample-incident" else 1,
        "monitoring": 6 * has_times,
    }
    # Kinds of rows, the ledger of two versions on the same ids, and what theory says of decision scores.
    hinge = sample in ("sample-hinge", "sample-losses")
    shown["support_vectors"] = 2 + hinge if sample != "sample-incident" else 1
    # Without ids in both there are neither flips nor quadrants, nor cohorts that disagree; ten digits are two tables.
    shown["comparison"] = 6 - several if sample != "sample-incident" else 3
    assert len(tables(app)) == (shown | {"thresholds": 2, "samples": int(has_sure_errors)})[page]
    # Both figures of Thresholds draw one table.
    n_tables = len(figures(app)) - (page == "thresholds")
    assert len([button for button in app.get("download_button") if button.proto.label == "CSV"]) >= n_tables


def test_a_sample_is_opened_by_its_button() -> None:
    app = open_app()
    app.button(key="open:sample-logistic").click()
    run(app)
    assert_sound(app)
    assert title_of(app) == "Two logistic versions"
    assert app.query_params["dataset"] == "sample-logistic"


def test_a_sample_that_another_session_has_opened_meanwhile_is_shown() -> None:
    token = "sample-logistic"
    app = open_app(dataset=token)
    app.session_state[f"job:sample:{token}"] = "still at work when it was opened"
    run(app)
    assert_sound(app)
    assert title_of(app) == "Two logistic versions"
    assert f"job:sample:{token}" not in app.session_state


def test_the_incident_is_found_once_and_shown_on_the_page_it_leads_to() -> None:
    app = open_app(dataset="sample-incident")
    flips = [each for each in findings(app) if FLIP in each]
    assert len(flips) == 1
    assert flips[0].startswith("error")
    links = [link.proto for link in app.get("page_link") if link.proto.label == "Show why on Cohorts"]
    assert len(links) == 1
    view = dict(parse_qsl(links[0].query_string))
    assert view == {
        "dataset": "sample-incident",
        "by": "language",
        "metric": "roc_auc",
        "windows": f"{at('2026-04-02')}..{at('2026-04-05')}",
    }
    linked = open_app("cohorts", **view)
    assert_sound(linked)
    (figure,) = figures(linked)
    assert figure["layout"]["yaxis"]["ticktext"][0].startswith("pt")
    go_to(app, "cohorts")
    assert [each for each in findings(app) if FLIP in each] == flips
    assert answer(app).startswith("Language pt stands out in 2026.04")
    go_to(app, "margins")
    assert findings(app) == []
    assert_sound(app)


def at(day: str) -> int:
    """The epoch second at which a day begins."""
    return int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp())


def why_links(app: AppTest) -> list[dict[str, str]]:
    """The views that "Show why" leads to."""
    links = [link.proto for link in app.get("page_link") if link.proto.label.startswith("Show why")]
    return [dict(parse_qsl(link.query_string)) for link in links]


def test_a_finding_of_the_baseline_leaves_the_two_versions_as_they_are() -> None:
    app = open_app(dataset="sample-incident", baseline="2026.04", candidate="2026.03")
    (view,) = [view for view in why_links(app) if view.get("metric") == "roc_auc"]
    assert (view["baseline"], view["candidate"]) == ("2026.04", "2026.03")


def test_a_finding_of_a_third_version_makes_it_the_candidate() -> None:
    app = open_file(csv_of(HEADS, flipped_in("b", rows_of(700, ["a", "b", "c"]))))
    assert app.selectbox(key="control:candidate").value == "c"
    (view,) = [view for view in why_links(app) if view.get("metric") == "roc_auc"]
    assert view["candidate"] == "b"
    assert view.get("baseline", "a") == "a"


def flipped_in(version: str, rows: Iterable[list[object]]) -> list[list[object]]:
    """The rows with the scores of one group of a version turned around."""
    return [
        [*row[:3], round(1 - float(str(row[3])), 4), row[4]] if row[1] == version and row[4] == "red" else row
        for row in rows
    ]


def test_findings_stand_before_the_table_and_many_versions_are_folded() -> None:
    versions = [f"v{number}" for number in range(1, 41)]
    app = open_file(csv_of(HEADS, rows_of(40, versions)))
    assert_sound(app)
    shown, folded = tables(app)
    assert [row[0].text for row in shown.rows] == ["v1", "v40", "Change"]
    assert [row[0].text for row in folded.rows] == versions[1:-1]
    assert any(each.label == "38 other versions" for each in app.expander)
    app = open_app(dataset="sample-incident")
    bodies = htmls(app)
    first_table = next(place for place, body in enumerate(bodies) if "m-table" in body)
    assert any("m-finding" in body for body in bodies[:first_table])


def test_one_thing_is_not_said_in_the_plural() -> None:
    app = open_file(csv_of(HEADS, [["r1", "a", 1, 0.7, "red"]]))
    for page in PAGES:
        go_to(app, page)
        titles = [figure["layout"]["meta"]["title"] for figure in figures(app)]
        notes = [note["text"] for figure in figures(app) for note in figure["layout"].get("annotations", [])]
        words = " ".join([text_of(app), *titles, *notes, *(each.label for each in app.expander)])
        wrong = re.findall(r"(?<![\d.,])1 (?:labelled )?(?:rows|checks|versions|cohorts|records)\b|\b1 to 1\b", words)
        assert wrong == [], page


def test_the_file_with_many_things_wrong_asks_and_then_counts_what_it_left_out() -> None:
    app = open_app(dataset="sample-wrong")
    assert_sound(app)
    assert title_of(app) == "How the columns are read"
    assert any("outside 0 to 1" in each.value.replace("\\", "") for each in app.markdown)
    (confirm,) = (button for button in app.button if button.label == "Open with this mapping")
    assert confirm.disabled
    app.button(key=READ_AS_PROBABILITY).click()
    run(app)
    (confirm,) = (button for button in app.button if button.label == "Open with this mapping")
    assert not confirm.disabled
    confirm.click()
    run(app)
    assert_sound(app)
    assert [row[0].text for row in tables(app)[0].rows] == ["a", "b", "Change"]
    assert any("with a problem" in each.label for each in app.expander)
    for page in PAGES[1:]:
        assert_sound(go_to(app, page))
        assert answer(app)


@pytest.mark.parametrize("page", PAGES)
def test_gamma_moves_the_numbers_and_the_link(page: str) -> None:
    app = open_app(page, dataset="sample-hinge")
    before = answer(app), [table.rows for table in tables(app)], figures(app)
    app.slider(key="control:gamma").set_value(2.0)
    run(app)
    assert_sound(app)
    assert app.query_params["gamma"] == "2"
    after = answer(app), [table.rows for table in tables(app)], figures(app)
    still = ("home", "samples", "calibration", "thresholds", "support_vectors", "monitoring", "gate")
    assert after[2] != before[2] or page in still
    if page == "home":
        (rows,), (was,) = (
            ({row[0].text: row for row in table} for table in after[1]),
            ({row[0].text: row for row in table} for table in before[1]),
        )
        heads = tables(app)[0].heads
        for name, moves in (("Violation rate", True), ("Average hinge loss", True), ("ROC AUC", False)):
            place = heads.index(name)
            assert (rows["hinge-1"][place] != was["hinge-1"][place]) is moves, name
    linked = open_app(page, dataset="sample-hinge", gamma="2")
    assert (answer(linked), [table.rows for table in tables(linked)]) == after[:2]


def test_the_view_holds_over_pages() -> None:
    app = open_app(dataset="sample-hinge", gamma="0.5", baseline="hinge-2", candidate="hinge-1", split="test")
    for page in ("losses", "cohorts", "home", "margins"):
        go_to(app, page)
        assert_sound(app)
        assert app.slider(key="control:gamma").value == 0.5
        wanted = {"gamma": "0.5", "baseline": "hinge-2", "candidate": "hinge-1", "split": "test"}
        assert {name: app.query_params[name] for name in wanted} == wanted


@pytest.mark.parametrize("page", PAGES)
def test_a_version_against_itself_shows_it_once(page: str) -> None:
    app = open_app(page, dataset="sample-losses", baseline="logistic-2", candidate="logistic-2")
    assert_sound(app)
    # Splits of one version can be compared.
    assert "against" not in answer(app) or page in ("cohorts", "comparison")
    if page == "home":
        assert [row[0].text for row in tables(app)[0].rows] == ["hinge-2", "logistic-2"]
    if page == "margins":
        assert [row[0].text for row in tables(app)[0].rows] == ["logistic-2"]


@pytest.mark.parametrize("page", PAGES)
def test_a_filter_to_one_cohort_holds_everywhere(page: str) -> None:
    app = open_app(page, dataset="sample-incident", cohort_column="language", cohort="pt", by="language")
    assert_sound(app)
    assert app.selectbox(key="control:cohort").value == "pt"
    if page == "home":
        assert tables(app)[0]["2026.04", "Rows"].text == "758"
        assert tables(app)[0]["2026.04", "Violation rate"].text == "96.9\N{NO-BREAK SPACE}%"
    if page == "cohorts":
        assert {row[0].text for row in tables(app)[0].rows} == {"pt"}
    for figure in figures(app):
        assert any("language = pt" in note["text"] for note in figure["layout"]["annotations"])


def test_one_cohort_is_chosen_on_the_cohorts_page_and_let_go_in_the_sidebar() -> None:
    app = open_app("cohorts", dataset="sample-losses")
    app.selectbox(key="control:one").set_value("eight")
    run(app)
    (look,) = (button for button in app.button if button.label == "Look only at this cohort")
    look.click()
    run(app)
    assert_sound(app)
    assert (app.query_params["cohort_column"], app.query_params["cohort"]) == ("digit", "eight")
    go_to(app, "home")
    assert tables(app)[0]["hinge-2", "Rows"].text == "174"
    app.selectbox(key="control:cohort_column").set_value("")
    run(app)
    assert_sound(app)
    assert tables(app)[0]["hinge-2", "Rows"].text == "1,797"
    assert "cohort" not in app.query_params


@pytest.mark.parametrize("column", ["digit", "ink", "file_part"])
@pytest.mark.parametrize("metric", ["roc_auc", "median_margin", "average_hinge_loss", "log_loss"])
def test_cohorts_by_any_metric(column: str, metric: str) -> None:
    app = open_app("cohorts", dataset="sample-hinge", by=column, metric=metric)
    assert_sound(app)
    undefined = metric == "log_loss" or (column == "digit" and metric == "roc_auc")
    assert ("undefined" in answer(app)) is undefined


@pytest.mark.parametrize("apart", ["version", "class", "split", "cohort:ink"])
def test_margins_apart_by_anything(apart: str) -> None:
    app = open_app("margins", dataset="sample-hinge", apart=apart)
    assert_sound(app)
    groups = {"version": 1, "class": 2, "split": 3, "cohort:ink": 3}[apart]
    assert len(tables(app)[0].rows) == 2 * groups
    assert len(app.dataframe) == 1


@pytest.mark.parametrize("apart", ["version", "class", "split", "cohort:ink"])
def test_margins_of_several_classes_apart_by_anything(apart: str) -> None:
    app = open_app("margins", dataset="sample-digits", apart=apart)
    assert_sound(app)
    quantiles, classes = tables(app)
    assert len(quantiles.rows) == 2 * {"version": 1, "class": 6, "split": 3, "cohort:ink": 3}[apart]
    assert len(classes.rows) == 10
    assert (classes.rows[0][0].text, classes.rows[0][-1].text) == ("eight", "one, 2.3\N{NO-BREAK SPACE}%")
    assert len(app.dataframe) == 1
    if apart == "class":
        assert "class eight of softmax-1" in answer(app)


def test_samples_of_one_of_several_classes() -> None:
    app = open_app(
        "samples", dataset="sample-digits", rows_class="class:eight", rows_version="softmax-2", margin_to="0"
    )
    assert_sound(app)
    assert answer(app) == ("9 rows of version softmax-2 of class eight with a margin below 0.00, highest loss first.")
    (frame,) = app.dataframe
    assert set(frame.value["class"]) == {"eight"}
    assert "eight" not in set(frame.value["predicted"])


def test_one_of_several_classes_is_set_against_the_rest_on_the_page() -> None:
    app = open_app(dataset="sample-digits")
    assert app.selectbox(key="map:score").value == "prob_*"
    assert app.selectbox(key="map:pos_label").value == ""
    assert app.selectbox(key="map:pos_label").options[0] == "Every class has its own score"
    app.selectbox(key="map:pos_label").set_value("eight")
    run(app)
    assert app.selectbox(key="map:score").value == "prob_eight"
    app.selectbox(key="map:pos_label").set_value("")
    run(app)
    assert app.selectbox(key="map:score").value == "prob_*"
    assert_sound(app)


def test_all_losses_at_once() -> None:
    names = "squared_hinge,smoothed_hinge,perceptron,exponential,zero_one,focal"
    app = open_app("losses", dataset="sample-losses", losses=names)
    assert_sound(app)
    drawn = {trace.get("name") for trace in figures(app)[0]["data"]}
    assert len(drawn) >= 8


NONSENSE = {
    "gamma": ("nan", "-4", "1e9", "γ"),
    "baseline": ("no such version",),
    "cohort_column": ("no such column",),
    "cohort": ("no such value",),
    "by": ("no such column", "cohort:nothing"),
    "apart": ("no such thing", "cohort:nothing"),
    "metric": ("no_such_metric",),
    "split": ("nowhere",),
    "windows": ("..", "1..2", "x"),
    "losses": ("no_such_loss,,",),
    "margins": ("..", "9..1"),
    "rows_of": ("nobody",),
    "rows_version": ("nobody",),
    "rows_class": ("third",),
    "order": ("backwards",),
    "margin_from": ("x", "nan", "1e400", "--"),
    "margin_to": ("?", "inf", ""),
    "sv_split": ("nowhere", "", "train,test"),
    "sv_c": ("-3", "x", "1e400"),
    "sv_n": ("-1", "0", "many"),
    "moved": ("free..nowhere", ".."),
    "other": ("thing",),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_with_nonsense_shows_the_default(page: str) -> None:
    good = open_app(page, dataset="sample-losses")
    for turn in range(4):
        view = {name: values[turn % len(values)] for name, values in NONSENSE.items()}
        app = open_app(page, **{"dataset": "sample-losses", **view})
        assert_sound(app)
        if view["gamma"] in ("γ", "nan"):
            assert answer(app) == answer(good)


@pytest.mark.parametrize("page", PAGES)
def test_a_dataset_that_is_gone_is_said(page: str) -> None:
    app = open_app(page, dataset="gone", gamma="2")
    assert not app.exception
    assert "no longer open here" in app.warning[0].value


def odd_files() -> dict[str, bytes]:
    usual = list(rows_of(200))
    return {
        "one row": csv_of(HEADS, [["r1", "a", 1, 0.7, "red"]]),
        "two rows": csv_of(HEADS, [["r1", "a", 1, 0.7, "red"], ["r1", "b", 0, 0.7, "red"]]),
        "one class": csv_of(HEADS, [[*row[:2], 1, *row[3:]] for row in usual]),
        "no label": csv_of(("id", "version", "prob", "group"), [[*row[:2], *row[3:]] for row in usual]),
        "empty labels": csv_of(HEADS, [[*row[:2], "", *row[3:]] for row in usual]),
        "one version": csv_of(HEADS, rows_of(300, versions=["only"])),
        "no version": csv_of(("id", "label", "prob"), [[row[0], row[2], row[3]] for row in usual[:200]]),
        "all scores equal": csv_of(HEADS, [[*row[:3], 0.5, row[4]] for row in usual]),
        "a version without labels": csv_of(
            HEADS, [[*row[:2], "" if row[1] == "b" else row[2], *row[3:]] for row in usual]
        ),
        "three versions": csv_of(HEADS, rows_of(90, versions=["x", "y", "z"])),
        "huge margins": csv_of(
            ("id", "version", "label", "logit"),
            [
                [*row[:3], (1e90 if place % 3 else -1e90) * (1 - 2 * int(str(row[2])))]
                for place, row in enumerate(usual)
            ],
        ),
    }


@pytest.mark.parametrize("name", odd_files())
def test_odd_files_are_shown_on_every_page(name: str) -> None:
    app = open_file(odd_files()[name])
    for page in ("home", *PAGES[1:]):
        if page != "home":
            go_to(app, page)
        assert_sound(app)
        if page == "cohorts" and name in ("one row", "two rows", "no version", "huge margins"):
            assert "No column was read as a cohort" in text_of(app)
        elif page == "features" and name in ("one row", "two rows", "no version", "huge margins"):
            assert "No column was read as a feature" in text_of(app)
        elif page == "slices" and name in ("one row", "two rows", "no version", "huge margins", "no label"):
            assert ("no labels" if name == "no label" else "No column was read as a cohort") in text_of(app)
        else:
            assert answer(app)
        assert "nan" not in text_of(app).lower().split()
    go_to(app, "home")
    rows = tables(app)[0]
    if name in ("no label", "empty labels"):
        assert rows["a", "Violation rate"].text == "undefined"
        assert "undefined" in answer(app)
    if name == "one class":
        assert rows["a", "ROC AUC"].text == "undefined"
        assert rows["a", "ROC AUC"].detail
    if name == "all scores equal":
        assert rows["a", "ROC AUC"].text == "0.500"
    if name == "one version":
        assert [row[0].text for row in rows.rows] == ["only"]
    if name == "no version":
        assert [row[0].text for row in rows.rows] == ["file"]
    if name == "one row":
        assert any("label" in each for each in findings(app))


HOSTILE = ("<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "**bold** $x^2$ :red[x]", "</script><b>", "a..b,c")


def test_hostile_names_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARGINALIA_MAX_UPLOAD_GB", "1")
    rows = [[*row[:4], HOSTILE[place % len(HOSTILE)]] for place, row in enumerate(rows_of(300, ["<i>v1</i>", "=v2"]))]
    app = open_file(csv_of(("id", "version", "label", "prob", "<u>group</u>"), rows), "<b>file</b>.csv")
    for page in PAGES:
        go_to(app, page)
        assert_sound(app)
        for tag in ("<img", "<u>", "<i>", "<b>file", "</script><b>"):
            bodies = "".join(each.proto.body for each in app.get("html"))
            assert tag not in bodies
            for figure in figures(app):
                assert not any(tag in note["text"] for note in figure["layout"]["annotations"])
    go_to(app, "cohorts")
    assert {row[0].text for row in tables(app)[0].rows} == set(HOSTILE)
    linked = open_app(
        "margins",
        dataset=app.query_params["dataset"],
        cohort_column="<u>group</u>",
        cohort=HOSTILE[0],
        apart="cohort:<u>group</u>",
    )
    assert_sound(linked)
    assert {row[0].text for row in tables(linked)[0].rows} == {f"{v}, {HOSTILE[0]}" for v in ("<i>v1</i>", "=v2")}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "picture.csv"),
        ("words.csv", b"a,b\nx,y\nz,w\n", "score"),
        ("heads.csv", b"id,label,prob\n", "heads.csv"),
        ("broken.parquet", b"PAR1nonsense", "broken.parquet"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_leaves_what_was_open(name: str, content: bytes, said: str) -> None:
    app = open_app(dataset="sample-losses")
    was = answer(app)
    upload(app, name, content)
    assert not app.exception
    (error,) = app.error
    assert said in error.value
    assert "Something went wrong" not in error.value
    assert answer(app) == was


def test_a_file_without_a_usable_row_is_said() -> None:
    app = open_app()
    upload(app, "far.csv", csv_of(("version", "label", "logit"), [["a", place % 2, 1e300] for place in range(40)]))
    (error,) = app.error
    assert "far.csv" in error.value
    assert "40" in error.value
    assert title_of(app) == "How the columns are read"


def test_a_mapping_that_hardly_a_row_fits_is_said_above_the_form_that_mends_it() -> None:
    """The scores of most rows are no numbers between 0 and 1, which nothing asks about before the rows are read."""
    rows = [[place % 2, 0.3 if place < 5 else 1e300, (place % 7 - 3 + 4 * (place % 2)) / 3] for place in range(100)]
    app = open_app()
    upload(app, "odd.csv", csv_of(("label", "logit", "margin_before"), rows))
    (error,) = app.error
    assert error.value.startswith(
        "Only 5.0\N{NO-BREAK SPACE}%" if "\N{NO-BREAK SPACE}" in error.value else "Only 5.0 %"
    )
    assert title_of(app) == "How the columns are read"
    # It is found again by its link, in a fresh browser too.
    linked = open_app("home", dataset=app.query_params["dataset"])
    assert [each.value for each in linked.error] == [error.value]
    linked.selectbox(key="map:score").set_value("margin_before")
    run(linked)
    assert [each.value for each in linked.error] == []
    next(button for button in linked.button if button.label == "Open with this mapping").click()
    run(linked)
    assert_sound(linked)
    assert tables(linked)[0].rows[0][1].text == "100"


def draft_of(content: bytes, name: str = "file.csv") -> AppTest:
    """The page that shows how the columns of a file are read, which it cannot be opened without."""
    app = open_app()
    upload(app, name, content)
    assert_asking(app)
    return app


def assert_asking(app: AppTest) -> None:
    assert_sound(app)
    assert title_of(app) == "How the columns are read"
    (confirm,) = (button for button in app.button if button.label == "Open with this mapping")
    assert confirm.disabled
    assert " --" not in asked_of(app) + text_of(app)


def asked_of(app: AppTest) -> str:
    """The questions of a draft."""
    return "\n".join(each.value.replace("\\", "") for each in app.markdown)


def open_draft(app: AppTest) -> None:
    (confirm,) = (button for button in app.button if button.label == "Open with this mapping")
    assert not confirm.disabled
    confirm.click()
    run(app)
    assert_sound(app)
    assert "dataset" in app.query_params


def classes(n: int = 90) -> list[list[object]]:
    names = ("cat", "dog", "cow")
    return [[f"r{k}", names[k % 3], k % 2, round((k % 7 - 3) / 2 + k / 1000, 3)] for k in range(n)]


def test_a_label_of_three_classes_is_asked_about_and_settled_in_every_way() -> None:
    heads = ("id", "label", "seen", "decision")
    app = draft_of(csv_of(heads, classes()))
    assert "label has 3 classes" in asked_of(app)
    assert app.selectbox(key="map:pos_label").options == ["Not said yet", "cat", "cow", "dog"]
    app.selectbox(key="map:pos_label").set_value("cow")
    run(app)
    assert "all 2 other classes together are negative" in text_of(app)
    # Another column: what was said of the old one's values is forgotten.
    app.selectbox(key="map:label").set_value("seen")
    run(app)
    assert_sound(app)
    assert app.selectbox(key="map:pos_label").value == "1"
    app.selectbox(key="map:label").set_value("id")
    run(app)
    assert "which one is the positive class" in asked_of(app).lower()
    app.selectbox(key="map:label").set_value("")
    run(app)
    open_draft(app)
    app = draft_of(csv_of(heads, classes()))
    label = app.button(key="answer:pos_label:dog").label
    assert label.replace("\\", "") == "dog: the positive class, 33.3 % of labels"
    assert "decision" in app.selectbox(key="map:score").options
    app.button(key="answer:pos_label:dog").click()
    run(app)
    open_draft(app)


def test_labels_that_say_that_there_is_none_are_left_out() -> None:
    rows = [[f"r{k}", ("yes", "no", "maybe")[k % 3], round((k % 7 - 3) / 2 + k / 1000, 3)] for k in range(90)]
    app = draft_of(csv_of(("id", "label", "decision"), rows))
    assert "does maybe mean that a row has no label" in asked_of(app).lower()
    assert app.button(key="answer:unlabelled:maybe").label == "Rows with maybe are unlabelled"
    app.button(key="answer:unlabelled:maybe").click()
    run(app)
    assert app.multiselect(key="map:unlabelled").value == ["maybe"]
    assert app.selectbox(key="map:pos_label").options == ["no", "yes"]
    assert "maybe counts as no label, in 30 rows (33.3 % of labels)." in text_of(app)
    # Taken back, it is a class among three; and any label can be left out.
    app.multiselect(key="map:unlabelled").set_value([])
    run(app)
    assert "label has 3 classes" in asked_of(app)
    app.multiselect(key="map:unlabelled").set_value(["maybe"])
    run(app)
    open_draft(app)
    assert "30 unlabelled" in text_of(app)


def test_a_choice_that_does_not_fit_is_said_and_can_be_taken_back() -> None:
    rows = [[f"r{k}", k % 2, round((k % 7 - 3) / 2 + k / 1000, 3), f"t{k % 150}"] for k in range(1_200)]
    app = open_app()
    upload(app, "file.csv", csv_of(("id", "label", "decision", "town"), rows))
    for role, sentence in (
        ("version", "town cannot be the version: it has 150 distinct values, and at most 100 are compared."),
        ("split", "town cannot be the split: it has 150 distinct values, and at most 20 are compared."),
        ("score", "town cannot be the score: its values are no numbers"),
        ("weight", "town cannot be the weight: its values are no numbers"),
        ("time", "town cannot be read as the time"),
    ):
        app.selectbox(key=f"map:{role}").set_value("town")
        run(app)
        assert_asking(app)
        assert sentence in asked_of(app)
        assert app.selectbox(key=f"map:{role}").value == "town"
        app.selectbox(key=f"map:{role}").set_value("decision" if role == "score" else "")
        run(app)
    open_draft(app)


def test_files_of_one_name_and_files_that_encode_labels_differently_are_asked_about() -> None:
    heads = ("id", "label", "decision", "arm_of_it")
    rows = [[f"r{k}", k % 2, round((k % 7 - 3) / 2 + k / 1000, 3), f"arm {k % 3}"] for k in range(90)]
    app = open_app()
    for name, low in (("run.csv", 0), ("run.tsv", -1)):
        app.file_uploader[0].upload(name, csv_of(heads, [[r[0], r[1] or low, *r[2:]] for r in rows]))
    run(app)
    assert_asking(app)
    assert "2 files are named run" in asked_of(app)
    assert "run.csv holds 0" in asked_of(app)
    assert "run.tsv holds -1" in asked_of(app)
    app.button(key="answer:version:arm_of_it").click()
    run(app)
    app.button(key="answer:pos_label:1").click()
    run(app)
    open_draft(app)
    assert [row[0].text for row in tables(app)[0].rows] == ["arm 0", "arm 1", "arm 2", "Change"]


def test_the_same_file_twice_is_refused_and_leaves_what_was_open() -> None:
    app = open_app(dataset="sample-losses")
    was = answer(app)
    for name in ("one.csv", "two.csv"):
        app.file_uploader[0].upload(name, csv_of(HEADS, rows_of(60)))
    run(app)
    (error,) = app.error
    assert "one.csv and two.csv are byte for byte the same" in error.value
    assert answer(app) == was


def test_uploads_that_are_versions_keep_the_order_in_which_they_were_given() -> None:
    rows = {"main": [[k % 2, k / 7 - 4] for k in range(60)], "candidate": [[k % 2, k / 9 - 3] for k in range(60)]}
    app = open_app()
    for given in (("main", "candidate"), ("candidate", "main")):
        for name in given:
            app.file_uploader[0].upload(f"{name}.csv", csv_of(["label", "margin"], rows[name]))
        run(app)
        assert [row[0].text for row in tables(app)[0].rows] == [*given, "Change"]
        assert [app.selectbox(key=f"control:{role}").value for role in ("baseline", "candidate")] == list(given)


def test_every_column_without_a_role_is_named_with_its_reason() -> None:
    rows = [[k % 2, f"1,{k:03d}", k / 7 - 4, f"words {k}", ""] for k in range(60)]
    app = open_app()
    upload(app, "file.csv", csv_of(("label", "price", "margin", "comment", "empty"), rows))
    assert_sound(app)
    doubt = "price: its numbers are written with commas (1,000, which may be 1000 or 1.000); write them without"
    assert doubt in text_of(app)
    assert "comment: 60 distinct values in 60 rows: free text or a key." in text_of(app)
    assert "empty: all 60 values are missing." in text_of(app)


def test_only_labels_that_are_in_the_file_are_offered() -> None:
    app = open_file(csv_of(("label", "margin"), [["no", k / 7 - 4] for k in range(60)]))
    choice = app.selectbox(key="map:pos_label")
    assert (choice.options, choice.value) == (["None of the labels found", "no"], "")


def test_two_files_are_two_versions() -> None:
    rows = list(rows_of(150))
    app = open_app()
    for name, part in (("first.csv", rows[:150]), ("second.csv", rows[150:])):
        app.file_uploader[0].upload(name, csv_of(("id", "label", "prob"), [[r[0], r[2], r[3]] for r in part]))
    run(app)
    assert_sound(app)
    assert [row[0].text for row in tables(app)[0].rows] == ["first", "second", "Change"]


def test_a_file_that_comes_later_is_a_dataset_of_its_own_and_may_come_twice() -> None:
    app = open_file(csv_of(HEADS, rows_of(60)), "early.csv")
    early = app.query_params["dataset"]
    for n, name in enumerate(("late.csv", "early.csv"), start=61):
        upload(app, name, csv_of(HEADS, rows_of(n)))
        assert_sound(app)
        assert title_of(app) == name
        assert app.query_params["dataset"] != early
    names = app.selectbox(key="control:dataset").options
    assert {"early.csv", "early.csv (2)", "late.csv"} <= set(names)
    assert len(set(names)) == len(names), "a choice is known by its words"
    app.selectbox(key="control:dataset").set_value(early)
    run(app)
    assert app.query_params["dataset"] == early


def test_a_mapping_is_changed_after_opening_and_the_link_stays() -> None:
    app = open_file(csv_of(HEADS, rows_of(200)))
    token = app.query_params["dataset"]
    app.selectbox(key="map:version").set_value("")
    run(app)
    assert title_of(app) == "How the columns are read"
    (confirm,) = (button for button in app.button if button.label == "Open with this mapping")
    confirm.click()
    run(app)
    assert_sound(app)
    assert app.query_params["dataset"] == token
    assert [row[0].text for row in tables(app)[0].rows] == ["file"]


def test_a_mapping_that_is_discarded_leaves_the_dataset_and_its_settings_as_they_were() -> None:
    app = open_file(csv_of(HEADS, rows_of(200)))
    token = app.query_params["dataset"]
    app.slider(key="control:gamma").set_value(2.0)
    run(app)
    was = answer(app)
    for column in ("id", "group"):
        app.selectbox(key="map:version").set_value(column)
        run(app)
    assert title_of(app) == "How the columns are read"
    draft = app.query_params["dataset"]
    assert draft != token
    names = app.selectbox(key="control:dataset").options
    assert [name for name in names if name.startswith("file.csv")] == ["file.csv", "file.csv, not open yet"]
    other = open_app(dataset=draft)
    assert title_of(other) == "How the columns are read"
    (discard,) = (button for button in app.button if button.label == "Discard")
    discard.click()
    run(app)
    assert_sound(app)
    assert (app.query_params["dataset"], app.query_params["gamma"], answer(app)) == (token, "2", was)


def test_a_dataset_is_closed_for_good() -> None:
    app = open_file(csv_of(HEADS, rows_of(60)))
    token = app.query_params["dataset"]
    (close,) = (button for button in app.button if button.label == "Close this dataset")
    close.click()
    run(app)
    assert_sound(app)
    assert title_of(app) == "Marginalia"
    assert "no longer open here" in open_app(dataset=token).warning[0].value


@pytest.fixture(autouse=True, scope="module")
def uploads_are_removed() -> Iterator[None]:
    yield
    close_upload_store()


def test_samples_lists_the_rows_that_a_link_asks_for() -> None:
    app = open_app(
        "samples",
        dataset="sample-incident",
        rows_version="2026.04",
        rows_class="positive",
        margin_to="-1",
        order="place",
    )
    assert_sound(app)
    rows = app.dataframe[0].value
    assert answer(app).endswith(" positive rows of version 2026.04 with a margin below −1.00, as in the file.")
    assert len(rows) == PAGE_ROWS
    assert set(rows["version"]) == {"2026.04"}
    assert set(rows["label"]) == {1}
    assert (rows["margin"] < -1).all()
    assert rows["record"].is_monotonic_increasing
    app.number_input[2].set_value(2)
    assert not set(run(app).dataframe[0].value["record"]) & set(rows["record"])


def test_samples_follow_the_filter_and_say_when_there_are_none() -> None:
    app = open_app("samples", dataset="sample-incident", cohort_column="language", cohort="ja", margin_from="0.5")
    assert_sound(app)
    assert set(app.dataframe[0].value["language"]) == {"ja"}
    app.number_input[0].set_value(900.0)
    run(app)
    assert answer(app) == "0 rows with a margin of 900.0 or more."
    assert not app.dataframe


def test_the_rows_behind_a_bar_lead_to_samples() -> None:
    app = open_app("margins", dataset="sample-losses", apart="class", margins="-1..0.2")
    link = next(each for each in app.get("page_link") if each.proto.label == "Look at these rows on Samples")
    wanted = dict(parse_qsl(link.proto.query_string))
    there = open_app("samples", **wanted)
    assert_sound(there)
    sentence = re.search(r"([\d,]+) rows of [^.]* with a margin from \S+ up to", text_of(app))
    assert sentence is not None
    assert answer(there).split()[0] == sentence[1] != "0"


def test_the_rows_of_a_cohort_are_those_within_the_filter():
    app = open_app("cohorts", dataset="sample-losses", by="digit", split="test")
    (link,) = [each.proto for each in app.get("page_link") if each.proto.label == "Look at its rows"]
    wanted = dict(parse_qsl(link.query_string))
    assert (wanted["split"], wanted["cohort_column"]) == ("test", "digit")
    within = open_app("cohorts", dataset="sample-losses", by="digit", cohort_column="ink", cohort="heavy")
    (link,) = [each.proto for each in within.get("page_link") if each.proto.label == "Look at its rows"]
    wanted = dict(parse_qsl(link.query_string))
    assert (wanted["cohort_column"], wanted["cohort"], wanted["cohort_column_2"]) == ("ink", "heavy", "digit")
    there = open_app("samples", **wanted)
    assert_sound(there)
    rows = there.dataframe[0].value
    assert (set(rows["ink"]), set(rows["digit"])) == ({"heavy"}, {wanted["cohort_2"]})


def log_of_two(of_b: float) -> bytes:
    """Two versions side by side; the classes lie 2.4 apart in a, twice `of_b` in b."""
    draw = random.Random(5)
    rows = list[list[object]]()
    for k in range(4_000):
        label, version = draw.randint(0, 1), draw.choice("ab")
        score = draw.gauss((2 * label - 1) * (1.2 if version == "a" else of_b), 1.0)
        rows.append([f"r{k}", f"2026-03-{k // 200 + 1:02d}", version, label, f"{score:.6f}"])
    return csv_of(("id", "time", "version", "label", "decision"), rows)


def test_a_candidate_that_is_worse_as_a_whole_is_a_finding() -> None:
    app = open_app()
    upload(app, "log.csv", log_of_two(0.8))
    assert_sound(app)
    (found,) = findings(app)
    assert found.startswith("warning More wrong answers in version b: accuracy 78 % against 87 % in version a, AUC ")
    assert "numbers, beyond chance" not in text_of(app)
    assert "corrected for 13 numbers judged at once (Benjamini–Hochberg)" in text_of(app)


def test_a_candidate_that_is_better_is_said_beside_no_findings() -> None:
    app = open_app()
    upload(app, "log.csv", log_of_two(1.6))
    assert_sound(app)
    assert findings(app) == []
    (said,) = (line for line in text_of(app).splitlines() if "No check found a fault" in line)
    assert said.startswith("No check found a fault; version b is better than version a in 1")


@pytest.mark.parametrize(("scope", "page"), [("version", "margins"), ("cohort", "cohorts")])
def test_exchanged_classes_lead_to_the_page_that_shows_them(scope: str, page: str) -> None:
    frame = make_classes(3, n=1_500)
    rows = rows_of_scope(frame, scope)
    app = upload(open_app(), "classes.csv", exchange(frame, rows, cycle(4, 0, 1)).to_csv(index=False).encode())
    assert_sound(app)
    assert any("Classes c00 and c01 are exchanged" in each for each in findings(app))
    diagnosis = diagnose_classes(exchange(frame, rows, cycle(4, 0, 1)))
    (finding,) = [each for each in run_checks(diagnosis) if each.name == "label-flip"]
    assert page_of(finding) == page
    link = link_of(finding, diagnosis)
    chosen = {"apart": "class"} if scope == "version" else {"by": "language", "metric": "accuracy"}
    assert chosen.items() <= link.items()
    for name, value in chosen.items():
        app.query_params[name] = value
    shown = go_to(app, page)
    assert_sound(shown)
    assert ("c00" if scope == "version" else "pt") in answer(shown) or "c01" in answer(shown)


@pytest.mark.parametrize("page", ["home", "cohorts", "margins"])
def test_several_classes_under_a_filter_that_leaves_out_cohorts_and_versions(page: str) -> None:
    assert_sound(open_app(page, dataset="sample-digits", cohort_column="ink", cohort="light"))
    frame = make_classes(3, n=1_500)
    app = upload(open_app(), "classes.csv", frame.to_csv(index=False).encode())
    first = int(frame["time"].min().floor("D").timestamp())
    app.query_params["windows"] = f"{first}..{first}"
    assert_sound(go_to(app, page))
