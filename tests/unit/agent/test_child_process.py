from __future__ import annotations

import asyncio
import os

import psutil
import pytest

from genba_agent.child_process import DRAIN_S, UNKNOWN_EXIT, ChildProcess, OutputPipe, start_process
from tests.support.agent_clock import FakeClock


class Collected:
    """The output of one pipe."""

    def __init__(self) -> None:
        self.data = b""
        self.pipe = OutputPipe(self._take, lambda: None)

    def _take(self, data: bytes) -> None:
        self.data += data


async def start(script: str, *outputs: Collected) -> ChildProcess:
    pipes = [output.pipe for output in outputs]
    return await start_process(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, "/", pipes)


async def wait_for_end(child: ChildProcess) -> None:
    await child.watch_exit()
    for ended in child.pipes_ended:
        await ended.wait()


async def test_outputs_and_status_come_through() -> None:
    out, err = Collected(), Collected()
    child = await start("echo out; echo err >&2; exit 5", out, err)
    await wait_for_end(child)
    assert (child.exit_status, out.data, err.data) == (5, b"out\n", b"err\n")


async def test_exit_does_not_wait_for_a_daemon_that_holds_the_pipe() -> None:
    out = Collected()
    child = await start("sleep 60 & echo $!", out)
    await child.watch_exit()
    assert child.exit_status == 0
    assert child.has_open_pipes
    # The group outlives its leader, and is still ended.
    child.kill()
    await wait_for_end(child)


async def test_group_that_obeys_sighup_is_not_waited_for() -> None:
    clock = FakeClock()
    child = await start("sleep 60", Collected())
    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(child.watch_exit())
        await child.hang_up(clock)
        await watcher
    assert child.exit_status == UNKNOWN_EXIT
    assert clock.monotonic() == 0
    assert all(seconds <= DRAIN_S for seconds in clock.slept)


async def test_signals_to_a_group_that_is_gone_are_nothing() -> None:
    child = await start("exit 0", Collected())
    await wait_for_end(child)
    child.kill()


async def test_no_descriptor_is_left_by_runs_or_by_failed_starts() -> None:
    async def run_some(count: int) -> None:
        for _ in range(count):
            await wait_for_end(await start("true", Collected(), Collected()))
            with pytest.raises(OSError):
                await start_process(["/not/there"], {}, "/", [Collected().pipe])

    await run_some(2)
    before = len(os.listdir("/proc/self/fd"))
    await run_some(10)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_program_gets_default_signals_and_an_empty_stdin() -> None:
    out = Collected()
    child = await start("cat; kill -s PIPE $$; echo survived", out)
    await wait_for_end(child)
    assert out.data == b""
    assert child.exit_status == UNKNOWN_EXIT


async def test_program_is_gone_when_its_end_returns() -> None:
    child = await start("trap '' HUP TERM; sleep 60", Collected())
    await child.end()
    assert child.exit_status == UNKNOWN_EXIT
    await child.end()
    await child.close_pipes()


@pytest.mark.parametrize("steps", range(8))
async def test_program_whose_start_is_cancelled_is_gone(steps: int) -> None:
    """A start has several steps, and may be cancelled in each of them."""
    children_before = psutil.Process().children()
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(start("sleep 60", Collected(), Collected()))
        for _ in range(steps):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
    if not starting.cancelled():
        await starting.result().end()
        await starting.result().close_pipes()
    assert psutil.Process().children() == children_before
