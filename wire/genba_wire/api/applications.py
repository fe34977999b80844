"""Messages about where apps of workspaces are served (contract 3.5)."""

from __future__ import annotations

from genba_wire.api.message import Message


class AppHostResponse(Message, frozen=True):
    """The pattern of apps' host names."""

    host: str
    """`*.apps.example.com[:port]`; empty when apps have no names of their own."""
