from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import NoReturn

import pytest
from quart import Quart, Response
from quart.typing import TestHTTPConnectionProtocol as HTTPConnection

from genba_gateway.api import streams
from genba_gateway.api.stream_ends import Caller, StreamEnds, install_stream_ends
from genba_gateway.api.streams import MessageSocket, send_events, send_messages, serve_messages, stream_events
from genba_gateway.errors import ServiceUnavailable
from tests.support.raw_websocket import open_raw
from tests.support.relay_app import TOO_MUCH_BYTES, serve_relay, switch_takeover

CEILING_S = 30.0
NEVER_S = 3600.0


class Source:
    """A stream that says when it was closed."""

    def __init__(self, *items: object, fails: Exception | None = None, stays: bool = False) -> None:
        self.items = items
        self.fails = fails
        self.stays = stays
        self.closed = asyncio.Event()

    async def stream(self) -> AsyncGenerator[object]:
        try:
            for item in self.items:
                yield item
            if self.fails is not None:
                raise self.fails
            if self.stays:
                await asyncio.Event().wait()
        finally:
            self.closed.set()

    async def texts(self) -> AsyncGenerator[str | bytes]:
        stream = self.stream()
        try:
            async for item in stream:
                assert isinstance(item, str | bytes)
                yield item
        finally:
            await stream.aclose()


def make_sse_app(source: Source, heartbeat_s: float = NEVER_S) -> Quart:
    app = Quart(__name__)

    @app.get("/")
    async def handler() -> Response:
        return await stream_events(source.stream(), heartbeat_s=heartbeat_s)

    return app


def open_stream(app: Quart) -> HTTPConnection:
    return app.test_client().request("/")  # pyright: ignore[reportUnknownMemberType]  # Quart's bare dicts


async def test_an_event_stream_begins_with_a_ping_and_ends_with_its_source() -> None:
    source = Source({"a": 1}, [2])

    response = await make_sse_app(source).test_client().get("/")

    assert (
        await response.get_data(as_text=True)
        == 'event: ping\n\nevent: data\ndata: {"a":1}\n\nevent: data\ndata: [2]\n\n'
    )
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Accel-Buffering"] == "no"


async def test_pings_go_on_while_nothing_changes() -> None:
    async with asyncio.timeout(CEILING_S):
        async with open_stream(make_sse_app(Source(stays=True), 0.01)) as connection:
            await connection.send_complete()
            assert [await connection.receive() for _ in range(3)] == [b"event: ping\n\n"] * 3
            await connection.disconnect()


async def test_the_source_is_closed_when_the_client_leaves() -> None:
    source = Source(1, stays=True)
    async with asyncio.timeout(CEILING_S):
        async with open_stream(make_sse_app(source)) as connection:
            await connection.send_complete()
            await connection.receive()
            await connection.disconnect()
        await source.closed.wait()


async def test_a_failure_is_told_in_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    told = await make_sse_app(Source(1, fails=ServiceUnavailable("Try later."))).test_client().get("/")
    with caplog.at_level(logging.CRITICAL):
        unforeseen = await make_sse_app(Source(fails=ValueError("secret"))).test_client().get("/")

    assert (await told.get_data(as_text=True)).endswith('event: error\ndata: {"message":"Try later."}\n\n')
    text = await unforeseen.get_data(as_text=True)
    assert "event: error" in text
    assert "secret" not in text


def make_websocket_app(source: Source, kind: str, heartbeat_s: float = NEVER_S) -> Quart:
    app = Quart(__name__)

    @app.websocket("/")
    async def handler() -> None:
        if kind == "messages":
            await send_messages(source.texts())
        else:
            await send_events(source.stream(), ping_messages=kind == "pinged", heartbeat_s=heartbeat_s)

    return app


class Peer:
    """The client's side of a websocket as ASGI messages, to see the close code and reason."""

    def __init__(self, app: Quart) -> None:
        self._app = app
        self.sent: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.to_send: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def run(self) -> None:
        scope: dict[str, object] = {
            "type": "websocket",
            "asgi": {"spec_version": "2.3"},
            "scheme": "ws",
            "http_version": "1.1",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "subprotocols": [],
            "extensions": {},
        }
        await self._app(scope, self.to_send.get, self.sent.put)  # type: ignore[arg-type]  # plain dicts are ASGI's

    async def next(self) -> dict[str, object]:
        return await self.sent.get()


