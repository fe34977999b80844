from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.session_grants import Purpose, SessionGrant
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.ticket_keys import REPLACE_AFTER, TicketKeys
from genba_gateway.services.tickets import AGENT_TICKET_LIFE, CLIENT_TICKET_LIFE, MAX_TICKET_CHARS, Tickets
from tests.support.agent_rows import AgentRows, open_agent_rows

GRANT = SessionGrant("user", "key", "workspace", "agent", "build")
ACTOR = AgentActor("agent", "main", "workspace", "dev", "user", "ana", "build")


@dataclass(frozen=True, slots=True)
class Office:
    """Where tickets are issued, with its clock and its keys."""

    tickets: Tickets
    keys: TicketKeys
    rows: AgentRows


@pytest.fixture
async def office(tmp_path: Path) -> AsyncGenerator[Office]:
    async with open_agent_rows(tmp_path) as rows:
        keys = TicketKeys(rows.database, rows.sealer, rows.clock)
        yield Office(Tickets(keys, rows.clock), keys, rows)


@pytest.mark.parametrize("purpose", Purpose)
async def test_a_clients_ticket_says_all_that_it_is_bound_to(office: Office, purpose: Purpose) -> None:
    ticket, expires_at = await office.tickets.issue_client_ticket(GRANT, purpose)

    assert await office.tickets.read_client_ticket(ticket, "agent") == (GRANT, purpose)
    assert expires_at == (office.rows.clock() + CLIENT_TICKET_LIFE).replace(microsecond=0)


async def test_an_agents_ticket_says_the_nonce_of_its_dial(office: Office) -> None:
    nonce = str(uuid.uuid4())
    ticket = await office.tickets.issue_agent_ticket("agent", "build", nonce)

    assert await office.tickets.read_agent_ticket(ticket, ACTOR) == nonce


async def refuse_client(office: Office, ticket: str, agent_id: str = "agent") -> str:
    with pytest.raises(Unauthenticated) as refused:
        await office.tickets.read_client_ticket(ticket, agent_id)
    assert ticket not in refused.value.message + refused.value.detail or not ticket
    return refused.value.message


async def test_a_clients_ticket_opens_one_agent_only(office: Office) -> None:
    ticket, _ = await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)

    assert "another agent" in await refuse_client(office, ticket, "other")


async def test_a_clients_ticket_expires(office: Office) -> None:
    ticket, expires_at = await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)
    office.rows.clock.time = expires_at - timedelta(microseconds=1)
    await office.tickets.read_client_ticket(ticket, "agent")
    office.rows.clock.time = expires_at

    assert "expired" in await refuse_client(office, ticket)


async def test_an_agents_ticket_expires(office: Office) -> None:
    ticket = await office.tickets.issue_agent_ticket("agent", "build", "nonce")
    office.rows.clock.move(AGENT_TICKET_LIFE.total_seconds())

    with pytest.raises(Unauthenticated, match="expired"):
        await office.tickets.read_agent_ticket(ticket, ACTOR)


@pytest.mark.parametrize(
    ("actor", "why"),
    [(replace(ACTOR, agent_id="other"), "another agent's"), (replace(ACTOR, build_id="other"), "another build")],
)
async def test_an_agents_ticket_is_of_no_use_to_others(office: Office, actor: AgentActor, why: str) -> None:
    ticket = await office.tickets.issue_agent_ticket("agent", "build", "nonce")

    with pytest.raises(Unauthenticated, match=why):
        await office.tickets.read_agent_ticket(ticket, actor)


async def test_tickets_of_agents_and_clients_can_t_be_exchanged(office: Office) -> None:
    of_agent = await office.tickets.issue_agent_ticket("agent", "build", "nonce")
    of_client, _ = await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)

    await refuse_client(office, of_agent)
    with pytest.raises(Unauthenticated):
        await office.tickets.read_agent_ticket(of_client, ACTOR)


async def forge(office: Office, **changes: Any) -> str:
    """A ticket like ours but for what is changed; `key`, `kid` and `algorithm` say how it is signed."""
    key = await office.keys.get_signing_key()
    secret, kid, algorithm = changes.pop("key", key.secret), changes.pop("kid", key.id), changes.pop("alg", "HS256")
    good, _ = await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)
    claims = jwt.decode(good, options={"verify_signature": False}) | changes
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, secret, algorithm=algorithm, headers={"kid": kid} if kid else None)


async def test_a_forged_ticket_is_read_when_nothing_is_wrong_with_it(office: Office) -> None:
    await office.tickets.read_client_ticket(await forge(office), "agent")


@pytest.mark.parametrize(
    "changes",
    [
        {"key": b"another key of thirty-two bytes!"},
        {"kid": "cafecafe"},
        {"kid": None},
        {"kid": "../../etc/passwd"},
        {"key": None, "alg": "none"},
        {"alg": "HS512"},
        {"purpose": "everything"},
        {"purpose": None},
        {"purpose": 1},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1},
        {"aud": None},
        {"aud": "genba/agent-carrier"},
        {"sub": None},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # forged with keys of other lengths
async def test_a_ticket_with_something_wrong_is_refused(office: Office, changes: dict[str, Any]) -> None:
    await refuse_client(office, await forge(office, **changes))


@pytest.mark.parametrize(
    "ticket", ["", "x", "a.b.c", "…", "." * 2, "e30.e30.", "a" * (MAX_TICKET_CHARS + 1)], ids=lambda text: text[:5]
)
async def test_what_is_no_ticket_is_refused(office: Office, ticket: str) -> None:
    await refuse_client(office, ticket)


async def test_a_ticket_lives_on_when_its_key_is_replaced(office: Office) -> None:
    await office.keys.get_signing_key()
    office.rows.clock.move(REPLACE_AFTER.total_seconds() - 1)
    ticket, _ = await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)
    office.rows.clock.move(60)
    await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)

    assert (await office.tickets.read_client_ticket(ticket, "agent"))[0] == GRANT


async def test_no_ticket_is_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ticket, _ = await office.tickets.issue_client_ticket(GRANT, Purpose.TERMINAL)
    await office.tickets.read_client_ticket(ticket, "agent")
    await refuse_client(office, ticket, "other")
    await refuse_client(office, ticket + "x")

    assert ticket not in caplog.text
