"""A reverse proxy that lets requests through, and no websocket: it refuses them, or loses their Upgrade header."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

PIECE_BYTES = 64 * 1024

_UPGRADE = re.compile(rb"^(?:upgrade|connection|sec-websocket-[a-z]+): [^\r\n]*\r\n", re.IGNORECASE | re.MULTILINE)


class Manner(StrEnum):
    """What becomes of a websocket."""

    REFUSES = "answers 403"
    STRIPS = "passes it on as a plain request"
    BREAKS = "breaks the connection off"
    IGNORES = "does not answer it"
    PASSES = "passes it on"


@dataclass(slots=True)
class RefusingProxy:
    """Forwards one connection to one connection; each answers any number of requests."""

    target: str
    manner: Manner = Manner.REFUSES
    url: str = ""
    upgrades: int = 0
    """How many websockets were asked for."""
    lines: list[str] = field(default_factory=list[str])
    """Of each request, the first line."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def cut(self) -> int:
        """Break off all connections; says how many."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        return len(tasks)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        parts = urlsplit(self.target)
        far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_up(reader, far_writer, writer))
                tasks.create_task(_copy(far_reader, writer))
        except* (OSError, asyncio.IncompleteReadError, _Refused):
            pass  # an end went away, or was sent away
        finally:
            writer.close()
            far_writer.close()

    async def _pass_up(
        self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, near: asyncio.StreamWriter
    ) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.lines.append(head.split(b"\r\n", 1)[0].decode())
            if b"upgrade: websocket" in head.lower():
                self.upgrades += 1
                if self.manner is Manner.PASSES:
                    far.write(head)
                    await _copy(reader, far)
                    return
                head = await self._treat(head, near)
            far.write(head)
            await self._pass_body(head, reader, far)

    async def _treat(self, head: bytes, near: asyncio.StreamWriter) -> bytes:
        if self.manner is Manner.STRIPS:
            return _UPGRADE.sub(b"", head)
        if self.manner is Manner.REFUSES:
            near.write(
                b"HTTP/1.1 403 Forbidden\r\nServer: strict/1.0\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
            )
            await near.drain()
        if self.manner is Manner.IGNORES:
            await asyncio.Event().wait()
        raise _Refused

    async def _pass_body(self, head: bytes, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        left = int(found[1]) if found else 0
        while left:
            piece = await reader.read(min(left, PIECE_BYTES))
            if not piece:
                raise _Refused
            left -= len(piece)
            far.write(piece)
            await far.drain()
        await far.drain()


class _Refused(Exception):
    """Ends a connection."""


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    raise _Refused


@asynccontextmanager
async def refusing_proxy(target: str, manner: Manner = Manner.REFUSES) -> AsyncGenerator[RefusingProxy]:
    """Listen on loopback, in front of a URL; what is open at the end is cut."""
    proxy = RefusingProxy(target, manner)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        proxy.tasks.add(task)
        try:
            await proxy.handle(reader, writer)
        except ConnectionRefusedError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except asyncio.CancelledError:
            pass  # cut: the server's own callback asks a cancelled task for its exception, which raises
        finally:
            proxy.tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.cut()
