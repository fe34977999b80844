"""What a header may hold."""

from __future__ import annotations

import pytest

from genba_wire.header_text import is_header_name, is_header_value


@pytest.mark.parametrize("name", ["X", "X-Real-IP", "a!#$%&'*+.^_`|~9"])
def test_a_token_is_a_name(name: str) -> None:
    assert is_header_name(name)


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\n", "a(", " a"])
def test_anything_else_is_no_name(name: str) -> None:
    assert not is_header_name(name)


@pytest.mark.parametrize("value", ["", "a b", "Bearer x=y, z", "a\tb", "~ !"])
def test_printable_ascii_is_a_value(value: str) -> None:
    assert is_header_value(value)


@pytest.mark.parametrize("value", ["ä", "a\nb", "a\rb", "\0", "\x7f", "\x1b[0m", "\u2028"])
def test_anything_else_is_no_value(value: str) -> None:
    assert not is_header_value(value)
