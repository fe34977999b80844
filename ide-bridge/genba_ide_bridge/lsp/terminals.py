"""Terminals as streams (docs/bridge.md, "Terminals")."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from websockets.exceptions import ConnectionClosed

from genba_ide_bridge.lsp.messages import TerminalControl, TerminalStateMessage
from genba_ide_bridge.sessions.terminal import (
    CLEAR_SCREEN,
    Connected,
    Ended,
    Reconnecting,
    TerminalEvents,
    TerminalState,
)

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from genba_ide_bridge.lsp.bulk import StreamHandler

MAX_OUTPUT_BYTES: Final = 64 * 1024
"""In one message: what the tty prints while an earlier message is on its way goes together."""


class Session(Protocol):
    """What we need of `genba_ide_bridge.sessions.terminal.TerminalSession`."""

    async def run(self) -> Ended:
        """Stay connected until the terminal ends."""
        ...

    def write(self, data: bytes) -> None:
        """Type."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether more should be typed."""
        ...

    def resize(self, height: int, width: int) -> None:
        """Tell the size of the screen."""
        ...

    def consumed(self, size: int) -> None:
        """So many bytes of output were shown."""
        ...


MakeSession = Callable[[TerminalEvents], Session]


class TerminalScreen:
    """The editor's end of one terminal: sends what the session tells, in order.

    What waits here is limited by the agent's credit: it is given back only when the editor took the bytes.
    """

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._waiting: deque[bytes | str] = deque()
        self._grew = asyncio.Event()
        self._is_writable = asyncio.Event()
        self._is_complete = False

    def output(self, data: memoryview) -> None:
        """Send bytes of the tty."""
        self._put(bytes(data))

    def state(self, state: TerminalState) -> None:
        """Send the state; a screen that gets a scrollback again is cleared before it."""
        match state:
            case Connected():
                if state.is_replay:
                    self._put(CLEAR_SCREEN)
                message = TerminalStateMessage(state="connected")
            case Reconnecting():
                message = TerminalStateMessage(state="reconnecting", reason=state.reason)
            case Ended():
                message = TerminalStateMessage(
                    state="ended", reason=state.reason, exit_code=state.exit_code, hint=state.hint
                )
        self._put(msgspec.json.encode(message).decode())

    def writable(self) -> None:
        """Go on reading what the editor types."""
        self._is_writable.set()

    def complete(self) -> None:
        """Nothing more comes."""
        self._is_complete = True
        self._grew.set()

    async def show(self, session: Session) -> None:
        """Send what comes, until all is sent."""
        while self._waiting or not self._is_complete:
            await self._grew.wait()
            self._grew.clear()
            while self._waiting:
                message, size = self._take()
                await self._connection.send(message)
                if size:
                    session.consumed(size)

    async def read(self, session: Session) -> None:
        """Type what the editor sends, until it goes."""
        try:
            while True:
                message = await self._connection.recv()
                if isinstance(message, str):
                    _control(session, message)
                    continue
                session.write(message)
                while not session.is_writable:
                    self._is_writable.clear()
                    await self._is_writable.wait()
        except ConnectionClosed:
            return

    def _put(self, message: bytes | str) -> None:
        self._waiting.append(message)
        self._grew.set()

    def _take(self) -> tuple[bytes | str, int]:
        """The next message, and how many bytes of the tty are in it."""
        first = self._waiting.popleft()
        if isinstance(first, str) or first is CLEAR_SCREEN:
            return first, 0
        chunks, size = [first], len(first)
        while self._waiting and size < MAX_OUTPUT_BYTES:
            chunk = self._waiting[0]
            if isinstance(chunk, str) or chunk is CLEAR_SCREEN:
                break
            self._waiting.popleft()
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks), size


def stream_terminal(make_session: MakeSession) -> StreamHandler:
    """A stream that is a terminal. When the editor goes, the terminal is left, and the agent keeps it for a while."""

    async def serve(connection: ServerConnection) -> None:
        screen = TerminalScreen(connection)
        session = make_session(screen)

        async def run() -> None:
            await session.run()
            screen.complete()

        async with asyncio.TaskGroup() as group:
            running = group.create_task(run(), name="terminal: session")
            showing = group.create_task(screen.show(session), name="terminal: output")
            reading = group.create_task(screen.read(session), name="terminal: input")
            await asyncio.wait([showing, reading], return_when=asyncio.FIRST_COMPLETED)
            for task in (running, showing, reading):
                task.cancel()

    return serve


def _control(session: Session, text: str) -> None:
    try:
        control = msgspec.json.decode(text, type=TerminalControl)
    except msgspec.MsgspecError:
        return  # a later version's
    if control.resize is not None and control.resize.height > 0 and control.resize.width > 0:
        session.resize(control.resize.height, control.resize.width)
