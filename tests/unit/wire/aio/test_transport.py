"""Requests to a gateway; websockets are the matter of test_handshake.py."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from genba_wire.aio.carrier_ways import WebsocketUse
from genba_wire.aio.transport import SESSION_TOKEN_HEADER, Transport, TransportOptions, refusal_of
from genba_wire.api.message import Response
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.connect_proxy import running_connect_proxy
from tests.support.tls import Authority, make_authority, make_server_tls


@dataclass
class Server:
    """Answers every request with one status and body, and keeps the requests."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"message": "hello"}'
    requests: list[bytes] = field(default_factory=list[bytes])

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        self.requests.append(head + await reader.readexactly(length))
        writer.write(
            b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (self.status, len(self.body))
            + self.body
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(tls: tuple[Path, Path] | None = None) -> AsyncGenerator[Server]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
    if context is not None and tls is not None:
        context.load_cert_chain(*tls)
    server = Server()
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context) as listener:
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield server


async def test_a_request_carries_token_headers_and_a_message_as_json() -> None:
    async with serving() as server:
        options = TransportOptions(server.url + "/", "secret", {"X-One": "1"}, user_agent="genba/1")
        async with Transport(options) as transport:
            answer = await transport.fetch("POST", "/api/x", Response, body=Response(message="hi"), params={"q": "a b"})
    assert answer.message == "hello"
    head, body = server.requests[0].split(b"\r\n\r\n")
    lines = head.decode().splitlines()
    assert lines[0].startswith("POST /api/x?q=a")
    assert {f"{SESSION_TOKEN_HEADER}: secret", "X-One: 1", "User-Agent: genba/1"} <= set(lines)
    assert "Content-Type: application/json" in lines
    assert json.loads(body)["message"] == "hi"
    assert "secret" not in repr(options)


async def test_a_body_is_read_as_it_comes() -> None:
    async with serving() as server, Transport(TransportOptions(server.url)) as transport:
        async with transport.stream("/api/x") as answer:
            pieces = [piece async for piece in answer.aiter_bytes()]
        assert b"".join(pieces) == server.body
        server.status = 403
        with pytest.raises(GatewayRefused, match="hello"):
            async with transport.stream("/api/x"):
                pass
    with pytest.raises(GatewayUnreachable, match="Can't reach the gateway"):
        async with Transport(TransportOptions("http://127.0.0.1:1")) as transport, transport.stream("/"):
            pass


async def test_a_refusal_keeps_status_and_words() -> None:
    async with serving() as server, Transport(TransportOptions(server.url)) as transport:
        server.status, server.body = 404, b'{"message": "None such.", "detail": "d"}'
        with pytest.raises(GatewayRefused) as raised:
            await transport.request("GET", "/x")
    assert (raised.value.status, raised.value.message, raised.value.detail) == (404, "None such.", "d")


def test_a_refusal_that_is_no_message_is_shown_as_it_is() -> None:
    assert refusal_of(502, b"<html>bad gateway").message == "<html>bad gateway"
    assert refusal_of(502, b"").message == "The gateway answered with status 502."


async def test_another_server_than_a_gateway_is_recognized() -> None:
    async with serving() as server, Transport(TransportOptions(server.url)) as transport:
        server.body = b"<html>welcome"
        with pytest.raises(GatewayUnreachable, match="not Genba's API"):
            await transport.fetch("GET", "/x", Response)


async def test_nobody_listening_is_told_with_the_address() -> None:
    async with serving() as server:
        pass
    async with Transport(TransportOptions(server.url)) as transport:
        with pytest.raises(GatewayUnreachable, match=f"Can't reach the gateway at {server.url}"):
            await transport.request("GET", "/x")


async def test_a_private_authority_is_believed_once_it_is_named(tmp_path: Path) -> None:
    certificate, key = make_server_tls(tmp_path)
    async with serving((certificate, key)) as server:
        async with Transport(TransportOptions(server.url, ca_file=str(certificate))) as transport:
            assert (await transport.fetch("GET", "/x", Response)).message == "hello"
        (tmp_path / "other").mkdir()
        other, _ = make_server_tls(tmp_path / "other")
        async with Transport(TransportOptions(server.url, ca_file=str(other))) as transport:
            with pytest.raises(GatewayUnreachable, match="private authority, name that one's file with GENBA_CA_FILE"):
                await transport.request("GET", "/x")


@asynccontextmanager
async def asking_for_certificates(authority: Authority, version: ssl.TLSVersion) -> AsyncGenerator[str]:
    """A server that wants a client certificate of the authority's."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.load_cert_chain(*authority.issue("server"))
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, version
    server = Server()
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context) as listener:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate_is_shown_and_asked_for_by_name(tmp_path: Path, version: ssl.TLSVersion) -> None:
    authority = await asyncio.to_thread(make_authority, tmp_path)
    cert, key = map(str, await asyncio.to_thread(authority.issue, "client"))
    async with asking_for_certificates(authority, version) as url:
        options = TransportOptions(url, ca_file=str(authority.file), client_cert=cert, client_key=key)
        async with Transport(options) as transport:
            assert (await transport.fetch("GET", "/x", Response)).message == "hello"
        async with Transport(TransportOptions(url, ca_file=str(authority.file))) as transport:
            with pytest.raises(GatewayUnreachable, match=r"asks for a client certificate.*GENBA_CLIENT_CERT"):
                await transport.request("GET", "/x")
            with pytest.raises(GatewayUnreachable, match=r"asks for a client certificate.*GENBA_CLIENT_CERT"):
                await transport.carrier("/x")


async def test_requests_and_websockets_go_through_a_proxy_that_knows_connect_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = await asyncio.to_thread(make_server_tls, tmp_path)
    async with serving((certificate, key)) as server, running_connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        target = server.url.partition("://")[2]
        server.status = 404
        options = TransportOptions(server.url, ca_file=str(certificate), websockets=WebsocketUse.ALWAYS)
        async with Transport(options) as transport:
            with pytest.raises(GatewayRefused):
                await transport.request("GET", "/x")
            assert proxy.targets == [target]
            with pytest.raises(GatewayRefused):
                await transport.carrier("/x")
            assert proxy.targets == [target] * 2
        never = replace(options, websockets=WebsocketUse.NEVER)
        async with Transport(never) as transport:
            with pytest.raises(GatewayRefused):
                await transport.carrier("/x")
            assert proxy.targets == [target] * 3
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with Transport(options) as transport:
            with pytest.raises(GatewayRefused):
                await transport.request("GET", "/x")
            with pytest.raises(GatewayRefused):
                await transport.carrier("/x")
        assert (proxy.targets, proxy.refused, len(server.requests)) == ([target] * 3, 0, 5)
