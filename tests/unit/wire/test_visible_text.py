"""What others chose is shown, and not obeyed."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.visible_text import visible_name, visible_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("notes.txt", "notes.txt"),
        ("日本 ü.txt", "日本 ü.txt"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b2J", "\\x9b2J"),
        ("a\x7fb\x00", "a\\x7fb\\x00"),
        ("two\nlines\r\t", "two\\nlines\\r\\t"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("\U000e0041", "\\U000e0041"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
    ],
)
def test_names_are_shown_as_what_they_are(text: str, shown: str) -> None:
    assert visible_name(text) == shown


def test_sentences_keep_their_lines() -> None:
    assert visible_text("one\n\ttwo\r\x1b[A") == "one\n\ttwo\\r\\x1b[A"


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    assert visible_name(text).isprintable()
    assert visible_text(text).replace("\n", "").replace("\t", "").isprintable()
