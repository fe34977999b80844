"""One stream of bytes between two local descriptors and the agent: what `genba ssh --stdio` is.

Outages of the gateway and the network are waited out, and whoever is at the descriptors notices a pause at most. When
the link itself is lost, bytes may be, and the session is over.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.sessions.agent_link import AgentLink, SessionOver
from genba_ide_bridge.sessions.local_bytes import make_reader, make_writer
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict
from genba_wire.errors import LinkEnded, StreamRefused
from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.mux_frames import ResetCode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.api.terminals import Purpose
    from genba_ide_bridge.sessions.local_bytes import LocalReader, LocalWriter
    from genba_wire.aio.stream import Stream
    from genba_wire.buffers import Buffer

OPENING_ATTEMPTS: Final = 3
"""How many links are tried before the first one on which the stream opens."""

LAST_BYTES_S: Final = 2.0
"""How long what was read last may take to leave, when both ends are done."""

_LAST_BYTES_LOOK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class ByteRequest:
    """What to open: a kind of stream with its head, with which purpose's ticket, between which descriptors.

    The descriptors belong to the session from here on.
    """

    address: AgentAddress
    kind: str
    purpose: Purpose
    head: bytes
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """Why a session is over; without a reason both ends had nothing more to say."""

    reason: str = ""
    hint: str = ""


@dataclass(slots=True)
class Traffic:
    """How many bytes went which way."""

    sent: int = 0
    received: int = 0


class ByteSession:
    """One session. `run` it in a task; cancelling that ends the session at once."""

    def __init__(
        self,
        client: GatewayClient,
        request: ByteRequest,
        *,
        on_outage: Callable[[str], None],
        on_resumed: Callable[[], None],
        on_open: Callable[[], None] = lambda: None,
        on_end: Callable[[SessionEnd], None] = lambda _: None,
        delays: RedialDelays | None = None,
    ) -> None:
        """Args: client of the gateway, open for as long as this runs; what to open; who hears of pauses and of the end.

        `on_end` is called before the local ends are closed: OpenSSH ends the program that it talks through at once.
        """
        self.traffic = Traffic()
        self.link = AgentLink(
            client,
            request.address,
            on_outage=on_outage,
            on_resumed=on_resumed,
            purpose=request.purpose,
            delays=delays,
        )
        self._request = request
        self._on_open = on_open
        self._on_end = on_end
        self._joint: _Joint | None = None
        self._end: SessionEnd | None = None

    @property
    def end(self) -> SessionEnd | None:
        """How it ended; None while it goes on, and when it was cancelled."""
        return self._end

    async def run(self) -> SessionEnd:
        """Connect, and join the ends until both are done, or there is no way between them any more."""
        attempts = 0
        try:
            while self._end is None:
                attempts += 1
                await self.link.connect()
                async with asyncio.TaskGroup() as group:
                    opening = group.create_task(self._open(), name="opening of a stream")
                    over = await self.link.keep()
                    opening.cancel()
                if self._end is None:
                    self._judge(over, is_last=attempts >= OPENING_ATTEMPTS)
            if self._joint is not None:
                await self._joint.drain(is_attached=lambda: self.link.is_attached)
        except SessionOver as error:
            self._finish(SessionEnd(error.verdict.reason, error.verdict.hint))
        finally:
            if self._end is not None:
                self._on_end(self._end)
            self._close_ends()
            await self.link.close()
        assert self._end is not None  # noqa: S101  # for the type checkers
        return self._end

    def _close_ends(self) -> None:
        if self._joint is not None:
            self._joint.close()
        else:
            os.close(self._request.input)
            os.close(self._request.output)

    async def _open(self) -> None:
        try:
            stream = await self.link.insist_on_stream(self._request.kind, self._request.head)
        except StreamRefused as refusal:
            self._finish(_explain_refusal(refusal, self._request.kind))
            return
        except LinkEnded:
            return
        self._joint = _Joint(stream, self._request, self.traffic, self._finish)
        self._on_open()
        self._joint.begin()

    def _judge(self, over: LinkEnded | Verdict | None, *, is_last: bool) -> None:
        """Decide whether another link is worth a try: only while nobody has sent anything."""
        if isinstance(over, Verdict):
            self._finish(SessionEnd(over.reason, over.hint))
        elif over is None:
            self._finish(SessionEnd())
        elif over.code == CloseCode.WORKSPACE_RESTARTED and self._joint is not None:
            self._finish(SessionEnd("The workspace's agent was restarted, and its sessions with it."))
        elif self._joint is not None or is_last or over.code == CloseCode.REVOKED:
            said = over.reason.rstrip(".") or f"its link ended with code {over.code}"
            self._finish(SessionEnd(f"The session with the agent is over: {said}."))

    def _finish(self, end: SessionEnd) -> None:
        if self._end is None:
            self._end = end
            self.link.leave()


class _Joint:
    """Joins the stream and the local descriptors: bytes and ends of both directions, with back-pressure."""

    def __init__(
        self, stream: Stream, request: ByteRequest, traffic: Traffic, on_end: Callable[[SessionEnd], None]
    ) -> None:
        self._stream = stream
        self._kind = request.kind
        self._traffic = traffic
        self._on_end = on_end
        self._is_ended_here = self._is_ended_there = False
        self._reader: LocalReader = make_reader(request.input, self._read, self._input_ended)
        self._writer: LocalWriter = make_writer(request.output, self._written, self._output_ended, self._output_broke)

    def begin(self) -> None:
        self._stream.listen(self)
        if not self._stream.is_over:
            self._reader.resume()

    async def drain(self, *, is_attached: Callable[[], bool]) -> None:
        """Wait until what was read last is on its way, where both ends came to their own."""
        if not (self._is_ended_here and self._is_ended_there):
            return
        left_s = LAST_BYTES_S
        # A stream does not tell when it has handed over its last bytes; mostly that is at the end of this turn.
        await asyncio.sleep(0)
        while not self._stream.is_over and is_attached() and left_s > 0:
            await asyncio.sleep(_LAST_BYTES_LOOK_S)
            left_s -= _LAST_BYTES_LOOK_S

    def close(self) -> None:
        self._stream.reset(ResetCode.CANCELLED, "")
        self._reader.close()
        self._writer.close()

    # What the local ends call.

    def _read(self, data: Buffer) -> None:
        self._traffic.sent += len(data)
        self._stream.write(data)
        if not self._stream.is_writable:
            self._reader.pause()

    def _input_ended(self) -> None:
        self._is_ended_here = True
        self._stream.finish()
        self._end_if_done()

    def _written(self, size: int) -> None:
        self._traffic.received += size
        self._stream.consumed(size)

    def _output_ended(self) -> None:
        self._is_ended_there = True
        self._end_if_done()

    def _output_broke(self) -> None:
        """Nobody wants what the agent says: for SSH that is the end, in an outage too."""
        self._on_end(SessionEnd())

    def _end_if_done(self) -> None:
        if self._is_ended_here and self._is_ended_there:
            self._on_end(SessionEnd())

    # What the stream calls.

    def data_received(self, data: memoryview) -> None:
        self._writer.write(data)

    def note_received(self, note: bytes) -> None:
        """Bytes have no notes."""

    def finished(self) -> None:
        self._writer.finish()

    def reset(self, code: int, reason: str) -> None:
        # What became of the link is told by whoever keeps it.
        if code != ResetCode.LINK_LOST:
            said = reason.rstrip(".") or f"code {code}"
            self._on_end(SessionEnd(f"The agent broke the session off: {said}."))

    def writable(self) -> None:
        self._reader.resume()


def _explain_refusal(refusal: StreamRefused, kind: str) -> SessionEnd:
    if refusal.code == ResetCode.NOT_SUPPORTED:
        return SessionEnd(
            f"The workspace's agent serves no {kind} sessions.",
            "It may be older than the gateway: `genba restart` of the workspace starts the gateway's own.",
        )
    return SessionEnd(f"The agent refused the session: {refusal.reason}")
