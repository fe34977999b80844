"""The search grammar of `GET /templates?q=` (contract 2.3): parsed here, run by store.templates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from genba_gateway.domain.search_query import QueryProblem, read_bool, read_ids, read_pairs, refuse_key

KEYS: Final = "name, exact_name, organization, ids, deprecated, deleted, has-ai-task"


@dataclass(frozen=True, slots=True)
class TemplateQuery:
    """Which templates to list; None or empty means no filter. `organization` may be a name or an id."""

    name: str = ""
    exact_name: str = ""
    organization: str = ""
    ids: tuple[str, ...] = ()
    deprecated: bool | None = None
    has_ai_task: bool | None = None


def parse_template_query(text: str) -> TemplateQuery:
    """Parse `key:value` words; a bare word is a part of the name. Everything is lower-cased.

    Raises:
        QueryProblem: names the key, and what would do.
    """
    query = TemplateQuery()
    for key, value in read_pairs(text):
        query = _apply(query, key, value)
    return query


def _apply(query: TemplateQuery, key: str, value: str) -> TemplateQuery:
    match key:
        case "" | "name":
            return replace(query, name=value)
        case "exact_name":
            return replace(query, exact_name=value)
        case "organization":
            return replace(query, organization=value)
        case "ids" | "id":
            return replace(query, ids=read_ids(key, value))
        case "deprecated":
            return replace(query, deprecated=read_bool(key, value))
        case "deleted":
            if read_bool(key, value):
                raise QueryProblem(key, "must be false: deleted templates can't be listed")
            return query
        case "has-ai-task":
            return replace(query, has_ai_task=read_bool(key, value))
        case _:
            raise refuse_key(key, KEYS)
