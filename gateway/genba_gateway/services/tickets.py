"""Tickets: short-lived signed papers that open carriers (docs/protocol.md, "Tickets").

A client's is bound to user, API key, workspace, agent, build and purpose; an agent's to itself, its build and the
nonce of one dial. Both are JWTs (HS256) whose header names the key. They travel in a header, never in a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.session_grants import Purpose, SessionGrant
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.visibility import Clock

CLIENT_TICKET_LIFE: Final = timedelta(minutes=5)
AGENT_TICKET_LIFE: Final = timedelta(minutes=1)

MAX_TICKET_CHARS: Final = 4096
"""Ours have some 500; nothing longer is looked at."""

_ALGORITHM: Final = "HS256"
_FOR_CLIENTS: Final = "genba/client-carrier"
_FOR_AGENTS: Final = "genba/agent-carrier"


class Tickets:
    """Issues and reads tickets. What a client's ticket says must still be asked of the database."""

    def __init__(self, keys: TicketKeys, now: Clock) -> None:
        self._keys = keys
        self._now = now

    async def issue_client_ticket(self, grant: SessionGrant, purpose: Purpose) -> tuple[str, datetime]:
        """A ticket for a client's carrier, and when it expires."""
        claims = {
            "sub": grant.user_id,
            "key": grant.key_id,
            "workspace": grant.workspace_id,
            "agent": grant.agent_id,
            "build": grant.build_id,
            "purpose": purpose.value,
        }
        return await self._sign(_FOR_CLIENTS, claims, CLIENT_TICKET_LIFE)

    async def issue_agent_ticket(self, agent_id: str, build_id: str, nonce: str) -> str:
        """A ticket for the one carrier that an agent opens for a dial."""
        claims = {"sub": agent_id, "build": build_id, "nonce": nonce}
        return (await self._sign(_FOR_AGENTS, claims, AGENT_TICKET_LIFE))[0]

    async def read_client_ticket(self, ticket: str, agent_id: str) -> tuple[SessionGrant, Purpose]:
        """What a client's ticket grants with this agent.

        Raises:
            Unauthenticated: not such a ticket, expired, for another agent, or not signed by us.
        """
        claims = await self._verify(_FOR_CLIENTS, ticket)
        grant = SessionGrant(
            user_id=_text(claims, "sub"),
            key_id=_text(claims, "key"),
            workspace_id=_text(claims, "workspace"),
            agent_id=_text(claims, "agent"),
            build_id=_text(claims, "build"),
        )
        if grant.agent_id != agent_id:
            raise _refused("it is for another agent")
        try:
            purpose = Purpose(_text(claims, "purpose"))
        except ValueError:
            raise _refused("its purpose is unknown") from None
        return grant, purpose

    async def read_agent_ticket(self, ticket: str, actor: AgentActor) -> str:
        """The nonce of the dial that the agent answers.

        Raises:
            Unauthenticated: not such a ticket, expired, another agent's or build's, or not signed by us.
        """
        claims = await self._verify(_FOR_AGENTS, ticket)
        if _text(claims, "sub") != actor.agent_id:
            raise _refused("it is another agent's")
        if _text(claims, "build") != actor.build_id:
            raise _refused("it is of another build")
        return _text(claims, "nonce")

    async def _sign(self, audience: str, claims: Mapping[str, str], life: timedelta) -> tuple[str, datetime]:
        key = await self._keys.get_signing_key()
        expires_at = (self._now() + life).replace(microsecond=0)
        payload = {**claims, "aud": audience, "exp": int(expires_at.timestamp())}
        return jwt.encode(payload, key.secret, algorithm=_ALGORITHM, headers={"kid": key.id}), expires_at

    async def _verify(self, audience: str, ticket: str) -> Mapping[str, Any]:
        if not ticket or len(ticket) > MAX_TICKET_CHARS:
            raise _refused("there is none" if not ticket else "it is too long")
        try:
            key_id = jwt.get_unverified_header(ticket).get("kid")
            key = await self._keys.find_verifying_key(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise _refused("its key is unknown")
            claims: Mapping[str, Any] = jwt.decode(
                ticket,
                key.secret,
                algorithms=[_ALGORITHM],
                audience=audience,
                # The time is asked of our clock, below.
                options={"require": ["exp", "aud", "sub"], "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise _refused("it was not issued by this gateway for this use") from error
        expires_at = claims["exp"]
        if not isinstance(expires_at, int) or self._now() >= datetime.fromtimestamp(expires_at, UTC):
            raise _refused("it has expired")
        return claims


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _refused("it lacks a claim")
    return value


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"The ticket can't be used: {why}.", detail="Ask for another one.")
