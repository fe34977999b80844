"""Expressions mean what they mean in Coder and Terraform."""

from __future__ import annotations

import pytest

from genba_gateway.domain.regex import BadRegexError, matches


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("abc", "xxabcyy", True),
        (r"^a\z", "a", True),
        # Python's $ would accept a line end after it.
        ("^a$", "a\n", False),
        ("x(?i)A", "xa", True),
        (r"^\d$", "٣", False),
        (r"^[[:alpha:]]+$", "abc", True),
        (r"^\p{Greek}$", "λ", True),
        ("^a{,2}$", "a{,2}", True),
    ],
)
def test_expression(pattern: str, text: str, is_match: bool) -> None:
    assert matches(pattern, text) is is_match


@pytest.mark.parametrize("pattern", ["(a", "a(?=b)", r"(a)\1", "a**", "a{1001}"])
def test_expression_that_can_not_be_used(pattern: str) -> None:
    with pytest.raises(BadRegexError, match=r"."):
        matches(pattern, "a")


def test_bad_expression_does_not_take_for_ever() -> None:
    # Python's re needs 2 to the power of 5000 steps for this.
    assert not matches("^(a+)+$", "a" * 5000 + "b")
