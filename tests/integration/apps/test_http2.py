"""Apps over HTTP/2, whose connection carries other requests as well: it is neither taken nor dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from h2.events import DataReceived, Event, ResponseReceived, StreamReset, TrailersReceived
from websockets.asyncio.server import ServerConnection

from genba_gateway.apps import long_answers
from genba_gateway.apps.connections import UpstreamConnection
from genba_gateway.apps.pool import AppKey
from genba_gateway.relay.message_memory import message_memory_of_loop
from tests.integration.apps.test_http import echo_body
from tests.integration.apps.test_websockets import websocket_app
from tests.support.carriers import CEILING_S
from tests.support.http2_client import Http2Client
from tests.support.proxied_apps import SUBDOMAINS, AppWorld, app_world, read_request
from tests.support.raw_websocket import make_frame
from tests.support.waiting import turned_until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


@asynccontextmanager
async def http2(world: AppWorld) -> AsyncGenerator[Http2Client]:
    """A browser's connection that begins with HTTP/2 at once."""
    async with world.connect() as raw:
        yield Http2Client(raw.reader, raw.writer, authority="app" + SUBDOMAINS)


def headers_of(events: list[Event]) -> dict[bytes, bytes]:
    answer = next(event for event in events if isinstance(event, ResponseReceived))
    return {bytes(name): bytes(value) for name, value in answer.headers or []}


def body_of(events: list[Event]) -> bytes:
    return b"".join(event.data or b"" for event in events if isinstance(event, DataReceived))


async def test_a_body_without_a_length_reaches_the_app_in_chunks(world: AppWorld) -> None:
    async with world.app(echo_body) as app, http2(world) as client:
        came = await client.ask(method="POST", body=b"hello")
        assert (headers_of(came)[b"x-framing"], body_of(came)) == (b"chunked", b"hello")
        came = await client.ask(("content-length", "3"), method="POST", body=b"abc")
        assert (headers_of(came)[b"x-framing"], body_of(came)) == (b"length", b"abc")
        assert app.connections == 1


async def test_cookies_in_several_headers_become_one(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, headers = await read_request(reader)
        cookies = [value for name, value in headers if name == "cookie"]
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + repr(cookies).encode())

    async with world.app(serve), http2(world) as client:
        came = await client.ask(("cookie", "a=1"), ("cookie", "coder_session_token=s"), ("cookie", "b=2"))
        assert body_of(came) == b"['a=1; b=2']"


