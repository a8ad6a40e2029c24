"""The first byte that is not UTF-8: found wherever it stands, and told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.sources import encoding
from lib.sources.encoding import describe_foreign_byte


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\nZürich,web\n".encode("cp1252"), "byte FC in “Zürich,web” if it is Windows-1252 (Latin-1)"),
        ("a,1\r\n€ 5\r\n".encode("cp1252"), "byte 80 in “€ 5” if it is Windows-1252 (Latin-1)"),
        (b"x" * 90 + b"\xe9" + b"y" * 90, f"byte E9 in “{'x' * 24}é{'y' * 24}” if it is Windows-1252 (Latin-1)"),
        (b"caf\xc3", "byte C3 in “cafÃ” if it is Windows-1252 (Latin-1)"),
        (b"a\x81b", "byte 81 in “a\ufffdb” in an encoding that is not known"),
        ("Zürich, Köln".encode(), ""),
        (b"", ""),
    ],
)
def test_the_byte_is_told_with_its_text(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert describe_foreign_byte(tmp_path / "a.csv") == said


@given(st.text(max_size=30), st.integers(1, 5), st.booleans())
def test_it_is_found_where_python_finds_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, block: int, foreign: bool
) -> None:
    content = text.encode("utf-8", "ignore") + b"\xff" * foreign
    path = tmp_path_factory.mktemp("a") / "a.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_BLOCK", block)
        said = describe_foreign_byte(path)
    assert said.startswith("byte FF in ") if foreign else said == ""
