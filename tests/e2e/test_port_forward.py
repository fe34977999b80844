"""`genba port-forward` to a real agent, over a real gateway that comes and goes."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.support.cli_process import RunningGenba, run_genba, running_genba
from tests.support.real_gateway import CEILING_S, agents_of, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def ask(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_ports_and_sockets_are_forwarded_through_a_restart_of_the_gateway(short_dir: Path, demo: Demo) -> None:
    gateway, session = demo
    server = await asyncio.start_server(upper, "127.0.0.1", 0)
    there: int = server.sockets[0].getsockname()[1]
    unix = await asyncio.start_unix_server(upper, short_dir / "there.sock")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    here, udp_here, path = free_port(), free_port(), short_dir / "here.sock"
    flags = [
        *("--tcp", f"{here}:{there}", "--udp", f"{udp_here}:{udp.getsockname()[1]}"),
        *("--unix", f"{path}:{short_dir / 'there.sock'}"),
    ]
    loop = asyncio.get_running_loop()
    async with (
        server,
        unix,
        asyncio.timeout(3 * CEILING_S),
        running_genba("port-forward", "demo", *flags, folder=short_dir, env=session) as running,
    ):
        await running.wait_until(lambda: "Ready" in running.err)
        assert await ask(here, b"tcp") == b"TCP"

        (workspace,) = (await gateway.fetch("GET", "/api/v2/workspaces"))["workspaces"]
        agent = agents_of(workspace)[0]["id"]
        listed = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent}/listening-ports")
        assert there in [each["port"] for each in listed["ports"]]
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"BEFORE"

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
            program.setblocking(False)
            program.connect(("127.0.0.1", udp_here))
            await loop.sock_sendall(program, b"ping")
            data, caller = await loop.sock_recvfrom(udp, 100)
            await loop.sock_sendto(udp, data + b" pong", caller)
            assert await loop.sock_recv(program, 100) == b"ping pong"

        await gateway.stop()
        await running.wait_until(lambda: "is lost" in running.err)
        await gateway.start()
        # A new one waits for the way.
        assert await ask(here, b"made in the outage") == b"MADE IN THE OUTAGE"
        writer.close()
        await interrupt(running)
        assert not path.exists()
    udp.close()


async def interrupt(running: RunningGenba) -> None:
    os.kill(running.process.pid, 2)
    assert await running.process.wait() == 0


async def test_stopped_workspace_is_started_unless_told_otherwise(short_dir: Path, demo: Demo) -> None:
    _, session = demo
    assert (await run_genba("stop", "demo", "--yes", folder=short_dir, env=session)).code == 0
    words = ("port-forward", "demo", "--unix", f"{short_dir}/here.sock:/there.sock")
    refused = await run_genba(*words, "--disable-autostart", folder=short_dir, env=session)
    assert refused.code == 1
    assert "genba start demo" in refused.err
    async with running_genba(*words, folder=short_dir, env=session) as running:
        await running.wait_until(lambda: "orwarding" in running.err + running.out)
        await interrupt(running)


async def test_taken_port_is_said_in_a_sentence(short_dir: Path, demo: Demo) -> None:
    _, session = demo
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with running_genba("port-forward", "demo", "--tcp", port, folder=short_dir, env=session) as running:
            assert await running.process.wait() == 1
            await running.wait_until(lambda: f"has 127.0.0.1:{port} already" in running.err)
            assert "Name another local port" in running.err


async def test_files_are_copied_both_ways(short_dir: Path, demo: Demo) -> None:
    """`genba cp`, over the same way."""
    tree = short_dir / "tree"

    def make() -> None:
        (tree / "below").mkdir(parents=True)
        (tree / "below" / "big").write_bytes(bytes(range(256)) * 16_384)
        (tree / "tool").write_text("#!/bin/sh\n")
        (tree / "tool").chmod(0o755)

    await asyncio.to_thread(make)
    _, session = demo
    there = f"demo:{short_dir}/there"
    for command in (("-r", str(tree), there), ("-r", there, str(short_dir / "back"))):
        done = await run_genba("cp", *command, folder=short_dir, env=session)
        assert done.code == 0, done.err
        assert "Copied 2 files" in done.err
    for name in ("below/big", "tool"):
        assert (short_dir / "back" / name).read_bytes() == (tree / name).read_bytes()
    assert os.access(short_dir / "back" / "tool", os.X_OK)
    done = await run_genba("cp", "demo:/nowhere/x", str(short_dir), folder=short_dir, env=session)
    assert (done.code, "error: /nowhere/x: No such file or directory" in done.err) == (1, True)
