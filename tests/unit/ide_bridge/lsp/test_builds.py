"""Starting and stopping."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.lsp.builds import start_workspace, stop_workspace
from tests.support.bridge_session import session_in
from tests.support.cli_builders import make_build, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway


@asynccontextmanager
async def workspace_with(
    folder: Path, build: dict[str, Any], **more: Any
) -> AsyncGenerator[tuple[CliGateway, GatewayClient]]:
    async with running_cli_gateway(finishes_builds=False) as gateway:
        gateway.add_workspace(make_workspace(id="one", latest_build=make_build(build_number=3, **build), **more))
        async with session_in(folder, gateway.url, TOKEN) as session:
            yield gateway, await session.get_client()


async def test_a_stopped_workspace_starts_with_its_own_version(tmp_path: Path) -> None:
    build = {"status": "stopped", "transition": "stop", "template_version_id": "old"}
    async with workspace_with(tmp_path, build, template_active_version_id="new") as (gateway, client):
        result = await start_workspace(client, "one")
        assert result.build_number == 4
        (request,) = gateway.requests_of("POST", "/workspaces/one/builds")
        assert request.json() == {"transition": "start", "template_version_id": "old"}


async def test_a_workspace_that_must_be_up_to_date_starts_with_the_active_version(tmp_path: Path) -> None:
    build = {"status": "stopped", "transition": "stop", "template_version_id": "old"}
    more = {"template_active_version_id": "new", "automatic_updates": "always"}
    async with workspace_with(tmp_path, build, **more) as (gateway, client):
        await start_workspace(client, "one")
        (request,) = gateway.requests_of("POST", "/workspaces/one/builds")
        assert request.json()["template_version_id"] == "new"


@pytest.mark.parametrize(
    ("action", "transition", "status"),
    [
        (start_workspace, "start", "running"),
        (start_workspace, "start", "starting"),
        (stop_workspace, "stop", "stopped"),
        (stop_workspace, "stop", "stopping"),
    ],
)
async def test_what_is_so_already_makes_no_build(tmp_path: Path, action: Any, transition: str, status: str) -> None:
    async with workspace_with(tmp_path, {"status": status, "transition": transition}) as (gateway, client):
        assert (await action(client, "one")).build_number == 3
        assert gateway.requests_of("POST", "/workspaces/one/builds") == []


@pytest.mark.parametrize("status", ["failed", "canceled"])
async def test_a_start_that_failed_can_be_tried_again_and_stopped(tmp_path: Path, status: str) -> None:
    async with workspace_with(tmp_path, {"status": status, "transition": "start"}) as (_, client):
        assert (await start_workspace(client, "one")).build_number == 4
        assert (await stop_workspace(client, "one")).build_number == 5
