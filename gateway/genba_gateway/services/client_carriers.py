"""Clients' carriers: each is joined to one that the agent opens for it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Final

from genba_gateway.domain.session_grants import Purpose, SessionGrant
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import AgentUnreachable
from genba_gateway.relay.ends import End, carrier_of, wait_until_left
from genba_gateway.relay.joint import JoinEnd, Joint
from genba_gateway.relay.splice import make_joint
from genba_gateway.services.agent_dials import AgentDials, Dialled
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.openings import OpeningEnded, opening
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR

CLOSE_REVOKED: Final = 4001
"""Close code of a session that may not go on; the reason says why."""

AUDITED_AS: Final = "carrier"

log = logging.getLogger(__name__)


class ClientCarriers:
    """Relays clients' carriers, and closes them when they may not go on."""

    def __init__(self, sessions: AgentSessions, dials: AgentDials) -> None:
        self._sessions = sessions
        self._dials = dials

    async def relay(self, grant: SessionGrant, purpose: Purpose, end: End, visitor: Visitor) -> None:
        """Join a client's end to the agent until either is gone or the session may not go on.

        A client whose agent can't be reached gets the close code 1011 and a reason that begins with "dial".
        """
        await self._sessions.record_opening(grant, AUDITED_AS, visitor)
        try:
            async with AsyncExitStack() as stack:
                async with opening(self._sessions, grant, lambda: wait_until_left(end)):
                    dialled = await stack.enter_async_context(self._dials.dial(grant.agent_id, purpose))
                joined = await self._join(grant, end, dialled)
            log.info(
                "carrier to agent %s ended: %s (%d bytes up, %d down)",
                grant.agent_id,
                joined.reason,
                joined.bytes_from_a,
                joined.bytes_from_b,
            )
        except OpeningEnded as ended:
            carrier_of(end).close(CLOSE_REVOKED, ended.reason)
        except AgentUnreachable as error:
            carrier_of(end).close(CLOSE_INTERNAL_ERROR, f"dial: {error.message}")

    async def _join(self, grant: SessionGrant, end: End, dialled: Dialled) -> JoinEnd:
        async with asyncio.TaskGroup() as tasks:
            joint = make_joint(end, dialled.end)
            watch = tasks.create_task(self._watch(grant, dialled.boot_id, joint), name="watch a carrier")
            try:
                return await joint.run()
            finally:
                watch.cancel()

    async def _watch(self, grant: SessionGrant, boot_id: str, joint: Joint) -> None:
        joint.close(CLOSE_REVOKED, await self._sessions.wait_for_end(grant, boot_id))
