"""Routes of users, organizations and keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_wire.api.users import CreateTokenRequest
from genba_wire.errors import GatewayRefused
from tests.support.cli_gateway import FRESH_KEY, TOKEN, CliGateway, running_cli_gateway


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[CliGateway, GatewayClient]]:
    async with running_cli_gateway() as gateway, open_transport(gateway.url, TOKEN, {}) as transport:
        yield gateway, GatewayClient(Calls(transport))


async def test_whether_there_is_a_first_user_is_asked_without_an_error() -> None:
    async with connected() as (gateway, client):
        assert await client.users.has_first_user()
        gateway.user = None
        assert not await client.users.has_first_user()
        gateway.refuse_next = [(503, "Not now.")]
        with pytest.raises(GatewayRefused, match="Not now"):
            await client.users.has_first_user()


async def test_a_token_is_found_by_name_or_is_none() -> None:
    async with connected() as (gateway, client):
        assert await client.users.find_token_id("ci") == "abcdefghij"
        assert await client.users.find_token_id("no/such?name") is None
        gateway.refuse_next = [(500, "Broken.")]
        with pytest.raises(GatewayRefused, match="Broken"):
            await client.users.find_token_id("ci")


async def test_keys_are_made_and_deleted() -> None:
    async with connected() as (gateway, client):
        assert await client.users.create_key() == FRESH_KEY
        assert await client.users.create_token("me", CreateTokenRequest(lifetime=1, token_name="x")) == FRESH_KEY
        await client.users.delete_key("abcdefghij")
        assert gateway.keys == []
        assert [one.name for one in await client.users.list_organizations()] == ["coder"]
        assert (await client.users.get_user()).username == "alice"
