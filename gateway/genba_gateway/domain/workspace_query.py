"""The search grammar of `GET /workspaces?q=` (contract 2.3): parsed here, run by store.workspaces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from genba_gateway.domain.search_query import (
    QueryProblem,
    read_bool,
    read_choice,
    read_ids,
    read_pairs,
    read_time,
    refuse_key,
)
from genba_gateway.domain.workspaces import WorkspaceStatus


@dataclass(frozen=True, slots=True)
class WorkspaceQuery:
    """What to list; None or empty means no filter. `owner` and `organization` may be names or ids."""

    owner: str = ""
    template: str = ""
    name: str = ""
    exact_name: str = ""
    status: WorkspaceStatus | None = None
    has_agent: str = ""
    dormant: bool | None = None
    last_used_before: datetime | None = None
    last_used_after: datetime | None = None
    outdated: bool | None = None
    ids: tuple[str, ...] = ()
    organization: str = ""
    params: tuple[tuple[str, str | None], ...] = ()


KEYS = (
    "owner, template, name, status, has-agent, dormant, last_used_before, last_used_after, outdated, id, "
    "organization, param"
)


_TIME_KEYS = frozenset({"last_used_before", "last_used_after"})


def parse_workspace_query(text: str) -> WorkspaceQuery:
    """Parse `key:value` words, bare words and quoted values; everything is lower-cased.

    Raises:
        QueryProblem: names the key, and what would do.
    """
    query = WorkspaceQuery()
    for key, value in read_pairs(text, times=_TIME_KEYS, repeatable={"param"}):
        if key:
            query = _apply(query, key, value)
            continue
        owner, slash, name = value.partition("/")
        query = replace(query, owner=owner, exact_name=name) if slash else replace(query, name=value)
    return query


def _apply(query: WorkspaceQuery, key: str, value: str) -> WorkspaceQuery:
    match key:
        case "owner":
            return replace(query, owner=value)
        case "template":
            return replace(query, template=value)
        case "name":
            return replace(query, name=value)
        case "organization":
            return replace(query, organization=value)
        case "status":
            return replace(query, status=read_choice(key, value, WorkspaceStatus))
        case "has-agent":
            if value not in {"connecting", "connected", "disconnected", "timeout"}:
                raise QueryProblem(key, f"{value!r} is none of connecting, connected, disconnected, timeout")
            return replace(query, has_agent=value)
        case "dormant":
            return replace(query, dormant=read_bool(key, value))
        case "outdated":
            return replace(query, outdated=read_bool(key, value))
        case "last_used_before":
            return replace(query, last_used_before=read_time(key, value))
        case "last_used_after":
            return replace(query, last_used_after=read_time(key, value))
        case "id":
            return replace(query, ids=read_ids(key, value))
        case "param":
            name, equals, wanted = value.partition("=")
            return replace(query, params=(*query.params, (name, wanted if equals else None)))
        case _:
            raise refuse_key(key, KEYS)
