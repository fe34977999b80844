"""Carriers over real sockets, and receivers that note what they hear."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from genba_wire.aio.carrier import Carrier
from genba_wire.aio.websocket_carrier import WebSocketCarrier

CEILING_S = 30.0


class Hearer:
    """A `CarrierReceiver` that keeps copies of messages, and why the carrier was lost."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.lost: list[str] = []
        self.pauses = 0
        self.resumes = 0
        self._changed = asyncio.Event()

    def message_received(self, message: memoryview | bytes) -> None:
        self.messages.append(bytes(message))
        self._changed.set()

    def carrier_lost(self, reason: str) -> None:
        self.lost.append(reason)
        self._changed.set()

    def sending_paused(self) -> None:
        self.pauses += 1
        self._changed.set()

    def sending_resumed(self) -> None:
        self.resumes += 1
        self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once the condition holds; it is asked whenever something was heard."""
        async with asyncio.timeout(CEILING_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def wait_lost(self) -> str:
        """Return why the carrier was lost once it is."""
        await self.until(lambda: bool(self.lost))
        return self.lost[0]


async def open_transport(end: socket.socket) -> asyncio.Transport:
    """Make a transport of a socket, with its reading paused, as a handshake leaves it."""
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=end)
    transport.pause_reading()
    return transport


@asynccontextmanager
async def carrier_pair() -> AsyncGenerator[tuple[WebSocketCarrier, WebSocketCarrier]]:
    """Yield a client's and a server's carrier, joined by a socket pair."""
    near, far = socket.socketpair()
    client = WebSocketCarrier(await open_transport(near), is_server=False)
    server = WebSocketCarrier(await open_transport(far), is_server=True)
    try:
        yield client, server
    finally:
        for carrier in (client, server):
            carrier.abort()
            await carrier.wait_closed()


@asynccontextmanager
async def raw_peer(*, is_server: bool, early: bytes = b"") -> AsyncGenerator[tuple[WebSocketCarrier, socket.socket]]:
    """Yield a carrier and the socket at its other end."""
    near, far = socket.socketpair()
    far.setblocking(False)
    carrier = WebSocketCarrier(await open_transport(near), is_server=is_server, early=early)
    try:
        yield carrier, far
    finally:
        far.close()
        carrier.abort()
        await carrier.wait_closed()


async def send_raw(end: socket.socket, data: bytes) -> None:
    """Write all bytes to a raw socket."""
    async with asyncio.timeout(CEILING_S):
        await asyncio.get_running_loop().sock_sendall(end, data)


async def read_raw(end: socket.socket, size: int) -> bytes:
    """Read so many bytes, or fewer at the end of the connection."""
    loop = asyncio.get_running_loop()
    data = b""
    async with asyncio.timeout(CEILING_S):
        while len(data) < size:
            more = await loop.sock_recv(end, size - len(data))
            if not more:
                break
            data += more
    return data


def start_pair(client: Carrier, server: Carrier) -> tuple[Hearer, Hearer]:
    """Start both ends of a pair; return what they hear."""
    hearers = (Hearer(), Hearer())
    client.start(hearers[0])
    server.start(hearers[1])
    return hearers
