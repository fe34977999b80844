"""Opening carriers: against the `websockets` library's server, and against sockets that do what servers may do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from genba_wire.aio.transport import SESSION_TOKEN_HEADER, Transport, TransportOptions
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from genba_wire.websocket_frames import Opcode, encode_header
from tests.support.carriers import CEILING_S, Hearer
from tests.support.tls import make_server_tls

ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Serve = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


def port_of(server: Server | asyncio.Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


@asynccontextmanager
async def raw_server(handle: Serve) -> AsyncGenerator[str]:
    """Serve by a function that gets the request's head; yield the URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{port_of(server)}"


def switching(request: bytes) -> bytes:
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + ACCEPT_GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def message(payload: bytes) -> bytes:
    return encode_header(Opcode.BINARY, len(payload), masked=False) + payload


async def test_carrier_talks_to_a_real_server_and_sends_its_headers() -> None:
    seen: list[Request] = []

    async def serve_one(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request)
        await echo(connection)

    async with serve(serve_one, "127.0.0.1", 0) as server:
        options = TransportOptions(f"http://127.0.0.1:{port_of(server)}/prefix", token="t0ken", headers={"X-A": "1"})
        async with Transport(options) as transport:
            carrier = await transport.carrier("/c", params={"a": "b"}, headers={"Genba-Ticket": "tick"})
            hearer = Hearer()
            carrier.start(hearer)
            carrier.send(b"hello")
            carrier.send(bytes(200_000))
            await hearer.until(lambda: len(hearer.messages) == 2)
            carrier.close()
            await carrier.wait_closed()
    assert hearer.messages == [b"hello", bytes(200_000)]
    assert seen[0].path == "/prefix/c?a=b"
    headers = seen[0].headers
    assert (headers[SESSION_TOKEN_HEADER], headers["X-A"], headers["Genba-Ticket"]) == ("t0ken", "1", "tick")
    assert "Sec-WebSocket-Extensions" not in headers


async def test_messages_in_the_segment_of_the_answer_are_delivered() -> None:
    async def handle(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(switching(request) + message(b"early") + message(b"split")[:4])
        await reader.read(1)
        writer.write(message(b"split")[4:])
        await reader.read()

    async with raw_server(handle) as url, Transport(TransportOptions(url)) as transport:
        carrier = await transport.carrier("/")
        hearer = Hearer()
        carrier.start(hearer)
        await hearer.until(lambda: hearer.messages == [b"early"])
        carrier.send(b"go on")
        await hearer.until(lambda: hearer.messages == [b"early", b"split"])
        carrier.abort()
        await carrier.wait_closed()


async def test_answer_that_comes_in_pieces_is_understood() -> None:
    async def handle(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = switching(request) + message(b"early")
        for byte in answer:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with raw_server(handle) as url, Transport(TransportOptions(url)) as transport:
        carrier = await transport.carrier("/")
        hearer = Hearer()
        carrier.start(hearer)
        await hearer.until(lambda: hearer.messages == [b"early"])
        carrier.abort()
        await carrier.wait_closed()


async def test_connection_that_ends_behind_the_answer_is_lost_after_start() -> None:
    async def handle(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(switching(request) + message(b"early"))

    async with raw_server(handle) as url, Transport(TransportOptions(url)) as transport:
        carrier = await transport.carrier("/")
        hearer = Hearer()
        carrier.start(hearer)
        assert await hearer.wait_lost()
        assert hearer.messages == [b"early"]
        await carrier.wait_closed()


async def test_refusal_keeps_status_and_words() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(409, '{"message": "The agent is not connected.", "detail": "It left."}')

    async with (
        serve(echo, "127.0.0.1", 0, process_request=refuse) as server,
        Transport(TransportOptions(f"http://127.0.0.1:{port_of(server)}")) as transport,
    ):
        with pytest.raises(GatewayRefused) as refused:
            await transport.carrier("/")
    assert (refused.value.status, refused.value.message, refused.value.detail) == (
        409,
        "The agent is not connected.",
        "It left.",
    )


async def test_redirect_does_not_take_the_token_elsewhere() -> None:
    asked: list[bytes] = []

    async def elsewhere(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(request)

    async with raw_server(elsewhere) as target:

        async def redirect(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            location = target.replace("http:", "ws:").encode()
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"/\r\nContent-Length: 0\r\n\r\n")

        async with raw_server(redirect) as url, Transport(TransportOptions(url, token="secret")) as transport:
            with pytest.raises(GatewayRefused) as refused:
                await transport.carrier("/")
    assert (refused.value.status, asked) == (302, [])


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 101 Swi", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n"]
)
async def test_answer_that_is_none_is_unreachable(answer: bytes) -> None:
    async def handle(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with raw_server(handle) as url, Transport(TransportOptions(url)) as transport:
        with pytest.raises(GatewayUnreachable, match=r"Can't reach the gateway"):
            await transport.carrier("/")


async def test_tls_with_a_private_ca(tmp_path: Path) -> None:
    certificate, key = make_server_tls(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{port_of(server)}"
        async with Transport(TransportOptions(url, ca_file=str(certificate))) as transport:
            carrier = await transport.carrier("/")
            hearer = Hearer()
            carrier.start(hearer)
            payloads = [bytes([number]) * 250_000 for number in range(20)]
            for payload in payloads:
                carrier.send(payload)
            await hearer.until(lambda: len(hearer.messages) == 20)
            carrier.close()
            await carrier.wait_closed()
    assert hearer.messages == payloads


async def test_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    async with serve(echo, "127.0.0.1", 0) as server:
        port = port_of(server)

        async def proxy(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(request.split(b"\r\n")[0])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            async with asyncio.TaskGroup() as group:
                group.create_task(copy(reader, far_writer))
                group.create_task(copy(far_reader, writer))

        async with raw_server(proxy) as proxy_url:
            monkeypatch.setenv("http_proxy", proxy_url)
            monkeypatch.setenv("ws_proxy", proxy_url)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            async with Transport(TransportOptions(f"http://gateway.test:{port}")) as transport:
                carrier = await transport.carrier("/")
                hearer = Hearer()
                carrier.start(hearer)
                carrier.send(b"through the proxy")
                await hearer.until(lambda: hearer.messages == [b"through the proxy"])
                carrier.close()
                await carrier.wait_closed()
    assert asked == [f"CONNECT gateway.test:{port} HTTP/1.1".encode()]


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(CEILING_S):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
