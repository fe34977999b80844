"""What clients and apps try on the wire: no request reads as two, and none reaches what it should not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.proxied_apps import PATH_HOST, SUBDOMAINS, AppWorld, app_world, get, read_request

HOST = "app" + SUBDOMAINS
WEBSOCKET_LINES = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)
UPGRADE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: app.apps.test\r\n\r\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


class Recorder:
    """An app that notes what it is asked, and reads bodies as they are framed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.heads: list[list[tuple[str, str]]] = []
        self.bodies: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, headers = await read_request(reader)
            self.asked.append(first.split()[1])
            self.heads.append(headers)
            self.bodies.append(await self._read_body(reader, headers))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def _read_body(self, reader: asyncio.StreamReader, headers: list[tuple[str, str]]) -> bytes:
        framing = [(name, value) for name, value in headers if name in ("content-length", "transfer-encoding")]
        assert len(framing) <= 1
        if not framing:
            return b""
        if framing[0][0] == "content-length":
            return await reader.readexactly(int(framing[0][1]))
        assert framing[0][1] == "chunked"
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body


@pytest.mark.parametrize(
    "framing",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding:\x0bchunked"],
        ["Transfer-Encoding : chunked"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
        ["Content-Length: -1"],
    ],
)
async def test_a_body_whose_length_can_be_read_in_two_ways_is_refused(world: AppWorld, framing: list[str]) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve), world.connect() as client:
        answer = await client.ask(get("/", *framing, method="POST", body=b"0\r\n\r\n" + HIDDEN))
        assert answer.status in (400, 501)
        async with asyncio.timeout(30):
            # The rest is nobody's request: the connection is closed behind the refusal.
            await client.reader.read()
    assert recorder.asked == []


async def test_what_looks_like_a_request_in_a_body_stays_a_body(world: AppWorld) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve), world.connect() as client:
        await client.ask(get("/1", f"Content-Length: {len(HIDDEN)}", method="POST", body=HIDDEN))
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
        await client.ask(get("/2", "Transfer-Encoding: chunked", method="POST", body=chunk))
        await client.ask(get("/3"))
    assert recorder.asked == ["/1", "/2", "/3"]
    assert recorder.bodies == [HIDDEN, HIDDEN, b""]


async def test_a_folded_header_reaches_the_app_as_one_line(world: AppWorld) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve), world.connect() as client:
        answer = await client.ask(get("/", "X-Folded: a", " Transfer-Encoding: chunked", "\tb"))
        assert answer.status in (200, 400)
    for head in recorder.heads:
        assert dict(head)["x-folded"] == "a Transfer-Encoding: chunked b"
        assert "transfer-encoding" not in dict(head)


@pytest.mark.parametrize(
    "line", ["Bad Name: x", "Bad\x00Name: x", "X: a\x00b", "X: a\rTransfer-Encoding: chunked", ": x", "no colon"]
)
async def test_a_header_that_is_none_is_refused(world: AppWorld, line: str) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve):
        assert (await world.ask(get("/", line))).status == 400
    assert recorder.asked == []


@pytest.mark.parametrize(
    "request_line",
    [
        f"GET http://127.0.0.1/ HTTP/1.1\r\nHost: {HOST}",
        f"GET http://{HOST}/ HTTP/1.1\r\nHost: 127.0.0.1:1",
        f"GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: 127.0.0.1",
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: {HOST}",
        "GET / HTTP/1.1",
        f"OPTIONS * HTTP/1.1\r\nHost: {HOST}",
        f"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: {HOST}",
        f"GET /a/../../x HTTP/1.1\r\nHost: {HOST}",
        f"GET /%2e%2e/x HTTP/1.1\r\nHost: {HOST}",
        f"GET /@alice/demo.main/apps/app/../other/ HTTP/1.1\r\nHost: {PATH_HOST}",
    ],
)
async def test_an_address_that_means_two_things_reaches_no_app(world: AppWorld, request_line: str) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve):
        answer = await world.ask(f"{request_line}\r\n\r\n".encode())
        assert answer.status == 400 or answer.body == b"dashboard"
    assert recorder.asked == []


@pytest.mark.parametrize("host", ["x@y", f"x@{HOST}", f"{HOST}@y", f"{HOST}, y", f"{HOST} y", "", ":80", "a/b"])
@pytest.mark.parametrize("upgrade", [[], UPGRADE])
async def test_what_names_no_host_is_answered_by_nobody(world: AppWorld, host: str, upgrade: list[str]) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve):
        answer = await world.ask(get("/", *upgrade, host=host))
    assert (answer.status, "Host" in answer.body.decode()) == (400, True)
    if not upgrade:
        assert answer.get("Connection") == "close"
    assert (recorder.asked, world.inner) == ([], [])


async def test_a_host_may_be_absent_only_where_http_knows_none(world: AppWorld) -> None:
    assert (await world.ask(b"GET / HTTP/1.1\r\n\r\n")).status == 400
    assert (await world.ask(b"GET / HTTP/1.0\r\n\r\n")).body == b"dashboard"


