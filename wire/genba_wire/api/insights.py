"""Messages about how much is used (contract, appendix B)."""

from __future__ import annotations

from genba_wire.api.message import Message


class DAUEntry(Message, frozen=True, kw_only=True):
    """How many people were there on one day, `2026-01-31`."""

    date: str
    amount: int


class DAUsResponse(Message, frozen=True, kw_only=True):
    """GET /insights/daus, GET /templates/{template}/daus: each day once, the earliest first."""

    entries: list[DAUEntry]
    tz_hour_offset: int
