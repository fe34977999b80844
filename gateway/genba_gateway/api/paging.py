"""Query parameters that many routes share: paging and ids (contract 0.2)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from quart import request

from genba_gateway.errors import BadRequest, FieldProblem

MAX_NUMBER_DIGITS: Final = 18
"""What fits into the databases' 64-bit integers."""


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is wanted; `limit` None means all."""

    limit: int | None
    offset: int
    after_id: str | None


def read_page() -> Page:
    """`limit` (0 means all), `offset` and `after_id` of this request.

    Raises:
        BadRequest: one of them is no number, negative, or no UUID.
    """
    limit = read_number("limit")
    after_id = request.args.get("after_id") or None
    if after_id is not None:
        try:
            after_id = str(uuid.UUID(after_id))
        except ValueError:
            raise _bad("after_id", "must be a UUID") from None
    return Page(limit=limit or None, offset=read_number("offset") or 0, after_id=after_id)


def read_number(name: str) -> int | None:
    """A query parameter that is a number of 0 or more, or None when absent."""
    text = request.args.get(name)
    if text is None or text == "":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        raise _bad(name, "must be a number of 0 or more")
    return int(text)


def _bad(name: str, detail: str) -> BadRequest:
    return BadRequest(f"Query parameter {name!r} {detail}.", validations=[FieldProblem(name, detail)])
