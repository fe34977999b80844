"""Trailers of requests through a real server to an app: what passes, and what is tried with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.apps.request_trailers import MAX_TRAILERS, MAX_TRAILERS_BYTES
from tests.integration.apps.test_http2 import body_of, headers_of, http2
from tests.support.proxied_apps import AppWorld, app_world, get, read_request

TOKEN = "0123456789-0123456789abcdefghijkl"
SMUGGLED = [
    ("content-length", "5"),
    ("host", "other.apps.test"),
    ("authorization", "Basic YTpi"),
    ("coder-session-token", TOKEN),
    ("coder_session_token", TOKEN),
    ("cookie", "a=b"),
    ("x-forwarded-for", "192.0.2.1"),
    ("x_forwarded_for", "192.0.2.1"),
    ("x-genba-passed", "0"),
    ("x_any", "1"),
    ("content-type", "text/html"),
    ("if-match", "*"),
    ("sec-fetch-site", "same-origin"),
    ("origin", "https://other.test"),
    ("trailer", "x-sum"),
    ("expect", "100-continue"),
    ("x-in-head", "changed"),
]


class Trailed:
    """An app that notes each request's headers, and what comes behind its body."""

    def __init__(self) -> None:
        self.heads: list[dict[str, str]] = []
        self.trailers: list[list[tuple[str, str]]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, headers = await read_request(reader)
            self.heads.append(dict(headers))
            if self.heads[-1].get("transfer-encoding") == "chunked":
                self.trailers.append(await self._read_trailers(reader))
            else:
                await reader.readexactly(int(self.heads[-1].get("content-length", "0")))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def _read_trailers(self, reader: asyncio.StreamReader) -> list[tuple[str, str]]:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        trailers: list[tuple[str, str]] = []
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            trailers.append((name, value.strip()))
        return trailers


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


def post(*lines: str, trailers: list[tuple[str, str]]) -> bytes:
    """A body in chunks, and trailers."""
    behind = "".join(f"{name}: {value}\r\n" for name, value in trailers).encode()
    body = b"2\r\nhi\r\n0\r\n" + behind + b"\r\n"
    return get("/", "Transfer-Encoding: chunked", *lines, method="POST", body=body)


async def test_trailers_reach_the_app_and_are_named_if_the_client_named_them(world: AppWorld) -> None:
    app = Trailed()
    async with world.app(app.serve) as raw, world.connect() as client:
        for lines in (["Trailer: X-Sum, Host", "Trailer: X-Sum, x_sum"], [], ["Trailer: Authorization"]):
            assert (await client.ask(post(*lines, trailers=[("X-Sum", "a b"), ("Content-Digest", "c")]))).body == b"ok"
        assert (await client.ask(post(trailers=[]))).body == b"ok"
        assert raw.connections == 1
    assert app.trailers == [[("x-sum", "a b"), ("content-digest", "c")]] * 3 + [[]]
    assert [head.get("trailer") for head in app.heads] == ["x-sum", None, None, None]


async def test_trailers_of_a_body_that_is_still_sent_reach_the_app(world: AppWorld) -> None:
    app = Trailed()
    async with world.app(app.serve), world.connect() as client:
        whole = post(trailers=[("X-Sum", "1")])
        for part in (whole[:-12], whole[-12:-3]):
            await client.send(part)
            await asyncio.sleep(0.02)
        assert (await client.ask(whole[-3:])).body == b"ok"
    assert app.trailers == [[("x-sum", "1")]]


async def test_trailers_over_http2_reach_the_app(world: AppWorld) -> None:
    app = Trailed()
    async with world.app(app.serve), http2(world) as client:
        for body in (b"hello", b""):
            came = await client.ask(("trailer", "x-sum"), method="POST", body=body, trailers=[("x-sum", "1")])
            assert body_of(came) == b"ok"
        assert body_of(await client.ask(method="POST", body=b"hello")) == b"ok"
    assert app.trailers == [[("x-sum", "1")], [("x-sum", "1")], []]
    assert [head.get("trailer") for head in app.heads] == ["x-sum", "x-sum", None]


async def test_nothing_that_a_head_decides_by_passes_behind_a_body(world: AppWorld) -> None:
    app = Trailed()
    lines = ["X-In-Head: as sent", "Connection: X-Hop"]
    async with world.app(app.serve), world.connect() as client:
        trailers = [*SMUGGLED, ("connection", "x-sum"), ("x-hop", "1"), ("x-sum", "1")]
        assert (await client.ask(post(*lines, trailers=trailers))).body == b"ok"
        async with http2(world) as second:
            trailers = [*SMUGGLED, ("x-sum", "1")]
            came = await second.ask(("x-in-head", "as sent"), method="POST", body=b"hi", trailers=trailers)
            assert body_of(came) == b"ok"
    assert app.trailers == [[("x-sum", "1")]] * 2
    assert [head["host"] for head in app.heads] == ["app.apps.test"] * 2


@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding: identity",
        b"Content-Length: 5, 6",
        b"Content-Length: -1",
        b"no colon",
        b"X-Sum : 1",
        b"X-Sum: 1\rHost: other",
        b"X-Sum: \x00",
        b": 1",
    ],
)
async def test_trailers_that_can_not_be_ruin_the_request(world: AppWorld, line: bytes) -> None:
    app = Trailed()
    async with world.app(app.serve), world.connect() as client:
        body = b"2\r\nhi\r\n0\r\n" + line + b"\r\n\r\n"
        await client.send(get("/", "Transfer-Encoding: chunked", method="POST", body=body))
        assert b" 200 " not in await client.reader.read()
    assert app.trailers == []


