"""resume.gap_ms, resume.restart_ms: how long a session stands still when its carrier is cut or its gateway restarts.

Gateway and agent are real ones. Through a stream of the kind "tcp" a server ticks every millisecond; what is measured
ends with the first tick that comes after the break. The client is the command line's: it asks for a ticket, dials and
resumes, as it would anywhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Benchmark, Figure, median, note, percentile
from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.sessions.agent_link import AgentLink
from genba_ide_bridge.sessions.refusals import AgentAddress
from genba_wire.aio.stream import Stream
from genba_wire.tunnel.streams import TCP, TcpOpen, encode
from tests.support.chaos_proxy import ChaosProxy, chaos_proxy
from tests.support.real_gateway import RealGateway, read_starter

CUTS = 25
RESTARTS = 9
TICK_S = 0.001
CEILING_S = 60.0
CALM_S = 0.2
"""Between two breaks, so that each finds a session at work."""


class Ticks:
    """Listens to a stream, and knows when something came."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._came = asyncio.Event()
        self.at = 0.0
        """When the last tick came."""
        stream.listen(self)

    async def next(self) -> float:
        """Return when the next tick comes."""
        self._came.clear()
        async with asyncio.timeout(CEILING_S):
            await self._came.wait()
        return self.at

    def data_received(self, data: memoryview) -> None:
        self.at = time.monotonic()
        self._came.set()
        self._stream.consumed(len(data))

    def note_received(self, note: bytes) -> None:
        """A tcp stream has none."""

    def finished(self) -> None:
        raise RuntimeError("the ticking server has ended")

    def reset(self, code: int, reason: str) -> None:
        """The session was left; whoever still waits for a tick runs into its time limit."""

    def writable(self) -> None:
        """Nothing is written."""


@dataclass
class Session:
    """One client's session."""

    ticks: Ticks
    lost: asyncio.Event


@dataclass
class Stage:
    """A workspace with a connected agent, the line to its gateway, and the port that ticks."""

    gateway: RealGateway
    line: ChaosProxy
    address: AgentAddress
    port: int

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """A session on a link of its own; each begins with a ticket, as that of a new process does."""
        lost = asyncio.Event()
        async with open_transport(f"http://127.0.0.1:{self.line.port}", self.gateway.token, {}) as transport:
            client = GatewayClient(Calls(transport))
            link = AgentLink(
                client,
                self.address,
                purpose="tunnel",
                on_outage=lambda _reason: lost.set(),
                on_resumed=lambda: None,
            )
            try:
                await link.connect()
                async with asyncio.TaskGroup() as group:
                    keeping = group.create_task(link.keep())
                    stream = await link.open_stream(TCP, encode(TcpOpen(host="127.0.0.1", port=self.port)))
                    yield Session(Ticks(stream), lost)
                    link.leave()
                    await keeping
            finally:
                await link.close()


@asynccontextmanager
async def stage(folder: Path) -> AsyncGenerator[Stage]:
    """Start it all."""
    async with (
        RealGateway(folder / "gateway") as gateway,
        chaos_proxy(gateway.port) as line,
        await asyncio.start_server(_tick, "127.0.0.1", 0) as server,
    ):
        await gateway.sign_in()
        template = await gateway.push_template("resume", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"])
        address = AgentAddress(workspace["id"], workspace["latest_build"]["id"], agent["id"])
        yield Stage(gateway, line, address, server.sockets[0].getsockname()[1])
        await gateway.build(workspace["id"], "delete")


async def _tick(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while not writer.transport.is_closing():
            writer.write(b"tick")
            await writer.drain()
            await asyncio.sleep(TICK_S)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def measure(folder: Path) -> Sequence[Figure]:
    """Cut one session often, then restart the gateway below it often."""
    async with stage(folder) as here:
        gaps = await measure_gaps(here)
        opened, new = await measure_restarts(here)
    note(f"resume.gap_ms: p95 {percentile(gaps, 95):.0f}, most {max(gaps):.0f}")
    note(f"resume.restart_ms: open {_show(opened)}, new {_show(new)}")
    return [
        Figure("resume.gap_ms", median(gaps), "ms", len(gaps)),
        Figure("resume.restart_ms", max(median(opened), median(new)), "ms", RESTARTS),
        Figure("resume.restart_open_ms", median(opened), "ms", RESTARTS),
        Figure("resume.restart_new_ms", median(new), "ms", RESTARTS),
    ]


async def measure_gaps(here: Stage) -> list[float]:
    """Milliseconds from each cut of the client's carrier to the next tick."""
    gaps: list[float] = []
    async with here.session() as session:
        for _ in range(CUTS):
            await session.ticks.next()
            await asyncio.sleep(CALM_S)
            session.lost.clear()
            cut_at = time.monotonic()
            here.line.cut()
            gaps.append(1000 * (await _flows_again(session) - cut_at))
    return gaps


async def measure_restarts(here: Stage) -> tuple[list[float], list[float]]:
    """Milliseconds from when a restarted gateway listens to the next tick: of a session that was open, and of one that
    is begun at that moment."""
    opened: list[float] = []
    new: list[float] = []
    async with here.session() as session:
        for _ in range(RESTARTS):
            await session.ticks.next()
            await asyncio.sleep(CALM_S)
            session.lost.clear()
            await here.gateway.kill()
            async with asyncio.TaskGroup() as group:
                flowing = group.create_task(_flows_again(session))
                await here.gateway.start()
                there_at = time.monotonic()
                async with here.session() as another:
                    new.append(1000 * (await another.ticks.next() - there_at))
                # It may have been quicker than whoever asked the gateway for its health.
                opened.append(1000 * max(await flowing - there_at, 0.0))
    return opened, new


async def _flows_again(session: Session) -> float:
    """When the first tick came after the loss was noticed."""
    async with asyncio.timeout(CEILING_S):
        await session.lost.wait()
    return await session.ticks.next()


def _show(values: Sequence[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


BENCHMARK = Benchmark(
    ("resume.gap_ms", "resume.restart_ms", "resume.restart_open_ms", "resume.restart_new_ms"), measure
)
