"""The body of a request on its way to an app, and the moment at which its client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hypercorn.typing import ASGIReceiveCallable

from genba_gateway.apps.connections import UpstreamConnection, UpstreamLost
from genba_gateway.apps.request_trailers import BadTrailers, name_trailers, trailers_for_app
from genba_gateway.relay.http_requests import find_request_trailers


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


class BadBody(Exception):
    """The body is not as long as its request says, or what came behind it is too much."""


class RequestBody:
    """Takes what the server receives for one request.

    Its `run` is a task of its own, which must go on until the client is gone or the body is whole even when nobody
    wants the body: the server would wait for room for it, and so never end the request.
    """

    def __init__(self, scope: Mapping[str, Any], receive: ASGIReceiveCallable) -> None:
        self._scope = scope
        self._receive = receive
        self.length: int | None = None
        """As named; None for chunks, and where HTTP/2 does not say."""
        self.is_there = scope["http_version"] == "2" and scope["method"] not in ("GET", "HEAD", "OPTIONS")
        """Whether one follows, as far as the head tells."""
        self.is_whole = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.length = int(value)
                self.is_there = self.length > 0
            elif name == b"transfer-encoding":
                self.is_there = True
        self.is_over = False
        """Set when the answer is complete: the client is expected to go."""
        self.has_left = False
        self._sent = 0
        self._is_dropped = False
        self._connection: UpstreamConnection | None = None
        self._is_ready = asyncio.Event()

    @property
    def framing(self) -> list[tuple[bytes, bytes]]:
        """The headers that tell the app how the body ends."""
        if self.length is not None:
            return [(b"content-length", b"%d" % self.length)]
        if not self.is_there:
            return []
        return [(b"transfer-encoding", b"chunked"), *name_trailers(self._scope["headers"])]

    def send_to(self, connection: UpstreamConnection) -> None:
        """Send it there; until this is called it waits. For a request without a body it may be called again."""
        self._connection = connection
        self._is_ready.set()

    def drop(self) -> None:
        """Read on without sending."""
        self._is_dropped = True
        self._is_ready.set()

    def fail(self) -> None:
        """Let whoever reads the answer hear that the body can't be handed on."""
        self.drop()
        if self._connection is not None:
            self._connection.fail(UpstreamLost("The request's body could not be handed on."))

    async def run(self) -> None:
        """Hand the body on as it comes, until it is whole and the client is gone."""
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                self.leave()
                return
            try:
                await self._hand_on(message.get("body", b""), is_last=not message.get("more_body", False))
            except (UpstreamLost, ClientLeft):
                self._is_dropped = True  # whoever reads the answer hears of it, or has it already
            except BadBody as error:
                self._is_dropped = True
                if self._connection is not None:
                    self._connection.fail(error)

    async def _hand_on(self, data: bytes, *, is_last: bool) -> None:
        if self.is_there:
            await self._is_ready.wait()
        connection = self._connection
        if self.is_there and not self._is_dropped and connection is not None:
            self._sent += len(data)
            if self.length is None:
                await self._send_chunk(connection, data, is_last=is_last)
            elif self._sent > self.length or (is_last and self._sent < self.length):
                raise BadBody("The request's body is not as long as it says.")
            elif data:
                await connection.write(data)
        self.is_whole = self.is_whole or is_last

    async def _send_chunk(self, connection: UpstreamConnection, data: bytes, *, is_last: bool) -> None:
        if data:
            connection.way.write(b"%x\r\n" % len(data))
            connection.way.write(data)
            await connection.write(b"\r\n")
        if is_last:
            await connection.write(b"0\r\n%s\r\n" % self._make_trailers())

    def _make_trailers(self) -> bytes:
        trailers = find_request_trailers(self._scope)
        if not trailers:
            return b""
        try:
            kept = trailers_for_app(trailers, self._scope["headers"])
        except BadTrailers as error:
            raise BadBody(str(error)) from error
        return b"".join(b"%s: %s\r\n" % trailer for trailer in kept)

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        self.has_left = True
        if not self.is_over and self._connection is not None:
            self._connection.fail(ClientLeft("The client left."))