async def test_a_transfer_encoding_behind_a_body_changes_nothing_of_it(world: AppWorld) -> None:
    app = Trailed()
    async with world.app(app.serve) as raw, world.connect() as client:
        for _ in range(2):
            assert (await client.ask(post(trailers=[("Transfer-Encoding", "chunked"), ("X-Sum", "1")]))).body == b"ok"
        assert raw.connections == 1
    assert app.trailers == [[("x-sum", "1")]] * 2


async def test_trailers_behind_a_body_with_a_length_end_at_the_gateway(world: AppWorld) -> None:
    app = Trailed()
    async with world.app(app.serve) as raw, http2(world) as client:
        for _ in range(2):
            came = await client.ask(
                ("content-length", "2"), ("trailer", "x-sum"), method="POST", body=b"hi", trailers=[("x-sum", "1")]
            )
            assert body_of(came) == b"ok"
        assert raw.connections == 1
    assert ["trailer" in head for head in app.heads] == [False, False]


def many(count: int) -> list[tuple[str, str]]:
    return [(f"x-{number}", "v") for number in range(count)]


def long(size: int) -> list[tuple[str, str]]:
    return [("x-sum", "v" * (size - len("x-sum")))]


@pytest.mark.parametrize(
    ("most", "too_many"),
    [(many(MAX_TRAILERS), many(MAX_TRAILERS + 1)), (long(MAX_TRAILERS_BYTES), long(MAX_TRAILERS_BYTES + 1))],
)
async def test_a_request_has_a_limit_of_trailers(
    world: AppWorld, most: list[tuple[str, str]], too_many: list[tuple[str, str]]
) -> None:
    app = Trailed()
    async with world.app(app.serve), world.connect() as client, http2(world) as second:
        assert (await client.ask(post(trailers=most))).body == b"ok"
        refused = await client.ask(post(trailers=too_many))
        assert (refused.status, b"trailers" in refused.body) == (400, True)
        assert body_of(await second.ask(method="POST", body=b"hi", trailers=most)) == b"ok"
        came = await second.ask(method="POST", body=b"hi", trailers=too_many)
        assert headers_of(came)[b":status"] == b"400"
    assert app.trailers == [most, most]
