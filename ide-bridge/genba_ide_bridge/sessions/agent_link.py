"""One link to an agent, dialled again and resumed for as long as it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.api.terminals import TerminalsApi
from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict, judge_refusal
from genba_wire.api.terminals import CLIENT_CARRIER_PATH, TICKET_HEADER
from genba_wire.errors import CarrierLost, GatewayRefused, GatewayUnreachable, LinkEnded, StreamRefused
from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.mux_frames import ResetCode

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.api.terminals import Purpose
    from genba_wire.aio.carrier import DialledCarrier
    from genba_wire.aio.link_session import LinkSession
    from genba_wire.aio.stream import Stream

FIRST_PATIENCE_S: Final = 15.0
"""How long the first link is tried: an agent that just lost its gateway is back within a few seconds."""

OPENING_S: Final = 60.0
"""How long an agent may take to accept a stream, an outage of the gateway included."""

REFUSED_PATIENCE_S: Final = 5.0
"""How long an agent that refuses is asked again: one that has just begun refuses until it knows what to serve."""

FINAL_CODES: Final = frozenset({CloseCode.REVOKED, CloseCode.BAD_PROOF, CloseCode.PROTOCOL})
"""Ends of a link after which another one would end the same way."""

GOODBYE_S: Final = 2.0
"""How long the last frames may take, so that the agent learns at once that nobody is there any more."""


class SessionOver(Exception):
    """There is no way to the agent any more; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class AgentLink:
    """A link to an agent and the carriers below it.

    `connect` makes a link, `keep` resumes it whenever its carrier is lost, until the link itself is over; then
    `connect` makes another. `on_outage` hears why the way is lost, once for each reason; `on_resumed` that it is back.
    """

    def __init__(
        self,
        client: GatewayClient,
        address: AgentAddress,
        *,
        purpose: Purpose = "terminal",
        on_outage: Callable[[str], None],
        on_resumed: Callable[[], None],
        delays: RedialDelays | None = None,
    ) -> None:
        self._client = client
        self._address = address
        self._purpose: Purpose = purpose
        self._on_outage = on_outage
        self._on_resumed = on_resumed
        self._delays = delays or RedialDelays()
        self._session: LinkSession | None = None
        self._carrier: DialledCarrier | None = None
        self._changed = asyncio.Event()
        self._lost_reason = ""
        self._outage_reason: str | None = None
        self._was_connected = False
        self._is_gateway_away = False
        self._is_left = False
        self.round_trip_s = 0.0
        """How long the agent took to answer when the link was made, or resumed last."""

    @property
    def is_attached(self) -> bool:
        """Whether bytes can flow at this moment."""
        return self._session is not None and self._session.end is None and self._session.is_attached

    async def connect(self) -> None:
        """Make a new link. Only the first one gives up when the gateway or the agent can't be reached.

        Raises:
            SessionOver: there is no way, or none any more.
        """
        from genba_wire.aio.link_session import LinkSession

        while True:
            try:
                carrier = await self._dial()
                began = time.monotonic()
                self._session = await LinkSession.connect(carrier, on_lost=self._note_loss, on_closed=self._note_end)
                self.round_trip_s = time.monotonic() - began
            except (CarrierLost, GatewayRefused, GatewayUnreachable, LinkEnded) as error:
                await self._wait_out(error)
                continue
            self._was_connected = True
            self._end_outage()
            return

    async def open_stream(self, kind: str, head: bytes) -> Stream:
        """Open a stream on the link; an outage meanwhile is waited out by `keep`, which has to run beside this.

        Raises:
            StreamRefused: the agent refused.
            LinkEnded: the link is over, or the agent did not answer; make another.
        """
        session = self._connected()
        try:
            async with asyncio.timeout(OPENING_S):
                return await session.open_stream(kind, head)
        except TimeoutError as error:
            session.close()
            raise LinkEnded(CloseCode.NORMAL, "the agent does not answer") from error

    async def insist_on_stream(self, kind: str, head: bytes) -> Stream:
        """Open a stream as `open_stream` does, and ask an agent that refuses it for now again for a while.

        Raises:
            StreamRefused, LinkEnded: see `open_stream`.
        """
        delays = RedialDelays()
        while True:
            try:
                return await self.open_stream(kind, head)
            except StreamRefused as refusal:
                if refusal.code != ResetCode.REFUSED or delays.waited_s >= REFUSED_PATIENCE_S:
                    raise
            await delays.wait()

    async def keep(self) -> LinkEnded | Verdict | None:
        """Resume the link whenever its carrier is lost.

        Returns:
            How the link ended (make another), or the verdict that there is no way any more, or None after `leave`.
        """
        session = self._connected()
        try:
            while not self._is_left:
                if session.end is not None:
                    return session.end
                if session.is_attached:
                    await self._changed.wait()
                    self._changed.clear()
                else:
                    await self._resume(session)
        except SessionOver as over:
            return over.verdict
        return None

    def leave(self) -> None:
        """Make `keep` return."""
        self._is_left = True
        self._changed.set()

    async def close(self) -> None:
        """Tell the agent that the link is over, and close its carrier."""
        if self._session is not None:
            self._session.close()
        if self._carrier is not None:
            self._carrier.close()
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._carrier.wait_closed()
            except TimeoutError:
                self._carrier.abort()

    def _connected(self) -> LinkSession:
        if self._session is None:
            raise RuntimeError("the link was not connected")
        return self._session

    async def _resume(self, session: LinkSession) -> None:
        if self._outage_reason is None:
            self._tell_outage(self._lost_reason)
        try:
            carrier = await self._dial()
            began = time.monotonic()
            await session.attach(carrier)
            self.round_trip_s = time.monotonic() - began
        except LinkEnded:
            return
        except (CarrierLost, GatewayRefused, GatewayUnreachable) as error:
            await self._wait_out(error)
            return
        self._end_outage()
        self._on_resumed()

    async def _dial(self) -> DialledCarrier:
        agent_id = self._address.agent_id
        ticket = (await TerminalsApi(self._client.calls).create_ticket(agent_id, self._purpose)).ticket
        path = CLIENT_CARRIER_PATH.format(agent_id=agent_id)
        self._carrier = await self._client.calls.transport.carrier(path, headers={TICKET_HEADER: ticket})
        return self._carrier

    async def _wait_out(self, error: CarrierLost | GatewayRefused | GatewayUnreachable | LinkEnded) -> None:
        """Wait before another attempt.

        Raises:
            SessionOver: another attempt would not help.
        """
        if isinstance(error, GatewayRefused):
            verdict = await judge_refusal(self._client, self._address, error)
            if verdict is not None:
                raise SessionOver(verdict) from error
        gives_up = isinstance(error, GatewayUnreachable) or self._delays.waited_s >= FIRST_PATIENCE_S
        if not self._was_connected and gives_up:
            raise SessionOver(Verdict(str(error))) from error
        is_away = isinstance(error, GatewayUnreachable)
        if self._is_gateway_away and not is_away:
            # It is back; its agents follow within a moment.
            self._delays.hurry()
        self._is_gateway_away = is_away
        if self._was_connected:
            # Its own words ask to check the address, which fits no outage.
            self._tell_outage(f"The gateway at {self._client.base_url} can't be reached." if is_away else str(error))
        await self._delays.wait()

    def _end_outage(self) -> None:
        self._delays.reset()
        self._is_gateway_away = False
        self._lost_reason = ""
        self._outage_reason = None

    def _tell_outage(self, reason: str) -> None:
        if reason != self._outage_reason:
            self._outage_reason = reason
            self._on_outage(reason)

    def _note_loss(self, reason: str) -> None:
        self._lost_reason = reason
        self._changed.set()

    def _note_end(self, _end: LinkEnded) -> None:
        self._changed.set()
