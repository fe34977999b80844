"""All nouns over one transport."""

from __future__ import annotations

import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.errors import BridgeError
from tests.support.cli_gateway import running_cli_gateway


async def test_the_address_is_told_without_a_slash_at_its_end() -> None:
    async with open_transport("http://127.0.0.1:9/sub/", "", {}) as transport:
        client = GatewayClient(Calls(transport))
        assert client.base_url == "http://127.0.0.1:9/sub"
        assert client.calls.transport is transport


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b'{"username": "\xff"}', b'{"username": 1}'])
async def test_an_answer_that_is_not_the_apis_is_told_in_words(page: bytes) -> None:
    async with (
        running_cli_gateway(page=page) as gateway,
        open_transport(gateway.url, gateway.token, {}) as transport,
    ):
        with pytest.raises(BridgeError, match="something that is not Genba's API"):
            await GatewayClient(Calls(transport)).users.get_user()
