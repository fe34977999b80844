"""Websockets to apps through a real server, a real link and an agent's real streams."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.support.carriers import CEILING_S
from tests.support.proxied_apps import SUBDOMAINS, AppWorld, app_world, get, read_request


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def websocket_app(world: AppWorld, handler: Any = echo, **options: Any) -> AsyncGenerator[Any]:
    """An app that serves websockets by the library."""
    async with serve(handler, "127.0.0.1", 0, max_size=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        world.access.urls["app"] = f"http://127.0.0.1:{port}"
        yield server


def open_websocket(world: AppWorld, path: str = "/ws", **options: Any) -> connect:
    """A browser's websocket to the app."""
    return connect(
        f"ws://app{SUBDOMAINS}:{world.port}{path}",
        host="127.0.0.1",
        port=world.port,
        proxy=None,
        max_size=None,
        **options,
    )


async def receive(client: ClientConnection) -> str | bytes:
    async with asyncio.timeout(CEILING_S):
        return await client.recv()


async def test_messages_pass_both_ways_with_what_both_ends_agreed_on(world: AppWorld) -> None:
    async with (
        websocket_app(world, subprotocols=[Subprotocol("second")]),
        open_websocket(world, subprotocols=[Subprotocol("first"), Subprotocol("second")]) as client,
    ):
        assert client.subprotocol == "second"
        assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]  # type: ignore[union-attr]
        for message in ("text", b"bytes", "x" * 1_000_000, ""):
            await client.send(message)
            assert await receive(client) == message
    assert [each.is_websocket for each in world.access.requests] == [True]
    assert len(world.access.counted) == 1


async def test_the_apps_goodbye_reaches_the_browser_and_the_other_way_round(world: AppWorld) -> None:
    said: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    async def handler(connection: ServerConnection) -> None:
        first = await connection.recv()
        if first == "close":
            await connection.close(4321, "because")
        await connection.wait_closed()
        said.put_nowait((connection.close_code or 0, connection.close_reason or ""))

    async with websocket_app(world, handler):
        async with open_websocket(world) as client:
            await client.send("close")
            with pytest.raises(ConnectionClosed):
                await receive(client)
            assert (client.close_code, client.close_reason) == (4321, "because")
        assert await asyncio.wait_for(said.get(), CEILING_S) == (4321, "because")
        async with open_websocket(world) as client:
            await client.send("stay")
            await client.close(4444, "mine")
        assert await asyncio.wait_for(said.get(), CEILING_S) == (4444, "mine")


async def test_an_app_that_refuses_is_heard(world: AppWorld) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(418, "a teapot\n")

    async with websocket_app(world, process_request=refuse):
        with pytest.raises(InvalidStatus) as caught:
            async with open_websocket(world):
                pass
        assert caught.value.response.status_code == 418
        assert caught.value.response.body == b"a teapot\n"


async def test_cookies_and_tokens_of_ours_are_not_part_of_the_handshake(world: AppWorld) -> None:
    seen: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request)

    async with websocket_app(world, handler):
        headers = {"Cookie": "a=1; coder_signed_app_token=s", "Coder-Session-Token": "s"}
        async with open_websocket(world, "/x?coder_session_token=s&b", additional_headers=headers) as client:
            await client.wait_closed()
    assert seen[0].path == "/x?b"
    assert seen[0].headers["Cookie"] == "a=1"
    assert "Coder-Session-Token" not in seen[0].headers


async def test_a_websocket_ends_when_its_user_may_not_go_on(world: AppWorld) -> None:
    async with websocket_app(world), open_websocket(world) as client:
        await client.send("x")
        await receive(client)
        world.access.may_end.set()
        async with asyncio.timeout(CEILING_S):
            await client.wait_closed()
        assert (client.close_code, client.close_reason) == (4001, "You signed out.")


async def test_a_websocket_ends_with_1012_when_the_gateway_shuts_down(world: AppWorld) -> None:
    async with websocket_app(world), open_websocket(world) as client:
        await client.send("x")
        await receive(client)
        world.shutdown.set()
        async with asyncio.timeout(CEILING_S):
            await client.wait_closed()
        assert client.close_code == 1012


async def test_a_killed_agent_ends_its_websockets(world: AppWorld) -> None:
    async with websocket_app(world), open_websocket(world) as client:
        await client.send("x")
        await receive(client)
        for carrier in world.sessions.agent.carriers:
            # The transport's own abort, of which both ends hear.
            carrier._transport.abort()  # pyright: ignore[reportPrivateUsage]
        async with asyncio.timeout(CEILING_S):
            await client.wait_closed()
        assert client.close_code == 1001


async def test_a_browser_that_vanishes_ends_the_apps_connection(world: AppWorld) -> None:
    ended = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()
        ended.set()

    async with websocket_app(world, handler), open_websocket(world) as client:
        client.transport.abort()
        async with asyncio.timeout(CEILING_S):
            await ended.wait()


async def test_a_browser_that_does_not_read_holds_back_the_app(world: AppWorld) -> None:
    sent = 0
    stuck = asyncio.Event()
    total = 64

    async def handler(connection: ServerConnection) -> None:
        nonlocal sent
        for _ in range(total):
            try:
                async with asyncio.timeout(0.3):
                    await connection.send(bytes(1 << 20))
            except TimeoutError:
                stuck.set()
                return
            sent += 1

    async with websocket_app(world, handler, compression=None), world.connect() as client:
        await client.send(
            get(
                "/",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: " + "A" * 22 + "==",
                "Sec-WebSocket-Version: 13",
            )
        )
        async with asyncio.timeout(CEILING_S):
            await stuck.wait()
        assert sent < total / 2


async def test_an_app_whose_handshake_does_not_fit_is_refused(world: AppWorld) -> None:
    async def serve_app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
        await reader.read()

    async with world.app(serve_app):
        with pytest.raises(InvalidStatus) as caught:
            async with open_websocket(world):
                pass
        assert caught.value.response.status_code == 502
        assert re.search(b"does not fit", caught.value.response.body or b"")


async def test_what_the_app_says_right_behind_its_101_is_not_lost(world: AppWorld) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send("early")
        await connection.wait_closed()

    async with websocket_app(world, handler), open_websocket(world) as client:
        assert await receive(client) == "early"


async def test_a_websocket_to_an_app_that_does_not_listen_is_told_so_in_a_line(world: AppWorld) -> None:
    world.access.urls["app"] = "http://127.0.0.1:1"
    with pytest.raises(InvalidStatus) as caught:
        async with open_websocket(world):
            pass
    assert caught.value.response.status_code == 502
    assert (caught.value.response.body or b"").startswith(b"Nothing listens")
