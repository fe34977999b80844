"""Apps that speak https, and apps on unix sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.asyncio.server import serve as serve_websockets

from genba_gateway.apps import tls_way
from tests.integration.apps.test_http import echo_body, hello
from tests.integration.apps.test_websockets import echo, open_websocket, receive
from tests.support.proxied_apps import AppWorld, app_world, get
from tests.support.tls import make_server_tls


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """What an app made for itself; nobody has it signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_server_tls(tmp_path))
    return context


async def test_an_app_that_speaks_tls_is_reached_whoever_signed_it(
    world: AppWorld, certificate: ssl.SSLContext
) -> None:
    async with world.app(echo_body, certificate=certificate) as app, world.connect() as client:
        big = bytes(range(256)) * 20_000
        for _ in range(2):
            answer = await client.ask(get("/", f"Content-Length: {len(big)}", method="POST", body=big))
            assert answer.body == big
        assert app.connections == 1


async def test_a_websocket_passes_tls_for_longer_than_a_handshake_may_take(
    world: AppWorld, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_way, "HANDSHAKE_S", 0.5)
    async with serve_websockets(echo, "127.0.0.1", 0, ssl=certificate) as server:
        world.access.urls["app"] = f"https://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with open_websocket(world) as client:
            loop = asyncio.get_running_loop()
            later = loop.time() + 2 * tls_way.HANDSHAKE_S
            message = "x"
            while len(message) < 300_000 or loop.time() < later:
                await client.send(message)
                assert await receive(client) == message
                message = message[:200_000] * 2


async def test_an_app_that_does_not_speak_tls_is_named(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with world.app(serve):
        world.access.urls["app"] = world.access.urls["app"].replace("http:", "https:")
        answer = await world.ask(get())
        assert answer.status == 502
        assert b"TLS failed" in answer.body


async def test_an_app_that_does_not_go_on_with_tls_is_not_waited_for(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_way, "HANDSHAKE_S", 0.01)
    async with world.app(hello):
        world.access.urls["app"] = world.access.urls["app"].replace("http:", "https:")
        answer = await world.ask(get())
        assert answer.status == 502
        assert b"TLS did not come about" in answer.body


async def test_an_app_on_a_unix_socket_is_reached(world: AppWorld, short_dir: Path) -> None:
    path = short_dir / "app.sock"
    server = await asyncio.start_unix_server(hello, path)
    try:
        world.access.urls["app"] = f"http+unix://{quote(str(path), safe='')}"
        assert (await world.ask(get("/x"))).body == b"GET /x HTTP/1.1"
    finally:
        server.close()
