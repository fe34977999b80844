"""When an idle connection is closed, with a loop's clock that the test moves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypercorn.asyncio.worker_context import WorkerContext

from genba_gateway.relay.idle_watch import IdleWatch

KEEP_ALIVE_S = 100.0


class Watched:
    """A connection's watch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._loop, self._offset, real = loop, 0.0, loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self._offset)
        self.context = WorkerContext(None)
        self.closed: list[bool] = []
        self.watch = IdleWatch(self.context, KEEP_ALIVE_S, self.close)

    async def close(self) -> None:
        self.closed.append(True)

    async def begin(self) -> None:
        group: Any = None
        await self.watch.restart(group, self.close)
        await self.turn()

    async def pass_time(self, seconds: float) -> None:
        self._offset += seconds
        await self.turn()

    async def turn(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    made = Watched(monkeypatch)
    await made.begin()
    return made


async def test_it_closes_what_was_idle_for_so_long_and_not_before(watched: Watched) -> None:
    await watched.pass_time(KEEP_ALIVE_S - 1)
    assert not watched.closed
    await watched.pass_time(2)
    assert watched.closed == [True]


async def test_a_request_puts_it_off_and_one_that_lasts_is_not_cut(watched: Watched) -> None:
    await watched.pass_time(KEEP_ALIVE_S - 1)
    watched.watch.mark_busy()
    for _ in range(3):
        await watched.pass_time(KEEP_ALIVE_S + 1)
    assert not watched.closed
    watched.watch.mark_idle()
    await watched.pass_time(KEEP_ALIVE_S - 1)
    assert not watched.closed
    await watched.pass_time(KEEP_ALIVE_S + 1)
    assert watched.closed == [True]


@pytest.mark.parametrize("is_busy", [False, True])
async def test_at_the_servers_end_what_is_idle_is_closed_and_what_is_busy_closes_itself(
    watched: Watched, is_busy: bool
) -> None:
    if is_busy:
        watched.watch.mark_busy()
    await watched.context.terminated.set()
    await watched.turn()
    assert watched.closed == ([] if is_busy else [True])


async def test_it_stops_with_the_connection_also_from_its_own_close(watched: Watched) -> None:
    await watched.watch.stop()
    await watched.pass_time(2 * KEEP_ALIVE_S)
    await watched.watch.stop()
    assert not watched.closed
