"""Each broken server has its own diagnosis."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genba_ide_bridge.diagnosis.judging import judge
from genba_ide_bridge.diagnosis.probing import find_proxy, probe
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.broken_servers import broken_server, http_answer
from tests.support.tls import make_server_tls

HTML = b"<html>It works!</html>"


async def diagnose(url: str, ca_file: Path | None = None, *, request_s: float = 10) -> list[str]:
    options = TransportOptions(base_url=url, ca_file=str(ca_file) if ca_file else None)
    # It reads files of certificates.
    async with await asyncio.to_thread(Transport, options) as transport:
        return [str(problem) for problem in judge(await probe(transport, request_s=request_s, first_message_s=0.2))]


async def test_gateway_that_is_well_has_no_problem() -> None:
    async with broken_server() as server, Transport(TransportOptions(base_url=server.url)) as transport:
        found = await probe(transport)
        assert judge(found) == []
        assert found.round_trip_ms is not None
        assert found.access_url == server.url


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http_answer(502, HTML), "does not reach the gateway behind it (502)"),
        (http_answer(503, HTML), "does not reach the gateway behind it (503)"),
        (http_answer(504, HTML), "waited for the gateway in vain (504)"),
        (http_answer(407), "wants a name and a password (407)"),
        (http_answer(403, HTML), "Something before the gateway wants to know who you are (403)"),
        (http_answer(404, HTML), "answers with status 404, which no gateway does"),
        (http_answer(400, b"The plain HTTP request was sent to HTTPS port"), "speaks TLS only. Use https://127.0.0.1"),
        (http_answer(200, HTML, Server="nginx"), "is a web server, but no gateway (it calls itself nginx)"),
        (http_answer(301, Location="https://g.example.com/api/v2/buildinfo"), "visitors to https://g.example.com."),
        (
            http_answer(302, Location="http://portal.example.net/"),
            "is sent to http://portal.example.net/ instead. That",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "answers is no HTTP"),
        (None, "closed the connection without an answer"),
    ],
)
async def test_answer_that_is_no_gateways_is_named(answer: bytes | None, said: str) -> None:
    async with broken_server() as server:
        server.answers["*"] = answer
        (problem,) = await diagnose(server.url)
    assert said in problem


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http_answer(400, HTML), "refuses websockets with status 400"),
        (http_answer(426), "refuses websockets with status 426"),
        (http_answer(502, HTML), "refuses websockets with status 502"),
        (http_answer(200, HTML), "refuses websockets with status 200"),
        (None, "breaks websockets off"),
    ],
)
async def test_proxy_that_passes_no_websockets_is_named(answer: bytes | None, said: str) -> None:
    async with broken_server() as server:
        server.websocket = answer
        (problem,) = await diagnose(server.url)
    assert said in problem
    assert "the headers Upgrade and Connection" in problem


async def test_websocket_that_the_gateway_gets_as_a_plain_request_is_told_apart_from_a_rule_against_it() -> None:
    plain = http_answer(400, b'{"message":"Not a websocket."}')
    async with broken_server() as server:
        server.answers["/api/v2/derp-map"] = server.websocket = plain
        (stripped,) = await diagnose(server.url)
        # A page is a proxy's, whatever it answers with.
        server.answers["/api/v2/derp-map"] = server.websocket = http_answer(400, HTML)
        (page,) = await diagnose(server.url)
        server.answers["/api/v2/derp-map"], server.websocket = plain, http_answer(403, HTML)
        (forbidden,) = await diagnose(server.url)
    assert "They reach the gateway as plain requests" in stripped
    assert "as plain requests" not in page
    assert "A proxy has a rule against them" in forbidden


async def test_proxy_that_holds_messages_back_is_named() -> None:
    async with broken_server() as server:
        server.first_message = b""
        (problem,) = await diagnose(server.url)
    assert "open, but nothing comes through them. " in problem
    assert "switch its buffering off" in problem


async def test_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (problem,) = await diagnose(f"http://127.0.0.1:{port}")
    assert problem.startswith(f"Nothing listens on 127.0.0.1:{port}.")


async def test_server_that_never_answers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (problem,) = await diagnose(f"http://127.0.0.1:{silent.getsockname()[1]}", request_s=0.2)
    assert "did not answer in time" in problem


async def test_tls_is_told_apart(tmp_path: Path) -> None:
    certificate, key = await asyncio.to_thread(make_server_tls, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with broken_server(context) as server, broken_server() as plain:
        assert await diagnose(server.url, certificate) == []
        (problem,) = await diagnose(server.url)
        assert "comes from an authority that this machine does not know" in problem
        assert "--ca-file" in problem
        (problem,) = await diagnose(server.url.replace("127.0.0.1", "localhost"), certificate)
        assert "The certificate that localhost shows is for another name" in problem
        (problem,) = await diagnose(plain.url.replace("http:", "https:"), certificate)
        assert f"speaks no TLS. The gateway may be at {plain.url}." in problem
        (problem,) = await diagnose(server.url.replace("https:", "http:"))
        assert f"the gateway is at {server.url}" in problem


async def test_other_address_and_wrong_clock_are_warnings() -> None:
    async with broken_server() as server:
        server.access_url = "https://gateway.example.com"
        server.date = datetime.now(UTC) - timedelta(hours=2)
        clock, address = await diagnose(server.url)
    assert clock.startswith("This machine's clock is 2 h ahead of the gateway's.")
    assert f"You use {server.url}, but the gateway takes https://gateway.example.com for its address." in address


async def test_proxy_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://kim:secret@127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert find_proxy("http://gateway.example.com") == f"http://127.0.0.1:{port}"
    (problem,) = await diagnose("http://gateway.example.com")
    assert problem.startswith(f"The proxy http://127.0.0.1:{port} could not be used")
    assert "secret" not in problem
    monkeypatch.setenv("no_proxy", "gateway.example.com")
    assert find_proxy("http://gateway.example.com") == ""
