"""What ASGI has no message for: dropping a connection, breaking an answer off, and trailers over HTTP/1.1.

It relies on Hypercorn's inner workings as `takeover` does (docs/decisions/0008-taking-hypercorns-transport.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import h2.exceptions
import h11
from hypercorn.protocol.events import EndBody, Event
from hypercorn.protocol.h11 import H11Protocol

from genba_gateway.relay.takeover import find_server
from genba_wire.buffers import Buffer

ANSWER_KEY: Final = "genba.answer"
"""Where a scope's state has the `OwnAnswer` of a request that Hypercorn never saw."""

_INTERNAL_ERROR: Final = 2
"""Of HTTP/2 (RFC 9113, 7)."""


class OwnAnswer(ABC):
    """An answer that is written past Hypercorn (`apps/fast_path.py`)."""

    def __init__(self) -> None:
        self.is_corked = False
        """Whether it is there whole, and is to leave in one write."""
        self.has_left = False
        """Whether the client is gone."""
        self._on_left: Callable[[], None] | None = None

    def call_when_left(self, call: Callable[[], None]) -> None:
        """Call once, when the client leaves before it has the answer, or now if it has left."""
        if self.has_left:
            call()
        else:
            self._on_left = call

    @property
    @abstractmethod
    def is_free(self) -> bool:
        """Whether an answer may be written without waiting."""

    @abstractmethod
    def write_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: Buffer) -> None:
        """Write an answer at once; only when it `is_free`."""

    @abstractmethod
    async def send_parts(self, parts: Sequence[Buffer]) -> None:
        """Send parts of a body with more to come, in one write; ASGI's `send` takes one part."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection."""


def find_own_answer(scope: Mapping[str, Any]) -> OwnAnswer | None:
    """The answer of a request that Hypercorn never saw."""
    answer = scope.get("state", {}).get(ANSWER_KEY)
    return answer if isinstance(answer, OwnAnswer) else None


def abort_connection(scope: Mapping[str, Any]) -> None:
    """Drop the connection of a request, or of a websocket not taken; not where others may share it (HTTP/2)."""
    server = find_server(scope)
    if server is not None and isinstance(server.protocol.protocol, H11Protocol):
        server.writer.transport.abort()


async def break_answer(scope: Mapping[str, Any]) -> None:
    """End a request so that its client sees that the answer is not whole: the connection, or over HTTP/2 the stream."""
    answer = find_own_answer(scope)
    if answer is not None:
        answer.abort()
        return
    server = find_server(scope)
    if server is None:
        return
    protocol = server.protocol.protocol
    if isinstance(protocol, H11Protocol):
        server.writer.transport.abort()
        return
    for number, stream in protocol.streams.items():
        if getattr(stream, "scope", None) is scope:
            try:
                protocol.connection.reset_stream(number, error_code=_INTERNAL_ERROR)
            except h2.exceptions.ProtocolError:
                return  # the client has ended the stream, or the whole connection, itself
            await protocol._flush()  # pyright: ignore[reportPrivateUsage]
            return


def cork(scope: Mapping[str, Any]) -> None:
    """Have an HTTP/1.1 answer that is there whole leave in one write, at its end: each costs a system call."""
    answer = find_own_answer(scope)
    server = find_server(scope)
    if answer is not None:
        answer.is_corked = True
    elif server is not None and isinstance(server.protocol.protocol, H11Protocol):
        server.corked = server.corked or []


def add_trailers(scope: Mapping[str, Any], trailers: list[tuple[bytes, bytes]]) -> None:
    """Have an HTTP/1.1 answer in chunks end with these; call it before the last part of the body is sent.

    Over HTTP/2 ASGI has a message for it, and this does nothing.
    """
    server = find_server(scope)
    protocol = server.protocol.protocol if server is not None else None
    stream = protocol.stream if isinstance(protocol, H11Protocol) else None
    if not isinstance(protocol, H11Protocol) or stream is None:
        return
    send_on = stream.send

    async def send(event: Event) -> None:
        if isinstance(event, EndBody):
            await protocol._send_h11_event(h11.EndOfMessage(headers=trailers))  # pyright: ignore[reportPrivateUsage]
        else:
            await send_on(event)

    stream.send = send
