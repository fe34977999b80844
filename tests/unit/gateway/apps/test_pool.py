"""Connections kept for the next request, and given up in time and at every limit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import pytest

from genba_gateway.apps import pool as pool_module
from genba_gateway.apps.pool import KEEP_FOR_UNSAFE_S, KEEP_IDLE_S, AppKey, UpstreamPool
from genba_gateway.apps.upstreams import parse_app_url
from genba_gateway.errors import TooManyRequests
from genba_gateway.services.agent_links import AgentLinks, Lane

KEY = AppKey("agent", "build", parse_app_url("http://localhost:80"), Lane.APPS)
OTHER = AppKey("agent", "another build", KEY.upstream, Lane.APPS)


class FakeStream:
    """A stream that an end of the pool's would have; it only notes that it was released."""

    is_writable = True

    def __init__(self) -> None:
        self.stream = self
        self.is_released = False
        self.listener: Any = None

    def listen(self, listener: Any) -> None:
        self.listener = listener

    def release(self) -> None:
        self.is_released = True


class FakeLinks:
    """Opens such streams."""

    def __init__(self) -> None:
        self.opened: list[FakeStream] = []

    async def take_stream(self, *_: object) -> FakeStream:
        self.opened.append(FakeStream())
        return self.opened[-1]


class PoolWorld:
    """A pool, its clock and what it opened."""

    def __init__(self) -> None:
        self.now = 100.0
        self.links = FakeLinks()
        self.pool = UpstreamPool(cast("AgentLinks", self.links), lambda: self.now)


@pytest.fixture
async def world() -> AsyncGenerator[PoolWorld]:
    made = PoolWorld()
    yield made
    made.pool.close()


async def test_the_last_connection_that_came_back_is_the_next_one(world: PoolWorld) -> None:
    first, second = await world.pool.take(KEY), await world.pool.take(KEY)
    world.pool.give_back(KEY, first)
    world.pool.give_back(KEY, second)
    again = await world.pool.take(KEY)
    assert again is second
    assert again.is_reused
    assert (await world.pool.take(OTHER)).is_reused is False


@pytest.mark.parametrize("limit", [KEEP_IDLE_S, KEEP_FOR_UNSAFE_S])
async def test_a_connection_is_used_again_just_before_its_limit_and_not_at_it(world: PoolWorld, limit: float) -> None:
    for idle_s, is_reused in ((limit - 0.01, True), (limit, False)):
        world.pool.give_back(KEY, await world.pool.take(KEY, idle_at_most_s=0.0))
        world.now += idle_s
        assert (await world.pool.take(KEY, idle_at_most_s=limit)).is_reused is is_reused


async def test_what_was_idle_for_too_long_is_closed(world: PoolWorld) -> None:
    world.pool.give_back(KEY, await world.pool.take(KEY))
    world.now += KEEP_IDLE_S - 0.01
    world.pool.sweep()
    assert not world.links.opened[0].is_released
    world.now += 0.01
    world.pool.sweep()
    assert world.links.opened[0].is_released
    assert world.pool.idle_count == 0


async def test_what_ends_or_speaks_while_nobody_uses_it_is_closed(world: PoolWorld) -> None:
    happenings: tuple[Callable[[Any], None], ...] = (
        lambda listener: listener.finished(),
        lambda listener: listener.reset(1, "gone"),
        lambda listener: listener.data_received(memoryview(b"HTTP/1.1 408 Timeout")),
    )
    for happens in happenings:
        world.pool.give_back(KEY, await world.pool.take(KEY, idle_at_most_s=0.0))
        happens(world.links.opened[-1].listener)
        assert world.links.opened[-1].is_released
        assert world.pool.idle_count == 0


async def test_a_connection_that_has_ended_is_not_kept(world: PoolWorld) -> None:
    connection = await world.pool.take(KEY)
    world.links.opened[0].listener.finished()
    world.pool.give_back(KEY, connection)
    assert world.pool.idle_count == 0


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_IDLE_PER_APP", 2)
    monkeypatch.setattr(pool_module, "MAX_IDLE_PER_AGENT", 3)
    monkeypatch.setattr(pool_module, "MAX_IDLE", 5)
    monkeypatch.setattr(pool_module, "MAX_OPEN_PER_APP", 3)


@pytest.mark.usefixtures("small_limits")
async def test_so_many_are_kept_for_an_app_for_an_agent_and_in_all(world: PoolWorld) -> None:
    elsewhere = KEY._replace(agent_id="another agent")
    for key, kept in ((KEY, 2), (OTHER, 3), (elsewhere, 5)):
        for connection in [await world.pool.take(key, idle_at_most_s=0.0) for _ in range(3)]:
            world.pool.give_back(key, connection)
        assert world.pool.idle_count == kept
    kept_ones = [False, False, True, False, True, True, False, False, True]
    assert [each.is_released for each in world.links.opened] == kept_ones
    last = KEY._replace(agent_id="a third agent")
    world.pool.give_back(last, await world.pool.take(last))
    assert world.pool.idle_count == 5
    world.pool.close()
    world.pool.give_back(OTHER, await world.pool.take(OTHER))
    assert world.pool.idle_count == 1


@pytest.mark.usefixtures("small_limits")
async def test_so_many_are_open_for_an_app_and_no_more(world: PoolWorld) -> None:
    taken = [await world.pool.take(KEY) for _ in range(3)]
    with pytest.raises(TooManyRequests, match="3 connections"):
        await world.pool.take(KEY)
    await world.pool.take(OTHER)
    world.pool.drop(KEY, taken[0])
    await world.pool.take(KEY)


@pytest.mark.usefixtures("small_limits")
async def test_an_app_is_the_same_when_its_url_was_forgotten_and_in_each_lane(world: PoolWorld) -> None:
    for _ in range(2):
        await world.pool.take(KEY)
    await world.pool.take(KEY._replace(lane=Lane.APP_SOCKETS))
    parse_app_url.cache_clear()
    again = AppKey(KEY.agent_id, KEY.build_id, parse_app_url("http://localhost:80"), Lane.APPS)
    with pytest.raises(TooManyRequests, match="3 connections"):
        await world.pool.take(again)
