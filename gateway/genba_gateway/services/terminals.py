"""Web terminals: a viewer's websocket joined to a terminal of the agent over the gateway's own link (contract 3.1)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from genba_gateway.domain.session_grants import SessionGrant
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import AgentUnreachable
from genba_gateway.relay.taken_transport import EARLY_BYTES
from genba_gateway.services.agent_controls import SystemClock, WaitingClock
from genba_gateway.services.agent_links import AgentLinks
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_gateway.services.heartbeats import wait_for_silence
from genba_gateway.services.openings import OpeningEnded, opening
from genba_wire.aio.carrier import CLOSE_GOING_AWAY, CLOSE_INTERNAL_ERROR, CLOSE_NORMAL, Carrier
from genba_wire.aio.stream import Stream
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.api.terminals import PtyMessage
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import MAX_CELLS, PTY, Exited, PtyOpen, Resize, encode, parse_pty_note

AUDITED_AS: Final = "web terminal"

_read_message: Final = msgspec.json.Decoder(PtyMessage).decode


class Terminals:
    """Serves viewers of terminals, and closes them when they may not go on."""

    def __init__(self, sessions: AgentSessions, links: AgentLinks, clock: WaitingClock | None = None) -> None:
        self._sessions = sessions
        self._links = links
        self._clock = clock or SystemClock()

    async def serve(self, grant: SessionGrant, options: PtyOpen, viewer: Carrier, visitor: Visitor) -> None:
        """Show a terminal until the viewer leaves, its process ends, or the session may not go on.

        Closes the viewer: with 1000 and the exit code when the process ended, with 1011 and a reason that begins
        with "dial" when the agent can't be reached, with 4001 when the session may not go on, with 1001 when nothing
        is heard of it.
        """
        await self._sessions.record_opening(grant, AUDITED_AS, visitor)
        view = TerminalView(viewer)
        try:
            async with AsyncExitStack() as stack:
                async with opening(self._sessions, grant, view.wait_for_end):
                    opened = await stack.enter_async_context(
                        self._links.open_stream(grant.agent_id, PTY, encode(options))
                    )
                view.show(opened.stream)
                await self._watch(grant, opened.boot_id, viewer, view)
        except OpeningEnded as ended:
            view.end(CLOSE_REVOKED, ended.reason)
        except AgentUnreachable as error:
            view.end(CLOSE_INTERNAL_ERROR, f"dial: {error.message}")

    async def _watch(self, grant: SessionGrant, boot_id: str, viewer: Carrier, view: TerminalView) -> None:
        async def watch_grant() -> None:
            view.end(CLOSE_REVOKED, await self._sessions.wait_for_end(grant, boot_id))

        async def watch_silence() -> None:
            # Over Quart it is Hypercorn that pings.
            if isinstance(viewer, WebSocketCarrier):
                view.end(CLOSE_GOING_AWAY, await wait_for_silence(viewer, self._clock))

        async with asyncio.TaskGroup() as tasks:
            watches = [
                tasks.create_task(watch_grant(), name="watch a terminal"),
                tasks.create_task(watch_silence(), name="heartbeat of a terminal"),
            ]
            try:
                await view.wait_for_end()
            finally:
                for watch in watches:
                    watch.cancel()


class TerminalView:
    """A viewer and its stream, joined by callbacks: no task has to wake up for a keystroke or its echo.

    Flow: a viewer that does not take its output costs the stream its credit; a stream that is full stops the reading
    from its viewer, and of the sizes that come nevertheless it gets the last. What is typed before there is a stream
    is kept.
    """

    def __init__(self, viewer: Carrier) -> None:
        self._viewer = viewer
        self._stream: Stream | None = None
        self._early: list[PtyMessage] = []
        self._early_bytes = 0
        self._size: Resize | None = None
        """What the stream is still to be told."""
        self._owed = 0
        self._exit_reason = "The terminal has ended."
        self._is_over = asyncio.Event()
        viewer.start(self)

    def show(self, stream: Stream) -> None:
        """Join the viewer to its stream."""
        self._stream = stream
        stream.listen(self)
        early, self._early = self._early, []
        for said in early:
            self._hand_on(said, stream)
        if stream.is_writable:
            self._viewer.resume_reading()

    async def wait_for_end(self) -> None:
        """Return when the viewer was closed, or has left."""
        await self._is_over.wait()

    def end(self, code: int, reason: str) -> None:
        """Close the viewer."""
        self._viewer.close(code, reason)
        self._is_over.set()

    # What the viewer says.

    def message_received(self, message: memoryview | bytes) -> None:
        """Hand on keystrokes and sizes."""
        try:
            said = _read_message(message)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.end(CLOSE_INTERNAL_ERROR, f"This message can't be read: {error}.")
            return
        if self._stream is not None:
            self._hand_on(said, self._stream)
            return
        self._early.append(said)
        self._early_bytes += len(message)
        if self._early_bytes >= EARLY_BYTES:
            self._viewer.pause_reading()

    def carrier_lost(self, reason: str) -> None:
        """The viewer has left."""
        self._is_over.set()

    def sending_paused(self) -> None:
        """The viewer does not keep up; from here on its stream gets no credit."""

    def sending_resumed(self) -> None:
        """Give the credit that was held back."""
        owed, self._owed = self._owed, 0
        self._give_credit(owed)

    def _hand_on(self, said: PtyMessage, stream: Stream) -> None:
        if said.height and said.width:
            self._size = Resize(height=_cells(said.height), width=_cells(said.width))
            self._tell_size(stream)
        if said.data:
            stream.write(said.data.encode("utf-8", "replace"))
        if not stream.is_writable:
            self._viewer.pause_reading()

    def _tell_size(self, stream: Stream) -> None:
        size = self._size
        if size is not None and stream.is_writable:
            self._size = None
            stream.note(encode(size))

    def _give_credit(self, size: int) -> None:
        if self._stream is not None:
            self._stream.consumed(size)

    # What the terminal says.

    def data_received(self, data: memoryview) -> None:
        """Show output."""
        self._viewer.send(data)
        if self._viewer.is_sending_paused:
            self._owed += len(data)
        else:
            self._give_credit(len(data))

    def note_received(self, note: bytes) -> None:
        """Take note of how the process ended."""
        try:
            said = parse_pty_note(note)
        except RemoteProtocolError as error:
            if self._stream is not None:
                self._stream.reset(ResetCode.PROTOCOL, str(error))
            self.end(CLOSE_INTERNAL_ERROR, f"The agent said something that can't be read: {error}")
            return
        if isinstance(said, Exited):
            self._exit_reason = f"The process ended with exit code {said.code}."

    def finished(self) -> None:
        """The process ended, and all of its output was shown."""
        self.end(CLOSE_NORMAL, self._exit_reason)

    def reset(self, code: int, reason: str) -> None:
        """The agent gave the terminal up, or the link is gone."""
        self.end(CLOSE_INTERNAL_ERROR, reason or f"The agent ended the terminal (code {code}).")

    def writable(self) -> None:
        """Tell the size that waited, and listen to the viewer again."""
        if self._stream is not None:
            self._tell_size(self._stream)
        self._viewer.resume_reading()


def _cells(count: int) -> int:
    return min(max(count, 1), MAX_CELLS)
