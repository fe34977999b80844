"""Serving agents' control carriers: their life is the agents' connection status, and dials go down them."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.control_carriers import MAX_WAITING_BYTES, AgentGreeted, ControlCarrier, DialRefused
from genba_gateway.services.agent_connections import AgentConnections
from genba_gateway.services.agent_dials import AgentDials, Control
from genba_wire.aio.carrier import CLOSE_NORMAL, CLOSE_PROTOCOL_ERROR, Carrier
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.control import Dial

CLOSE_SILENT: Final = 4000
"""Close code of a control carrier on which nothing was heard; the reason says for how long."""


CLOSE_STUCK: Final = 4002
"""Close code of a control carrier whose agent does not read."""


class ControlSocket(Protocol):
    """The accepted websocket under a control carrier."""

    async def receive(self) -> bytes:
        """Wait for a message; cancelled when the agent is gone."""
        ...

    async def send(self, message: bytes) -> None:
        """Send a message."""
        ...


class CarrierSocket:
    """A `ControlSocket` over any carrier; whoever serves it is cancelled when the carrier is lost."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._received: asyncio.Queue[bytes] = asyncio.Queue()
        self._received_bytes = 0
        self._may_send = asyncio.Event()
        self._may_send.set()
        carrier.start(self)

    async def receive(self) -> bytes:
        """Wait for a message."""
        message = await self._received.get()
        self._received_bytes -= len(message)
        if self._received.empty():
            self._carrier.resume_reading()
        return message

    async def send(self, message: bytes) -> None:
        """Send a message when there is room for it."""
        await self._may_send.wait()
        self._carrier.send(message)

    def message_received(self, message: memoryview | bytes) -> None:
        """Keep it for `receive`."""
        self._received.put_nowait(bytes(message))
        self._received_bytes += len(message)
        if self._received_bytes > MAX_WAITING_BYTES:
            self._carrier.pause_reading()

    def carrier_lost(self, reason: str) -> None:
        """Nothing more comes."""

    def sending_paused(self) -> None:
        """The agent does not keep up."""
        self._may_send.clear()

    def sending_resumed(self) -> None:
        """It has caught up."""
        self._may_send.set()


class WaitingClock(Protocol):
    """Time for rules about silence."""

    def monotonic(self) -> float:
        """Tell seconds that never go backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Tell seconds that never go backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class AgentControls:
    """Serves control carriers."""

    def __init__(self, connections: AgentConnections, dials: AgentDials, clock: WaitingClock | None = None) -> None:
        self._connections = connections
        self._dials = dials
        self._clock = clock or SystemClock()

    async def serve(self, actor: AgentActor, socket: ControlSocket) -> tuple[int, str]:
        """Keep the carrier until it has to be closed; cancelled, the agent has left.

        Returns:
            The close code and the reason.
        """
        service = _Service(actor, socket, self._connections, self._dials, self._clock)
        endings: list[_Over] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(service.receive(), name="control carrier: receive")
                tasks.create_task(service.send(), name="control carrier: send")
                tasks.create_task(service.watch_silence(), name="control carrier: silence")
                tasks.create_task(service.watch_backlog(), name="control carrier: backlog")
                tasks.create_task(service.keep_lease(), name="control carrier: lease")
        except* _Over as over:
            endings += [error for error in over.exceptions if isinstance(error, _Over)]
        return endings[0].code, endings[0].reason


class _Over(Exception):  # an end, not an error
    """Ends all tasks of a control carrier."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Service:
    """One control carrier while it is served."""

    def __init__(
        self,
        actor: AgentActor,
        socket: ControlSocket,
        connections: AgentConnections,
        dials: AgentDials,
        clock: WaitingClock,
    ) -> None:
        self._actor = actor
        self._socket = socket
        self._connections = connections
        self._dials = dials
        self._clock = clock
        self._carrier = ControlCarrier(clock.monotonic())
        self._greeting: asyncio.Future[AgentGreeted] = asyncio.get_running_loop().create_future()
        self._has_work = asyncio.Event()
        self._is_stuck = asyncio.Event()
        self._end = ""

    async def receive(self) -> None:
        """Take what the agent says."""
        while True:
            message = await self._socket.receive()
            try:
                events = self._carrier.receive_message(message, self._clock.monotonic())
            except RemoteProtocolError as error:
                raise self._over(CLOSE_PROTOCOL_ERROR, f"the agent broke the protocol: {error}") from error
            self._note_work()
            for event in events:
                match event:
                    case AgentGreeted():
                        self._greeting.set_result(event)
                    case DialRefused(nonce, reason):
                        self._dials.note_refusal(self._actor.agent_id, nonce, reason)

    async def send(self) -> None:
        """Send what is to be sent."""
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            for message in self._carrier.messages_to_send():
                await self._socket.send(message)

    async def watch_silence(self) -> None:
        """Ping a quiet agent, and give up a silent one."""
        while True:
            await self._clock.sleep(max(0.0, self._carrier.next_timer() - self._clock.monotonic()))
            silent = self._carrier.handle_timer(self._clock.monotonic())
            if silent is not None:
                raise self._over(CLOSE_SILENT, silent.reason)
            self._note_work()

    async def watch_backlog(self) -> None:
        """Give up an agent that does not read what it is sent."""
        await self._is_stuck.wait()
        raise self._over(CLOSE_STUCK, f"the agent left more than {MAX_WAITING_BYTES} bytes unread")

    async def keep_lease(self) -> None:
        """Be the agent's connection, from its hello on."""
        greeting = await self._greeting
        control = Control(self._actor.agent_id, self._actor.build_id, greeting.boot_id, self._dial)
        with self._dials.serve(control):  # before anybody reads that the agent is connected
            async with self._connections.lease(self._actor, greeting.boot_id, greeting.protocol) as lease:
                try:
                    raise self._over(CLOSE_NORMAL, await lease.wait_for_loss())
                except asyncio.CancelledError:
                    if self._end:
                        lease.reason = f"Its connection was closed: {self._end}."
                    raise

    def _dial(self, dial: Dial) -> None:
        self._carrier.send_dial(dial, self._clock.monotonic())
        self._note_work()

    def _note_work(self) -> None:
        self._has_work.set()
        if self._carrier.is_stuck:
            self._is_stuck.set()

    def _over(self, code: int, reason: str) -> _Over:
        self._end = self._end or reason
        return _Over(code, reason)
