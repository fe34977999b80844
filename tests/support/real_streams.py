"""What a real gateway streams: websockets and server-sent events, decoded."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.real_gateway import RealGateway


@asynccontextmanager
async def open_websocket(gateway: RealGateway, path: str) -> AsyncGenerator[ClientConnection]:
    """A websocket of the signed-in user."""
    url = f"ws{gateway.url.removeprefix('http')}{path}"
    async with connect(url, additional_headers=gateway.headers, proxy=None, max_size=None) as websocket:
        yield websocket


async def read_messages(websocket: ClientConnection) -> AsyncGenerator[Any]:
    """Its messages, decoded, until it is closed normally."""
    async for message in websocket:
        yield json.loads(message)


@asynccontextmanager
async def open_events(gateway: RealGateway, path: str) -> AsyncGenerator[AsyncIterator[tuple[str, Any]]]:
    """Server-sent events: pairs of the kind and the decoded data (None without data)."""
    async with gateway.client.stream("GET", path, headers=gateway.headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _read_events(response.aiter_lines())


async def _read_events(lines: AsyncIterator[str]) -> AsyncGenerator[tuple[str, Any]]:
    kind, data = "", None
    async for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
        elif not line and kind:
            yield kind, data
            kind, data = "", None
