"""The answer to a request of the fast path: ASGI's messages written as HTTP/1.1 (RFC 9112)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from hypercorn.config import Config

from genba_gateway.apps.bodies import ClientLeft
from genba_gateway.relay.http_answers import OwnAnswer
from genba_wire.aio.gather_writer import MIN_GATHER_BYTES, GatherWriter
from genba_wire.buffers import Buffer

_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_WITHOUT_BODY: Final = frozenset({204, 304})


@lru_cache(maxsize=4)
def _list_own_headers(config: Config, _second: int) -> list[tuple[bytes, bytes]]:
    """What the server says in every answer, such as the date: it changes once a second."""
    return config.response_headers("h11")


class BadMessages(Exception):
    """The application's messages make no answer."""


class FastAnswer(OwnAnswer):
    """Writes one answer to a transport.

    Args:
        keep_alive: whether the client wants to send another request.
    """

    def __init__(self, transport: asyncio.Transport, config: Config, method: str, *, keep_alive: bool) -> None:
        super().__init__()
        self._transport = transport
        self._config = config
        self._is_head = method == "HEAD"
        self._head = b""
        """What waits for the first part of the body, to leave with it."""
        self._has_body = True
        self._left: int | None = None
        """Bytes of the body that are still to come, None for chunks."""
        self._room: asyncio.Future[None] | None = None
        self._gatherer: GatherWriter | None = None
        """Made for an answer that has use of it: most are short."""
        self._gone: asyncio.Future[None] | None = None
        """Of whoever waits for that."""
        self._is_asked = False
        self.keep_alive = keep_alive
        self.is_begun = False
        self.is_complete = False

    async def receive(self) -> Any:
        """ASGI's: there is no body, and then the client leaves."""
        if not self._is_asked:
            self._is_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if not self.has_left:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """ASGI's.

        Raises:
            BadMessages: they can't be written.
            ClientLeft: nobody reads them.
        """
        if message["type"] == "http.response.start" and not self.is_begun:
            self.is_begun = True
            self._head = self._write_head(message["status"], message["headers"])
            if not self.is_corked:
                await self._write([])
        elif message["type"] == "http.response.body" and self.is_begun and not self.is_complete:
            await self._send_body(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise BadMessages(f"{message['type']} is not expected here")

    async def send_parts(self, parts: Sequence[Buffer]) -> None:
        await self._write([piece for part in parts for piece in self._frame(part, is_last=False)])

    @property
    def is_free(self) -> bool:
        return not self.is_begun and not self.has_left and self._room is None

    def write_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: Buffer) -> None:
        head = self._write_head(status, headers)
        self.is_begun = True
        self._transport.write(b"".join((head, *self._frame(body, is_last=True))))

    async def fail(self) -> None:
        """Answer that something went wrong, if nothing was answered yet; then the connection can't go on."""
        self.keep_alive = False
        if not self.is_begun:
            await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def pause(self) -> None:
        """There is no room for more."""
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()

    def resume(self) -> None:
        """There is room again."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def leave(self) -> None:
        """The client has left."""
        self.resume()
        if self.has_left:
            return
        self.has_left = True
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._on_left is not None:
            self._on_left()

    def _write_head(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines = [b"HTTP/1.1 %d %s" % (status, _REASONS.get(status, b""))]
        length: bytes | None = None
        for name, value in headers:
            if name == b"connection" and value.lower() == b"close":
                self.keep_alive = False  # which is said below
                continue
            lines.append(b"%s: %s" % (name, value))
            if name == b"content-length":
                length = value
        self._has_body = not self._is_head and status not in _WITHOUT_BODY
        if length is not None:
            self._left = int(length)
        elif self._has_body:
            lines.append(b"transfer-encoding: chunked")
        lines += [b"%s: %s" % header for header in _list_own_headers(self._config, int(time.time()))]
        if not self.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join([*lines, b"", b""])
        if head.count(b"\n") != len(lines) + 1 or head.count(b"\r") != len(lines) + 1 or b"\0" in head:
            self.is_begun = False
            raise BadMessages("a header of the answer would end its line")
        return head

    async def _send_body(self, data: Buffer, *, is_last: bool) -> None:
        await self._write(self._frame(data, is_last=is_last))

    def _frame(self, data: Buffer, *, is_last: bool) -> list[Buffer]:
        """A part of the body as it goes over the wire."""
        size = len(data)
        parts: list[Buffer] = []
        if self._has_body and self._left is None:
            if size:
                parts += [b"%x\r\n" % size, data, b"\r\n"]
            if is_last:
                parts.append(b"0\r\n\r\n")
        elif self._has_body and self._left is not None:
            self._left -= size
            if self._left < 0 or (is_last and self._left):
                raise BadMessages("the body is not as long as its head says")
            parts.append(data)
        self.is_complete = is_last
        return parts

    async def _write(self, pieces: list[Buffer]) -> None:
        """Write the head, if it waits, and these, in one write."""
        if self._head:
            pieces.insert(0, self._head)
            self._head = b""
        if self.has_left:
            raise ClientLeft
        size = sum(map(len, pieces))
        if len(pieces) > 1 and size >= MIN_GATHER_BYTES:
            if self._gatherer is None:
                self._gatherer = GatherWriter(self._transport)
            self._gatherer.write(pieces, size)
        elif size:
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if self._room is not None:
            await self._room
