"""Which refusals end a session: asked of a gateway over loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict, judge_refusal
from genba_wire.errors import GatewayRefused
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway


@asynccontextmanager
async def session_with(**agent: Any) -> AsyncGenerator[tuple[CliGateway, GatewayClient, AgentAddress]]:
    async with running_cli_gateway() as gateway, open_transport(gateway.url, gateway.token, {}) as transport:
        found = make_agent(**agent)
        build = make_build(resources=[make_resource([found])])
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        address = AgentAddress(workspace.id, workspace.latest_build.id, found.id)
        yield gateway, GatewayClient(Calls(transport)), address


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_passes_is_waited_out_without_asking(status: int) -> None:
    async with session_with() as (gateway, client, address):
        assert await judge_refusal(client, address, GatewayRefused(status, "later")) is None
        assert gateway.requests == []


async def test_an_agent_that_is_away_is_waited_for_while_its_workspace_runs() -> None:
    async with session_with(status="disconnected") as (_, client, address):
        assert await judge_refusal(client, address, GatewayRefused(409, "The agent is not connected.")) is None


@pytest.mark.parametrize("status", [404, 409])
@pytest.mark.parametrize(
    ("transition", "said"), [("stop", "was stopped"), ("delete", "was deleted"), ("start", "was restarted")]
)
async def test_another_build_ends_the_session(status: int, transition: str, said: str) -> None:
    async with session_with() as (gateway, client, address):
        gateway.add_build(address.workspace_id, transition=transition)
        verdict = await judge_refusal(client, address, GatewayRefused(status, "no"))
        assert verdict is not None
        assert said in verdict.reason
        assert transition != "stop" or verdict.hint == "`genba start dev` starts it."


async def test_an_agent_that_has_ended_ends_the_session() -> None:
    async with session_with(status="disconnected", lifecycle_state="off") as (_, client, address):
        verdict = await judge_refusal(client, address, GatewayRefused(409, "no"))
        assert verdict is not None
        assert "has ended" in verdict.reason


async def test_a_session_that_was_signed_out_ends() -> None:
    async with session_with() as (gateway, client, address):
        verdict = await judge_refusal(client, address, GatewayRefused(401, "Signed out."))
        assert verdict is not None
        assert verdict.hint == f"Run `genba login {gateway.url}`."
        gateway.refuse_next.append((401, "Signed out."))
        assert await judge_refusal(client, address, GatewayRefused(409, "no")) == verdict


async def test_a_workspace_that_is_not_there_any_more_ends_the_session() -> None:
    async with session_with() as (gateway, client, address):
        gateway.refuse_next.append((404, "Not found."))
        verdict = await judge_refusal(client, address, GatewayRefused(404, "Not found."))
        assert verdict is not None
        assert "is gone" in verdict.reason


async def test_a_gateway_that_goes_away_meanwhile_is_waited_for() -> None:
    async with session_with() as (gateway, client, address):
        gateway.refuse_next.append((502, "Bad gateway"))
        assert await judge_refusal(client, address, GatewayRefused(409, "no")) is None
        await gateway.stop()
        assert await judge_refusal(client, address, GatewayRefused(409, "no")) is None


async def test_any_other_refusal_while_all_is_well_is_final() -> None:
    async with session_with() as (_, client, address):
        refusal = GatewayRefused(403, "You may not open sessions here.", "Ask an owner.")
        verdict = await judge_refusal(client, address, refusal)
        assert verdict == Verdict("You may not open sessions here.", "Ask an owner.")


async def test_an_agent_that_left_the_build_ends_the_session() -> None:
    async with session_with() as (gateway, client, address):
        workspace = gateway.workspaces[address.workspace_id]
        bare = msgspec.structs.replace(workspace.latest_build, resources=[])
        gateway.workspaces[workspace.id] = msgspec.structs.replace(workspace, latest_build=bare)
        verdict = await judge_refusal(client, address, GatewayRefused(404, "no"))
        assert verdict is not None
        assert "does not have this agent" in verdict.reason
