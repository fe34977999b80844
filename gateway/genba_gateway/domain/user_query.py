"""The search grammar of `GET /users?q=` (contract 2.3): parsed here, run by store.users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from genba_gateway.domain.search_query import QueryProblem, read_choice, read_pairs, read_time, refuse_key
from genba_gateway.domain.users import LoginType, UserStatus

KEYS: Final = "search, status, role, login_type, last_seen_before, last_seen_after, created_before, created_after"
_TIME_KEYS: Final = frozenset({"last_seen_before", "last_seen_after", "created_before", "created_after"})


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Which users to list; None or empty means no filter. `search` is a part of the username or e-mail address."""

    search: str = ""
    status: str = ""
    role: str = ""
    login_type: str = ""
    last_seen_before: datetime | None = None
    last_seen_after: datetime | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None


def parse_user_query(text: str) -> UserQuery:
    """Parse `key:value` words and one bare word, which is the search; everything is lower-cased.

    Raises:
        QueryProblem: names the key, and what would do.
    """
    query, is_searched = UserQuery(), False
    for key, value in read_pairs(text, times=_TIME_KEYS):
        if key in {"", "search"}:
            if is_searched:
                raise QueryProblem("search", "may be given once")
            is_searched = True
        query = _apply(query, key or "search", value)
    return query


def _apply(query: UserQuery, key: str, value: str) -> UserQuery:
    match key:
        case "search":
            return replace(query, search=value)
        case "status":
            return replace(query, status=read_choice(key, value, UserStatus))
        case "login_type":
            return replace(query, login_type=read_choice(key, value, LoginType))
        case "role":
            return replace(query, role=value)
        case "last_seen_before":
            return replace(query, last_seen_before=read_time(key, value))
        case "last_seen_after":
            return replace(query, last_seen_after=read_time(key, value))
        case "created_before":
            return replace(query, created_before=read_time(key, value))
        case "created_after":
            return replace(query, created_after=read_time(key, value))
        case _:
            raise refuse_key(key, KEYS)
