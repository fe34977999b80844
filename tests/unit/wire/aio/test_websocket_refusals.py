"""What the ends of handshakes say of websockets: against sockets that do what proxies do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from genba_wire.aio.carrier_ways import WebsocketUse
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.aio.websocket_refusals import GATEWAY_HEADER, WebsocketsRefused, read_refusal
from genba_wire.errors import TransportError


def answer(status: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Said", "Content-Length: 0", *lines, "", ""]).encode()


@asynccontextmanager
async def answering(said: bytes) -> AsyncGenerator[str]:
    """A server that says the same to everybody, and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def refusal_of(url: str) -> WebsocketsRefused | None:
    async with Transport(TransportOptions(url, websockets=WebsocketUse.ALWAYS)) as transport:
        with pytest.raises(TransportError) as caught:
            await transport.carrier("/")
        return read_refusal(caught.value, url)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 405, 426, 501])
async def test_plain_answer_of_a_proxy_is_a_refusal_by_its_name(status: int) -> None:
    async with answering(answer(status, "Server: strict/1.0")) as url:
        assert await refusal_of(url) == WebsocketsRefused(f"strict/1.0 answers them with status {status}")
    async with answering(answer(status, "Via: 1.1 border")) as url:
        assert await refusal_of(url) == WebsocketsRefused(f"1.1 border answers them with status {status}")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_proxy_without_its_gateway_is_doubtful(status: int) -> None:
    async with answering(answer(status)) as url:
        assert await refusal_of(url) == WebsocketsRefused(f"a proxy answers them with status {status}", True)


@pytest.mark.parametrize("status", [302, 401, 407, 429])
async def test_other_answers_say_nothing_of_websockets(status: int) -> None:
    async with answering(answer(status, "Server: strict/1.0")) as url:
        assert await refusal_of(url) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 502])
async def test_no_of_the_gateway_is_no_refusal_of_websockets(status: int) -> None:
    async with answering(answer(status, f"{GATEWAY_HEADER}: v2", "Server: hypercorn-h11")) as url:
        assert await refusal_of(url) is None


@pytest.mark.parametrize("status", [200, 426])
async def test_gateway_that_got_no_upgrade_says_so(status: int) -> None:
    async with answering(answer(status, f"{GATEWAY_HEADER}: v2")) as url:
        assert await refusal_of(url) == WebsocketsRefused("their Upgrade header gets lost on the way")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 101 Swi"])
async def test_connection_that_breaks_in_the_handshake_is_doubtful(said: bytes) -> None:
    async with answering(said) as url:
        refusal = await refusal_of(url)
    assert refusal == WebsocketsRefused("their connections are broken off in the handshake", True)


async def test_switch_to_something_else_is_a_refusal() -> None:
    async with answering(b"HTTP/1.1 101 X\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n") as url:
        refusal = await refusal_of(url)
    assert refusal == WebsocketsRefused("what answers their handshake does not speak their protocol")


async def test_proxy_that_refuses_connect_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(answer(403)) as url:
        port = url.rpartition(":")[2]
        monkeypatch.setenv("http_proxy", f"http://user:secret@127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        refusal = await refusal_of("http://gateway.test")
    assert refusal == WebsocketsRefused(f"the proxy 127.0.0.1:{port} refuses CONNECT with status 403")


async def test_nobody_there_says_nothing_of_websockets() -> None:
    async with answering(b"") as url:
        pass
    assert await refusal_of(url) is None
