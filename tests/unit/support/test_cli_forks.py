"""Forked calls behave as executed ones."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

from genba_wire.version import VERSION_LINE
from tests.support.cli_forks import ForkedGenba
from tests.support.cli_process import genba_on_terminal, run_genba, running_genba

NOWHERE = {"GENBA_URL": "http://127.0.0.1:9", "GENBA_SESSION_TOKEN": "x"}


async def test_a_call_has_its_own_output_exit_code_and_environment(tmp_path: Path) -> None:
    version = await run_genba("version", folder=tmp_path)
    assert (version.code, version.out, version.err) == (0, VERSION_LINE + "\n", "")
    assert (await run_genba("frobnicate", folder=tmp_path)).code == 2
    assert "127.0.0.1:9" in (await run_genba("list", folder=tmp_path, env=NOWHERE)).err
    assert "not signed in to a gateway" in (await run_genba("list", folder=tmp_path)).err


async def test_a_call_reads_its_stdin_and_writes_into_its_folder(tmp_path: Path) -> None:
    done = await run_genba("state", "push", "dev", "-", folder=tmp_path, stdin=b"x" * 200_000, env=NOWHERE)
    assert "Can't reach the gateway" in done.err
    inner = tmp_path / "inner"
    inner.mkdir()
    assert (await run_genba("templates", "init", "--id", "host", folder=tmp_path, cwd=inner)).code == 0
    assert (inner / "host" / "main.tf").is_file()


async def test_a_signal_ends_a_call_and_is_its_exit_code(tmp_path: Path) -> None:
    async with genba_on_terminal("create", folder=tmp_path, env=NOWHERE) as terminal:
        await terminal.see("Name of the workspace")
        assert terminal.process.returncode is None
        terminal.process.send_signal(signal.SIGTERM)
        assert await terminal.end() == -signal.SIGTERM
        terminal.process.kill()  # which is nothing any more


async def test_a_call_that_goes_on_ends_with_its_block(tmp_path: Path) -> None:
    async with running_genba("version", folder=tmp_path) as genba:
        await genba.wait_until(lambda: genba.out == VERSION_LINE + "\n")
    assert genba.process.returncode in (0, -signal.SIGKILL)


async def test_a_call_whose_end_is_not_told_yet_is_not_there_to_be_signalled() -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs:
        call = ForkedGenba(ended.pid, ours)
        call.kill()
        theirs.send(b"0")
        assert await call.wait() == 0
