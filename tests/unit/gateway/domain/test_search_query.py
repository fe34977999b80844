from __future__ import annotations

import pytest

from genba_gateway.domain.search_query import QueryProblem, read_pairs, read_time


def test_words_become_pairs_in_lower_case() -> None:
    assert list(read_pairs('Dev name:"A B"')) == [("", "dev"), ("name", "a b")]
    assert list(read_pairs("at:1:2 p:a p:b", times={"at"}, repeatable={"p"})) == [("at", "1:2"), ("p", "a"), ("p", "b")]


@pytest.mark.parametrize("text", ["9999-12-31t23:59:59-14:00", "0001-01-01t00:00:00+14:00"])
def test_a_time_that_utc_has_not_is_named(text: str) -> None:
    with pytest.raises(QueryProblem) as caught:
        read_time("created_before", text)
    assert caught.value.field == "created_before"
