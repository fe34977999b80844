"""Taking a connection from Hypercorn once it has answered the 101 of a websocket.

Hypercorn parses every request. Its class for a connection is replaced by `TakeableServer`, which puts itself into the
state of every scope; after `websocket.accept` was sent, `take_transport(scope)` hands the transport to the relay.
From then on nothing of what Hypercorn still does for this connection (its pings, the close frame when the handler
returns) reaches the wire, and it learns of one thing only: that the connection is lost. What of Hypercorn this relies
on is listed in docs/decisions/0008-taking-hypercorns-transport.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any, Final, Protocol, cast, runtime_checkable

import h11
import hypercorn.asyncio.run
from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream

from genba_gateway.relay.connection_context import ConnectionContext
from genba_gateway.relay.http_requests import ThoroughH11, install_thorough_reading
from genba_gateway.relay.idle_watch import IdleWatch
from genba_gateway.relay.loss_watch import LossWatch
from genba_gateway.relay.taken_transport import CLOSE_S, TakenTransport, WaitingProtocol

log = logging.getLogger(__name__)

KNOWN_HYPERCORN: Final = "0.18.0"
"""The version whose inner workings were read; with another one everything goes the slower way."""

CLOSE_RESTARTING: Final = 1012
"""Close code of a session that ends because the gateway does (RFC 6455's registry: "service restart")."""

RESTARTING: Final = "The gateway is shutting down."

_FOUND_HYPERCORN: Final = version("hypercorn")  # reads files, so not when the loop runs
_STATE_KEY: Final = "genba.connection"


def install_takeover() -> None:
    """Make Hypercorn use `TakeableServer` for the connections it accepts from here on; may be called again."""
    if _FOUND_HYPERCORN != KNOWN_HYPERCORN:
        log.warning("hypercorn is %s, not %s: sessions go the slower way", _FOUND_HYPERCORN, KNOWN_HYPERCORN)
        return
    # The seam of decision 0008; Hypercorn's modules don't list it among their exports.
    hypercorn.asyncio.run.TCPServer = TakeableServer  # type: ignore[attr-defined]
    install_thorough_reading()


def decline_compression(scope: Mapping[str, Any]) -> None:
    """Let a websocket that is about to be accepted have no extensions, which are the server's choice (RFC 7692, 5.1).

    Browsers offer compression always, and a compressed connection can't be taken.
    """
    server = find_server(scope)
    if server is not None and (stream := server.find_websocket()) is not None:
        stream.handshake.extensions = None


def take_transport(scope: Mapping[str, Any]) -> TakenTransport | None:
    """Take the transport of a websocket whose `websocket.accept` was just sent.

    Call it right after accepting. The transport is paused until `TakenTransport.hand_over`.

    Args:
        scope: the ASGI scope of the websocket.

    Returns:
        None when it can't be taken, and the slower way has to be used: HTTP/2, another server, compression was
        negotiated, or Hypercorn has already read a part of what the peer sent after the 101.
    """
    server = find_server(scope)
    return server.take() if server is not None else None


def find_server(scope: Mapping[str, Any]) -> TakeableServer | None:
    """The connection of a request."""
    server = scope.get("state", {}).get(_STATE_KEY)
    return server if isinstance(server, TakeableServer) else None


@runtime_checkable
class ConnectionHandler(Protocol):
    """An ASGI application that wants to see connections before Hypercorn reads of them."""

    def attach(self, server: TakeableServer) -> None:
        """Take note of a new connection."""
        ...


class TakeableServer(TCPServer):
    """Hypercorn's connection, whose transport can be taken.

    `state` is what Hypercorn copies into every scope of the connection, so it is found there by requests of a
    connection that was used before, too (proxies use one for different clients).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = {**self.state, _STATE_KEY: self}
        self.context = self._context = ConnectionContext(self.context)
        self.corked: list[bytes] | None = None
        """What waits to leave in one write with what follows (`http_answers.cork`)."""
        self._taken: TakenTransport | None = None
        self._has_consumed = False
        self._drop: asyncio.TimerHandle | None = None
        self._shutdown_watch: asyncio.Task[None] | None = None
        self.idle = IdleWatch(self.context, self.config.keep_alive_timeout, self._initiate_server_close)
        # Hypercorn asks for no more of it than `IdleWatch` has.
        self.idle_task = self.idle  # type: ignore[assignment]
        self._is_lost = False
        self._lost_calls: set[Callable[[], None]] = set()
        self.loss = LossWatch(cast(asyncio.Transport, self.writer.transport))
        app = getattr(self.app, "app", None)
        if isinstance(app, ConnectionHandler):
            app.attach(self)

    @property
    def is_between_requests(self) -> bool:
        """Whether Hypercorn speaks HTTP/1.1 here, and no request is under way or has come in part."""
        wrapper = getattr(self, "protocol", None)
        protocol = wrapper.protocol if wrapper is not None else None
        if not isinstance(protocol, H11Protocol) or protocol.stream is not None or self._taken is not None:
            return False
        parser = protocol.connection
        return (
            isinstance(parser, h11.Connection)
            and parser.our_state is h11.IDLE
            and parser.their_state is h11.IDLE
            and not parser.trailing_data[0]
            and not self.reader._buffer  # type: ignore[attr-defined]  # see `_drain`
            and not self.context.terminated.is_set()
        )

    def start(self, work: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Run it as Hypercorn runs requests: the connection, and a shutdown, wait for its end."""
        self._task_group.spawn(work, *args)  # pyright: ignore[reportUnknownMemberType]  # Hypercorn's

    def notice_loss(self) -> None:
        """The client is gone; to be called when nothing more will come from it."""
        wrapper = getattr(self, "protocol", None)
        protocol = wrapper.protocol if wrapper is not None else None
        if isinstance(protocol, ThoroughH11) and protocol.is_waiting:
            protocol.drop_waiting()
            self.start(protocol.notice_loss)

    def call_when_lost(self, call: Callable[[], None]) -> None:
        """Call when the connection is gone, or now if it is: Hypercorn says so behind all that it has read only."""
        if self._is_lost:
            call()
        else:
            self._lost_calls.add(call)

    def forget_call(self, call: Callable[[], None]) -> None:
        """It is not to be called any more."""
        self._lost_calls.discard(call)

    def tell_lost(self) -> None:
        """The connection is gone."""
        self._is_lost = True
        calls, self._lost_calls = self._lost_calls, set()
        for call in calls:
            call()

    def find_websocket(self) -> WSStream | None:
        """Hypercorn's state of the connection's websocket; None over HTTP/2, and for an ordinary request."""
        protocol = self.protocol.protocol
        stream = protocol.stream if isinstance(protocol, H11Protocol) else None
        return stream if isinstance(stream, WSStream) else None

    def take(self) -> TakenTransport | None:
        """Take the transport, if the connection is a websocket of which Hypercorn has read nothing yet."""
        stream = self.find_websocket()
        if self._taken is not None or self._has_consumed or stream is None:
            return None
        if stream.closed or stream.state is not ASGIWebsocketState.CONNECTED or stream.handshake.extensions is not None:
            return None
        transport = self.writer.transport
        if transport.is_closing() or not isinstance(transport, asyncio.Transport):
            return None
        first = transport.get_protocol()
        transport.pause_reading()
        self.loss.close()
        taken = TakenTransport(transport, _drain(self.reader), lambda: self._connection_lost(first))
        transport.set_protocol(WaitingProtocol(taken))
        self._taken = taken
        self.start(self._end_at_shutdown)
        return taken

    async def protocol_send(self, event: Event) -> None:
        """Send for Hypercorn; after the takeover its bytes (pings, a close frame) are dropped."""
        if self._taken is not None and isinstance(event, RawData):
            return
        if self.corked is not None:
            if isinstance(event, RawData):
                self.corked.append(event.data)
                return
            await self.uncork()
        if isinstance(event, Updated):
            (self.idle.mark_idle if event.idle else self.idle.mark_busy)()
            if event.idle and self.context.terminated.is_set():  # HTTP/2; HTTP/1.1 closes by itself
                await self._initiate_server_close()
            return
        await super().protocol_send(event)

    async def uncork(self) -> None:
        """Write what waits."""
        waiting, self.corked = self.corked, None
        if waiting:
            await super().protocol_send(RawData(b"".join(waiting)))

    async def _read_data(self) -> None:
        """Read for Hypercorn, as it does itself, and remember whether it was given a part of a websocket's bytes."""
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(MAX_RECV)  # there is no time-out, which costs a task
            except OSError:  # time-outs and errors of TLS are OSErrors, too
                break
            if data and self.find_websocket() is not None:
                self._has_consumed = True
            self.loss.begin()
            await self.protocol.handle(RawData(data))
            self.loss.end()
        await self.protocol.handle(Closed())
        self._context.end()

    async def _close(self) -> None:
        """Close for Hypercorn: the handler has returned, or the server shuts down and waits no longer."""
        self._context.end()
        self.loss.close()
        if self._taken is not None:
            await self._taken.wind_up()
        await super()._close()
        if self._drop is not None:
            self._drop.cancel()

    async def _initiate_server_close(self) -> None:
        """Close an idle connection; over TLS the peer is to say goodbye, for which asyncio would wait 30 s."""
        await super()._initiate_server_close()
        self._drop = asyncio.get_running_loop().call_later(CLOSE_S, self.writer.transport.abort)

    async def _end_at_shutdown(self) -> None:
        """End the session as soon as the server stops accepting, so that its drain has nothing to wait for."""
        taken = self._taken
        if taken is None or taken.is_lost:
            return
        self._shutdown_watch = asyncio.current_task()
        await self.context.terminated.wait()
        taken.close(CLOSE_RESTARTING, RESTARTING)

    def _connection_lost(self, first: asyncio.BaseProtocol) -> None:
        if self._shutdown_watch is not None:
            self._shutdown_watch.cancel()
        # None whatever the cause: what is logged about the session is the relay's to say.
        first.connection_lost(None)


def _drain(reader: Any) -> bytes:
    """Take what a StreamReader holds, without waiting; asyncio has no public way to ask for that.

    Nor for this: a reader that had paused the transport, being full, must not resume it behind the new owner's back.
    """
    early = bytes(reader._buffer)
    reader._buffer.clear()
    reader._paused = False
    return early
