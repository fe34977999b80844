"""Searches of requests, or the 400 that they deserve."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from genba_gateway.domain.search_query import QueryProblem
from genba_gateway.errors import BadRequest, FieldProblem


@contextmanager
def refuse_bad_search(of: str) -> Generator[None]:
    """Turn what is wrong with a search, for workspaces say, into a refusal.

    Raises:
        BadRequest: an unknown key or a bad value; `validations` names it.
    """
    try:
        yield
    except QueryProblem as problem:
        raise BadRequest(
            f"Invalid {of} search query: {problem.field} {problem.detail}.",
            validations=[FieldProblem(problem.field, problem.detail)],
        ) from problem
