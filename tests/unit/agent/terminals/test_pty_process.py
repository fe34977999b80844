from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from genba_agent.clock import SystemClock
from genba_agent.terminals.pty_process import REDRAW_S, PtyProcess
from genba_agent.terminals.session_members import HANG_UP_S, LOOK_S, list_members
from genba_agent.terminals.spawning import WindowSize, spawn_on_pty
from tests.support.agent_clock import CEILING_S, FakeClock
from tests.support.waiting import eventually


class Screen:
    """A `PtyListener` that keeps everything."""

    def __init__(self) -> None:
        self.shown = bytearray()
        self.status: int | None = None
        self._changed = asyncio.Event()

    def output(self, data: bytes) -> None:
        assert self.status is None
        self.shown += data
        self._changed.set()

    def exited(self, status: int) -> None:
        assert self.status is None
        self.status = status
        self._changed.set()

    async def wait_for(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(CEILING_S):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    async def wait_for_output(self, wanted: bytes) -> None:
        await self.wait_for(lambda: wanted in self.shown)

    async def wait_for_exit(self) -> int:
        await self.wait_for(lambda: self.status is not None)
        assert self.status is not None
        return self.status


async def start(script: str) -> tuple[PtyProcess, Screen]:
    spawned = await asyncio.to_thread(spawn_on_pty, ["/bin/sh", "-c", script], dict(os.environ), WindowSize())
    screen = Screen()
    return PtyProcess(spawned, screen), screen


def count_nothing(taken: int) -> None:
    del taken


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid)


@pytest.mark.parametrize(("end", "status"), [("exit 0", 0), ("exit 255", 255), ("kill -KILL $$", -9)])
async def test_exit_comes_once_after_all_output(end: str, status: int) -> None:
    process, screen = await start(f"head -c 200000 /dev/zero | tr '\\0' x; {end}")
    assert await screen.wait_for_exit() == status
    assert screen.shown == b"x" * 200_000
    assert process.exited.is_set()
    assert is_gone(process.pid)


async def test_exit_is_seen_without_pidfds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", refuse)
    process, screen = await start("echo hello; exit 7")
    assert await screen.wait_for_exit() == 7
    assert screen.shown == b"hello\r\n"
    assert is_gone(process.pid)


async def test_large_input_arrives_whole_and_is_counted_as_it_is_taken() -> None:
    process, screen = await start("stty raw -echo; echo ready; head -c 2000000 | sha256sum")
    await screen.wait_for_output(b"ready")
    data = os.urandom(2_000_000)
    taken: list[int] = []
    process.write(memoryview(data)[:1_500_000], taken.append)
    process.write(memoryview(data)[1_500_000:], taken.append)
    assert sum(taken) < len(data)
    assert await screen.wait_for_exit() == 0
    assert hashlib.sha256(data).hexdigest().encode() in screen.shown
    assert sum(taken) == len(data)


async def test_input_that_nobody_reads_is_given_up_at_the_end() -> None:
    process, screen = await start("stty raw -echo; echo ready; exec sleep 1000")
    await screen.wait_for_output(b"ready")
    taken: list[int] = []
    process.write(memoryview(bytes(1_000_000)), taken.append)
    assert sum(taken) < 1_000_000
    await process.kill_session()
    assert sum(taken) == 1_000_000
    process.write(memoryview(b"late"), taken.append)
    assert sum(taken) == 1_000_004
    process.resize(WindowSize(1, 1))


async def test_program_waits_while_its_output_is_not_read(tmp_path: Path) -> None:
    flag = tmp_path / "written"
    process, screen = await start(f"echo ready; read go; head -c 1000000 /dev/zero; touch '{flag}'")
    await screen.wait_for_output(b"ready")
    process.pause_reading()
    process.write(memoryview(b"\n"), count_nothing)
    writer = await asyncio.to_thread(find_blocked_writer, process.pid)
    assert not flag.exists()
    assert b"\0" not in screen.shown
    process.resume_reading()
    assert await screen.wait_for_exit() == 0
    assert screen.shown.count(b"\0") == 1_000_000
    assert is_gone(writer)