async def test_an_answer_that_breaks_off_resets_its_stream_and_no_other(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _ = await read_request(reader)
        if "/broken" in first:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            await writer.drain()
            writer.transport.abort()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    async with world.app(serve), http2(world) as client:
        came = await client.ask(path="/broken")
        assert any(isinstance(event, StreamReset) for event in came)
        assert body_of(await client.ask()) == b"ok"


async def test_trailers_pass(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\ngrpc-status: 0\r\n\r\n")

    async with world.app(serve), http2(world) as client:
        came = await client.ask(("te", "trailers"))
        trailers = [event for event in came if isinstance(event, TrailersReceived)]
        assert [dict(event.headers or []) for event in trailers] == [{b"grpc-status": b"0"}]


async def test_a_body_that_goes_on_after_its_answer_harms_no_other_request(world: AppWorld) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")

    async with world.app(refuse), http2(world) as client:
        # More than a connection's window in all, so that it has to be given back.
        for _ in range(12):
            came = await client.ask(method="POST", body=b"first", late=bytes(16_000))
            assert (headers_of(came)[b":status"], body_of(came)) == (b"413", b"no")


EARLY = (
    b"HTTP/1.1 102 Processing\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\nX-Other: no\r\n\r\n"
)


async def test_early_hints_pass_before_the_answer(world: AppWorld) -> None:
    may_answer = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(EARLY)
        await may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with world.app(serve), http2(world) as client:
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(client.ask())
            await turned_until(lambda: bool(client.hints))
            may_answer.set()
        came = asking.result()
        assert (headers_of(came)[b":status"], body_of(came)) == (b"200", b"ok")
    (hints,) = client.hints
    links = [(b"link", b"</a.css>; rel=preload"), (b"link", b"</b.js>; rel=preload")]
    assert [header for header in hints if header[0] != b"date"] == [(b":status", b"103"), *links]


async def test_a_websocket_goes_message_by_message(world: AppWorld) -> None:
    async with websocket_app(world), http2(world) as client:
        stream = await client.open_websocket(world.port, "/ws")
        for message in (b"over HTTP/2", b"x" * 10_000):
            await client.send(stream, make_frame(message, key=b"abcd"))
            expected = make_frame(message, masked=False, key=b"")
            received = b""
            while not received.endswith(expected):
                received += await client.receive()
        world.access.may_end.set()
        while b"You signed out." not in received:
            received += await client.receive()


async def wait_for(client: Http2Client, expected: bytes) -> bytes:
    received = b""
    while expected not in received:
        received += await client.receive()
    return received


async def test_a_browser_that_does_not_leave_when_it_must_reaches_the_app_no_more(world: AppWorld) -> None:
    heard, over = list[object](), asyncio.Event()

    async def listen(connection: ServerConnection) -> None:
        try:
            async for message in connection:
                heard.append(message)
                await connection.send(b"heard")
        finally:
            over.set()

    async with websocket_app(world, listen), http2(world) as client:
        stream = await client.open_websocket(world.port, "/ws")
        await client.send(stream, make_frame(b"before", key=b"abcd"))
        await wait_for(client, b"heard")
        world.access.may_end.set()
        await wait_for(client, b"You signed out.")
        for _ in range(20):
            await client.send(stream, make_frame(b"after", key=b"abcd"))
        async with asyncio.timeout(CEILING_S):
            await over.wait()
        assert body_of(await client.ask(path="/nothing"))
    assert heard == [b"before"]


def up(size: int) -> tuple[bytes, bytes]:
    """What the browser sends, and what the app answers: how long it was."""
    return make_frame(bytes(size), key=b"abcd"), b"%d bytes" % size


def down(size: int) -> tuple[bytes, bytes]:
    """A message that asks for one so long, with its head of four bytes."""
    return make_frame(b"%d" % (size - 4), opcode=1, key=b"abcd"), bytes(size - 4)


@pytest.mark.parametrize("say", [up, down])
@pytest.mark.parametrize("limit", ["most", "most_of_one"])
async def test_messages_that_memory_has_no_room_for_end_their_websocket_with_the_reason(
    world: AppWorld, say: Callable[[int], tuple[bytes, bytes]], limit: str
) -> None:
    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(bytes(int(message)) if isinstance(message, str) else f"{len(message)} bytes")

    memory = message_memory_of_loop()
    setattr(memory, limit, 10_000)
    async with websocket_app(world, answer):
        async with http2(world) as client:
            stream = await client.open_websocket(world.port, "/ws")
            sent, answered = say(10_000)
            await client.send(stream, sent)
            await wait_for(client, answered)
            await client.send(stream, say(10_001)[0])
            closed = await wait_for(client, b"try again later.")
            assert (1013).to_bytes(2, "big") + b"The gateway holds too many large messages" in closed
            # What the browser says in the meantime reaches nobody, and harms no other stream.
            for _ in range(20):
                await client.send(stream, make_frame(bytes(10), key=b"abcd"))
            assert body_of(await client.ask(path="/nothing"))
        async with http2(world) as client:
            stream = await client.open_websocket(world.port, "/ws")
            sent, answered = say(10_000)
            await client.send(stream, sent)
            await wait_for(client, answered)
    await turned_until(lambda: not memory.held_by)


async def test_what_its_reader_may_not_have_any_more_is_not_asked_for_again(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that closes a kept connection is asked again over another one; here it is the gateway that ends it."""
    monkeypatch.setattr(long_answers, "LONG_ANSWER_S", 0.02)
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, _ = await read_request(reader)
            asked.append(first.split()[1])
            if asked[-1] == "/warm":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwarm")

    async with world.app(serve), http2(world) as client:
        assert body_of(await client.ask(path="/warm")) == b"warm"
        world.access.may_end.set()
        assert any(isinstance(event, StreamReset) for event in await client.ask(path="/secret"))
        await asyncio.sleep(0.1)
    assert asked == ["/warm", "/secret"]


@pytest.mark.parametrize("body", [b"", b"x"])
async def test_what_its_reader_may_not_have_any_more_is_not_asked_for_once_there_is_a_way(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(long_answers, "LONG_ANSWER_S", 0.02)
    asked: list[str] = []
    is_ended, is_open = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await read_request(reader))[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    pool = world.front._means.pool  # pyright: ignore[reportPrivateUsage]
    connect = pool._connect  # pyright: ignore[reportPrivateUsage]

    async def connect_late(key: AppKey) -> UpstreamConnection:
        await is_ended.wait()
        made = await connect(key)
        is_open.set()
        return made

    monkeypatch.setattr(pool, "_connect", connect_late)
    async with world.app(serve), http2(world) as client:
        world.access.may_end.set()
        came = await client.ask(method="POST" if body else "GET", body=body)
        assert any(isinstance(event, StreamReset) for event in came)
        is_ended.set()
        await is_open.wait()
        await turned_until(lambda: world.is_at_rest)
    assert asked == []


async def test_a_shutdown_does_not_wait_for_a_client_whose_answer_is_over(world: AppWorld) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with world.app(wait), world.connect() as raw, asyncio.TaskGroup() as tasks:
        client = Http2Client(raw.reader, raw.writer, authority="app" + SUBDOMAINS)
        answer = tasks.create_task(client.ask())
        await asked.wait()
        world.shutdown.set()
        await asyncio.sleep(0.05)
        may_answer.set()
        assert body_of(await answer) == b"ok"
        # The server's own limit is CEILING_S.
        async with asyncio.timeout(CEILING_S / 3):
            while await raw.reader.read(65536):
                pass
