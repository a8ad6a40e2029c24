"""The map's block of bytes and its picture: sizes, places, colours, and what comes from the data as words."""

from __future__ import annotations

import base64
import io
import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from lib.figures.projection_map import (
    GRID,
    MOST_BYTES,
    Colours,
    MapLabel,
    MapView,
    colour_by_category,
    colour_by_number,
    encode_map,
)
from lib.figures.projection_picture import draw_points, encode_png, plot_projection
from lib.figures.theme import LIGHT, Look

POINTS = np.array([[0, 0], [4, 1], [np.nan, np.nan], [2, 2]], np.float32)
COLOURS = colour_by_category(["a", "b", None, "a"], Look())
VIEW = MapView(POINTS, np.array(["r0", "r\n1", "r2", "é3"]), COLOURS, "A map", "g", labels=(MapLabel("<b>", 4, 0),))


def decode(block: bytes):
    length = int.from_bytes(block[:4], "little")
    header = json.loads(block[4 : 4 + length])
    at, parts = 4 + length, []
    n = header["n"]
    sizes = [4 * n, n, n * header["has_opacity"], 4 * n * header["has_rows"], header["ids_bytes"]]
    for size in sizes:
        parts.append(block[at : at + size])
        at += size
    assert at == len(block)
    return header, parts


def test_a_block_holds_the_points_that_have_a_place() -> None:
    header, (places, codes, opacity, rows, ids) = decode(encode_map(VIEW))
    assert np.frombuffer(places, "<u2").reshape(-1, 2).tolist() == [[0, 0], [GRID, round(GRID / 2)], [32768, GRID]]
    assert list(codes) == [0, 1, 0]
    assert opacity == b""
    assert np.frombuffer(rows, "<u4").tolist() == [0, 1, 3]
    assert zlib.decompress(ids).decode() == "r0\nr 1\né3\n"
    assert (header["n"], header["n_rows"], header["spans"]) == (3, 4, [1, 0.5])
    assert header["labels"] == [{"text": "<b>", "x": 1, "y": 0}]


def test_keys_tell_a_new_map_and_a_mere_change_of_colours() -> None:
    first, _parts = decode(encode_map(VIEW))
    faded, (_places, _codes, opacity, _rows, _ids) = decode(encode_map(replace(VIEW, opacity=np.array([0, 0.5, 1, 1]))))
    assert list(opacity) == [0, 128, 255]
    assert faded["shape"] == first["shape"]
    assert faded["key"] != first["key"]
    assert decode(encode_map(replace(VIEW, coordinates=POINTS * [1, 3])))[0]["shape"] != first["shape"]
    assert encode_map(VIEW) == encode_map(VIEW)


def test_rows_may_be_numbered_by_the_caller() -> None:
    header, parts = decode(encode_map(replace(VIEW, rows=np.array([9, 8, 7, 6]), n_rows=10)))
    assert np.frombuffer(parts[3], "<u4").tolist() == [9, 8, 6]
    assert header["n_rows"] == 10


def test_a_million_points_stay_within_the_bound() -> None:
    n = 1_000_000
    chance = np.random.default_rng(0)
    points = chance.random((n, 2), np.float32)
    colours = Colours(chance.integers(0, 64, n).astype(np.uint8), ("#000000",) * 64, ())
    short = MapView(points, np.arange(n).astype(str), colours, "", "g")
    block = encode_map(short)
    assert len(block) <= MOST_BYTES < 12_000_000
    assert decode(block)[0]["ids_bytes"] > 0
    long = np.array([chance.bytes(12).hex() for _each in range(1000)])[chance.permutation(n) % 1000]
    long = np.char.add(long, chance.integers(0, 2**62, n).astype(str))
    header, _parts = decode(encode_map(replace(short, ids=long, opacity=chance.random(n))))
    assert header["ids_bytes"] == 0, "ids that do not fit are left out, not the bound"


def test_no_point_is_a_map() -> None:
    header, _parts = decode(encode_map(replace(VIEW, coordinates=np.full((4, 2), np.nan, np.float32), labels=())))
    assert header["n"] == 0


def test_categories_have_colours_by_frequency() -> None:
    values = [*"aaabbc", None, *(f"rare {i:02}" for i in range(12))]
    colours = colour_by_category(values, Look())
    assert colours.codes[[0, 3, 5, 6]].tolist() == [0, 1, 2, 11]
    names = [entry["name"] for entry in colours.legend]
    assert names == ["a", "b", "c", *(f"rare {i:02}" for i in range(7)), "other (5 values)", "missing"]
    assert len(set(colours.colours)) == 12


