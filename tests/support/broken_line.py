"""A TCP line between an agent and its gateway that can go silent without anybody being told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from genba_wire.api.agent_protocol import CONTROL_PATH

CEILING_S: Final = 120.0
"""A silent line is noticed after 30 s, and not every machine is quick."""


@dataclass
class BrokenLine:
    """Forwards connections from its port to another. What is silenced stays open, and nothing passes any more."""

    port: int
    target_port: int
    controls_at: list[float] = field(default_factory=list[float])
    """When agents opened control carriers (monotonic seconds)."""
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def silence(self) -> float:
        """Let nothing pass on the connections that are there; those made from here on work. Says when."""
        self._passing.clear()
        self._passing = asyncio.Event()
        self._passing.set()
        return time.monotonic()

    async def wait_for_controls(self, count: int) -> float:
        """Return when the last of so many control carriers was opened."""
        async with asyncio.timeout(CEILING_S):
            while len(self.controls_at) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.controls_at[count - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = self._passing
        head = await reader.readuntil(b"\r\n")
        if CONTROL_PATH.encode() in head:
            self.controls_at.append(time.monotonic())
            self._changed.set()
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.close()
            return
        try:
            there[1].write(head)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, there[1], passing))
                group.create_task(_pass(there[0], writer, passing))
        finally:
            for end in (writer, there[1]):
                end.close()


@asynccontextmanager
async def broken_line(port: int, target_port: int) -> AsyncGenerator[BrokenLine]:
    """A line that works until it is silenced."""
    line = BrokenLine(port, target_port)
    line.silence()
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        with suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            await line._serve(reader, writer)  # pyright: ignore[reportPrivateUsage] (our own)
        connections.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield line
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        if connections:
            await asyncio.wait(connections)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            if not passing.is_set():
                # Neither bytes nor the end get through, as behind a cable that was pulled.
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()
    if not passing.is_set():
        await asyncio.Event().wait()
    with suppress(OSError):
        writer.write_eof()
