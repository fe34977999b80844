"""The answer of a carrier over HTTP requests, entered, read and left as the framework does it."""

from __future__ import annotations

import asyncio

import pytest

from genba_gateway.api.http_answers import CarrierBody
from genba_gateway.api.stream_ends import StreamEnd
from genba_gateway.relay.http_carriers import Serve
from genba_gateway.relay.http_end import HttpEnd
from genba_wire.http_frames import CarrierEnd, CarrierMessage, HttpEvent, HttpFrameReader
from tests.support.carriers import CEILING_S, Hearer


async def never() -> StreamEnd:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")


class World:
    def __init__(self, serve: Serve, close_s: float = CEILING_S) -> None:
        self.end = HttpEnd()
        self.forgotten = self.aborted = 0
        self.body = CarrierBody(self.end, serve, never, self.forget, self.abort, close_s=close_s)

    def forget(self) -> None:
        self.forgotten += 1

    def abort(self) -> None:
        self.aborted += 1

    async def read_all(self) -> list[HttpEvent]:
        reader, events = HttpFrameReader(), list[HttpEvent]()
        async with asyncio.timeout(CEILING_S), self.body as chunks:
            async for chunk in chunks:
                events += reader.feed(chunk)
        return events


async def test_answer_ends_with_its_session_and_its_carrier_is_forgotten() -> None:
    async def serve(end: HttpEnd) -> None:
        end.send(b"hello")
        end.close(4001, "You signed out.")

    world = World(serve)
    assert await world.read_all() == [CarrierMessage(b"hello"), CarrierEnd(4001, "You signed out.")]
    assert (world.forgotten, world.aborted) == (1, 0)


async def test_session_that_fails_is_told_without_the_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(_end: HttpEnd) -> None:
        raise RuntimeError("internal secret")

    (event,) = await World(serve).read_all()
    assert isinstance(event, CarrierEnd)
    assert (event.code, "secret" in event.reason) == (1011, False)
    assert "internal secret" in caplog.text


async def test_session_learns_that_the_peer_is_gone_and_is_ended() -> None:
    hearer = Hearer()
    is_ended = False

    async def serve(end: HttpEnd) -> None:
        nonlocal is_ended
        end.start(hearer)
        try:
            await asyncio.Event().wait()
        finally:
            is_ended = True

    world = World(serve)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(world.read_all())
        for _ in range(3):
            await asyncio.sleep(0)
        reading.cancel()  # as the framework does when the connection is lost
    assert (hearer.lost, is_ended, world.forgotten) == (["The connection was closed."], True, 1)


async def test_peer_that_makes_no_room_for_the_goodbye_is_dropped() -> None:
    async def serve(_end: HttpEnd) -> None:
        """Over at once."""

    world = World(serve, close_s=0)

    async def write_to_who_does_not_read() -> None:
        async with world.body:
            await asyncio.Event().wait()

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write_to_who_does_not_read())
        await asyncio.wait((writing,))
    assert writing.cancelled()
    assert (world.forgotten, world.aborted) == (1, 1)