async def converse(app: Quart) -> list[dict[str, object]]:
    """Everything the app sends until it closes."""
    peer = Peer(app)
    async with asyncio.timeout(CEILING_S):
        await peer.run()
    return [peer.sent.get_nowait() for _ in range(peer.sent.qsize())]


async def test_messages_are_sent_as_they_are_and_then_the_websocket_closes_normally() -> None:
    sent = await converse(make_websocket_app(Source("text", b"bytes"), "messages"))

    assert [message["type"] for message in sent] == [
        "websocket.accept",
        "websocket.send",
        "websocket.send",
        "websocket.close",
    ]
    assert (sent[1]["text"], sent[2]["bytes"], sent[3]["code"]) == ("text", b"bytes", 1000)


async def test_events_are_data_messages() -> None:
    sent = await converse(make_websocket_app(Source([{"a": 1}]), "quiet"))

    assert [message.get("text") for message in sent[1:-1]] == ['{"type":"data","data":[{"a":1}]}']


async def test_ping_messages_are_sent_only_where_clients_know_them() -> None:
    peer = Peer(make_websocket_app(Source(stays=True), "pinged", 0.01))
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        group.create_task(peer.run())
        await peer.next()
        assert [(await peer.next())["text"] for _ in range(3)] == ['{"type":"ping"}'] * 3
        await peer.to_send.put({"type": "websocket.disconnect"})


async def test_a_failure_closes_with_1011_and_a_reason_that_fits() -> None:
    sent = await converse(make_websocket_app(Source("a", fails=ServiceUnavailable("現" * 100)), "messages"))

    assert sent[-1] == {"type": "websocket.close", "code": 1011, "reason": "現" * 41}


async def test_an_unforeseen_failure_tells_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        sent = await converse(make_websocket_app(Source(fails=ValueError("secret")), "messages"))

    assert sent[-1]["code"] == 1011
    assert "secret" not in str(sent)


async def test_the_source_of_a_websocket_is_closed_when_the_client_leaves() -> None:
    source = Source("a", stays=True)
    peer = Peer(make_websocket_app(source, "messages"))
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        group.create_task(peer.run())
        await peer.next()
        await peer.next()
        await peer.to_send.put({"type": "websocket.receive", "text": "ignored"})
        await peer.to_send.put({"type": "websocket.disconnect"})
        await source.closed.wait()


async def test_a_served_websocket_closes_with_the_code_and_reason_that_were_returned() -> None:
    app = Quart(__name__, static_folder=None)

    async def serve(socket: MessageSocket) -> tuple[int, str]:
        await socket.send(b"hello")
        return 4000, "taken over"

    @app.websocket("/")
    async def handler() -> None:
        await serve_messages(serve)

    *_, greeting, closing = await converse(app)
    assert greeting["bytes"] == b"hello"
    assert closing == {"type": "websocket.close", "code": 4000, "reason": "taken over"}


async def test_a_peer_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CLOSE_S", 0.01)
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app, open_raw(app.port, "/stuck") as client:
        async with asyncio.timeout(CEILING_S):
            await app.served.wait()
        assert len(await client.read_to_end()) < TOO_MUCH_BYTES


class FailingEnds(StreamEnds):
    """Can't say when a stream ends."""

    def __init__(self) -> None:
        """Need nothing."""

    async def wait(self, actor: object, caller: Caller | None = None) -> NoReturn:
        raise ValueError("secret")


async def test_a_websocket_whose_end_can_not_be_waited_for_is_closed_as_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = Source("a", stays=True)
    app = make_websocket_app(source, "messages")
    install_stream_ends(app, FailingEnds())
    with caplog.at_level(logging.CRITICAL):
        sent = await converse(app)

    assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", 1011)
    assert "secret" not in str(sent)
