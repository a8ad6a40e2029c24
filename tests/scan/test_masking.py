"""What is masked in listed rows, and what is left alone."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.scan.masking import MASK, is_personal_name, mask_rows, mask_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to anna.b+x@mail.example.org today", f"write to {MASK} today"),
        ("call +49 (0)30 1234-5678.", f"call {MASK}."),
        ("call (212) 555-0134", f"call {MASK}"),
        ("call 212-555-0134", f"call {MASK}"),
        ("from 192.168.10.254", f"from {MASK}"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", MASK),
        ("card 4111 1111 1111 1111", f"card {MASK}"),
        ("DE89 3704 0044 0532 0130 00 please", f"{MASK} please"),
        ("two: a@b.co, c@d.co", f"two: {MASK}, {MASK}"),
    ],
)
def test_what_looks_personal_is_masked(text: str, expected: str) -> None:
    assert mask_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a plain sentence",
        "request-000123",
        "4111111111111111",
        "2026-03-01T10:00:00+02:00",
        "2026-03-01 10:00:00.123456",
        "v1.2.3",
        "1.2.3.4.5",
        "3.14159",
        "+1",
        "https://example.org/pictures/1234.png",
        "@handle",
        "ratio 3:2",
        "123e4567-e89b-12d3-a456-426614174000",
        "−1.25",
    ],
)
def test_ids_times_versions_and_numbers_are_left_alone(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "name", ["email", "user_email", "E-Mail", "phoneNumber", "firstName", "iban", "ip", "client_ip", "dob"]
)
def test_names_that_say_so(name: str) -> None:
    assert is_personal_name(name)


@pytest.mark.parametrize("name", ["id", "user_id", "text", "language", "recipe", "description", "ship", "model_name"])
def test_names_that_do_not(name: str) -> None:
    assert not is_personal_name(name)


def test_rows_keep_their_shape_and_the_named_columns_vanish() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a@b.co", "c"],
            "email": ["somebody", None],
            "text": ["mail x@y.zz", None],
            "n": [1.5, 2.5],
            "at": pd.to_datetime(["2026-01-01", "2026-01-02"]),
        }
    )
    masked = mask_rows(frame, kept=["id"])
    assert list(masked.columns) == list(frame.columns)
    assert masked["id"].tolist() == ["a@b.co", "c"]
    assert masked["email"].iloc[0] == MASK
    assert pd.isna(masked["email"].iloc[1])
    assert masked["text"].iloc[0] == f"mail {MASK}"
    assert pd.isna(masked["text"].iloc[1])
    pd.testing.assert_frame_equal(masked[["n", "at"]], frame[["n", "at"]])
    assert frame["text"].iloc[0] == "mail x@y.zz"


@given(st.text(max_size=60))
def test_masking_again_changes_nothing(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once
