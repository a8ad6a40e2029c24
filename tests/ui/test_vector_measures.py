"""Geometry, Drift and Dimensions: what they say of digits, turned, cut down, or alone, and that it is in the link."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from lib.sources.embeddings import EmbeddingAnswers, read_embeddings
from lib.sources.inputs import Input
from lib.ui.datasets import workspace
from tests.ui.conftest import answer, assert_sound, figures, go_to, open_app, run, tables, text_of

ROWS = 500
HOSTILE = "<b>two</b>"


def open_digits(
    folder: Path, versions: dict[str, np.ndarray], *, told: bool = True, times: np.ndarray | None = None
) -> str:
    """A set of digits that is open, by its token; without what is told of rows there is no label either."""
    names = []
    for name, matrix in versions.items():
        np.save(folder / f"{name}.npy", matrix.astype(np.float32))
        names.append(f"{name}.npy")
    if told:
        n = len(next(iter(versions.values())))
        labels = load_digits(return_X_y=True)[1][:n]
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(
            {
                "id": [f"d{row}" for row in range(n)],
                "label": [HOSTILE if each == 2 else str(each) for each in labels],
                "split": np.where(rng.random(n) < 0.7, "train", "test"),
                "half": np.where(labels < 5, "low", "high"),
                "group": np.where((labels % 2 == 0) ^ (rng.random(n) < 0.1), "a", "b"),
            }
        )
        (frame if times is None else frame.assign(time=times)).to_csv(folder / "meta.csv", index=False)
        names.append("meta.csv")
    answers = EmbeddingAnswers(cohorts=("half",), sensitive=("group",)) if told else EmbeddingAnswers()
    given = read_embeddings([Input(folder / name, name) for name in names], folder / "store", answers)
    return workspace().add_embeddings("digits", given, folder, None).token


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.asarray(load_digits(return_X_y=True)[0])[:ROWS]


@pytest.fixture(scope="module")
def turned(pixels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))
    token = open_digits(tmp_path_factory.mktemp("turned"), {"old": pixels, "new": pixels @ turn})
    yield token
    workspace().close(token)


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, pixels = tmp_path_factory.mktemp("components"), np.asarray(load_digits(return_X_y=True)[0])
    token = open_digits(folder, {"old": pixels, "new": PCA(8, random_state=0).fit_transform(pixels)})
    yield token
    workspace().close(token)


@pytest.fixture(scope="module")
def alone(pixels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    token = open_digits(tmp_path_factory.mktemp("alone"), {"only": pixels}, told=False)
    yield token
    workspace().close(token)


def test_a_rotation_is_said_to_be_one_and_moves_no_geometry(turned: str) -> None:
    app = open_app("drift", vectors=turned)
    assert_sound(app)
    assert "This is a rotation" in answer(app)
    assert "Re-embed both sides" in answer(app)
    measures, leakage = tables(app)
    assert measures.heads[1:] == ["Centroid shift", "Largest KS", "MMD", "Domain classifier"]
    assert [row[0].text for row in measures.rows] == [
        "All rows",
        "The same ids, as pairs",
        "The same ids, turned, as pairs",
    ]
    assert "moved" in measures["The same ids, as pairs", "Domain classifier"].detail
    assert leakage["group, new", "Verdict"].text == "leaks"
    residuals, by_cohort, ks, cohorts, groups = figures(app)
    # A rotation leaves nothing but rounding.
    assert by_cohort["layout"]["meta"]["title"] == "No half is further from where turning puts it than chance makes it"
    assert "A rotation" in residuals["layout"]["meta"]["title"]
    assert "64 of 64 dimensions" in ks["layout"]["meta"]["title"]
    assert "half = " in cohorts["layout"]["meta"]["title"]
    assert "group = " in groups["layout"]["meta"]["title"]
    assert all("old" in each["layout"]["meta"]["provenance"] for each in (residuals, ks, cohorts, groups))
    app.session_state["control:v_drift_measure"] = "mmd"
    run(app)
    assert app.query_params["v_drift_measure"] == "mmd"

    go_to(app, "geometry")
    assert_sound(app)
    sizes, directions, triplets = tables(app)[:3]
    assert sizes["old", "Participation ratio"] == sizes["new", "Participation ratio"]
    assert directions["old", "Silhouette"] == directions["new", "Silhouette"]
    assert triplets["old", "Violated"] == triplets["new", "Violated"]


def test_the_margin_and_the_similarity_are_in_the_link(components: str) -> None:
    app = open_app("geometry", vectors=components, v_margin="0.35", v_similarity="0.95", v_lonely="old")
    assert_sound(app)
    said = text_of(app)
    assert "Not all of the link" not in said
    assert "Similarity of at least 0.95" in said
    assert "of its 8 dimensions" in answer(app)
    shares = tables(app)[2]
    violated = shares["new", "Violated"].text
    assert any("margin 0.35" in str(each["layout"]["annotations"]) for each in figures(app))
    duplicates = next(table for table in tables(app) if "Same label" in table.heads)
    assert duplicates["new", "Same label"].text.endswith("%")
    assert "row" in duplicates["new", "Across splits"].detail
    outliers = next(table for table in tables(app) if table.heads[-1] == "Score")
    assert outliers.heads == ["Id", "Label", "Split", "Score"]
    app.session_state["control:v_margin"] = 0.6
    run(app)
    assert app.query_params["v_margin"] == "0.6"
    assert tables(app)[2]["new", "Violated"].text != violated


def test_other_dimensions_are_said_and_only_turned(components: str) -> None:
    app = open_app("drift", vectors=components)
    assert_sound(app)
    assert "64 and of 8 values" in answer(app)
    assert "After turning" in [each.value for each in app.subheader]
    assert "No rotation" in figures(app)[0]["layout"]["meta"]["title"]


def test_the_smallest_vectors_that_keep_recall_are_named_and_priced(components: str) -> None:
    app = open_app("dimensions", vectors=components, v_price="0.5", v_sizes="old")
    assert_sound(app)
    assert "bytes a vector instead of 256" in answer(app)
    (sizes,) = tables(app)
    assert sizes.heads[-1] == "Cost of 1,000 queries"
    # 1,000 queries read 1,797 vectors of 256 bytes each: 0.46 GB, at 0.5.
    assert sizes["64 dimensions, float32", "Cost of 1,000 queries"].text == "0.23"
    assert sum(row[1].detail == "the smallest that does" for row in sizes.rows) == 1
    (figure,) = figures(app)
    assert "k = 10" in figure["layout"]["meta"]["provenance"]


def test_one_version_without_labels_or_sensitive_columns_says_what_is_missing(alone: str) -> None:
    app = open_app("geometry", vectors=alone)
    assert_sound(app)
    assert "Nothing tells which rows belong together" in text_of(app)
    assert tables(app)[1]["only", "Silhouette"].detail == "no column is the label"
    go_to(app, "drift")
    assert_sound(app)
    assert answer(app) == "There is one version: what moved between versions can be told only of two."
    assert "No column is said to be sensitive" in text_of(app)
    go_to(app, "dimensions")
    assert_sound(app)
    assert "Nothing tells which rows belong together" in text_of(app)


def test_windows_and_weeks_are_drawn_where_rows_have_times(pixels: np.ndarray, tmp_path: Path) -> None:
    seconds = 2_900 * 7 * 86_400 + 4 * 86_400 + np.arange(ROWS) * (28 * 86_400 / ROWS)  # four weeks from a Monday
    late, moved = np.arange(ROWS) >= 0.75 * ROWS, pixels.copy()
    moved[late, 20:28] += 8
    times = np.array([f"{pd.Timestamp(each, unit='s', tz='UTC'):%Y-%m-%dT%H:%M:%SZ}" for each in seconds])
    token = open_digits(tmp_path, {"old": pixels, "new": moved}, times=times)
    app = open_app("drift", vectors=token)
    assert_sound(app)
    assert "Over time" in [each.value for each in app.subheader]
    windows = next(each for each in figures(app) if each["layout"]["meta"]["title"].startswith("Over time"))
    title = windows["layout"]["meta"]["title"]
    # Digits come writer by writer: one more week is unlike all.
    assert title.startswith("Over time: 2 of 4 weeks moved from old; 2025-08-25 to 2025-09-01 furthest, ")
    assert "n = 125 to 125 a window" in windows["layout"]["meta"]["subtitle"]
    assert "Whether a shift comes back cannot be told: fewer than 3 weeks or days" in text_of(app)
    workspace().close(token)
