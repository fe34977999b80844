"""Messages of terminals."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from genba_wire.api.message import decode_message, encode_message
from genba_wire.api.terminals import CLIENT_CARRIER_PATH, PtyMessage, TicketRequest, TicketResponse


def test_ticket_is_asked_for_by_purpose() -> None:
    assert decode_message(b'{"purpose":"terminal"}', TicketRequest) == TicketRequest(purpose="terminal")
    with pytest.raises(msgspec.ValidationError):
        decode_message(b'{"purpose":"mining"}', TicketRequest)


def test_ticket_tells_when_it_expires() -> None:
    response = TicketResponse(ticket="t", expires_at=datetime(2026, 11, 24, 12, 5, tzinfo=UTC))
    assert encode_message(response) == b'{"ticket":"t","expires_at":"2026-11-24T12:05:00Z"}'


def test_viewer_sends_keystrokes_or_a_size() -> None:
    assert decode_message('{"data":"ls\\r"}', PtyMessage) == PtyMessage(data="ls\r")
    assert decode_message(b'{"height":24,"width":80}', PtyMessage) == PtyMessage(height=24, width=80)
    assert decode_message(b"{}", PtyMessage) == PtyMessage()


def test_path_has_a_place_for_the_agent() -> None:
    assert CLIENT_CARRIER_PATH.format(agent_id="a") == "/api/v2/workspaceagents/a/carrier"
