"""Breaking an answer off over HTTP/2, where the client may have ended it already."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamReset

from genba_gateway.relay import http_answers
from genba_gateway.relay.http_answers import break_answer


class Served:
    """A request that came over HTTP/2, between a real client's and a real server's state."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = H2Connection(H2Configuration(client_side=True))
        self.server = H2Connection(H2Configuration(client_side=False))
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.client.send_headers(
            1, [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a.test")], end_stream=True
        )
        self.deliver()
        self.scope: dict[str, Any] = {}
        protocol = SimpleNamespace(
            streams={1: SimpleNamespace(scope=self.scope)}, connection=self.server, _flush=self.flush
        )
        server = SimpleNamespace(protocol=SimpleNamespace(protocol=protocol))
        monkeypatch.setattr(http_answers, "find_server", lambda _scope: server)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

    def deliver(self) -> None:
        """What the client sent reaches the server."""
        self.server.receive_data(self.client.data_to_send())

    async def flush(self) -> None:
        """What the server sent is left for the test."""


async def test_the_stream_of_a_broken_answer_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(monkeypatch)
    await break_answer(served.scope)
    events = served.client.receive_data(served.server.data_to_send())
    assert any(isinstance(event, StreamReset) for event in events)


async def test_an_answer_whose_client_reset_it_is_broken_off_already(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(monkeypatch)
    served.client.reset_stream(1)
    served.deliver()
    await break_answer(served.scope)


async def test_an_answer_whose_client_said_goodbye_is_broken_off_already(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(monkeypatch)
    served.client.close_connection()
    served.deliver()
    await break_answer(served.scope)
