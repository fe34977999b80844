"""Dialling agents: over its control carrier an agent is asked to open a data carrier, which is then handed over."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.session_grants import Purpose
from genba_gateway.errors import AgentUnreachable
from genba_gateway.relay.ends import End
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.services.tickets import Tickets
from genba_wire.tunnel.control import Dial

DIAL_LIMIT_S: Final = 10.0
"""How long an agent may take to open a carrier."""

_NO_CONTROL: Final = (
    "The agent has no control connection to this gateway at the moment. It connects again by itself; try again."
)


@dataclass(frozen=True, slots=True)
class Control:
    """An agent's control carrier, as far as dialling needs it."""

    agent_id: str
    build_id: str
    boot_id: str
    send: Callable[[Dial], None]


@dataclass(frozen=True, slots=True)
class Dialled:
    """A carrier that an agent opened, and the process of it that did."""

    end: End
    boot_id: str


@dataclass(slots=True)
class _Pending:
    """A dial that waits for its carrier; what the agent says instead cuts the waiting short."""

    agent_id: str
    patience: asyncio.Timeout
    refusal: str = ""


class AgentDials:
    """The agents whose control carriers are in this process, and the dials that they have yet to answer.

    Args:
        limit_s: how long an agent may take.
    """

    def __init__(self, tickets: Tickets, rendezvous: Rendezvous, *, limit_s: float = DIAL_LIMIT_S) -> None:
        self._tickets = tickets
        self._rendezvous = rendezvous
        self._limit_s = limit_s
        self._controls: dict[str, Control] = {}
        self._pending: dict[str, _Pending] = {}

    @contextmanager
    def serve(self, control: Control) -> Generator[None]:
        """Dial the agent through this carrier for the length of the block; a later one takes its place."""
        self._controls[control.agent_id] = control
        try:
            yield
        finally:
            if self._controls.get(control.agent_id) is control:
                del self._controls[control.agent_id]

    def get_boot_id(self, agent_id: str) -> str:
        """The process of the agent that a dial would reach.

        Raises:
            AgentUnreachable: the agent has no control carrier here.
        """
        return self._get_control(agent_id).boot_id

    @asynccontextmanager
    async def dial(self, agent_id: str, purpose: Purpose) -> AsyncGenerator[Dialled]:
        """Let the agent open a carrier, which is the caller's for the length of the block.

        Args:
            purpose: what it is for; the agent allows no other streams on it.

        Raises:
            AgentUnreachable: it has no control carrier here, could not open one, or took too long.
        """
        control = self._get_control(agent_id)
        nonce = str(uuid.uuid4())
        ticket = await self._tickets.issue_agent_ticket(agent_id, control.build_id, nonce)
        async with self._rendezvous.expect(nonce, agent_id) as waiting:
            patience = asyncio.timeout(None)
            pending = self._pending[nonce] = _Pending(agent_id, patience)
            try:
                async with patience:
                    control.send(Dial(nonce=nonce, build_id=control.build_id, ticket=ticket, purpose=purpose.value))
                    end = await waiting.arrive(self._limit_s)
            except TimeoutError as error:
                raise AgentUnreachable(f"The agent could not open a carrier: {pending.refusal}") from error
            finally:
                self._pending.pop(nonce, None)
            yield Dialled(end, control.boot_id)

    def note_refusal(self, agent_id: str, nonce: str, reason: str) -> None:
        """Note that the agent could not open the carrier of a dial."""
        pending = self._pending.get(nonce)
        if pending is not None and pending.agent_id == agent_id:
            pending.refusal = reason
            pending.patience.reschedule(asyncio.get_running_loop().time())

    async def redeem_ticket(self, ticket: str, actor: AgentActor) -> str:
        """The nonce of the dial that an agent answers, before its websocket is accepted.

        Raises:
            Unauthenticated: the ticket can't be used.
            NotFound: nobody waits for this carrier (any more).
            Conflict: it has come already.
        """
        nonce = await self._tickets.read_agent_ticket(ticket, actor)
        self._rendezvous.check(nonce, actor.agent_id)
        return nonce

    async def deliver(self, actor: AgentActor, nonce: str, end: End) -> None:
        """Hand over the carrier that an agent opened; return when it is needed no longer.

        Raises:
            NotFound, Conflict: as `redeem_ticket` does.
        """
        await self._rendezvous.deliver(nonce, actor.agent_id, end)

    def _get_control(self, agent_id: str) -> Control:
        control = self._controls.get(agent_id)
        if control is None:
            raise AgentUnreachable(_NO_CONTROL)
        return control
