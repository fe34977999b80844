"""Between an editor's websocket and a session that the test plays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from genba_ide_bridge.lsp.bulk import BulkServer
from genba_ide_bridge.lsp.terminals import MAX_OUTPUT_BYTES, stream_terminal
from genba_ide_bridge.sessions.terminal import CLEAR_SCREEN, Connected, Ended, Reconnecting, TerminalEvents

CEILING_S = 30.0


@dataclass
class PlayedSession:
    """A terminal whose far side is the test; `said` is what reached it."""

    events: TerminalEvents | None = None
    typed: bytes = b""
    sizes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    consumed_bytes: int = 0
    is_writable: bool = True
    was_left: bool = False
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def make(self, events: TerminalEvents) -> PlayedSession:
        self.events = events
        self._changed.set()
        return self

    async def run(self) -> Ended:
        try:
            await self._end.wait()
        except asyncio.CancelledError:
            self.was_left = True
            self._changed.set()
            raise
        return Ended("over")

    def write(self, data: bytes) -> None:
        self.typed += data
        self._changed.set()

    def resize(self, height: int, width: int) -> None:
        self.sizes.append((height, width))
        self._changed.set()

    def consumed(self, size: int) -> None:
        self.consumed_bytes += size
        self._changed.set()

    def told(self) -> TerminalEvents:
        assert self.events is not None
        return self.events

    def end(self, ended: Ended) -> None:
        self.told().state(ended)
        self._end.set()

    async def wait_until(self, condition: Any) -> None:
        async with asyncio.timeout(CEILING_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def terminal() -> AsyncGenerator[tuple[PlayedSession, ClientConnection]]:
    session = PlayedSession()
    async with BulkServer() as bulk:
        opened = bulk.open(stream_terminal(session.make))
        async with connect(opened.url) as editor:
            await editor.send(json.dumps({"token": opened.token}))
            await session.wait_until(lambda: session.events is not None)
            yield session, editor


async def receive(editor: ClientConnection) -> Any:
    async with asyncio.timeout(CEILING_S):
        message = await editor.recv()
    return json.loads(message) if isinstance(message, str) else message


async def test_output_and_states_come_in_order_and_credit_is_given_back() -> None:
    async with terminal() as (session, editor):
        events = session.told()
        events.state(Connected())
        events.output(memoryview(b"one "))
        events.output(memoryview(b"two"))
        events.state(Reconnecting("the gateway is away"))
        events.state(Connected(is_replay=True))
        events.output(memoryview(b"again"))
        session.end(Ended("the command ended", 3, "a hint"))
        assert await receive(editor) == {"state": "connected"}
        assert await receive(editor) == b"one two"
        assert await receive(editor) == {"state": "reconnecting", "reason": "the gateway is away"}
        assert await receive(editor) == CLEAR_SCREEN
        assert await receive(editor) == {"state": "connected"}
        assert await receive(editor) == b"again"
        assert await receive(editor) == {
            "state": "ended",
            "reason": "the command ended",
            "exitCode": 3,
            "hint": "a hint",
        }
        try:
            await editor.recv()
        except ConnectionClosed:
            assert editor.close_code == 1000
        assert session.consumed_bytes == len(b"one twoagain")


async def test_a_state_without_more_says_no_more() -> None:
    async with terminal() as (session, editor):
        session.end(Ended("gone"))
        assert await receive(editor) == {"state": "ended", "reason": "gone"}


async def test_much_output_comes_in_messages_of_a_limited_size() -> None:
    async with terminal() as (session, editor):
        for _ in range(10):
            session.told().output(memoryview(bytes(MAX_OUTPUT_BYTES // 4)))
        sizes: list[int] = []
        while sum(sizes) < 10 * MAX_OUTPUT_BYTES // 4:
            sizes.append(len(await receive(editor)))
        assert max(sizes) <= MAX_OUTPUT_BYTES
        await session.wait_until(lambda: session.consumed_bytes == sum(sizes))


async def test_typing_and_sizes_reach_the_session() -> None:
    async with terminal() as (session, editor):
        await editor.send("né\n".encode())
        await editor.send(json.dumps({"resize": {"height": 40, "width": 120}}))
        await editor.send(json.dumps({"resize": {"height": 0, "width": 120}}))
        await editor.send("not JSON")
        await editor.send(json.dumps({"later": 1}))
        await editor.send(b"end")
        await session.wait_until(lambda: session.typed.endswith(b"end"))
        assert session.typed == "né\nend".encode()
        assert session.sizes == [(40, 120)]


async def test_typing_waits_while_the_session_takes_no_more() -> None:
    async with terminal() as (session, editor):
        session.is_writable = False
        await editor.send(b"1")
        await session.wait_until(lambda: session.typed == b"1")
        await editor.send(b"2")
        # An echo proves that the bridge had time to read on.
        session.told().output(memoryview(b"."))
        assert await receive(editor) == b"."
        assert session.typed == b"1"
        session.is_writable = True
        session.told().writable()
        await session.wait_until(lambda: session.typed == b"12")


async def test_an_editor_that_goes_leaves_the_terminal() -> None:
    async with terminal() as (session, editor):
        await editor.close()
        await session.wait_until(lambda: session.was_left)
