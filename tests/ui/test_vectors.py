"""Files of vectors on Home: recognised, joined with metadata, asked about where they can be read in two ways."""

from __future__ import annotations

import io

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.datasets import workspace
from lib.ui.mapping import as_plain_markdown
from tests.ui.conftest import answer, assert_sound, go_to, open_app, run, text_of

ROWS = 60


def npz(seed: int = 0, **arrays: object) -> bytes:
    block = io.BytesIO()
    matrix = np.random.default_rng(seed).normal(size=(ROWS, 6)).astype(np.float32)
    np.savez(block, **{"vectors": matrix, **arrays})  # type: ignore[arg-type]
    return block.getvalue()


def table(*columns: str) -> bytes:
    """A row for each vector; a column holds its own name with a number, of `kind` and `label` one of three."""
    few = ("kind", "label", "target")
    rows = ([f"{name}{row % 3 if name in few else row}" for name in columns] for row in range(ROWS))
    return "\n".join([",".join(columns), *map(",".join, rows)]).encode()


def give(app: AppTest, **files: bytes) -> AppTest:
    for name, content in files.items():
        app.file_uploader[0].upload(name.replace("__", "."), content)
    return run(app)


def role(app: AppTest, label: str) -> str:
    return next(str(each.value) for each in app.selectbox if each.label == label)


def set_role(app: AppTest, label: str, value: str) -> AppTest:
    next(each for each in app.selectbox if each.label == label).set_value(value)
    return run(app)


@pytest.fixture(scope="module")
def opened() -> AppTest:
    """Two versions and their metadata, joined by row order."""
    return give(open_app(), v1__npz=npz(), v2__npz=npz(1), meta__csv=table("id", "name", "kind"))


def test_vectors_are_recognised_and_say_how_they_were_read(opened: AppTest) -> None:
    assert_sound(opened)
    assert [each.value for each in opened.title] == ["v1.npz and 1 more"]
    said = text_of(opened)
    assert "120 vectors in 2 versions; cohorts name and kind." in said
    assert "meta.csv was joined to v1.npz by row order: both have 60 rows." in said
    assert "Named id; 60 distinct values." in said
    assert role(opened, "Id") == "id"
    assert [each.label for each in opened.selectbox if "." in each.label] == ["v1.npz", "v2.npz", "meta.csv"]


def test_a_column_is_given_another_role_and_the_link_stays() -> None:
    app = give(open_app(), v1__npz=npz(), meta__csv=table("id", "name", "kind"))
    token = app.query_params["vectors"]
    set_role(app, "Label", "kind")
    set_role(app, "Id", "name")
    assert_sound(app)
    assert app.query_params["vectors"] == token
    assert "right answers by kind" in text_of(app)
    held = workspace().embeddings(token)
    assert held is not None
    assert held.embeddings.versions["v1"].ids[:2].tolist() == ["name0", "name1"]
    # What cannot be is a sentence, and what was read stays.
    set_role(app, "Split", "name")
    assert len(app.error) == 1
    assert "Split" not in held.embeddings.roles.single
    assert role(app, "Id") == "name"
    assert workspace().embeddings(token) is held


def test_two_columns_that_may_be_the_label_are_asked_about() -> None:
    app = give(open_app(), v1__npz=npz(), meta__csv=table("id", "label", "target"))
    assert [each.value for each in app.title] == ["How the vectors are read"]
    assert "--" not in " ".join(each.value for each in app.markdown), "no option of the command line"
    go_to(app, "projection")
    assert "has to be settled on the Home page first" in text_of(app)
    go_to(app, "home")
    next(each for each in app.button if each.label == "target").click()
    run(app)
    assert_sound(app)
    assert "right answers by target" in text_of(app)


def test_what_several_files_without_vectors_are_is_asked() -> None:
    pairs = b"id,match\nid0,id3\nid1,id4\n"
    app = give(open_app(), v1__npz=npz(), meta__csv=table("id", "kind"), pairs__csv=pairs)
    assert "hold no vectors" in " ".join(each.value for each in app.markdown)
    set_role(app, "meta.csv", "metadata")
    set_role(app, "pairs.csv", "pairs")
    assert_sound(app)
    assert "right answers given" in text_of(app)


def test_metadata_may_come_later(opened: AppTest) -> None:
    app = give(open_app(), alone__npz=npz(3))
    assert "Nothing is known of the rows but their order" in text_of(app)
    place = next(place for place, each in enumerate(app.file_uploader) if "Choose a file" in each.label)
    app.file_uploader[place].upload("meta.csv", table("id", "kind"))
    run(app)
    assert_sound(app)
    assert role(app, "Id") == "id"
    assert "cohorts kind" in text_of(app)


