"""What the search grammars have in common: words of `key:value`, and how values are read (contract 2.3)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from genba_gateway.domain.times import parse_time

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class QueryProblem(Exception):  # carried into a 400 by the service
    """A key or value that the grammar doesn't know."""

    field: str
    detail: str


def read_pairs(
    text: str, *, times: Collection[str] = (), repeatable: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """Give each word as key and value, lower-cased; a bare word has the key "".

    Args:
        text: what was searched for.
        times: keys whose values hold colons.
        repeatable: keys that may be given more than once.

    Raises:
        QueryProblem: a word is neither bare nor key:value, or a key is repeated.
    """
    seen: set[str] = set()
    for word in split_words(text.lower()):
        key, colon, value = word.partition(":")
        if not colon:
            yield "", word
            continue
        if not value or (":" in value and key not in times):
            raise QueryProblem("q", f"{word!r} is not key:value; put values with spaces in double quotes")
        if key in seen and key not in repeatable:
            raise QueryProblem(key, "may be given once")
        seen.add(key)
        yield key, value


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


def read_choice(key: str, value: str, choices: type[Choice]) -> Choice:
    """Read one of several words."""
    try:
        return choices(value)
    except ValueError:
        raise QueryProblem(key, f"{value!r} is none of {', '.join(choices)}") from None


def read_bool(key: str, value: str) -> bool:
    """Read true or false."""
    if value not in {"true", "false"}:
        raise QueryProblem(key, f"{value!r} is neither true nor false")
    return value == "true"


def read_time(key: str, value: str) -> datetime:
    """Read a time, into UTC."""
    try:
        return parse_time(value)
    except ValueError as error:
        raise QueryProblem(key, str(error)) from None


def read_ids(key: str, value: str) -> tuple[str, ...]:
    """Read UUIDs with commas between them."""
    ids: list[str] = []
    for each in value.split(","):
        try:
            ids.append(str(uuid.UUID(each)))
        except ValueError:
            raise QueryProblem(key, f"{each!r} is not a UUID") from None
    return tuple(ids)


def refuse_key(key: str, keys: str) -> QueryProblem:
    """The problem of a key that the grammar doesn't have; `keys` are those that it has."""
    return QueryProblem(key, f"is no search key; known ones are {keys}")
