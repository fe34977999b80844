from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import psutil
import pytest

from genba_agent.clock import SystemClock
from genba_agent.ssh.piped_program import PipedProgram, start_on_pipes
from genba_agent.terminals.session_members import HANG_UP_S
from tests.support.agent_clock import CEILING_S, FakeClock
from tests.support.waiting import eventually


class Shown:
    """A `ProgramListener` that notes what it hears."""

    def __init__(self) -> None:
        self.out = b""
        self.err = b""
        self.is_filled = False
        self.on_drained: Callable[[], None] = lambda: None
        self.status = asyncio.get_running_loop().create_future()

    def output(self, data: bytes) -> None:
        self.out += data

    def error_output(self, data: bytes) -> None:
        self.err += data

    def input_filled(self) -> None:
        self.is_filled = True

    def input_drained(self) -> None:
        was_filled, self.is_filled = self.is_filled, False
        if was_filled:
            self.on_drained()

    def exited(self, status: int) -> None:
        self.status.set_result(status)

    async def wait(self) -> int:
        async with asyncio.timeout(CEILING_S):
            status: int = await self.status
            return status


async def start(script: str) -> tuple[PipedProgram, Shown]:
    shown = Shown()
    program = await start_on_pipes(["sh", "-c", script], "/bin/sh", dict(os.environ), "/", shown)
    return program, shown


async def test_output_errors_and_status_come() -> None:
    program, shown = await start("echo out; echo err >&2; exit 3")
    assert await shown.wait() == 3
    assert (shown.out, shown.err, program.has_exited) == (b"out\n", b"err\n", True)


async def test_input_ends_when_told() -> None:
    program, shown = await start("wc -c")
    program.write(bytes(1_000_000))
    program.write_eof()
    assert await shown.wait() == 0
    assert shown.out.strip() == b"1000000"


async def test_input_that_is_not_read_fills_and_drains() -> None:
    program, shown = await start("read line < /dev/stdin; kill -STOP $$; cat > /dev/null")
    program.write(b"\n" + bytes(5_000_000))
    assert shown.is_filled
    program.signal(signal.SIGCONT)
    await eventually(lambda: is_stopped(program) or not shown.is_filled)
    program.signal(signal.SIGCONT)
    await eventually(lambda: not shown.is_filled)
    program.write_eof()
    assert await shown.wait() == 0


def is_dead(pid: int) -> bool:
    """An orphan may stay a zombie for a while where process 1 collects slowly."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_stopped(program: PipedProgram) -> bool:
    return psutil.Process(program.pid).status() == psutil.STATUS_STOPPED


async def test_last_input_arrives_whole_when_it_ends_as_soon_as_there_is_room() -> None:
    program, shown = await start("wc -c")

    def bring_the_rest() -> None:
        program.write(bytes(2_000_000))
        program.write_eof()

    shown.on_drained = bring_the_rest
    program.write(bytes(1_000_000))
    assert await shown.wait() == 0
    assert shown.out.strip() == b"3000000"


async def test_paused_output_holds_the_program() -> None:
    program, shown = await start("echo $$; head -c 3000000 /dev/zero")
    program.pause_output()
    await eventually(lambda: psutil.Process(program.pid).status() == psutil.STATUS_SLEEPING)
    assert len(shown.out) < 1_000_000
    program.resume_output()
    assert await shown.wait() == 0
    assert len(shown.out) > 3_000_000


async def test_program_is_over_when_nobody_holds_its_output() -> None:
    program, shown = await start("exec 3<&0; (read line <&3; echo late) & exit 4")
    await eventually(lambda: program.has_exited)
    assert not shown.status.done()
    program.write(b"\n")
    assert await shown.wait() == 4
    assert shown.out == b"late\n"


async def test_hang_up_is_told_and_then_enforced() -> None:
    program, shown = await start("trap 'echo up; exit 5' HUP; echo on; while :; do sleep 0.05; done")
    await eventually(lambda: shown.out == b"on\n")
    await program.hang_up(SystemClock())
    assert await shown.wait() == 5
    assert shown.out == b"on\nup\n"

    clock = FakeClock()
    program, shown = await start("trap '' HUP; echo on; while :; do sleep 0.05; done")
    await eventually(lambda: shown.out == b"on\n")
    async with asyncio.TaskGroup() as group:
        group.create_task(program.hang_up(clock))
        await clock.wait_for_sleep(HANG_UP_S)
        clock.advance(HANG_UP_S)
    assert await shown.wait() == -signal.SIGKILL


async def test_end_takes_what_was_left_in_the_background() -> None:
    program, shown = await start("sleep 1000 >/dev/null 2>&1 & echo $!; exec sleep 1000")
    await eventually(lambda: shown.out.endswith(b"\n"))
    await program.end(SystemClock())
    assert await shown.wait() == -signal.SIGHUP
    await eventually(lambda: is_dead(int(shown.out)))


async def test_what_cannot_be_started_raises() -> None:
    with pytest.raises(FileNotFoundError):
        await start_on_pipes(["x"], "/not/there", {}, "/", Shown())
    with pytest.raises(ValueError, match="null"):
        await start_on_pipes(["x", "a\0b"], "/bin/sh", {}, "/", Shown())
