"""How long a character takes to a workspace's tty and back, through the PTY websocket of the contract."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Benchmark, Figure, median, percentile
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.real_gateway import RealGateway, read_starter

CHARACTERS = 500
WARM_UP = 50


async def measure(folder: Path) -> Sequence[Figure]:
    """Type into a tty that only echoes, one character at a time."""
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"])
        delays = await _type(gateway, agent["id"])
        await gateway.build(workspace["id"], "delete")
    return [
        Figure("pty.echo_ms", median(delays), "ms", len(delays)),
        Figure("pty.echo_p95_ms", percentile(delays, 95), "ms", len(delays)),
    ]


async def _type(gateway: RealGateway, agent_id: str) -> list[float]:
    """Milliseconds of each character. The tty echoes by itself; the program on it never answers."""
    delays: list[float] = []
    query = {"reconnect": str(uuid.uuid4()), "command": "stty -icanon; echo ready; exec sleep 300"}
    async with (
        Transport(TransportOptions(gateway.url, gateway.token)) as transport,
        transport.websocket(f"/api/v2/workspaceagents/{agent_id}/pty", params=query) as terminal,
        asyncio.timeout(60),
    ):
        seen = b""
        while b"ready" not in seen:
            seen += bytes(await terminal.recv(decode=False))
        for number in range(WARM_UP + CHARACTERS):
            letter = "abcdefghij"[number % 10]
            began = time.perf_counter()
            await terminal.send(json.dumps({"data": letter}).encode())
            echo = b""
            while letter.encode() not in echo:
                echo += bytes(await terminal.recv(decode=False))
            if number >= WARM_UP:
                delays.append((time.perf_counter() - began) * 1000)
    return delays


BENCHMARK = Benchmark(("pty.echo_ms", "pty.echo_p95_ms"), measure)
