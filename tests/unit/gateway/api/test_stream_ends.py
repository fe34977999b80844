"""Streams that end before their sources: with their session, and with the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from quart import Blueprint, Quart, Response

from genba_gateway.api import stream_ends, streams
from genba_gateway.api.gate import needs
from genba_gateway.api.stream_ends import CLOSE_TRY_LATER, MAX_STREAMS, StreamEnds
from genba_gateway.api.streams import send_messages, stream_events
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.sessions import Sessions
from genba_gateway.store import api_keys as key_store
from genba_gateway.store.engine import Database
from tests.support.database import make_database
from tests.support.gateway_app import SignedIn, make_app, make_user

CEILING_S = 30.0


def make_blueprint(closed: asyncio.Event) -> Blueprint:
    blueprint = Blueprint("streams", __name__)

    async def endless() -> AsyncGenerator[str]:
        try:
            yield "first"
            await asyncio.Event().wait()
        finally:
            closed.set()

    @blueprint.get("/api/v2/events")
    @needs(RouteAccess.SIGNED_IN)
    async def events() -> Response:
        return await stream_events(endless())

    @blueprint.websocket("/api/v2/messages")
    @needs(RouteAccess.SIGNED_IN)
    async def messages() -> None:
        await send_messages(endless())

    return blueprint


class Opened:
    """An app with both kinds of streams, and what ends them."""

    def __init__(self, database: Database, alice: SignedIn) -> None:
        self.database = database
        self.alice = alice
        self.shutdown = asyncio.Event()
        self.closed = asyncio.Event()
        self._ends = StreamEnds(Sessions(database, look_again_s=0.001), self.shutdown)

    def make(self) -> Quart:
        return make_app(self.database, make_blueprint(self.closed), stream_ends=self._ends)

    async def end(self, how: str) -> None:
        if how == "shutdown":
            self.shutdown.set()
            return
        async with self.database.write() as connection:
            await key_store.delete_api_key(connection, self.alice.actor.key_id)


def make_websocket_scope(opened: Opened) -> dict[str, object]:
    return {
        "type": "websocket",
        "asgi": {"spec_version": "2.3"},
        "scheme": "ws",
        "http_version": "1.1",
        "path": "/api/v2/messages",
        "raw_path": b"/api/v2/messages",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"coder-session-token", opened.alice.token.encode())],
        "subprotocols": [],
        "extensions": {},
    }


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncGenerator[Opened]:
    database = await make_database(tmp_path)
    yield Opened(database, await make_user(database))
    await database.close()


@pytest.mark.parametrize(
    ("how", "last"),
    [
        ("shutdown", b""),
        ("sign out", b'event: error\ndata: {"message":"The session was signed out."}\n\n'),
    ],
)
async def test_an_event_stream_ends_whole(opened: Opened, how: str, last: bytes) -> None:
    app = await asyncio.to_thread(opened.make)
    async with asyncio.timeout(CEILING_S):
        request = app.test_client().request("/api/v2/events", headers=opened.alice.headers)  # pyright: ignore[reportUnknownMemberType]
        async with request as connection:
            await connection.send_complete()
            said = await connection.receive() + await connection.receive()
            await opened.end(how)
            await opened.closed.wait()
            if last:
                said += await connection.receive()
        response = await connection.as_response()
    assert response.headers["Connection"] == "keep-alive"
    assert said == b'event: ping\n\nevent: data\ndata: "first"\n\n' + last


@pytest.mark.parametrize(("how", "code"), [("shutdown", 1001), ("sign out", 4001)])
async def test_a_websocket_is_closed_with_the_reason(opened: Opened, how: str, code: int) -> None:
    app = await asyncio.to_thread(opened.make)
    sent: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    scope = make_websocket_scope(opened)
    never: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(app(scope, never.get, sent.put))  # type: ignore[arg-type]  # plain dicts are ASGI's
        assert (await sent.get())["type"] == "websocket.accept"
        assert (await sent.get())["text"] == "first"
        await opened.end(how)
        closing = await sent.get()
    assert (closing["type"], closing["code"]) == ("websocket.close", code)
    assert closing["reason"]
    assert opened.closed.is_set()


async def test_who_does_not_read_what_ends_an_event_stream_is_dropped(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CLOSE_S", 0.05)
    broken = asyncio.Event()

    async def note(scope: object) -> None:
        assert scope is not None
        broken.set()

    monkeypatch.setattr(streams, "break_answer", note)
    app = await asyncio.to_thread(opened.make)
    scope = {
        **make_websocket_scope(opened),
        "type": "http",
        "scheme": "http",
        "method": "GET",
        "path": "/api/v2/events",
    }
    is_asked = False
    started = asyncio.Event()

    async def receive() -> dict[str, object]:
        nonlocal is_asked
        if is_asked:
            await broken.wait()
            return {"type": "http.disconnect"}
        is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            started.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(app(scope, receive, send))  # type: ignore[arg-type]  # plain dicts are ASGI's
        await started.wait()
        await opened.end("sign out")
        await broken.wait()
    assert opened.closed.is_set()


async def test_one_has_so_many_streams_at_a_time_and_no_more(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_ends, "MAX_STREAMS", 2)
    app = await asyncio.to_thread(opened.make)
    sent: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    never: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    scope = make_websocket_scope(opened)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(app(scope, never.get, sent.put))  # type: ignore[arg-type]  # plain dicts are ASGI's
            assert (await sent.get())["type"] == "websocket.accept"
            assert (await sent.get())["text"] == "first"
        refused = await app.test_client().get("/api/v2/events", headers=opened.alice.headers)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        tasks.create_task(app(scope, never.get, sent.put))  # type: ignore[arg-type]
        messages = [await sent.get()]
        while messages[-1]["type"] != "websocket.close":
            messages.append(await sent.get())
        assert messages[-1]["code"] == CLOSE_TRY_LATER
        opened.shutdown.set()
    assert MAX_STREAMS == 128
