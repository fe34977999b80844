"""Two ends of a link over real sockets: a client's session and an agent's table of links."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from genba_agent.carriers.links import LinkTable
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.carriers import CEILING_S, carrier_pair

BOOT_ID = b"boot-id-of-tests"


class StreamHearer:
    """A `StreamListener` that notes what it hears; it gives credit at once unless told to hold it."""

    def __init__(self, stream: Stream, *, gives_credit: bool = True) -> None:
        self.stream = stream
        self.gives_credit = gives_credit
        self.received = 0
        self.digest = hashlib.sha256()
        self.data = b""
        self.notes: list[bytes] = []
        self.events: list[str] = []
        self.resets: list[tuple[int, str]] = []
        self.on_writable: Callable[[], None] = lambda: None
        self._changed = asyncio.Event()
        stream.listen(self)

    def data_received(self, data: memoryview) -> None:
        self.received += len(data)
        self.digest.update(data)
        if self.received < 100_000:
            self.data += bytes(data)
            self.events.append(f"data {bytes(data).decode(errors='replace')[:20]}")
        if self.gives_credit:
            self.stream.consumed(len(data))
        self._changed.set()

    def note_received(self, note: bytes) -> None:
        self.notes.append(note)
        self.events.append(f"note {note.decode()}")
        self._changed.set()

    def finished(self) -> None:
        self.events.append("finished")
        self._changed.set()

    def reset(self, code: int, reason: str) -> None:
        self.resets.append((code, reason))
        self.events.append("reset")
        self._changed.set()

    def writable(self) -> None:
        self.on_writable()
        self._changed.set()

    async def wait_finished(self) -> None:
        """Return once the peer has finished the stream."""
        await self.until(lambda: "finished" in self.events)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once the condition holds; it is asked whenever something was heard."""
        async with asyncio.timeout(CEILING_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


class Hosts:
    """A handler that accepts every stream and listens to it."""

    def __init__(self, *, gives_credit: bool = True) -> None:
        self.opened: list[tuple[str, bytes]] = []
        self.hearers: list[StreamHearer] = []
        self._gives_credit = gives_credit

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        self.opened.append((kind, head))
        if kind == "refused":
            stream.refuse(ResetCode.REFUSED, "Not today.")
            return
        stream.accept(b"head of " + kind.encode())
        self.hearers.append(StreamHearer(stream, gives_credit=self._gives_credit))


class LinkWorld:
    """A client's session, the agent's links, and the carriers between them."""

    def __init__(self, handler: StreamHandler, *, keep_s: int = 60) -> None:
        self.table = LinkTable(BOOT_ID, handler, keep_s=keep_s)
        self.lost: list[str] = []
        self.closed: list[tuple[int, str]] = []
        self._lost_event = asyncio.Event()
        self.session: LinkSession

    def on_lost(self, reason: str) -> None:
        self.lost.append(reason)
        self._lost_event.set()

    async def wait_lost(self) -> str:
        """Return why the client's carrier was lost, once it is."""
        async with asyncio.timeout(CEILING_S):
            await self._lost_event.wait()
        self._lost_event.clear()
        return self.lost[-1]

    async def connect(self, client: WebSocketCarrier, server: WebSocketCarrier) -> None:
        """Make the link."""
        self.table.serve(server)
        self.session = await LinkSession.connect(
            client, on_lost=self.on_lost, on_closed=lambda end: self.closed.append((end.code, end.reason))
        )


@asynccontextmanager
async def link_world(
    handler: StreamHandler, *, keep_s: int = 60
) -> AsyncGenerator[tuple[LinkWorld, WebSocketCarrier, WebSocketCarrier]]:
    """Yield a link that is open, and the carriers it is on (the client's, and the agent's)."""
    world = LinkWorld(handler, keep_s=keep_s)
    async with carrier_pair() as (client, server):
        await world.connect(client, server)
        try:
            yield world, client, server
        finally:
            world.session.close()
            world.table.close("The test is over.")
