"""Apps through the gateway: requests of a small page, a large download, and a websocket's echo.

The app is a real nginx on the machine of a real agent; the browser shows a signed app token, as it does after its first
request. Every figure's baseline is measured in the same run, in turns: nginx asked directly, and for the download the
same through two processes that only copy.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.figures import Benchmark, Figure, median, note
from bench.processes import run_module
from bench.relay import read_line, run_role
from tests.support.debian_packages import find_program
from tests.support.real_gateway import RealGateway, free_port, read_starter
from tests.support.real_proxies import running_nginx

RUNS = 5
WRK_S = 4
WRK_LIBRARY = "libluajit2-5.1-2"
CONNECTIONS = 32
DOWNLOAD_BYTES = 1024 * 1024 * 1024
ECHOES = 400
WARM_UP = 50
PAGE = "<!doctype html><title>Bench</title><p>" + "A small page. " * 40

SITE = """
    server {{
        listen 127.0.0.1:{port};
        access_log off;
        root {root};
        sendfile on;
        keepalive_requests 1000000;
    }}
"""


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach an app: directly, or by the gateway."""

    port: int
    host: str
    cookie: str = ""

    def request(self, path: str) -> str:
        """A request after which the connection is closed."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "Connection: close"]
        return "\r\n".join([*lines, *([f"Cookie: {self.cookie}"] if self.cookie else []), "", ""])


class AppBench:
    """A workspace whose ports are asked."""

    def __init__(self, gateway: RealGateway) -> None:
        self._gateway = gateway

    def host_of(self, port: int) -> str:
        """The name of a port of the workspace."""
        return f"{port}--main--bench--admin.localhost:{self._gateway.port}"

    async def way(self, port: int) -> Way:
        """The way by the gateway to a port, with a signed token that is good for a minute."""
        host = self.host_of(port)
        headers = {"Host": host, "Coder-Session-Token": self._gateway.token}
        async with httpx.AsyncClient(base_url=self._gateway.url) as client:
            answer = await client.get("/", headers=headers)
        cookies = [each for each in answer.headers.get_list("set-cookie") if "signed_app_token" in each]
        assert cookies, (answer.status_code, answer.text)
        return Way(self._gateway.port, host, cookies[0].partition(";")[0])


async def measure(folder: Path) -> Sequence[Figure]:
    """Measure everything on one workspace."""
    root = folder / "www"
    await asyncio.to_thread(_write_files, root)
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("apps", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.wait_for_agent(workspace["id"])
        port = free_port()
        async with running_nginx(folder / "nginx", SITE.format(port=port, root=root), port):
            bench = AppBench(gateway)
            figures = [
                *await _measure_requests(bench, port),
                await _measure_delay(bench, port),
                await _measure_bulk(bench, port),
                await _measure_echo(bench),
            ]
        await gateway.build(workspace["id"], "delete")
    return figures


async def _measure_requests(bench: AppBench, port: int) -> list[Figure]:
    direct: list[float] = []
    proxied: list[float] = []
    for run in range(RUNS + 1):
        values = (
            (await _wrk(Way(port, "localhost"), CONNECTIONS))[0],
            (await _wrk(await bench.way(port), CONNECTIONS))[0],
        )
        if run:  # the first one warms up
            direct.append(values[0])
            proxied.append(values[1])
    note(f"apps.rps: direct {_show(direct)}, through the gateway {_show(proxied)} requests/s")
    ratio = median([mine / base for mine, base in zip(proxied, direct, strict=True)])
    return [
        Figure("apps.requests_ratio", ratio, "x", RUNS, baseline=median(direct), baseline_unit="requests/s"),
        Figure("apps.rps", median(proxied), "requests/s", RUNS),
    ]


async def _measure_delay(bench: AppBench, port: int) -> Figure:
    direct: list[float] = []
    copied: list[float] = []
    proxied: list[float] = []
    async with _copied_twice(port) as copied_way:
        for _ in range(RUNS):
            direct.append((await _wrk(Way(port, "localhost"), 1))[1])
            copied.append((await _wrk(copied_way, 1))[1])
            proxied.append((await _wrk(await bench.way(port), 1))[1])
    note(f"apps.p50_ms: direct {direct}, through two processes that only copy {copied}, through the gateway {proxied}")
    return Figure("apps.p50_ms", median(proxied), "ms", RUNS, baseline=median(direct), baseline_unit="ms")


async def _measure_bulk(bench: AppBench, port: int) -> Figure:
    copied: list[float] = []
    proxied: list[float] = []
    async with _copied_twice(port) as copied_way:
        for run in range(RUNS + 1):
            values = (await _fetch(copied_way), await _fetch(await bench.way(port)))
            if run:  # the first one warms up
                copied.append(values[0])
                proxied.append(values[1])
    note(f"apps.bulk_ratio: copied {_show(copied)}, through the gateway {_show(proxied)} MB/s")
    ratio = median([mine / base for mine, base in zip(proxied, copied, strict=True)])
    return Figure("apps.bulk_ratio", ratio, "x", RUNS, baseline=median(copied), baseline_unit="MB/s")


@asynccontextmanager
async def _copied_twice(port: int) -> AsyncGenerator[Way]:
    """The way to a port through two processes that only copy: what gateway and agent would do at the least."""
    async with run_role("copier", port) as near:
        near_port = (await read_line(near))["port"]
        async with run_role("copier", near_port) as far:
            yield Way((await read_line(far))["port"], "localhost")


async def _measure_echo(bench: AppBench) -> Figure:
    async with _run_process("echo") as echo:
        port = (await read_line(echo))["port"]
        # A plain request to a server of websockets is refused by it, with the gateway's cookie.
        way = await bench.way(port)
        url = f"ws://{way.host}/"
        headers = {"Cookie": way.cookie}
        async with (
            connect(f"ws://127.0.0.1:{port}/", compression=None, proxy=None) as direct,
            connect(
                url, host="127.0.0.1", port=way.port, additional_headers=headers, compression=None, proxy=None
            ) as proxied,
        ):
            added: list[float] = []
            bare: list[float] = []
            for number in range(WARM_UP + ECHOES):
                values = (await _echo(direct), await _echo(proxied))
                if number >= WARM_UP:
                    bare.append(values[0])
                    added.append(values[1] - values[0])
    return Figure("apps.ws_echo_added_ms", median(added), "ms", ECHOES, baseline=median(bare), baseline_unit="ms")


async def _echo(connection: ClientConnection) -> float:
    began = time.perf_counter()
    await connection.send("k")
    await connection.recv()
    return (time.perf_counter() - began) * 1000


async def _wrk(way: Way, connections: int) -> tuple[float, float]:
    """Requests a second, and the median of their milliseconds."""
    program, needs = await asyncio.to_thread(find_program, "usr/bin/wrk", "wrk", WRK_LIBRARY)
    headers = ["-H", f"Host: {way.host}", *(["-H", f"Cookie: {way.cookie}"] if way.cookie else [])]
    command = [str(program), "-t1", f"-c{connections}", f"-d{WRK_S}s", "--latency", *headers]
    process = await asyncio.create_subprocess_exec(
        *command, f"http://127.0.0.1:{way.port}/", stdout=PIPE, env={**os.environ, **needs}
    )
    text = (await process.communicate())[0].decode()
    assert "Non-2xx" not in text, text
    rate = re.search(r"Requests/sec:\s*([0-9.]+)", text)
    half = re.search(r"50%\s*([0-9.]+)(us|ms|s)", text)
    assert rate is not None, text
    assert half is not None, text
    return float(rate[1]), float(half[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[half[2]]


async def _fetch(way: Way) -> float:
    """Download the large file; return MB/s."""
    async with _run_process("fetch", way.port, json.dumps(way.request("/large"))) as process:
        said = await read_line(process)
    assert said["received"] >= DOWNLOAD_BYTES, said
    return DOWNLOAD_BYTES / 1e6 / float(said["seconds"])


def _run_process(*arguments: object) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return run_module("bench.app_process", *arguments)


def _write_files(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "index.html").write_text(PAGE)
    with (root / "large").open("wb") as large:
        large.truncate(DOWNLOAD_BYTES)


def _show(values: Sequence[Any]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


BENCHMARK = Benchmark(
    ("apps.requests_ratio", "apps.rps", "apps.p50_ms", "apps.bulk_ratio", "apps.ws_echo_added_ms"), measure
)
