"""Web terminals: a viewer's websocket joined to a terminal of the agent over the gateway's own link (contract 3.1)."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from genba_gateway.domain.session_grants import SessionGrant
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import AgentUnreachable
from genba_gateway.services.agent_links import AgentLinks
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR, CLOSE_NORMAL, Carrier
from genba_wire.aio.stream import Stream
from genba_wire.api.terminals import PtyMessage
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import MAX_CELLS, PTY, Exited, PtyOpen, Resize, encode, parse_pty_note

AUDITED_AS: Final = "web terminal"

_read_message: Final = msgspec.json.Decoder(PtyMessage).decode


class Terminals:
    """Serves viewers of terminals, and closes them when they may not go on."""

    def __init__(self, sessions: AgentSessions, links: AgentLinks) -> None:
        self._sessions = sessions
        self._links = links

    async def serve(self, grant: SessionGrant, options: PtyOpen, viewer: Carrier, visitor: Visitor) -> None:
        """Show a terminal until the viewer leaves, its process ends, or the session may not go on.

        Closes the viewer: with 1000 and the exit code when the process ended, with 1011 and a reason that begins
        with "dial" when the agent can't be reached, with 4001 when the session may not go on.
        """
        await self._sessions.record_opening(grant, AUDITED_AS, visitor)
        try:
            async with self._links.open_stream(grant.agent_id, PTY, encode(options)) as opened:
                view = TerminalView(viewer, opened.stream)
                async with asyncio.TaskGroup() as tasks:
                    watch = tasks.create_task(self._watch(grant, opened.boot_id, view), name="watch a terminal")
                    try:
                        await view.wait_for_end()
                    finally:
                        watch.cancel()
        except AgentUnreachable as error:
            viewer.close(CLOSE_INTERNAL_ERROR, f"dial: {error.message}")

    async def _watch(self, grant: SessionGrant, boot_id: str, view: TerminalView) -> None:
        view.end(CLOSE_REVOKED, await self._sessions.wait_for_end(grant, boot_id))


class TerminalView:
    """A viewer and its stream, joined by callbacks: no task has to wake up for a keystroke or its echo.

    Flow: a viewer that does not take its output costs the stream its credit; a stream that is full stops the reading
    from its viewer.
    """

    def __init__(self, viewer: Carrier, stream: Stream) -> None:
        self._viewer = viewer
        self._stream = stream
        self._owed = 0
        self._exit_reason = "The terminal has ended."
        self._is_over = asyncio.Event()
        stream.listen(self)
        viewer.start(self)

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
        if said.height and said.width:
            size = Resize(height=_cells(said.height), width=_cells(said.width))
            self._stream.note(encode(size))
        if said.data:
            self._stream.write(said.data.encode("utf-8", "replace"))
            if not self._stream.is_writable:
                self._viewer.pause_reading()

    def carrier_lost(self, reason: str) -> None:
        """The viewer has left."""
        self._is_over.set()

    def sending_paused(self) -> None:
        """The viewer does not keep up; from here on its stream gets no credit."""

    def sending_resumed(self) -> None:
        """Give the credit that was held back."""
        owed, self._owed = self._owed, 0
        self._stream.consumed(owed)

    # What the terminal says.

    def data_received(self, data: memoryview) -> None:
        """Show output."""
        self._viewer.send(data)
        if self._viewer.is_sending_paused:
            self._owed += len(data)
        else:
            self._stream.consumed(len(data))

    def note_received(self, note: bytes) -> None:
        """Take note of how the process ended."""
        try:
            said = parse_pty_note(note)
        except RemoteProtocolError as error:
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
        """Listen to the viewer again."""
        self._viewer.resume_reading()


def _cells(count: int) -> int:
    return min(max(count, 1), MAX_CELLS)
