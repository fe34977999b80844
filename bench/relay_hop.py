"""relay.hop_ratio: what the relay carries, against a process of the same event loop that only copies bytes.

Source, middle and sink are processes of their own. The source sends websocket frames of 64 KiB, masked with the key 0
as our ends do. The relay is the gateway's, behind a real Hypercorn whose transports it takes; the copier answers the
same requests, then writes what it receives, up to 256 KiB at once, to the other connection. They take turns.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psutil

from bench.figures import Benchmark, Figure, median, note
from bench.processes import run_module
from bench.relay_hop_process import FRAME_BYTES

FRAMES = 8192
RUNS = 7
ANSWER_S = 120.0

MASKED_HEADER_BYTES = 14
UNMASKED_HEADER_BYTES = 10


async def measure(_folder: Path) -> Sequence[Figure]:
    """Measure both in turns."""
    relayed: list[float] = []
    copied: list[float] = []
    async with _run("relay") as relay, _run("copier") as copier:
        relay_port, copier_port = (await _read(relay))["port"], (await _read(copier))["port"]
        for run in range(RUNS + 1):
            values = (
                await _carry(copier, copier_port, MASKED_HEADER_BYTES),
                await _carry(relay, relay_port, UNMASKED_HEADER_BYTES),
            )
            if run:  # the first one warms up
                copied.append(values[0])
                relayed.append(values[1])
        cpu = [_cpu_seconds(process) for process in (copier, relay)]
    note(f"relay.hop_ratio: copied {_show(copied)}, relayed {_show(relayed)} MB/s")
    note(f"relay.hop_ratio: in all the copier took {cpu[0]:.2f} s of CPU, the relay {cpu[1]:.2f} s")
    ratio = median([mine / base for mine, base in zip(relayed, copied, strict=True)])
    return [Figure("relay.hop_ratio", ratio, "x", RUNS, baseline=median(copied), baseline_unit="MB/s")]


async def _carry(middle: Process, port: float, header_bytes: int) -> float:
    """Carry `FRAMES` frames through a process; return MB/s."""
    async with _run("source", int(port), FRAMES):
        await _read(middle)  # the source's connection waits for the sink's
        async with _run("sink", int(port), FRAMES, header_bytes) as sink:
            seconds = (await _read(sink))["seconds"]
    return FRAMES * FRAME_BYTES / 1e6 / seconds


def _run(*arguments: object) -> AbstractAsyncContextManager[Process]:
    return run_module("bench.relay_hop_process", *arguments)


async def _read(process: Process) -> dict[str, float]:
    assert process.stdout is not None
    async with asyncio.timeout(ANSWER_S):
        values: dict[str, float] = json.loads(await process.stdout.readline())
    return values


def _cpu_seconds(process: Process) -> float:
    """What a process took so far: a comparison that other programs on the machine disturb less."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def _show(values: Sequence[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


BENCHMARK = Benchmark(("relay.hop_ratio",), measure)
