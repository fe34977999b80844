"""What Hypercorn overlooks of requests: their trailers, bodies that go on after the answer, and clients that leave.

And what it offers that nobody may have: HTTP/2 by `Upgrade: h2c`, which browsers don't speak. A proxy in front that
passes Upgrade on, as websockets need, would be a tunnel for requests that it doesn't see, from its own address.

Trailers come with the end of a body: h11 tells them with its `EndOfMessage`, h2 in an event of its own, and Hypercorn
looks at neither. ASGI has no message for them; they are kept in the state of the request's scope. It relies on
Hypercorn's inner workings as `takeover` does (docs/decisions/0008-taking-hypercorns-transport.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import h2.events
import h11
import hypercorn.protocol
from hypercorn.events import Closed
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H2ProtocolAssumedError, H11Protocol
from hypercorn.protocol.http_stream import HTTPStream

_STATE_KEY: Final = "genba.trailers"


def find_request_trailers(scope: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """What came behind the body of a request, names in lower case; known when the last of the body was received."""
    trailers: list[tuple[bytes, bytes]] = scope.get("state", {}).get(_STATE_KEY, [])
    return trailers


def install_thorough_reading() -> None:
    """Make Hypercorn read requests with these classes on the connections that it accepts from here on."""
    # Hypercorn's package doesn't list the classes among its exports.
    hypercorn.protocol.H11Protocol = ThoroughH11  # type: ignore[attr-defined]
    hypercorn.protocol.H2Protocol = ThoroughH2  # type: ignore[attr-defined]


class ThoroughH11(H11Protocol):
    """Hypercorn's HTTP/1.1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = _Parser(self.config.h11_max_incomplete_size, self._keep)

    @property
    def is_waiting(self) -> bool:
        """Whether what was received waits for the end of the answer to what came before."""
        return isinstance(self.connection, _Parser) and self.connection.is_paused and not self.connection.is_over

    def drop_waiting(self) -> None:
        """Nothing is read any more, nor what `is_waiting`: `notice_loss` is to follow."""
        if isinstance(self.connection, _Parser):
            self.connection.is_over = True

    async def notice_loss(self) -> None:
        """The client is gone: Hypercorn, which doesn't read while something `is_waiting`, would wait for ever."""
        await self.handle(Closed())
        await self.can_read.set()

    async def _check_protocol(self, event: h11.Request) -> None:
        if (event.method, event.target, event.http_version) == (b"PRI", b"*", b"2.0"):  # HTTP/2 from the first byte on
            raise H2ProtocolAssumedError(b"PRI * HTTP/2.0\r\n\r\n" + self.connection.trailing_data[0])

    def _keep(self, trailers: Iterable[tuple[bytes, bytes]]) -> None:
        _keep(self.stream, trailers)


class ThoroughH2(H2Protocol):
    """Hypercorn's HTTP/2."""

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            match event:
                case h2.events.TrailersReceived(stream_id=int(stream)):
                    _keep(self.streams.get(stream), event.headers or [])
                case h2.events.DataReceived(stream_id=int(stream)) if stream not in self.streams:
                    # Its answer is over, or it was reset: Hypercorn would fail, and with it all streams there are.
                    self.connection.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                case _:
                    await super()._handle_events([event])
        await self._flush()


class _Parser(h11.Connection):
    def __init__(self, max_incomplete_event_size: int, keep: Callable[[Iterable[tuple[bytes, bytes]]], None]) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=max_incomplete_event_size)
        self._keep = keep
        self.is_paused = False
        """What follows waits until there is an answer to what came before."""
        self.is_over = False
        """Nothing is to be read any more."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        if self.is_over:
            return h11.NEED_DATA
        event = super().next_event()
        self.is_paused = event is h11.PAUSED
        if isinstance(event, h11.Request) and _measure(event) > self._max_incomplete_event_size:
            self._process_error(self.their_role)
            raise h11.RemoteProtocolError("the head of a request is too long", error_status_hint=431)
        if isinstance(event, h11.EndOfMessage) and event.headers:
            self._keep(event.headers)
        return event


def _measure(request: h11.Request) -> int:
    """The bytes of a head: h11's limit counts only heads that come in parts."""
    lines = sum(len(name) + len(value) + len(b": \r\n") for name, value in request.headers)
    return len(request.method) + len(request.target) + len(b"  HTTP/1.1\r\n\r\n") + lines


def _keep(stream: object, trailers: Iterable[tuple[bytes, bytes]]) -> None:
    # A websocket has none, and a request whose answer is over already has no stream any more.
    if isinstance(stream, HTTPStream) and not stream.closed:
        kept: dict[str, Any] = stream.scope["state"]
        kept[_STATE_KEY] = [(bytes(name), bytes(value)) for name, value in trailers]
