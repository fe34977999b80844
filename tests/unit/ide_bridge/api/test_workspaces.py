"""Routes of workspaces and builds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.api.workspaces import workspaces_of
from genba_wire.errors import GatewayRefused
from tests.support.cli_builders import make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[CliGateway, GatewayClient]]:
    async with running_cli_gateway() as gateway, open_transport(gateway.url, TOKEN, {}) as transport:
        yield gateway, GatewayClient(Calls(transport))


async def test_an_absent_workspace_is_none_and_a_refusal_is_none_of_that() -> None:
    async with connected() as (gateway, client):
        workspace = gateway.add_workspace(make_workspace())
        found = await client.workspaces.find_workspace("me", "dev")
        assert found is not None
        assert found.id == workspace.id
        assert await client.workspaces.find_workspace("me", "other") is None
        gateway.refuse_next = [(403, "No.")]
        with pytest.raises(GatewayRefused, match="No"):
            await client.workspaces.find_workspace("me", "dev")


async def test_the_search_is_sent_as_it_is_or_not_at_all() -> None:
    async with connected() as (gateway, client):
        gateway.add_workspace(make_workspace())
        assert len(await client.workspaces.list_workspaces("owner:me status:running")) == 1
        raw = await client.workspaces.list_workspaces_json("")
        assert [one["future"] for one in workspaces_of(raw) if isinstance(one, dict)] == [7]
        queries = [one.query for one in gateway.requests_of("GET", "/workspaces")]
        assert queries in (["q=owner%3Ame%20status%3Arunning", ""], ["q=owner%3Ame+status%3Arunning", ""])


async def test_a_build_is_found_by_its_number_or_is_none() -> None:
    async with connected() as (gateway, client):
        workspace = gateway.add_workspace(make_workspace())
        second = gateway.add_build(workspace.id, transition="stop")
        workspace = gateway.workspaces[workspace.id]
        for number, build_id in ((1, make_first(gateway)), (2, second.id)):
            found = await client.workspaces.find_build_by_number(workspace, number)
            assert found is not None
            assert found.id == build_id
        assert await client.workspaces.find_build_by_number(workspace, 3) is None
        assert await client.workspaces.download_state(second.id) == gateway.state


def make_first(gateway: CliGateway) -> str:
    return next(one.id for one in gateway.builds.values() if one.build_number == 1)
