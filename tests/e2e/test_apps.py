"""A port of a workspace through a real gateway: signed in by a token, then by the cookie of the app's own host."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.support.demo_workspace import demo_workspace
from tests.support.proxied_apps import get, read_request
from tests.support.real_gateway import CEILING_S


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    first, headers = await read_request(reader)
    body = f"{first} {dict(headers).get('cookie', '')}".encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_a_port_of_a_workspace_is_opened_in_a_browser(tmp_path: Path) -> None:
    async with demo_workspace(tmp_path) as (gateway, _), asyncio.timeout(CEILING_S):
        server = await asyncio.start_server(_hello, "127.0.0.1", 0)
        async with server, serve(_echo, "127.0.0.1", 0) as websockets:
            host = _host_of(gateway.port, server.sockets[0].getsockname()[1])
            async with httpx.AsyncClient(base_url=gateway.url) as browser:
                stranger = await browser.get("/", headers={"Host": host, "Sec-Fetch-Mode": "navigate"})
                assert (stranger.status_code, "auth-redirect" in stranger.headers["location"]) == (303, True)
                token = {"Host": host, "Coder-Session-Token": gateway.token}
                first = await browser.get("/a?coder_session_token=x&b=1", headers=token)
                assert first.text == "GET /a?b=1 HTTP/1.1 "
            cookie = first.headers["set-cookie"].partition(";")[0]
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(get("/b", f"Cookie: {cookie}; own=1", "Connection: close", host=host))
            assert (await reader.read()).endswith(b"GET /b HTTP/1.1 own=1")
            writer.close()

            host = _host_of(gateway.port, next(iter(websockets.sockets)).getsockname()[1])
            headers = {"Coder-Session-Token": gateway.token}
            async with connect(
                f"ws://{host}/", host="127.0.0.1", port=gateway.port, additional_headers=headers, proxy=None
            ) as socket:
                await socket.send("hello")
                assert await socket.recv() == "hello"

        async with httpx.AsyncClient(base_url=gateway.url) as browser:
            port = int(host.partition("--")[0])
            asked = {"Host": host, "Coder-Session-Token": gateway.token, "Accept-Language": "ja,en;q=0.5"}
            nothing = await browser.get("/", headers=asked)
            assert (nothing.status_code, '<html lang="ja">' in nothing.text) == (502, True)
            assert "demo で応答するものがありません" in nothing.text
            assert f"ポート {port} を待ち受けるプログラムがありません。" in nothing.text
            programs = await browser.get("/", headers={**asked, "Accept": "application/json"})
            assert programs.json()["message"] == f"No program listens for port {port}. Start the program that should."


def _host_of(gateway_port: int, port: int) -> str:
    return f"{port}--main--demo--admin.localhost:{gateway_port}"