def test_numbers_have_a_scale() -> None:
    colours = colour_by_number(np.array([0.0, 0.5, 1.0, np.nan]), Look(dark=True))
    assert colours.codes.tolist() == [0, 32, 63, 64]
    assert colours.legend[0]["low"] != colours.legend[0]["high"]
    assert colours.legend[1] == {"name": "missing", "code": 64}
    assert colour_by_number(np.array([np.nan]), Look()).legend == ({"name": "missing", "code": 64},)
    assert colour_by_number(np.array([2.0, 2.0]), Look()).codes.tolist() == [0, 0]


def test_a_picture_has_each_point_in_its_colour() -> None:
    places = np.array([[0.05, 0.05], [0.95, 0.95], [0.95, 0.95]])
    pixels = draw_points(places, np.array([0, 1, 0], np.uint8), np.ones(3), ("#FF0000", "#0000FF"), (), (1, 1))
    assert pixels[0, 0, :3].tolist() == [170, 0, 85]
    large = draw_points(places, np.array([0, 1, 0], np.uint8), np.ones(3), ("#FF0000", "#0000FF"), (), (100, 100))
    assert large[95, 5, :3].tolist() == [255, 0, 0]
    assert large[5, 95, :3].tolist() == [128, 0, 128]
    assert large[5, 95, 3] > large[95, 5, 3] > 0
    assert large[50, 50].tolist() == [0, 0, 0, 0]
    assert (large[..., 3] > 0).sum() == 2 * 16


def test_a_quiet_colour_hides_no_other() -> None:
    places = np.array([[0.05, 0.05], [0.95, 0.95], [0.95, 0.95], [0.95, 0.95]])
    codes = np.array([1, 1, 0, 1], np.uint8)
    plain, quiet = (
        draw_points(places, codes, np.ones(4), ("#FF0000", "#0000FF"), beneath, (100, 100)) for beneath in ((), (1,))
    )
    assert plain[5, 95, :3].tolist() == [85, 0, 170]
    assert quiet[5, 95, :3].tolist() == [255, 0, 0]
    assert quiet[95, 5, :3].tolist() == [0, 0, 255], "where it is alone it is seen"
    assert np.array_equal(plain[..., 3], quiet[..., 3])


def test_the_ten_values_with_the_most_rows_have_a_colour() -> None:
    digits = [str(k) for k in range(10)]
    colours = colour_by_category(digits, Look())
    assert len({colours.colours[code] for code in colours.codes}) == 10
    assert [entry["name"] for entry in colours.legend] == digits
    more = [f"v{k:02}" for k in range(12) for _row in range(k + 1)]
    colours = colour_by_category([*more, None], Look())
    named = [entry["name"] for entry in colours.legend]
    assert named == [*(f"v{k:02}" for k in range(11, 1, -1)), "other (2 values)", "missing"]
    assert [*colours.codes[:3], colours.codes[-1]] == [10, 10, 10, 11]
    assert colours.quiet == (10, 11)
    assert decode(encode_map(replace(VIEW, colours=COLOURS)))[0]["quiet"] == [10, 11]


def test_the_png_is_one() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (7, 5, 4)).astype(np.uint8)
    with Image.open(io.BytesIO(encode_png(pixels))) as back:
        assert np.array_equal(np.asarray(back), pixels)


def test_the_figure_frames_it_and_escapes_what_comes_from_data() -> None:
    figure: Any = plot_projection(VIEW, "Two groups lie apart", "3 of 4 rows", "file.npz · sha256 abc", Look(width=700))
    assert [each.text for each in figure.layout.annotations if each.text == "<b>&lt;b&gt;</b>"]
    assert figure.layout.meta["provenance"] == "file.npz · sha256 abc"
    (image,) = figure.layout.images
    content = base64.b64decode(image.source.split(",")[1])
    assert content.startswith(b"\x89PNG")
    assert any(LIGHT.series[0] in (each.text or "") for each in figure.layout.annotations)


def test_names_in_a_picture_leave_each_other_room() -> None:
    same = tuple(MapLabel(f"name {k}", 1, 1) for k in range(5))
    figure: Any = plot_projection(replace(VIEW, labels=(*same, MapLabel("apart", 4, 0))), "T", "", "p", Look(width=700))
    named = {each.text: each.x for each in figure.layout.annotations if each.text.startswith("<b>")}
    assert list(named) == ["<b>name 0</b>", "<b>apart</b>"], "five at one place overlap"
    near = (MapLabel("one", 1, 1), MapLabel("eight", 0.85, 1))
    figure = plot_projection(replace(VIEW, labels=near), "T", "", "p", Look(width=700))
    named = {each.text: each.x for each in figure.layout.annotations if each.text.startswith("<b>")}
    assert named["<b>one</b>"] == 1
    assert named["<b>eight</b>"] < 0.85


def test_nothing_is_a_picture_too() -> None:
    nothing = replace(VIEW, coordinates=POINTS * np.nan, labels=())
    figure: Any = plot_projection(nothing, "Nothing", "", "file", Look(dark=True, width=400))
    assert figure.layout.height > 400
