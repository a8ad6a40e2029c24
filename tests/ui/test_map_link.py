import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.ui.map_link import MOST_CHARACTERS, pack_rows, unpack_rows


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 499)), st.integers(500, 5_000))
def test_a_selection_comes_back_from_its_link(rows: set[int], n: int) -> None:
    given = np.array(sorted(rows), np.int64)
    assert unpack_rows(pack_rows(given, n), n).tolist() == given.tolist()


def test_what_would_make_a_link_too_long_is_not_in_it() -> None:
    rows = np.flatnonzero(np.random.default_rng(0).random(100_000) < 0.5)
    assert pack_rows(rows, 100_000) == ""
    assert 0 < len(pack_rows(np.arange(40_000), 100_000)) < MOST_CHARACTERS


@pytest.mark.parametrize("text", ["", "x", "%%%", "eJw", base64.urlsafe_b64encode(b"no zlib").decode()])
def test_what_is_no_selection_selects_nothing(text: str) -> None:
    assert len(unpack_rows(text, 100)) == 0


def test_a_link_unpacks_to_no_more_than_there_are_rows() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b"\xff" * 10_000_000)).decode()
    assert unpack_rows(bomb, 100).tolist() == list(range(100))
