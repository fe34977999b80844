"""A request's context without a gateway, for what the pages read from it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from quart import Quart


@asynccontextmanager
async def in_request(path: str = "/", **headers: str) -> AsyncGenerator[None]:
    """Be within a GET of `path`; names of headers are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with Quart("genba").test_request_context(path, headers=named):  # pyright: ignore[reportUnknownMemberType]  # Quart leaves its dicts bare
        yield
