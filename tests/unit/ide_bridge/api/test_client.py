"""All nouns over one transport."""

from __future__ import annotations

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport


async def test_the_address_is_told_without_a_slash_at_its_end() -> None:
    async with open_transport("http://127.0.0.1:9/sub/", "", {}) as transport:
        client = GatewayClient(Calls(transport))
        assert client.base_url == "http://127.0.0.1:9/sub"
        assert client.calls.transport is transport
