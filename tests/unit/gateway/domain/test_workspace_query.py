"""The search grammar of contract 2.3."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.search_query import QueryProblem, split_words
from genba_gateway.domain.workspace_query import WorkspaceQuery, parse_workspace_query
from genba_gateway.domain.workspaces import WorkspaceStatus


def test_empty_query_filters_nothing() -> None:
    assert parse_workspace_query("  ") == WorkspaceQuery()


def test_keys_are_lower_cased_and_combined() -> None:
    query = parse_workspace_query("Owner:Me TEMPLATE:host status:running outdated:true dormant:false")
    assert query == WorkspaceQuery(
        owner="me", template="host", status=WorkspaceStatus.RUNNING, outdated=True, dormant=False
    )


def test_bare_word_is_a_part_of_the_name_and_a_pair_is_owner_and_name() -> None:
    assert parse_workspace_query("dev").name == "dev"
    query = parse_workspace_query("ann/dev")
    assert (query.owner, query.exact_name) == ("ann", "dev")


def test_times_keep_their_colons() -> None:
    query = parse_workspace_query("last_used_after:2026-01-31t12:00:00z")
    assert query.last_used_after == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_param_may_be_repeated() -> None:
    assert parse_workspace_query('param:size param:"color=dark blue"').params == (
        ("size", None),
        ("color", "dark blue"),
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("colour:red", "colour"),
        ("owner:a owner:b", "owner"),
        ("name:a:b", "q"),
        ("name:", "q"),
        ('name:"open', "q"),
        ("status:sleeping", "status"),
        ("has-agent:yes", "has-agent"),
        ("dormant:maybe", "dormant"),
        ("id:123", "id"),
        ("last_used_before:yesterday", "last_used_before"),
        ("last_used_before:2026-01-31t12:00:00", "last_used_before"),
    ],
)
def test_what_the_grammar_does_not_know_names_the_key(text: str, field: str) -> None:
    with pytest.raises(QueryProblem) as caught:
        parse_workspace_query(text)
    assert caught.value.field == field
    assert caught.value.detail


@given(st.lists(st.text(alphabet='ab: "', min_size=1, max_size=6).filter(lambda word: '"' not in word)))
def test_quoted_words_come_back_whole(words: list[str]) -> None:
    assert split_words(" ".join(f'"{word}"' for word in words)) == words


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_with_a_reason(text: str) -> None:
    with contextlib.suppress(QueryProblem):
        assert parse_workspace_query(text) is not None
