from __future__ import annotations

import asyncio

import pytest

from genba_gateway.provisioner.init_lock import InitLock
from genba_gateway.provisioner.terraform_commands import JobCanceled

CEILING_S = 30.0


async def hold(lock: InitLock, cancel: asyncio.Event, held: asyncio.Event, leave: asyncio.Event) -> None:
    async with lock.hold(cancel):
        held.set()
        await leave.wait()


async def test_a_second_job_waits_for_the_first() -> None:
    lock, never = InitLock(), asyncio.Event()
    first, second, leave = asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(lock, never, first, leave))
        await first.wait()
        tasks.create_task(hold(lock, never, second, leave))
        await asyncio.sleep(0)
        assert (lock.is_held, second.is_set()) == (True, False)
        leave.set()
        await second.wait()
    assert not lock.is_held


async def test_waiting_ends_with_the_job() -> None:
    lock, cancel = InitLock(), asyncio.Event()
    async with asyncio.timeout(CEILING_S), lock.hold(asyncio.Event()):
        cancel.set()
        with pytest.raises(JobCanceled):
            async with lock.hold(cancel):
                pass
    assert not lock.is_held


@pytest.mark.parametrize("turns", range(6))
async def test_a_task_that_is_cancelled_at_any_moment_leaves_the_lock_free(turns: int) -> None:
    lock = InitLock()
    first, held, leave = asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(lock, asyncio.Event(), first, leave))
        await first.wait()
        waiting = tasks.create_task(hold(lock, asyncio.Event(), held, asyncio.Event()))
        await asyncio.sleep(0)
        leave.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
    assert not lock.is_held
