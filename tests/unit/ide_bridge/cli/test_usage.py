"""When the gateway is told that a workspace is in use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.cli.usage import UsageReport, app_of
from genba_ide_bridge.sessions.byte_session import Traffic
from genba_ide_bridge.sessions.refusals import AgentAddress
from tests.support.cli_gateway import CliGateway, running_cli_gateway

PATH = "/workspaces/w/usage"


class Minutes:
    """Passes minutes; in each one of `flows` says how many bytes flowed."""

    def __init__(self, traffic: Traffic, flows: list[int]) -> None:
        self._traffic = traffic
        self._flows = flows

    async def sleep(self, delay_s: float) -> None:
        assert delay_s == 60.0
        if not self._flows:
            raise asyncio.CancelledError
        self._traffic.received += self._flows.pop(0)


@asynccontextmanager
async def report(*flows: int) -> AsyncGenerator[tuple[CliGateway, UsageReport]]:
    async with running_cli_gateway() as gateway, open_transport(gateway.url, gateway.token, {}) as transport:
        traffic = Traffic()
        client = GatewayClient(Calls(transport))
        minutes = Minutes(traffic, list(flows))
        yield gateway, UsageReport(client, AgentAddress("w", "b", "a"), "vscode", traffic, sleep=minutes.sleep)


async def test_it_is_told_at_once_and_in_each_minute_with_traffic() -> None:
    async with report(10, 0, 0, 5) as (gateway, usage):
        with pytest.raises(asyncio.CancelledError):
            await usage.run()
        reports = gateway.requests_of("POST", PATH)
        assert [one.json() for one in reports] == [{"agent_id": "a", "app_name": "vscode"}] * 3


@pytest.mark.parametrize(("status", "reports"), [(404, 1), (400, 1), (502, 2), (500, 2)])
async def test_a_gateway_that_does_not_want_it_is_left_alone(status: int, reports: int) -> None:
    async with report(10) as (gateway, usage):
        gateway.usage_status = status
        if reports == 1:
            await usage.run()
        else:
            with pytest.raises(asyncio.CancelledError):
                await usage.run()
        assert len(gateway.requests_of("POST", PATH)) == reports


@pytest.mark.parametrize(
    ("name", "app"), [("vscode", "vscode"), ("jetbrains", "jetbrains"), ("", "ssh"), ("zed", "ssh"), ("disable", "")]
)
def test_apps_that_the_gateway_does_not_know_count_as_ssh(name: str, app: str) -> None:
    assert app_of(name) == app
