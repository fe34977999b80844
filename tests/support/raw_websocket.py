"""A websocket client that shows and sends every byte: mask keys, fragments, half frames, bytes that come early."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from websockets.utils import apply_mask

from genba_wire.websocket_frames import Opcode
from tests.support.carriers import CEILING_S


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as it was received; a server's are not masked."""

    opcode: int
    fin: bool
    payload: bytes


class RawWebSocket:
    """An upgraded connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        async with asyncio.timeout(CEILING_S):
            await self.writer.drain()

    async def send(self, payload: bytes, *, key: bytes = bytes(4)) -> None:
        """Send one binary message."""
        await self.write(make_frame(payload, key=key))

    async def receive(self) -> RawFrame:
        """Read one frame that is no ping (Hypercorn sends them); raises IncompleteReadError at the end."""
        while (frame := await self.receive_any()).opcode == Opcode.PING:
            pass
        return frame

    async def receive_any(self) -> RawFrame:
        """Read one frame; raises IncompleteReadError at the end of the connection."""
        async with asyncio.timeout(CEILING_S):
            first, second = await self.reader.readexactly(2)
            assert not second & 0x80, "a server's frame must not be masked"
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
            payload = await self.reader.readexactly(length)
        return RawFrame(first & 0x0F, bool(first & 0x80), payload)

    async def read_to_end(self) -> bytes:
        """Read until the server closes the connection; a reset ends it, too."""
        data = b""
        async with asyncio.timeout(CEILING_S):
            try:
                while more := await self.reader.read(65536):
                    data += more
            except ConnectionError:
                pass
        return data

    def abort(self) -> None:
        """Vanish without a word."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """Close the socket."""
        self.writer.close()
        async with asyncio.timeout(CEILING_S):
            with suppress(OSError):
                await self.writer.wait_closed()


def make_frame(
    payload: bytes, *, key: bytes = bytes(4), opcode: int = Opcode.BINARY, fin: bool = True, masked: bool = True
) -> bytes:
    """Make a client's frame."""
    length = len(payload)
    bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if length < 126:
        head += bytes([bit | length])
    elif length < 1 << 16:
        head += bytes([bit | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + length.to_bytes(8, "big")
    return head + key + apply_mask(payload, key) if masked else head + payload


def make_request(path: str, *headers: str) -> bytes:
    """Make the request of an upgrade."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def open_raw(
    port: int, path: str, *headers: str, tls: ssl.SSLContext | None = None, first: bytes = b"", limit: int = 65536
) -> AsyncGenerator[RawWebSocket]:
    """Connect and upgrade.

    Args:
        port: of loopback.
        path: of the websocket.
        headers: further lines of the request.
        tls: to wrap the connection with.
        first: an ordinary request that is sent and answered on the same connection before.
        limit: twice as many bytes that nobody reads stop the reading from the socket.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, limit=limit)
    client = RawWebSocket(reader, writer)
    try:
        if first:
            await client.write(first)
            head = await _read_head(reader)
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
        await client.write(make_request(path, *headers))
        head = await _read_head(reader)
        assert head.startswith(b"HTTP/1.1 101"), head
        yield client
    finally:
        await client.close()


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(CEILING_S):
        return await reader.readuntil(b"\r\n\r\n")
