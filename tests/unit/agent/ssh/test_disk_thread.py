"""What is done in a thread that may wait for ever."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from genba_agent.ssh.disk_thread import DiskThread
from tests.support.carriers import CEILING_S


async def test_one_thing_is_done_after_the_other_in_one_thread() -> None:
    thread = DiskThread("disk")
    here = threading.get_ident()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(thread.run(threading.get_ident)) for _ in range(3)]
    assert len({task.result() for task in tasks}) == 1
    assert tasks[0].result() != here
    thread.close()


async def test_what_it_raises_is_raised_to_who_waits() -> None:
    thread = DiskThread("disk")
    with pytest.raises(FileNotFoundError):
        await thread.run(Path("/nowhere").lstat)
    assert await thread.run(lambda: "and goes on") == "and goes on"
    thread.close()


async def test_whoever_is_cancelled_leaves_what_has_not_begun_undone() -> None:
    thread = DiskThread("disk")
    begun, end, done = threading.Event(), threading.Event(), list[str]()

    def wait() -> None:
        begun.set()
        end.wait(CEILING_S)
        done.append("first")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in (thread.run(wait), thread.run(lambda: done.append("second")))]
        assert await asyncio.to_thread(begun.wait, CEILING_S)
        for task in tasks:
            task.cancel()
    end.set()
    await thread.run(lambda: done.append("third"))
    assert done == ["first", "third"]
    thread.close()


async def test_its_thread_ends_when_it_is_closed() -> None:
    thread = DiskThread("disk")
    thread.close()
    worker = await thread.run(threading.current_thread)
    thread.close()
    await asyncio.to_thread(worker.join, CEILING_S)
    assert not worker.is_alive()


STUCK = """
import asyncio, os, sys
from genba_agent.ssh.disk_thread import DiskThread

async def main():
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def wait():
        loop.call_soon_threadsafe(begun.set)
        os.open(sys.argv[1], os.O_RDONLY)

    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(DiskThread("disk").run(wait))
        await begun.wait()
        stuck.cancel()

asyncio.run(main())
"""


def test_a_process_ends_although_its_thread_waits(tmp_path: Path) -> None:
    # A named pipe, whose other end nobody opens.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ended = subprocess.run(
        [sys.executable, "-c", STUCK, str(pipe)], capture_output=True, timeout=CEILING_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
