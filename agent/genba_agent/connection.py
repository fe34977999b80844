"""The control carrier: its life is the agent's connection status, and on it the gateway asks for data carriers.

docs/protocol.md, "Control carriers".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from genba_agent.api import AgentApi
from genba_agent.backoff import Backoff
from genba_agent.clock import Clock, wait_for_first
from genba_wire.errors import RemoteProtocolError, TransportError
from genba_wire.tunnel import control
from genba_wire.tunnel.control import Dial, DialFailed
from genba_wire.tunnel.frames import (
    DEAD_AFTER_S,
    GREETING_S,
    MAJOR,
    Answer,
    Command,
    Frame,
    Hello,
    Ping,
    Pong,
    encode,
    parse,
)
from genba_wire.tunnel.liveness import Liveness

if TYPE_CHECKING:
    from genba_wire.aio.carrier import DialledCarrier

logger = logging.getLogger(__name__)

STABLE_AFTER_S: Final = 5.0
"""A connection that lived so long ends the outage before it; shorter ones don't, or a gateway that accepts and drops
would be dialled in a tight loop."""

GOODBYE_S: Final = 1.5
"""How long the carrier's end may take; it drops the connection by itself after a second."""

DialHandler = Callable[[Dial, Callable[[DialFailed], None]], None]
"""Opens a data carrier in the background, and says so when it can't: `Dialler.handle`."""


class ControlCarrier:
    """The agent's end of one control carrier; a `CarrierReceiver`.

    Both ends say hello first. From then on either pings after a quiet time, and gives up a carrier on which it heard
    nothing for `DEAD_AFTER_S`: a connection whose other end vanished says nothing by itself.
    """

    def __init__(self, carrier: DialledCarrier, boot_id: bytes, clock: Clock, dial: DialHandler) -> None:
        self.greeted = asyncio.Event()
        self.ended = asyncio.Event()
        self.end_reason = ""
        self._carrier = carrier
        self._clock = clock
        self._dial = dial
        self._opened_at = clock.monotonic()
        self._liveness = Liveness(self._opened_at)
        carrier.start(self)
        self._send(Hello(boot_id))

    async def watch(self) -> None:
        """Keep the carrier alive; returns when it is over."""
        while not self.ended.is_set():
            now = self._clock.monotonic()
            due = self._next_timer()
            if now >= due:
                self._handle_timer(now)
                continue
            # The greeting changes what is due; what is heard only makes it later.
            events = [self.ended] if self.greeted.is_set() else [self.ended, self.greeted]
            await wait_for_first(events, self._clock, due - now)

    # CarrierReceiver

    def message_received(self, message: memoryview | bytes) -> None:
        self._liveness.heard(self._clock.monotonic())
        try:
            self._handle_frame(parse(message))
        except RemoteProtocolError as error:
            self._end(f"the gateway broke the protocol: {error}")

    def carrier_lost(self, reason: str) -> None:
        self._end(reason)

    def sending_paused(self) -> None:
        """What is sent here is small and rare."""

    def sending_resumed(self) -> None:
        """Nothing waited."""

    def _handle_frame(self, frame: Frame | None) -> None:
        match frame:
            case Hello() if not self.greeted.is_set():
                if frame.major != MAJOR:
                    raise RemoteProtocolError(f"it speaks version {frame.major}, this agent {MAJOR}")
                self.greeted.set()
            case _ if not self.greeted.is_set():
                raise RemoteProtocolError("a carrier begins with a hello")
            case Ping(token):
                self._send(Pong(token))
            case Command(json):
                command = control.parse_command(json)
                if command is not None:
                    self._dial(command, self._refuse_dial)
            case None | Pong():
                pass
            case _:
                raise RemoteProtocolError(f"a {type(frame).__name__} frame does not belong on a control carrier")

    def _refuse_dial(self, failure: DialFailed) -> None:
        self._send(Answer(control.encode(failure)))

    def _next_timer(self) -> float:
        if not self.greeted.is_set():
            return self._opened_at + GREETING_S
        return min(self._liveness.dead_at, self._liveness.ping_at)

    def _handle_timer(self, now: float) -> None:
        if not self.greeted.is_set():
            self._end(f"the gateway said no hello within {GREETING_S:.0f} s")
        elif now >= self._liveness.dead_at:
            self._end(f"nothing heard for {DEAD_AFTER_S:.0f} s")
            # Nobody would hear a goodbye, and waiting for its end would hold up the next connection.
            self._carrier.abort()
        else:
            self._carrier.send(encode(Ping(self._liveness.next_token(now))))

    def _send(self, frame: Frame) -> None:
        self._liveness.said(self._clock.monotonic())
        self._carrier.send(encode(frame))

    def _end(self, reason: str) -> None:
        if not self.ended.is_set():
            self.end_reason = reason
            self.ended.set()


class ControlConnection:
    """Keeps one control carrier open."""

    def __init__(
        self,
        api: AgentApi,
        clock: Clock,
        *,
        boot_id: bytes,
        on_connected: Callable[[], None],
        dial: DialHandler,
        backoff: Backoff | None = None,
    ) -> None:
        """Make it; `run` connects.

        Args:
            boot_id: 16 bytes that name this process.
            on_connected: called after each greeting.
            dial: carries out the gateway's commands to dial.
        """
        self._api = api
        self._clock = clock
        self._boot_id = boot_id
        self._on_connected = on_connected
        self._dial = dial
        self._backoff = backoff or Backoff(clock.monotonic)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        while True:
            await self.step()
            await self._clock.sleep(self._backoff.next_wait_s())

    async def step(self) -> None:
        """Connect once and stay until the carrier ends."""
        try:
            carrier = await self._api.open_control()
        except TransportError as error:
            level = logging.DEBUG if self._backoff.outage_s > 0 else logging.WARNING
            logger.log(level, "Control connection: %s", error)
            return
        try:
            await self._use(ControlCarrier(carrier, self._boot_id, self._clock, self._dial))
        finally:
            carrier.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await carrier.wait_closed()

    async def _use(self, control_carrier: ControlCarrier) -> None:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(control_carrier.watch(), name="control carrier")
            await wait_for_first([control_carrier.greeted, control_carrier.ended], self._clock)
            if not control_carrier.greeted.is_set():
                await watching
                logger.warning("Control connection: %s.", control_carrier.end_reason)
                return
            logger.info("Connected to the gateway.")
            connected_at = self._clock.monotonic()
            self._on_connected()
            await watching
        logger.info("The control connection ended: %s", control_carrier.end_reason)
        if self._clock.monotonic() - connected_at >= STABLE_AFTER_S:
            self._backoff.reset()
