from __future__ import annotations

import asyncio

from genba_agent.api import AgentApi
from genba_agent.retry import Retrier
from genba_agent.ssh.session_counts import SessionCounts
from genba_agent.stats import DEFAULT_INTERVAL_S, Stats, read_traffic
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, running_gateway


async def test_first_call_asks_for_the_interval_and_reports_follow_it() -> None:
    clock = FakeClock()
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        gateway.report_interval_ns = 7_000_000_000
        terminals, ssh = 0, SessionCounts()
        running = group.create_task(Stats(AgentApi(transport), Retrier(clock), clock, lambda: terminals, ssh).run())
        await clock.wait_for_sleep(7)
        assert gateway.stats == [{"connections_by_proto": None}]
        gateway.report_interval_ns = 0
        clock.advance(7)
        await clock.wait_for_sleep(DEFAULT_INTERVAL_S)
        assert gateway.stats[1]["connections_by_proto"] == {}
        assert {metric["name"] for metric in gateway.stats[1]["metrics"]} == {
            "agent_resident_memory_bytes",
            "agent_cpu_seconds_total",
        }
        assert not {"connection_count", "session_count_reconnecting_pty"} & gateway.stats[1].keys()
        terminals = 2
        ssh.connections = 3
        for kind in ("vscode", "vscode", "JetBrains", "", "something else", "ssh"):
            ssh.begin(kind)
        ssh.end("vscode")
        clock.advance(DEFAULT_INTERVAL_S)
        await gateway.wait_for(lambda: len(gateway.stats) == 3)
        assert gateway.stats[2]["connections_by_proto"] == {"TCP": 5}
        counts = {key: gateway.stats[2][key] for key in gateway.stats[2] if key.endswith("_count") or "session" in key}
        assert counts == {
            "connection_count": 5,
            "session_count_reconnecting_pty": 2,
            "session_count_vscode": 1,
            "session_count_jetbrains": 1,
            "session_count_ssh": 3,
        }
        running.cancel()


def test_traffic_counts_up() -> None:
    before = read_traffic()
    after = read_traffic()
    assert after.rx_bytes >= before.rx_bytes >= 0
