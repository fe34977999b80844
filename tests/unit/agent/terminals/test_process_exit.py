from __future__ import annotations

import asyncio
import os
import subprocess

import pytest

from genba_agent.terminals.process_exit import UNKNOWN_STATUS, watch_exit


async def wait_for_exit(script: str) -> int:
    process = await asyncio.to_thread(subprocess.Popen, ["/bin/sh", "-c", script])
    exited = asyncio.get_running_loop().create_future()
    watch_exit(process.pid, exited.set_result)
    status: int = await exited
    process.returncode = status
    return status


@pytest.mark.parametrize("has_pidfds", [True, False])
@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", -15)])
async def test_status_is_told(monkeypatch: pytest.MonkeyPatch, has_pidfds: bool, script: str, status: int) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise PermissionError

    if not has_pidfds:
        monkeypatch.setattr(os, "pidfd_open", refuse)
    assert await wait_for_exit(script) == status


async def test_process_that_somebody_else_reaped_has_no_known_status() -> None:
    process = await asyncio.to_thread(subprocess.Popen, ["/bin/true"])
    await asyncio.to_thread(process.wait)
    exited = asyncio.get_running_loop().create_future()
    watch_exit(process.pid, exited.set_result)
    assert await exited == UNKNOWN_STATUS
