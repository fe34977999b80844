"""The search grammar of `GET /users?q=` (contract 2.3): parsed here, run by store.users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from genba_gateway.domain.users import LoginType, UserStatus
from genba_gateway.domain.workspace_query import QueryProblem, split_words

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
    query = UserQuery()
    seen: set[str] = set()
    for word in split_words(text.lower()):
        key, colon, value = word.partition(":")
        if not colon:
            key, value = "search", word
        elif not value or (":" in value and key not in _TIME_KEYS):
            raise QueryProblem("q", f"{word!r} is not key:value; put values with spaces in double quotes")
        if key in seen:
            raise QueryProblem(key, "may be given once")
        seen.add(key)
        query = _apply(query, key, value)
    return query


def _apply(query: UserQuery, key: str, value: str) -> UserQuery:
    match key:
        case "search":
            return replace(query, search=value)
        case "status":
            return replace(query, status=_choice(key, value, UserStatus))
        case "login_type":
            return replace(query, login_type=_choice(key, value, LoginType))
        case "role":
            return replace(query, role=value)
        case "last_seen_before":
            return replace(query, last_seen_before=_time(key, value))
        case "last_seen_after":
            return replace(query, last_seen_after=_time(key, value))
        case "created_before":
            return replace(query, created_before=_time(key, value))
        case "created_after":
            return replace(query, created_after=_time(key, value))
        case _:
            raise QueryProblem(key, f"is no search key; known ones are {KEYS}")


def _choice(key: str, value: str, choices: type[StrEnum]) -> str:
    try:
        return choices(value).value
    except ValueError:
        raise QueryProblem(key, f"{value!r} is none of {', '.join(choices)}") from None


def _time(key: str, value: str) -> datetime:
    try:
        time = datetime.fromisoformat(value.upper())
    except ValueError:
        raise QueryProblem(key, f"{value!r} is not an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None
    if time.tzinfo is None:
        raise QueryProblem(key, f"{value!r} lacks an offset, such as Z")
    return time
