"""How fast the command line answers: the served executable, once unpacked."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Benchmark, Figure, median
from scripts.build_agent import OUTPUT, machine_arch, prepare_executable
from tests.support.real_gateway import RealGateway, clean_environment

RUNS = 15


async def measure(folder: Path) -> Sequence[Figure]:
    """`version` alone, `list` against a gateway; a Python that does nothing is the baseline of both."""
    if await asyncio.to_thread(prepare_executable) is None:
        raise RuntimeError("there is no executable to measure")
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        environment = {**clean_environment(), "GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": gateway.token}
        environment["GENBA_CONFIG_DIR"] = str(folder / "config")
        genba = [str(OUTPUT / f"genba-linux-{machine_arch()}")]
        await _time([*genba, "list"], environment)
        nothing: list[float] = []
        version: list[float] = []
        listed: list[float] = []
        for _ in range(RUNS):
            nothing.append(await _time([sys.executable, "-c", "pass"], environment))
            version.append(await _time([*genba, "version"], environment))
            listed.append(await _time([*genba, "list"], environment))
    return [
        Figure("cli.version_ms", median(version), "ms", RUNS, median(nothing), "ms"),
        Figure("cli.list_ms", median(listed), "ms", RUNS, median(nothing), "ms"),
    ]


async def _time(command: list[str], environment: dict[str, str]) -> float:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise RuntimeError(f"{command} failed")
    return (time.monotonic() - began) * 1000


BENCHMARK = Benchmark(("cli.version_ms", "cli.list_ms"), measure)
