"""Streams go on after whatever happens to a connection; times pass only in a fake clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.api.streams import FIRST_DELAY_S, LONGEST_DELAY_S, POLL_INTERVAL_S, Backoff, LogCursor, Streams
from genba_ide_bridge.api.watch import POLL_INTERVAL_S as NEXT_BUILD_INTERVAL_S
from genba_ide_bridge.api.watch import wait_for_next_build
from genba_wire.api.jobs import JobLog
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.cli_builders import make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.refusing_proxy import Manner, refusing_proxy


class Report:
    def __init__(self) -> None:
        self.said: list[str] = []

    def gateway_is_away(self, reason: str) -> None:
        self.said.append("away")

    def gateway_is_back(self) -> None:
        self.said.append("back")


class FakeSleep:
    def __init__(self) -> None:
        self.delays: list[float] = []

    async def __call__(self, delay_s: float) -> None:
        self.delays.append(delay_s)
        await asyncio.sleep(0)


@asynccontextmanager
async def streams_to(gateway: CliGateway, sleep: FakeSleep) -> AsyncGenerator[Streams]:
    async with open_transport(gateway.url, TOKEN, {}) as transport:
        yield Streams(Calls(transport), Report(), Backoff(sleep))


async def test_delays_double_up_to_a_limit_and_begin_anew_after_success() -> None:
    sleep = FakeSleep()
    backoff = Backoff(sleep)
    for _ in range(8):
        await backoff.wait()
    nominal = [min(FIRST_DELAY_S * 2**n, LONGEST_DELAY_S) for n in range(8)]
    assert all(0.8 * n <= delay <= 1.2 * n for delay, n in zip(sleep.delays, nominal, strict=True))
    backoff.reset()
    await backoff.wait()
    assert sleep.delays[-1] <= 1.2 * FIRST_DELAY_S


async def test_passing_refusals_are_waited_out() -> None:
    sleep = FakeSleep()
    async with running_cli_gateway() as gateway, streams_to(gateway, sleep) as streams:
        gateway.refuse_next = [(503, "starting"), (502, "proxy"), (429, "slower")]
        raw = await streams.persist(lambda: streams.calls.fetch_json("GET", "/users/me"))
        assert isinstance(raw, dict)
        assert len(sleep.delays) == 3


async def test_a_final_no_is_raised() -> None:
    sleep = FakeSleep()
    async with running_cli_gateway() as gateway, streams_to(gateway, sleep) as streams:
        gateway.refuse_next = [(404, "gone")]
        with pytest.raises(GatewayRefused, match="gone"):
            await streams.persist(lambda: streams.calls.fetch_json("GET", "/users/me"))
        assert sleep.delays == []


async def test_a_websocket_that_closes_as_if_all_were_said_is_not_believed() -> None:
    """The stream ends normally while the job goes on, and the rest comes by another one."""
    async with running_cli_gateway() as gateway, streams_to(gateway, FakeSleep()) as streams:
        workspace = gateway.add_workspace(make_workspace())
        build = workspace.latest_build
        gateway.say(build.id, "one")
        asked = 0

        async def is_complete() -> bool:
            # The gateway thinks that the job is done and closes; the first answer to the question is no.
            nonlocal asked
            asked += 1
            gateway.say(build.id, f"late {asked}")
            return asked == 3

        lines: list[str] = []
        cursor = LogCursor()
        path = f"/workspacebuilds/{build.id}/logs"
        await streams.follow_log(path, JobLog, cursor, lambda line: lines.append(line.output), is_complete)
        assert lines == ["one", "late 1", "late 2", "late 3"]
        assert cursor.after == gateway.job_logs[build.id][-1].id


@pytest.mark.parametrize("manner", [Manner.REFUSES, Manner.STRIPS, Manner.BREAKS])
async def test_a_log_is_asked_for_where_no_websocket_passes(manner: Manner) -> None:
    sleep = FakeSleep()
    async with running_cli_gateway() as gateway, refusing_proxy(gateway.url, manner) as proxy:
        build = gateway.add_workspace(make_workspace()).latest_build
        gateway.say(build.id, "one")
        asked = 0

        async def is_complete() -> bool:
            nonlocal asked
            asked += 1
            gateway.say(build.id, f"late {asked}")
            return asked == 4

        lines: list[str] = []
        told: list[str] = []
        async with open_transport(proxy.url, TOKEN, {}) as transport:
            transport.carrier_ways.on_fallback = told.append
            streams = Streams(Calls(transport), Report(), Backoff(sleep))
            path = f"/workspacebuilds/{build.id}/logs"
            await streams.follow_log(path, JobLog, LogCursor(), lambda line: lines.append(line.output), is_complete)
        assert lines == ["one", "late 1", "late 2", "late 3", "late 4"]
        assert len(told) == 1
        assert POLL_INTERVAL_S in sleep.delays
        assert proxy.upgrades == (2 if manner is Manner.BREAKS else 1)


async def test_the_next_build_is_noticed_where_no_websocket_passes() -> None:
    sleep = FakeSleep()
    async with running_cli_gateway() as gateway, refusing_proxy(gateway.url) as proxy:
        workspace = gateway.add_workspace(make_workspace())
        number = workspace.latest_build.build_number
        async with open_transport(proxy.url, TOKEN, {}) as transport:
            client = GatewayClient(Calls(transport))
            streams = Streams(client.calls, Report(), Backoff(sleep))

            async def add_build(delay_s: float) -> None:
                await sleep(delay_s)
                newer = msgspec.structs.replace(workspace.latest_build, build_number=number + 1)
                gateway.workspaces[workspace.id] = msgspec.structs.replace(workspace, latest_build=newer)

            streams.backoff.sleep = add_build
            found = await wait_for_next_build(streams, client.workspaces, workspace.id, number)
        assert found is not None
        assert found.latest_build.build_number == number + 1
        assert (sleep.delays, proxy.upgrades) == ([NEXT_BUILD_INTERVAL_S], 1)


async def test_an_outage_is_reported_and_its_end_too() -> None:
    sleep = FakeSleep()
    async with running_cli_gateway() as gateway, streams_to(gateway, sleep) as streams:
        await gateway.stop()
        attempts = 0

        async def fetch() -> object:
            nonlocal attempts
            attempts += 1
            if attempts == 3:
                await gateway.start()
            return await streams.calls.fetch_json("GET", "/users/me")

        await streams.persist(fetch)
        assert isinstance(streams.report, Report)
        assert streams.report.said == ["away", "away", "back"]


async def test_without_persistence_an_outage_is_an_error() -> None:
    async with running_cli_gateway() as gateway, streams_to(gateway, FakeSleep()) as streams:
        await gateway.stop()
        with pytest.raises(GatewayUnreachable):
            await streams.calls.fetch_json("GET", "/users/me")
