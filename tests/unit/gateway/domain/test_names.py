"""Rules for names (contract 0.2)."""

from __future__ import annotations

import pytest

from genba_gateway.domain.names import (
    explain_bad_display_name,
    explain_bad_name,
    explain_bad_username,
    explain_bad_version_name,
    make_version_name,
)


@pytest.mark.parametrize("name", ["a", "dev-1", "A9", "x" * 32])
def test_good_names(name: str) -> None:
    assert explain_bad_name(name) is None


@pytest.mark.parametrize("name", ["", "x" * 33, "-a", "a-", "a--b", "a_b", "a b", "new", "create", "ü", "a\n"])
def test_bad_names(name: str) -> None:
    assert explain_bad_name(name) is not None


@pytest.mark.parametrize(
    ("name", "is_good"), [("v1.0-rc_2", True), ("a..b", False), ("x" * 64, True), ("x" * 65, False)]
)
def test_version_names(name: str, is_good: bool) -> None:
    assert (explain_bad_version_name(name) is None) is is_good


def test_display_names_have_no_edge_spaces_and_a_limit() -> None:
    assert explain_bad_display_name("x" * 64) is None
    assert explain_bad_display_name("x" * 65) is not None
    assert explain_bad_display_name(" x") is not None


def test_made_version_names_are_good() -> None:
    assert explain_bad_version_name(make_version_name()) is None


def test_a_user_is_not_named_like_the_caller_in_paths() -> None:
    assert "reserved" in (explain_bad_username("Me") or "")
    assert explain_bad_username("a--b") is not None
    assert explain_bad_username("mia") is None
    assert explain_bad_name("me") is None
