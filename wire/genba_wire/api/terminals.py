"""Messages and paths of terminals: tickets, carriers, and the web terminal of contract 3.1."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from genba_wire.api.message import Message

TICKET_HEADER: Final = "Genba-Ticket"
"""Carries the ticket in the request that opens a carrier; a header, since URLs end up in logs."""

CLIENT_CARRIER_PATH: Final = "/api/v2/workspaceagents/{agent_id}/carrier"
"""A client's websocket to an agent. The ticket is the only credential."""

AGENT_CARRIER_PATH: Final = "/api/v2/workspaceagents/me/carrier"
"""The websocket that an agent opens when it is told to dial: the agent's token and the ticket of the dial."""

TICKET_PATH: Final = "/api/v2/workspaceagents/{agent_id}/tickets"
"""POST: a ticket for one purpose, for whoever may use the workspace."""


class TicketRequest(Message, frozen=True, kw_only=True):
    """POST /workspaceagents/{id}/tickets."""

    purpose: Literal["terminal", "tunnel", "files", "ssh"]
    """What its carriers may be used for: streams of the kind "pty", those to ports and sockets, "files", or "ssh"."""


class TicketResponse(Message, frozen=True, kw_only=True):
    """A signed ticket. It opens carriers until it expires; an open carrier outlives it."""

    ticket: str
    expires_at: datetime


class PtyMessage(Message, frozen=True, kw_only=True):
    """What a viewer of the web terminal sends: keystrokes, a new size, or both (contract 3.1)."""

    data: str | None = None
    height: int | None = None
    width: int | None = None