def test_files_that_cannot_be_used_leave_what_is_open(opened: AppTest) -> None:
    app = give(open_app(), v1__npz=npz(5))
    token = app.query_params["vectors"]
    give(app, other__npz=npz(6), meta__csv=table("id", "kind")[:200])
    assert len(app.error) == 1
    assert "has 60 vectors and meta.csv" in app.error[0].value
    assert app.query_params["vectors"] == token
    out = io.BytesIO()
    np.save(out, np.ones(60))
    give(app, flat__npy=out.getvalue())
    assert "has the shape (60,), one number a row" in app.error[0].value.replace("\\", "")


def test_both_halves_of_a_view_are_open_at_once() -> None:
    scores = "label,margin\n" + "".join(f"{row % 2},{row / 7 - 4}\n" for row in range(ROWS))
    app = give(open_app(), scores__csv=scores.encode())
    token = app.query_params["dataset"]
    give(app, v1__npz=npz(7))
    assert_sound(app)
    assert app.query_params["dataset"] == token
    next(each for each in app.selectbox if each.label == "Vectors").set_value("")
    run(app)
    assert "vectors" not in app.query_params
    assert app.query_params["dataset"] == token


def test_vectors_that_are_given_leave_no_sample_below_them() -> None:
    app = give(open_app("home", dataset="sample-hinge", gamma="0.5"), v1__npz=npz(8))
    assert_sound(app)
    assert [each.value for each in app.title] == ["v1.npz"]
    assert not {"dataset", "gamma"} & {*app.query_params}
    assert "vectors" in app.query_params


def test_a_sample_is_on_the_map() -> None:
    app = open_app("projection", vectors="sample-recall", v_colour="lost", v_method="pca")
    assert_sound(app)
    assert "Of each row's true neighbours the map keeps" in answer(app)
    assert "distances on it are no evidence" in text_of(app)


@pytest.mark.parametrize(
    ("n_kinds", "colour", "names"),
    [
        ((3, 4), "column:label", "column:label"),
        ((11, 10), "column:group", "column:label"),
        ((41, 10), "column:group", "column:group"),
        ((41, 11), "lost", "column:group"),
    ],
)
def test_a_map_opens_with_a_colour_for_each_value_and_with_names_that_find_room(
    n_kinds: tuple[int, int], colour: str, names: str
) -> None:
    few, many = n_kinds
    rows = "".join(f"a{row},l{row % few},g{row % many}\n" for row in range(ROWS))
    app = give(open_app(), v1__npz=npz(), v2__npz=npz(1), meta__csv=f"id,label,group\n{rows}".encode())
    if role(app, "Label") != "label":
        set_role(app, "Label", "label")
    app.query_params["v_method"] = "pca"
    go_to(app, "projection")
    assert_sound(app)
    assert [role(app, label) for label in ("Colour by", "Names on the map")] == [colour, names]
    assert not {"v_colour", "v_names"} & {*app.query_params}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("encoder_2025.npz", "encoder_2025.npz"),
        ("v1-2.5 (copy).npy", r"v1-2.5 (copy)\.npy"),
        ("_a_ __b_c", r"\_a\_ \_\_b_c"),
        ("- a. 1. x", r"\- a\. 1\. x"),
        ("[a](b) ![c](d) *e* :red[f]", r"\[a\](b) \!\[c\](d) \*e\* \:red\[f\]"),
        ("www.a_b.net", r"www\.a\_b\.net"),
    ],
)
def test_only_what_would_be_markup_is_written_otherwise(text: str, written: str) -> None:
    assert as_plain_markdown(text) == written


def draw_layout_controls() -> None:
    # Run as a script of its own: it imports what it needs.
    from lib.ui import map_controls, state
    from lib.vectors import Distance

    state.read_view("page", "")
    map_controls.choose_layout(Distance.COSINE)


def test_whole_numbers_of_a_layout_have_no_decimals() -> None:
    shown = {
        each.label: each.proto.format % each.value for each in AppTest.from_function(draw_layout_controls).run().slider
    }
    assert shown == {"Neighbours": "15", "Least distance": "0.10", "Seed": "0"}


def test_a_page_of_vectors_without_any_says_how_to_get_some() -> None:
    assert "No vectors are loaded yet." in text_of(open_app("projection"))
    assert "no longer open here" in " ".join(each.value for each in open_app("projection", vectors="gone").warning)
