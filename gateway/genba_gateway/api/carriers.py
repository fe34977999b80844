"""Carriers: clients' and agents' data carriers, which the relay joins, and the tickets that open clients' ones."""

from __future__ import annotations

from quart import Blueprint, Response, websocket

from genba_gateway.api.answers import answer, read_body
from genba_gateway.api.gate import client_address, current_agent, current_user, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.domain.session_grants import USE_AGENT, Purpose
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import GenbaError
from genba_gateway.relay.ends import carrier_of
from genba_gateway.relay.quart_end import accepted_end
from genba_gateway.services.agent_dials import AgentDials
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.client_carriers import ClientCarriers
from genba_gateway.services.visibility import parse_id
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR
from genba_wire.api.terminals import (
    AGENT_CARRIER_PATH,
    CLIENT_CARRIER_PATH,
    TICKET_HEADER,
    TICKET_PATH,
    TicketRequest,
    TicketResponse,
)


def make_blueprint(sessions: AgentSessions, carriers: ClientCarriers, dials: AgentDials) -> Blueprint:
    """Routes of tickets and data carriers."""
    blueprint = Blueprint("carriers", __name__)

    @blueprint.post(TICKET_PATH.format(agent_id="<agent_id>"))
    @needs(USE_AGENT)
    async def issue_ticket(agent_id: str) -> Response:
        body = await read_body(TicketRequest)
        ticket, expires_at = await sessions.issue_ticket(current_user(), agent_id, Purpose(body.purpose))
        response = answer(TicketResponse(ticket=ticket, expires_at=expires_at), 201)
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.websocket(CLIENT_CARRIER_PATH.format(agent_id="<agent_id>"))
    @needs(RouteAccess.TICKET)
    async def open_client_carrier(agent_id: str) -> None:
        ticket = websocket.headers.get(TICKET_HEADER, "")
        grant, purpose = await sessions.redeem_ticket(ticket, parse_id(agent_id, "workspaceagent"))
        async with accepted_end(websocket) as end:
            await carriers.relay(grant, purpose, end, visitor_of_websocket())

    @blueprint.websocket(AGENT_CARRIER_PATH)
    @needs(RouteAccess.AGENT)
    async def open_agent_carrier() -> None:
        actor = current_agent()
        nonce = await dials.redeem_ticket(websocket.headers.get(TICKET_HEADER, ""), actor)
        async with accepted_end(websocket) as end:
            try:
                await dials.deliver(actor, nonce, end)
            except GenbaError as error:  # whoever waited has left since the ticket was read
                carrier_of(end).close(CLOSE_INTERNAL_ERROR, error.message)

    return blueprint


def visitor_of_websocket() -> Visitor:
    """Who opened the request's websocket, for the audit log."""
    return Visitor(client_address(), websocket.headers.get("User-Agent", "")[:256])
