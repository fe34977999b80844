"""What is wrong with a search becomes a refusal that names it."""

from __future__ import annotations

import pytest

from genba_gateway.domain.search_query import QueryProblem
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.searches import refuse_bad_search


def test_a_bad_search_is_refused_with_its_field() -> None:
    told = "Invalid workspace search query: colour is not known"
    with pytest.raises(BadRequest, match=told) as refused, refuse_bad_search("workspace"):
        raise QueryProblem("colour", "is not known")
    assert list(refused.value.validations) == [FieldProblem("colour", "is not known")]
