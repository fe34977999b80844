"""A terminal in a workspace that survives outages: what `genba terminal` and the bridge show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.sessions.agent_link import FINAL_CODES, AgentLink, SessionOver
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict
from genba_ide_bridge.sessions.terminal_view import (
    Connected,
    Ended,
    Reconnecting,
    TerminalEvents,
    TerminalState,
    TerminalView,
)
from genba_wire.errors import LinkEnded, StreamRefused
from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import PTY, PtyOpen, encode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.aio.stream import Stream

__all__ = [
    "CLEAR_SCREEN",
    "KEPT_S",
    "Connected",
    "Ended",
    "Reconnecting",
    "TerminalEvents",
    "TerminalRequest",
    "TerminalSession",
    "TerminalState",
]

CLEAR_SCREEN: Final = b"\x1b[0m\x1b[H\x1b[2J"
"""What a screen is sent before a scrollback is replayed to it (`Connected.is_replay`)."""

KEPT_S: Final = 300
"""How long the agent keeps a terminal after its last viewer left."""

TYPED_KEPT_BYTES: Final = 64 * 1024
"""What is typed or pasted during an outage is kept up to here; more is not read, or lost if it comes nevertheless."""


@dataclass(frozen=True, slots=True)
class TerminalRequest:
    """Which terminal.

    `reconnect` is the id of a terminal (a UUID), by which it is found again for `KEPT_S` after it was left; the ids
    of the workspace and its build are what a redial checks, so that it never reaches into another build.
    """

    workspace_id: str
    build_id: str
    agent_id: str
    reconnect: str
    command: str = ""
    height: int = 24
    width: int = 80
    is_reattach: bool = False
    """Whether the terminal must be there already: then its scrollback is shown first."""


class TerminalSession:
    """One terminal. `run` it in a task; cancelling that leaves the terminal, which the agent keeps for `KEPT_S`."""

    def __init__(
        self,
        client: GatewayClient,
        request: TerminalRequest,
        events: TerminalEvents,
        *,
        delays: RedialDelays | None = None,
    ) -> None:
        """Args: client of the gateway, open for as long as the session runs; which terminal; who is told."""
        self._request = request
        self._events = events
        self._size = (request.height, request.width)
        self._typed = bytearray()
        self._view: TerminalView | None = None
        self._stale_bytes = 0
        self._must_be_there = request.is_reattach
        self._was_opened = False
        self._ended: Ended | None = None
        self._lost = ""
        """Why the link before this one was over."""
        address = AgentAddress(request.workspace_id, request.build_id, request.agent_id)
        self._link = AgentLink(
            client, address, on_outage=self._note_outage, on_resumed=self._note_resumed, delays=delays
        )

    async def run(self) -> Ended:
        """Connect, and stay connected until the terminal ends; returns how, as `events` was told.

        An outage is waited out, a workspace is never started. A refusal of the first attempt is an end too.
        """
        try:
            while self._ended is None:
                await self._link.connect()
                async with asyncio.TaskGroup() as group:
                    opening = group.create_task(self._open(), name="opening of a terminal")
                    over = await self._link.keep()
                    opening.cancel()
                self._judge(over)
        except SessionOver as error:
            self._end(Ended(error.verdict.reason, hint=error.verdict.hint))
        finally:
            await self._link.close()
        assert self._ended is not None  # noqa: S101  # for the type checkers
        return self._ended

    def write(self, data: bytes) -> None:
        """Type. What is typed during an outage is kept, up to a limit, and sent after it."""
        if self._view is not None and self._link.is_attached:
            self._view.stream.write(data)
        elif len(self._typed) < TYPED_KEPT_BYTES:
            self._typed += data

    @property
    def is_writable(self) -> bool:
        """Whether more should be typed. When not, stop reading input until `TerminalEvents.writable`."""
        if self._view is not None and self._link.is_attached:
            return self._view.stream.is_writable
        return len(self._typed) < TYPED_KEPT_BYTES

    def resize(self, height: int, width: int) -> None:
        """Tell the size of the screen; the latest one is told again after an outage."""
        self._size = (height, width)
        if self._view is not None and self._link.is_attached:
            self._view.tell_size(height, width)

    def consumed(self, size: int) -> None:
        """So many bytes of output were shown: the agent may send more."""
        # Bytes of a link that is over came first, and nobody waits for credit there.
        stale = min(size, self._stale_bytes)
        self._stale_bytes -= stale
        if size > stale and self._view is not None:
            self._view.consumed(size - stale)

    async def _open(self) -> None:
        size = self._size
        try:
            stream = await self._open_stream(size)
        except StreamRefused as refusal:
            self._end(Ended(self._explain(refusal)))
            return
        except LinkEnded:
            return
        if self._view is not None:
            self._stale_bytes += self._view.unconsumed_bytes
        self._must_be_there = True
        self._view = TerminalView(stream, self._events, self._end, size=size)
        self._events.state(Connected(is_replay=self._was_opened))
        self._was_opened = True
        stream.listen(self._view)
        self._catch_up()

    def _explain(self, refusal: StreamRefused) -> str:
        if refusal.code != ResetCode.GONE:
            return f"The agent refused the terminal: {refusal.reason}"
        return f"{refusal.reason.rstrip('.')}: {self._lost.rstrip('.')}." if self._lost else refusal.reason

    async def _open_stream(self, size: tuple[int, int]) -> Stream:
        height, width = size
        head = PtyOpen(
            reconnect=self._request.reconnect,
            command=self._request.command,
            height=height,
            width=width,
            must_exist=self._must_be_there,
        )
        # Without an answer nobody knows whether a command was started; a second login shell would harm nobody.
        self._must_be_there = self._must_be_there or bool(self._request.command)
        return await self._link.insist_on_stream(PTY, encode(head))

    def _catch_up(self) -> None:
        """Tell the agent what was typed and which size the screen got during the outage."""
        if self._view is None or not self._link.is_attached:
            return
        self._view.tell_size(*self._size)
        if self._typed:
            self._view.stream.write(bytes(self._typed))
            self._typed.clear()
        if self._view.stream.is_writable:
            self._events.writable()

    def _judge(self, over: LinkEnded | Verdict | None) -> None:
        """Decide whether another link is worth a try."""
        if isinstance(over, Verdict):
            self._end(Ended(over.reason, hint=over.hint))
        elif over is not None and over.code == CloseCode.WORKSPACE_RESTARTED:
            self._end(Ended("The workspace's agent was restarted, and its terminals with it."))
        elif over is not None and over.code in FINAL_CODES:
            self._end(Ended(f"The session was closed: {over.reason}"))
        elif over is not None:
            self._lost = over.reason

    def _end(self, ended: Ended) -> None:
        if self._ended is None:
            self._ended = ended
            self._events.state(ended)
            self._link.leave()

    def _note_outage(self, reason: str) -> None:
        if self._ended is None:
            self._events.state(Reconnecting(reason))

    def _note_resumed(self) -> None:
        if self._ended is None and self._view is not None and not self._view.is_over:
            self._events.state(Connected())
            self._catch_up()