def find_blocked_writer(session: int) -> int:
    """Wait until a `head` of the session sleeps in a write."""
    while True:
        for pid in list_members(session):
            try:
                if psutil.Process(pid).name() == "head" and Path(f"/proc/{pid}/syscall").read_text().startswith("1 "):
                    return pid
            except (OSError, psutil.Error):
                continue


async def test_resize_reaches_the_program() -> None:
    process, screen = await start("trap 'stty size' WINCH; echo ready; while :; do read line && exit 0; done")
    await screen.wait_for_output(b"ready")
    process.resize(WindowSize(33, 111))
    await screen.wait_for_output(b"33 111")
    await process.kill_session()


async def test_the_size_that_it_has_makes_a_program_draw_anew() -> None:
    process, screen = await start("trap 'stty size' WINCH; echo ready; while :; do read line && exit 0; done")
    await screen.wait_for_output(b"ready")
    process.resize_or_redraw(WindowSize(33, 111))
    await screen.wait_for_output(b"33 111")
    process.resize_or_redraw(WindowSize(33, 111))
    await screen.wait_for_output(b"33 110")
    await screen.wait_for(lambda: screen.shown.count(b"33 111") == 2)
    await process.kill_session()


async def test_a_size_that_comes_while_a_program_draws_anew_stays() -> None:
    process, screen = await start("trap 'stty size' WINCH; echo ready; while :; do read line && exit 0; done")
    await screen.wait_for_output(b"ready")
    process.resize(WindowSize(33, 111))
    await screen.wait_for_output(b"33 111")
    process.resize_or_redraw(WindowSize(33, 111))
    process.resize_or_redraw(WindowSize(20, 50))
    await screen.wait_for_output(b"20 50")
    await asyncio.sleep(2 * REDRAW_S)
    process.resize(WindowSize(20, 51))
    await screen.wait_for_output(b"20 51")
    assert screen.shown.count(b"33 111") == 1
    await process.kill_session()


async def test_hang_up_ends_the_foreground_and_spares_what_was_put_in_the_background() -> None:
    process, screen = await start("(trap '' HUP; echo armed; exec sleep 1000) & exec cat")
    await screen.wait_for_output(b"armed")
    await process.hang_up(FakeClock())
    assert screen.status == -1
    spared = await asyncio.to_thread(list_members, process.pid)
    assert len(spared) == 1
    psutil.Process(spared[0]).kill()
    await eventually(lambda: not list_members(process.pid))


async def test_program_that_ignores_the_hang_up_is_killed() -> None:
    process, screen = await start("trap '' HUP; echo ready; while :; do read line; done")
    await screen.wait_for_output(b"ready")
    clock = FakeClock()
    async with asyncio.TaskGroup() as group:
        hanging_up = group.create_task(process.hang_up(clock))
        await clock.wait_for_sleep(HANG_UP_S)
        assert screen.status is None
        clock.advance(HANG_UP_S)
        await hanging_up
    assert screen.status == -9


async def test_end_of_a_session_kills_what_its_leader_left() -> None:
    left = "(trap '' HUP; echo armed; exec sleep 1000) &"
    process, screen = await start(f"{left} {left} exec cat")
    await screen.wait_for(lambda: screen.shown.count(b"armed") == 2)
    clock = FakeClock()
    async with asyncio.TaskGroup() as group:
        ending = group.create_task(process.end_session(clock))
        await clock.wait_for_sleep(LOOK_S)
        assert len(await asyncio.to_thread(list_members, process.pid)) >= 2
        clock.advance(HANG_UP_S)
        await ending
    assert screen.status == -1
    await eventually(lambda: not list_members(process.pid))


async def test_end_of_a_session_reaches_its_background() -> None:
    process, screen = await start("(echo armed; exec sleep 1000) & exec cat")
    await screen.wait_for_output(b"armed")
    # A real clock, as the last of them may take a moment.
    await process.end_session(SystemClock())
    assert screen.status == -1
    assert await asyncio.to_thread(list_members, process.pid) == []


async def test_paused_program_can_end() -> None:
    process, screen = await start(
        "trap 'head -c 1000000 /dev/zero; exit 5' HUP; echo ready; while :; do read line; done"
    )
    await screen.wait_for_output(b"ready")
    process.pause_reading()
    async with asyncio.timeout(CEILING_S):
        await process.hang_up(FakeClock())
    assert screen.status == 5
