"""Statistics of the agent (contract 1.4)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.clock import Clock
from genba_agent.retry import Retrier
from genba_agent.ssh.session_counts import SessionCounts
from genba_wire.api.agent_protocol import StatsMetric, StatsRequest, StatsResponse
from genba_wire.errors import TransportError

logger = logging.getLogger(__name__)

NANOSECONDS: Final = 1_000_000_000

DEFAULT_INTERVAL_S: Final = 30.0
"""When the gateway names no sensible interval."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Network counters since boot."""

    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0


class Stats:
    """Reports at the interval that the gateway asks for."""

    def __init__(
        self, api: AgentApi, retrier: Retrier, clock: Clock, count_terminals: Callable[[], int], ssh: SessionCounts
    ) -> None:
        """`count_terminals` tells how many terminals somebody looks at."""
        self._count_terminals = count_terminals
        self._ssh = ssh
        self._api = api
        self._retrier = retrier
        self._clock = clock
        self._traffic = Traffic()

    async def run(self) -> None:
        """Ask for the interval, then report until cancelled."""
        try:
            # A null in place of the counts stores nothing and only fetches the interval.
            question = StatsRequest(connections_by_proto=None)
            answer = await self._retrier.insist("Statistics", lambda: self._api.post_stats(question))
            self._traffic = read_traffic()
            while True:
                await self._clock.sleep(_interval_s(answer))
                answer = await self.step()
        except TransportError as error:
            logger.warning("The gateway refuses statistics, so none are sent: %s", error)

    async def step(self) -> StatsResponse:
        """Send one report."""
        request = self.measure()
        return await self._retrier.insist("Statistics", lambda: self._api.post_stats(request))

    def measure(self) -> StatsRequest:
        """Return what happened since the last call."""
        before, self._traffic = self._traffic, read_traffic()
        after = self._traffic
        terminals, ssh = self._count_terminals(), self._ssh
        connections = terminals + ssh.connections
        return StatsRequest(
            connections_by_proto={"TCP": connections} if connections else {},
            connection_count=connections,
            # Counters begin anew when an interface goes.
            rx_packets=max(0, after.rx_packets - before.rx_packets),
            rx_bytes=max(0, after.rx_bytes - before.rx_bytes),
            tx_packets=max(0, after.tx_packets - before.tx_packets),
            tx_bytes=max(0, after.tx_bytes - before.tx_bytes),
            session_count_vscode=ssh["vscode"],
            session_count_jetbrains=ssh["jetbrains"],
            session_count_reconnecting_pty=terminals,
            session_count_ssh=ssh["ssh"],
            metrics=_read_metrics(),
        )


def read_traffic() -> Traffic:
    """Read the counters of all interfaces but loopback; zeros where the system shows none."""
    import psutil

    try:
        interfaces = psutil.net_io_counters(pernic=True)
    except (OSError, RuntimeError):
        return Traffic()
    counters = [counter for name, counter in interfaces.items() if name != "lo"]
    return Traffic(
        rx_packets=sum(counter.packets_recv for counter in counters),
        rx_bytes=sum(counter.bytes_recv for counter in counters),
        tx_packets=sum(counter.packets_sent for counter in counters),
        tx_bytes=sum(counter.bytes_sent for counter in counters),
    )


def _read_metrics() -> list[StatsMetric]:
    import psutil

    process = psutil.Process()
    times = process.cpu_times()
    return [
        StatsMetric(name="agent_resident_memory_bytes", type="gauge", value=float(process.memory_info().rss)),
        StatsMetric(name="agent_cpu_seconds_total", type="counter", value=times.user + times.system),
    ]


def _interval_s(answer: StatsResponse) -> float:
    seconds = answer.report_interval / NANOSECONDS
    return seconds if seconds > 0 else DEFAULT_INTERVAL_S
