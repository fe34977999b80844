"""The slower way: an end over a Quart websocket, where Hypercorn keeps the transport (HTTP/2, compression, others).

Quart reads ahead without a bound; `make_websockets_pausable` lets a carrier hold that, so that a reader that is slow
at one end slows the sender at the other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from quart import Quart, Websocket
from quart.asgi import ASGIWebsocketConnection

from genba_gateway.relay.ends import End
from genba_gateway.relay.taken_transport import CLOSE_S, EARLY_BYTES
from genba_gateway.relay.takeover import decline_compression, take_transport
from genba_wire.aio.carrier import CLOSE_GOING_AWAY, CLOSE_NORMAL, CarrierReceiver
from genba_wire.aio.send_marks import SendMarks
from genba_wire.buffers import Buffer
from genba_wire.websocket_frames import MAX_CONTROL

HIGH_BYTES: Final = 256 * 1024
"""With more than this waiting to be sent, who sends is asked to pause."""

LOW_BYTES: Final = 64 * 1024
"""With no more than this waiting, who was asked to pause may send again."""

CLOSE_NOT_BINARY: Final = 1003
"""Close code for a text message, which no carrier has (RFC 6455, section 7.4.1)."""

_SCOPE_KEY: Final = "genba.websocket"


def make_websockets_pausable(app: Quart) -> None:
    """Let carriers over the app's websockets pause their reading; other websockets are as they were."""
    app.asgi_websocket_class = PausableWebsocketConnection


@asynccontextmanager
async def accepted_end(websocket: Websocket) -> AsyncGenerator[End]:
    """Accept a websocket whose request was checked, and yield its end: the fast one where the transport can be taken.

    The connection is closed when the context ends: with 1000, or with 1001 when an exception passes; to say more,
    call the end's `close(code, reason)` before. The handler is cancelled when the connection is lost.
    """
    decline_compression(websocket.scope)
    await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart's headers are untyped
    taken = take_transport(websocket.scope)
    if taken is None:
        async with _running_carrier(QuartCarrier(websocket)) as carrier:
            yield carrier
        return
    code = CLOSE_GOING_AWAY
    try:
        yield taken
        code = CLOSE_NORMAL
    finally:
        taken.close(code)


@asynccontextmanager
async def _running_carrier(carrier: QuartCarrier) -> AsyncGenerator[QuartCarrier]:
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        pump = tasks.create_task(carrier.run(), name="carrier over Quart")
        try:
            yield carrier
            carrier.close()
        except asyncio.CancelledError:
            # The peer is gone, or the server goes: who is joined to this end has to learn of it.
            pump.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # raised again below: a TaskGroup would wrap it
            failure = error
            carrier.close(CLOSE_GOING_AWAY)
        await asyncio.wait((pump,), timeout=CLOSE_S)
        pump.cancel()
    if failure is not None:
        raise failure


class PausableWebsocketConnection(ASGIWebsocketConnection):
    """Quart's connection, which reads on only while it may; it puts itself into the websocket's scope."""

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.early_bytes_left: int | None = None
        """What may still be read before the carrier is started; None: as much as comes."""
        scope[_SCOPE_KEY] = self

    async def handle_messages(self, receive: Any) -> None:
        """Take messages, and the disconnect behind them, from the server."""

        async def receive_if_wanted() -> Any:
            await self.may_read.wait()
            event = await receive()
            if self.early_bytes_left is not None:
                self.early_bytes_left -= len(event.get("bytes") or event.get("text") or b"")
                if self.early_bytes_left <= 0:
                    self.may_read.clear()
            return event

        await super().handle_messages(receive_if_wanted)


class QuartCarrier:
    """Implements `Carrier` over an accepted Quart websocket, while `run` runs. Pings are Hypercorn's business."""

    def __init__(self, websocket: Websocket) -> None:
        self._websocket = websocket
        connection = cast(Mapping[str, object], websocket.scope).get(_SCOPE_KEY)
        self._connection = connection if isinstance(connection, PausableWebsocketConnection) else None
        self._receiver: CarrierReceiver | None = None
        self._has_started = asyncio.Event()
        self._may_deliver = asyncio.Event()
        self._is_reading = True
        self._has_work = asyncio.Event()
        self._waiting: deque[bytes] = deque()
        self._marks = SendMarks(HIGH_BYTES, LOW_BYTES)
        self._goodbye: tuple[int, str] | None = None
        self._is_over = False
        if self._connection is not None:
            self._connection.early_bytes_left = EARLY_BYTES

    async def run(self) -> None:
        """Carry messages both ways until `close` was called and everything is sent; cancel it when the peer is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(), name="carrier over Quart: read")
                await self._write()
                reading.cancel()
        finally:
            self._is_over = True
            receiver, self._receiver = self._receiver, None
            if receiver is not None:
                receiver.carrier_lost("The connection was closed.")

    @property
    def kept_bytes(self) -> int:
        """Of messages that wait to be sent."""
        return self._marks.kept_bytes

    @property
    def is_sending_paused(self) -> bool:
        return self._marks.is_paused

    def send(self, *parts: Buffer) -> None:
        self.send_messages((parts,))

    def send_messages(self, messages: Iterable[Sequence[Buffer]]) -> None:
        if self._is_over or self._goodbye is not None:
            return
        for parts in messages:
            message = b"".join(parts)
            self._waiting.append(message)
            self._marks.add(len(message))
        self._has_work.set()
        self._marks.check(self._receiver)

    def start(self, receiver: CarrierReceiver) -> None:
        self._receiver = receiver
        if self._is_over:
            asyncio.get_running_loop().call_soon(self._tell_lost)
        elif not self._has_started.is_set():
            self._has_started.set()
            self._apply_pause()

    def pause_reading(self) -> None:
        self._is_reading = False
        self._apply_pause()

    def resume_reading(self) -> None:
        self._is_reading = True
        self._apply_pause()

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        self._receiver = None
        if self._goodbye is None:
            room = MAX_CONTROL - 2
            self._goodbye = (code, reason.encode()[:room].decode(errors="ignore"))
        self._has_work.set()
        self._has_started.set()
        self.resume_reading()

    async def _read(self) -> None:
        while True:
            message: bytes | str | None = await self._websocket.receive()
            await self._may_deliver.wait()
            if isinstance(message, str):
                self.close(CLOSE_NOT_BINARY, "A carrier has binary messages only.")
            elif self._receiver is not None:
                # Quart gives None for an empty message.
                self._receiver.message_received(message or b"")

    async def _write(self) -> None:
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while self._waiting:
                message = self._waiting.popleft()
                await self._websocket.send(message)
                self._marks.take(len(message), self._receiver)
            if self._goodbye is not None:
                await self._websocket.close(*self._goodbye)
                return

    def _apply_pause(self) -> None:
        """Deliver, and let Quart read ahead, only between `start` and the end, and not while paused.

        Before `start` Quart reads a little, or it would not notice that the peer leaves.
        """
        if not self._has_started.is_set():
            return
        if self._connection is not None:
            self._connection.early_bytes_left = None
        may = self._is_reading
        events = [self._may_deliver] + ([self._connection.may_read] if self._connection is not None else [])
        for event in events:
            if may:
                event.set()
            else:
                event.clear()

    def _tell_lost(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.carrier_lost("The connection was closed.")
