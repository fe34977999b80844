"""The search grammar of `GET /workspaces?q=` (contract 2.3): parsed here, run by store.workspaces."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class QueryProblem(Exception):  # carried into a 400 by the service
    """A key or value that the grammar doesn't know."""

    field: str
    detail: str


KEYS = (
    "owner, template, name, status, has-agent, dormant, last_used_before, last_used_after, outdated, id, "
    "organization, param"
)


def parse_workspace_query(text: str) -> WorkspaceQuery:
    """Parse `key:value` words, bare words and quoted values; everything is lower-cased.

    Raises:
        QueryProblem: names the key, and what would do.
    """
    query = WorkspaceQuery()
    seen: set[str] = set()
    for word in split_words(text.lower()):
        key, colon, value = word.partition(":")
        if not colon:
            owner, slash, name = word.partition("/")
            query = replace(query, owner=owner, exact_name=name) if slash else replace(query, name=word)
            continue
        if not value or (":" in value and key not in {"last_used_before", "last_used_after"}):
            raise QueryProblem("q", f"{word!r} is not key:value; put values with spaces in double quotes")
        if key in seen and key != "param":
            raise QueryProblem(key, "may be given once")
        seen.add(key)
        query = _apply(query, key, value)
    return query


def split_words(text: str) -> list[str]:
    """Split at spaces that are not inside double quotes; the quotes go."""
    words: list[str] = []
    word, quoted, started = "", False, False
    for character in text:
        if character == '"':
            quoted, started = not quoted, True
        elif character == " " and not quoted:
            if started:
                words.append(word)
            word, started = "", False
        else:
            word, started = word + character, True
    if quoted:
        raise QueryProblem("q", "a double quote is not closed")
    return [*words, word] if started else words


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
            return replace(query, status=_choice(key, value))
        case "has-agent":
            if value not in {"connecting", "connected", "disconnected", "timeout"}:
                raise QueryProblem(key, f"{value!r} is none of connecting, connected, disconnected, timeout")
            return replace(query, has_agent=value)
        case "dormant":
            return replace(query, dormant=_bool(key, value))
        case "outdated":
            return replace(query, outdated=_bool(key, value))
        case "last_used_before":
            return replace(query, last_used_before=_time(key, value))
        case "last_used_after":
            return replace(query, last_used_after=_time(key, value))
        case "id":
            return replace(query, ids=tuple(_uuid(each) for each in value.split(",")))
        case "param":
            name, equals, wanted = value.partition("=")
            return replace(query, params=(*query.params, (name, wanted if equals else None)))
        case _:
            raise QueryProblem(key, f"is no search key; known ones are {KEYS}")


def _choice(key: str, value: str) -> WorkspaceStatus:
    try:
        return WorkspaceStatus(value)
    except ValueError:
        raise QueryProblem(key, f"{value!r} is none of {', '.join(WorkspaceStatus)}") from None


def _bool(key: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise QueryProblem(key, f"{value!r} is neither true nor false")
    return value == "true"


def _time(key: str, value: str) -> datetime:
    try:
        time = datetime.fromisoformat(value.upper())
    except ValueError:
        raise QueryProblem(key, f"{value!r} is not an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None
    if time.tzinfo is None:
        raise QueryProblem(key, f"{value!r} lacks an offset, such as Z")
    return time


def _uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise QueryProblem("id", f"{value!r} is not a UUID") from None
