"""Layouts on disk: the same back, nothing half written, nothing of another version or damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.projection import Layout, LayoutSettings, Method, layout_key, load_layout, save_layout
from lib.vectors import Distance

SETTINGS = LayoutSettings(n_neighbors=9, min_dist=0.25, seed=3, distance=Distance.EUCLIDEAN)
LAYOUT = Layout(np.array([[0, 1], [np.nan, np.nan]], np.float32), Method.UMAP, SETTINGS, 7, 1.5)
LANDMARKS = np.array([True, False])


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    key = layout_key("abc", SETTINGS, LANDMARKS)
    assert load_layout(tmp_path, key) is None
    save_layout(tmp_path, key, LAYOUT)
    back = load_layout(tmp_path, key)
    assert back is not None
    assert np.array_equal(back.coordinates, LAYOUT.coordinates, equal_nan=True)
    assert (back.method, back.settings, back.n_landmarks, back.seconds) == (Method.UMAP, SETTINGS, 7, 1.5)
    assert [path.name for path in tmp_path.iterdir()] == [f"layout-{key}.npz"]


def test_keys_differ_by_all_that_a_layout_depends_on() -> None:
    keys = {
        layout_key("abc", SETTINGS, LANDMARKS),
        layout_key("abd", SETTINGS, LANDMARKS),
        layout_key("abc", SETTINGS),
        layout_key("abc", SETTINGS, ~LANDMARKS),
        layout_key("abc", SETTINGS, LANDMARKS, is_exact=False),
        layout_key("abc", SETTINGS, LANDMARKS, "from"),
        *(layout_key("abc", replace(SETTINGS, **change), LANDMARKS) for change in ({"seed": 4}, {"min_dist": 0.3})),
        layout_key("abc", replace(SETTINGS, distance=Distance.COSINE), LANDMARKS),
    }
    assert len(keys) == 9


def test_a_damaged_file_is_no_layout(tmp_path: Path) -> None:
    save_layout(tmp_path, "k", LAYOUT)
    path = tmp_path / "layout-k.npz"
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"PK" + content[2:50]):
        path.write_bytes(damaged)
        assert load_layout(tmp_path, "k") is None