@pytest.mark.parametrize("host", [HOST.upper(), HOST + ":1"])
async def test_an_apps_host_is_an_apps_however_it_is_written(world: AppWorld, host: str) -> None:
    world.access.urls["APP"] = "http://127.0.0.1:1"
    await world.ask(get(host=host))
    assert world.inner == []


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PRI"])
@pytest.mark.parametrize("host", [HOST, PATH_HOST, "dashboard.test"])
async def test_no_upgrade_to_http2_makes_a_tunnel_through_a_proxy(world: AppWorld, host: str, method: str) -> None:
    """Proxies pass Upgrade on for websockets, and see nothing of what follows."""
    recorder = Recorder()
    lines = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    async with world.app(recorder.serve), world.connect() as client:
        for _ in range(2):
            answer = await client.ask(get("/@alice/demo.main/apps/app/", *lines, host=host, method=method))
            assert answer.get("Upgrade") == ""
            assert answer.status in (200, 404)


@pytest.mark.parametrize("host", [HOST, "dashboard.test"])
async def test_a_long_head_is_refused_however_it_comes(world: AppWorld, host: str) -> None:
    world.access.urls["APP"] = "http://127.0.0.1:1"
    for size, parts in ((20_000, 1), (40_000, 1), (40_000, 3)):
        request = get("/", "X-Long: " + "x" * size, host=host)
        async with world.connect() as client:
            step = len(request) // parts + 1
            for at in range(0, len(request), step):
                await client.send(request[at : at + step])
                await asyncio.sleep(0.05)
            assert (await client.read_answer()).status == 431


async def test_an_app_gets_nothing_that_would_let_it_act_for_its_user(world: AppWorld) -> None:
    recorder = Recorder()
    token = "0123456789-0123456789abcdefghijkl"
    async with world.app(recorder.serve):
        await world.ask(
            get(
                "/?coder_session_token=s&a=1",
                "Cookie: coder_session_token=s; a=1; __Host-coder_subdomain_app_session_token=s",
                "Cookie: csrf_token=s; genba_x=s",
                "Coder-Session-Token: s",
                f"Authorization: Bearer {token}",
                "X-Forwarded-For: 6.6.6.6",
                "X-Forwarded-User: root",
                "X-Forwarded-Proto: https",
                "X_Forwarded_Proto: https",
                "Forwarded: for=6.6.6.6",
                "Connection: X-Forwarded-For, close",
            )
        )
    assert recorder.asked == ["/?a=1"]
    seen = dict(recorder.heads[0])
    assert seen.pop("x-genba-passed")
    assert seen == {
        "host": HOST,
        "cookie": "a=1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": HOST,
        "x-forwarded-proto": "http",
    }


async def test_an_app_sets_no_cookie_of_ours_and_none_beyond_itself(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: coder_session_token=fixed; Path=/\r\n"
            b"Set-Cookie: __Host-coder_signed_app_token=fixed; Secure; Path=/\r\nSet-Cookie: =csrf_token=x\r\n"
            b'Set-Cookie: a=b; Domain=test; Path=/\r\nClear-Site-Data: "*"\r\nService-Worker-Allowed: /\r\n\r\n'
        )

    world.access.set_cookies = ("coder_signed_app_token=ours; Path=/",)
    async with world.app(serve):
        named = await world.ask(get())
        assert named.all("Set-Cookie") == ["a=b; Path=/", "coder_signed_app_token=ours; Path=/"]
        on_path = await world.ask(get("/@alice/demo.main/apps/app/", host=PATH_HOST))
        assert on_path.all("Set-Cookie")[0] == "a=b; Path=/@alice/demo.main/apps/app/"
        assert on_path.get("Service-Worker-Allowed") == "/@alice/demo.main/apps/app/"
        assert on_path.get("Clear-Site-Data") == ""


async def test_an_app_splits_no_answer(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        # A second answer behind the first one must not become that of the next request.
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await reader.read()

    async with world.app(serve) as app, world.connect() as client:
        for _ in range(2):
            assert (await client.ask(get())).body == b"ok"
        assert app.connections == 2


async def test_requests_on_one_connection_are_decided_on_one_by_one(world: AppWorld) -> None:
    recorder = Recorder()
    async with world.app(recorder.serve), world.connect() as client:
        await client.send(get("/1") + get("/2", host="127.0.0.1") + get("/3", host="none" + SUBDOMAINS) + get("/4"))
        statuses = [(await client.read_answer()).status for _ in range(4)]
    assert statuses == [200, 200, 404, 200]
    assert recorder.asked == ["/1", "/4"]
    assert len(world.inner) == 1


@pytest.mark.parametrize("lines", [(), WEBSOCKET_LINES])
async def test_a_port_that_leads_back_to_the_gateway_is_no_endless_circle(
    world: AppWorld, lines: tuple[str, ...]
) -> None:
    world.access.urls["app"] = f"http://127.0.0.1:{world.port}"
    answer = await world.ask(get("/x", *lines))
    assert answer.status == 508
    assert len(world.access.counted) == 1


async def test_an_answer_with_our_cookie_is_kept_by_no_shared_cache(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        head = b"HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(head)

    world.access.sharing_level = "public"
    async with world.app(serve):
        assert (await world.ask(get())).get("Cache-Control") == "public, max-age=60"
        world.access.set_cookies = ("coder_signed_app_token=ours; Path=/",)
        assert (await world.ask(get())).get("Cache-Control") == "max-age=60, private"
