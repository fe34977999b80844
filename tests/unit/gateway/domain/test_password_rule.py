"""The entropy rule, at its limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.password_rule import (
    MAX_PASSWORD_BYTES,
    MIN_ENTROPY_BITS,
    entropy_bits,
    explain_weak_password,
)


@pytest.mark.parametrize(
    ("password", "bits"),
    [
        ("", 0.0),
        ("q", math.log2(26)),
        ("kp", 2 * math.log2(26)),
        ("kP", 2 * math.log2(52)),
        ("kP7", 3 * math.log2(62)),
        ("k!", 2 * math.log2(31)),
        ("k-", 2 * math.log2(31)),
        ("k~", 2 * math.log2(48)),
        ("kéü", 3 * math.log2(28)),
        ("aaaaaaa", 2 * math.log2(26)),
        ("abcdefg", 2 * math.log2(26)),
        ("gfedcba", 2 * math.log2(26)),
        ("123456789", 2 * math.log2(10)),
        ("qwerty", 2 * math.log2(26)),
        ("aAaAaA", 2 * math.log2(52)),
    ],
)
def test_entropy_counts_what_is_not_foreseen(password: str, bits: float) -> None:
    assert entropy_bits(password) == pytest.approx(bits)


def test_a_run_ends_where_its_direction_changes() -> None:
    assert entropy_bits("abckpz") > entropy_bits("abcdef")
    assert entropy_bits("abckpz") == pytest.approx(5 * math.log2(26))


def test_the_limit_of_entropy_and_one_character_below() -> None:
    enough = "kzpxmwtrgbvy"
    assert explain_weak_password(enough) is None
    assert entropy_bits(enough[:11]) < MIN_ENTROPY_BITS
    assert explain_weak_password(enough[:11]) is not None


def test_the_limit_of_bytes_and_one_past_it() -> None:
    longest = "kP7!zéx2" * 7 + "q"
    assert len(longest.encode()) == MAX_PASSWORD_BYTES
    assert explain_weak_password(longest) is None
    problem = explain_weak_password(longest + "q")
    assert problem is not None
    assert "64 bytes" in problem


@given(st.text(max_size=80))
def test_no_text_breaks_the_rule_and_explanations_never_show_it(password: str) -> None:
    problem = explain_weak_password(password)
    assert problem is None or len(password) < 5 or password not in problem
    assert entropy_bits(password) >= 0
