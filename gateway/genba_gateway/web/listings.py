"""Lists that are searched and shown by pages: users, the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from quart import request

from genba_gateway.errors import BadRequest
from genba_gateway.web.error_texts import say_error

MAX_PAGE: Final = 100_000
MAX_QUERY_CHARS: Final = 1000
"""A page cuts off what is longer; its field takes no more."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page shows of a list: it is all in the address, so that back and reload keep it."""

    path: str
    query: str
    page: int
    per_page: int
    count: int = 0
    """Those on all pages."""

    @property
    def offset(self) -> int:
        """How many come before."""
        return (self.page - 1) * self.per_page

    @property
    def last_page(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.count // self.per_page))

    def address(self, page: int) -> str:
        """The address of another page of the same search."""
        return f"{self.path}?" + urlencode({**({"q": self.query} if self.query else {}), "page": page})


def read_listing(path: str, per_page: int) -> Listing:
    """What the request's address asks for."""
    text = request.args.get("page", "")
    page = min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) <= 9 else 1
    return Listing(path, request.args.get("q", "")[:MAX_QUERY_CHARS], page, per_page)


def search_problem(error: BadRequest) -> str:
    """What is wrong with a search, by its keys."""
    said = (f"{each.field} {say_error(each.detail)}" for each in error.validations)
    return "; ".join(said) or say_error(error.message)
