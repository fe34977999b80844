"""From an agent to its workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_ide_bridge.lsp.agents import find_workspace_of, get_workspace_of
from genba_wire.errors import GatewayRefused
from tests.support.bridge_session import session_in
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import TOKEN, running_cli_gateway


async def test_the_workspace_of_an_agent_is_found(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, session_in(tmp_path, gateway.url, TOKEN) as session:
        for name in ("a", "b"):
            build = make_build(id=f"build-{name}", resources=[make_resource([make_agent(id=f"agent-{name}")])])
            gateway.add_workspace(make_workspace(id=name, name=name, latest_build=build))
        client = await session.get_client()
        assert (await get_workspace_of(client, "agent-b")).id == "b"
        assert await find_workspace_of(client, "agent-c") is None
        with pytest.raises(GatewayRefused) as refused:
            await get_workspace_of(client, "agent-c")
        assert refused.value.status == 404
