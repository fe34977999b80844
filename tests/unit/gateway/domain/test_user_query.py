"""The search grammar of users."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genba_gateway.domain.search_query import QueryProblem
from genba_gateway.domain.user_query import UserQuery, parse_user_query


def test_every_key_is_understood() -> None:
    text = "search:Al status:active role:owner login_type:none created_after:2026-01-02T03:04:05Z"
    assert parse_user_query(text) == UserQuery(
        search="al",
        status="active",
        role="owner",
        login_type="none",
        created_after=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_a_bare_word_is_the_search_and_quotes_keep_spaces() -> None:
    assert parse_user_query('"Ada L"') == UserQuery(search="ada l")
    assert parse_user_query("") == UserQuery()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("colour:red", "colour"),
        ("status:gone", "status"),
        ("login_type:magic", "login_type"),
        ("status:", "q"),
        ("role:a:b", "q"),
        ('"x', "q"),
        ("a b", "search"),
        ("last_seen_before:noon", "last_seen_before"),
        ("last_seen_before:2026-01-02T03:04:05", "last_seen_before"),
    ],
)
def test_what_is_not_understood_is_named(text: str, field: str) -> None:
    with pytest.raises(QueryProblem) as caught:
        parse_user_query(text)
    assert caught.value.field == field
