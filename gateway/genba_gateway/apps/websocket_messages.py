"""The slower way for websockets, where the transport is shared (HTTP/2): message by message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from hypercorn.typing import ASGIReceiveCallable
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from genba_gateway.apps.connections import UpstreamConnection, UpstreamLost
from genba_gateway.apps.tasks import start_task
from genba_gateway.relay.message_memory import HeldMessages, measure
from genba_gateway.relay.taken_transport import CLOSE_S
from genba_wire.aio.carrier import CLOSE_GOING_AWAY
from genba_wire.buffers import Buffer

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Of one message, which is held in memory whole; what Hypercorn takes from a browser, too."""

CLOSE_TRY_AGAIN: Final = 1013
"""The server has no room for more (IANA's registry of close codes)."""

_CLOSE_NO_STATUS: Final = 1005
_CLOSE_ABNORMAL: Final = 1006


class NoRoom(UpstreamLost):
    """All websockets of this agent, or of all agents, hold as much as they may."""

    def __init__(self) -> None:
        super().__init__("The gateway holds too many large messages at once. Send smaller ones, or try again later.")


class MessageRelay:
    """Copies messages between a browser's accepted websocket and an app's.

    Args:
        held: the account of its messages: those from the browser are in it when they are received.
    """

    def __init__(
        self,
        receive: ASGIReceiveCallable,
        send: Callable[[Any], Awaitable[None]],
        connection: UpstreamConnection,
        held: HeldMessages,
    ) -> None:
        self._held = held
        self._receive = receive
        self._send = send
        self._connection = connection
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        self._opcode = Opcode.BINARY
        self._message = bytearray()
        self._is_closed = False
        self._has_left = asyncio.Event()

    async def run(self, early: bytes) -> None:
        """Copy until one side is gone; `early` is what the app said right behind its 101."""
        async with asyncio.TaskGroup() as tasks:
            up = start_task(
                tasks,
                self._copy_up(),
                name="messages to an app",
                on_failure=lambda: self._connection.fail(UpstreamLost("A message could not be handed on.")),
            )
            try:
                await self._copy_until_lost(early)
                await self._wait_left()
            finally:
                up.cancel()

    async def _copy_until_lost(self, early: bytes) -> None:
        try:
            await self._copy_down(early)
        except NoRoom as error:
            await self.end(CLOSE_TRY_AGAIN, str(error))
        except UpstreamLost as error:
            await self.end(CLOSE_GOING_AWAY, str(error))

    async def end(self, code: int, reason: str) -> None:
        """Close the browser's websocket, once."""
        if not self._is_closed:
            self._is_closed = True
            # A reason is at most 123 bytes (RFC 6455, 5.5).
            text = reason.encode()[:120].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": code, "reason": text})
            self._connection.fail(UpstreamLost(reason))

    async def _copy_up(self) -> None:
        while True:
            message: Any = await self._receive()
            if message["type"] != "websocket.receive":
                self._has_left.set()
                if not self._is_closed:
                    self._is_closed = True
                    code = message.get("code") or CLOSE_GOING_AWAY
                    self._protocol.send_close(CLOSE_GOING_AWAY if code in (_CLOSE_NO_STATUS, _CLOSE_ABNORMAL) else code)
                    self._write()
                    self._connection.fail(UpstreamLost("The browser left."))
                return
            data, text = message.get("bytes"), message.get("text")
            content: bytes | str | None = text if data is None else data
            # None is a message that there was no room for; nothing of one that is closed is handed on.
            if content is not None and not self._is_closed:
                await self._hand_up(content)
                self._held.give(measure(content))

    async def _hand_up(self, content: bytes | str) -> None:
        if isinstance(content, str):
            self._protocol.send_text(content.encode())
        else:
            self._protocol.send_binary(content)
        with suppress(UpstreamLost):  # the other direction tells the browser
            for part in self._protocol.data_to_send():
                await self._connection.write(part)

    async def _wait_left(self) -> None:
        """Have the server get rid of what the browser still says: else it would break off the whole connection."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._has_left.wait()

    async def _copy_down(self, data: Buffer) -> None:
        while True:
            before = self._gathered
            if not self._held.take(len(data)):
                raise NoRoom
            self._protocol.receive_data(bytes(data))
            self._write()
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and not await self._take(event):
                    return
            if self._protocol.state is not State.OPEN:
                await self.end(CLOSE_GOING_AWAY, "The app broke the protocol of websockets.")
                return
            self._held.give(before + len(data) - self._gathered)
            self._connection.release(len(data))
            data = await self._connection.read()
            if not data:
                raise UpstreamLost("The app closed the connection.")

    @property
    def _gathered(self) -> int:
        """Bytes from the app of a message that is not whole."""
        return len(self._message) + len(self._protocol.reader.buffer)

    async def _take(self, frame: Frame) -> bool:
        """Hand a frame on; return whether more may follow."""
        if frame.opcode is Opcode.CLOSE:
            received = self._protocol.close_rcvd
            code = received.code if received is not None else CLOSE_GOING_AWAY
            reason = received.reason if received is not None else ""
            await self.end(1000 if code == _CLOSE_NO_STATUS else code, reason)
            return False
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return True
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
        self._message += frame.data
        if frame.fin:
            message, self._message = bytes(self._message), bytearray()
            if self._opcode is Opcode.TEXT:
                await self._send({"type": "websocket.send", "text": message.decode("utf-8", "replace"), "bytes": None})
            else:
                await self._send({"type": "websocket.send", "bytes": message, "text": None})
        return True

    def _write(self) -> None:
        for part in self._protocol.data_to_send():
            if part:
                self._connection.way.write(part)
