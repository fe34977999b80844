"""The slower way for websockets, where the transport is shared (HTTP/2): message by message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from hypercorn.typing import ASGIReceiveCallable
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from genba_gateway.apps.connections import UpstreamConnection, UpstreamLost
from genba_gateway.apps.tasks import start_task
from genba_wire.aio.carrier import CLOSE_GOING_AWAY
from genba_wire.buffers import Buffer

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Of one message, which is held in memory whole; what Hypercorn takes from a browser, too."""

_CLOSE_NO_STATUS: Final = 1005
_CLOSE_ABNORMAL: Final = 1006


class MessageRelay:
    """Copies messages between a browser's accepted websocket and an app's."""

    def __init__(
        self, receive: ASGIReceiveCallable, send: Callable[[Any], Awaitable[None]], connection: UpstreamConnection
    ) -> None:
        self._receive = receive
        self._send = send
        self._connection = connection
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        self._opcode = Opcode.BINARY
        self._message = bytearray()
        self._is_closed = False

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
                await self._copy_down(early)
            except UpstreamLost as error:
                await self.end(CLOSE_GOING_AWAY, str(error))
            finally:
                up.cancel()

    async def end(self, code: int, reason: str) -> None:
        """Close the browser's websocket, once."""
        if not self._is_closed:
            self._is_closed = True
            # A reason is at most 123 bytes (RFC 6455, 5.5).
            text = reason.encode()[:120].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": code, "reason": text})

    async def _copy_up(self) -> None:
        while True:
            message: Any = await self._receive()
            if message["type"] != "websocket.receive":
                self._is_closed = True
                code = message.get("code") or CLOSE_GOING_AWAY
                self._protocol.send_close(CLOSE_GOING_AWAY if code in (_CLOSE_NO_STATUS, _CLOSE_ABNORMAL) else code)
                self._write()
                self._connection.fail(UpstreamLost("The browser left."))
                return
            data, text = message.get("bytes"), message.get("text")
            if data is None:
                self._protocol.send_text(text.encode())
            else:
                self._protocol.send_binary(data)
            try:
                for part in self._protocol.data_to_send():
                    await self._connection.write(part)
            except UpstreamLost:
                return  # the other direction tells the browser

    async def _copy_down(self, data: Buffer) -> None:
        while True:
            self._protocol.receive_data(bytes(data))
            self._write()
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and not await self._take(event):
                    return
            if self._protocol.state is not State.OPEN:
                await self.end(CLOSE_GOING_AWAY, "The app broke the protocol of websockets.")
                return
            self._connection.release(len(data))
            data = await self._connection.read()
            if not data:
                raise UpstreamLost("The app closed the connection.")

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
