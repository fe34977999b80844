"""Both ends of a relayed session."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect

from tests.support.raw_websocket import RawWebSocket, open_raw
from tests.support.relay_app import RelayApp


@asynccontextmanager
async def raw_session(app: RelayApp, limit: int = 65536) -> AsyncGenerator[tuple[RawWebSocket, RawWebSocket]]:
    """A client's and an agent's raw end of one session."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_raw(app.port, "/client/n", tls=app.tls, limit=limit))
        agent = await stack.enter_async_context(open_raw(app.port, "/agent/n", tls=app.tls, limit=limit))
        yield client, agent


@asynccontextmanager
async def library_session(app: RelayApp) -> AsyncGenerator[tuple[ClientConnection, ClientConnection]]:
    """Both ends by the `websockets` library, which draws a random mask key for every frame."""
    async with (
        connect(f"{app.url}/client/n", ssl=app.tls, compression=None, proxy=None, max_size=None) as client,
        connect(f"{app.url}/agent/n", ssl=app.tls, compression=None, proxy=None, max_size=None) as agent,
    ):
        yield client, agent
