"""When the loop polls, and that it hears everything either way."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from genba_wire.aio import busy_polling
from genba_wire.aio.busy_polling import TAKEN_NS, BusyPollingSelector, make_event_loop

LIMIT_US = 300
REST_US = 100
"""How long each rest between two looks takes here."""

RESTS = LIMIT_US // REST_US


class Line:
    """One that a selector waits at, on a clock that only rests move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.near, self.far = socket.socketpair()
        self.selector = BusyPollingSelector(LIMIT_US)
        self.selector.register(self.near, selectors.EVENT_READ)
        self.rests = 0
        self.rest_us = REST_US
        self.now_us = 0
        self.send_at_rest = 0
        monkeypatch.setattr(os, "sched_yield", self._rest)
        monkeypatch.setattr(time, "perf_counter_ns", lambda: self.now_us * 1000)

    def _rest(self) -> None:
        self.rests += 1
        self.now_us += self.rest_us
        if self.rests == self.send_at_rest:
            self.far.send(b"x")

    def hear_at_once(self, times: int) -> int:
        """Return in how many of so many waits for what is there already it polled."""
        before = self.rests
        self.far.send(b"x")
        for _ in range(times):
            assert self.selector.select(30)
        self.near.recv(1)
        return self.rests - before

    def hear_nothing(self) -> int:
        """Return how often it looked before it slept."""
        before = self.rests
        assert self.selector.select(0.001) == []
        return self.rests - before

    def close(self) -> None:
        self.selector.close()
        self.near.close()
        self.far.close()


def has_cores(monkeypatch: pytest.MonkeyPatch, cores: set[int]) -> None:
    def tell(_process: int) -> set[int]:
        return cores

    monkeypatch.setattr(os, "sched_getaffinity", tell)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    line = Line(monkeypatch)
    yield line
    line.close()


def test_it_polls_after_some_short_waits_and_hears_what_comes_then(line: Line) -> None:
    assert line.hear_at_once(4) == 0
    line.send_at_rest = line.rests + RESTS
    ((key, events),) = line.selector.select(None)
    assert (key.fileobj, events) == (line.near, selectors.EVENT_READ)
    assert line.rests == line.send_at_rest


def test_it_does_not_poll_when_it_is_told_not_to_wait(line: Line) -> None:
    line.hear_at_once(100)
    before = line.rests
    assert line.selector.select(0) == line.selector.select(-1) == []
    assert line.rests == before


def test_it_polls_no_longer_than_its_limit_and_not_while_nothing_comes_soon(line: Line) -> None:
    line.hear_at_once(100)
    assert [line.hear_nothing() for _ in range(10)] == [RESTS] * 7 + [0] * 3


def test_it_leaves_a_core_that_others_keep(line: Line) -> None:
    line.hear_at_once(100)
    line.rest_us = TAKEN_NS // 1000 + 1
    for pause in (4, 8, 16):
        assert line.hear_at_once(1) == 1
        assert line.hear_at_once(pause) == 0
    line.rest_us = REST_US
    assert line.hear_at_once(2) == 2
    line.rest_us = TAKEN_NS // 1000 + 1
    for pause in (24, 48, 96, 192, 384, 768, 1024, 1024):
        assert line.hear_at_once(1) == 1
        assert line.hear_at_once(pause) == 0


def test_what_comes_while_others_keep_the_core_is_heard(line: Line) -> None:
    line.hear_at_once(100)
    line.rest_us = TAKEN_NS // 1000 + 1
    line.send_at_rest = line.rests + 1
    assert line.selector.select(None)


def test_what_comes_after_the_limit_is_heard(line: Line) -> None:
    line.hear_at_once(100)
    before = line.rests
    sender = threading.Timer(0.05, line.far.send, [b"x"])
    sender.start()
    assert line.selector.select(30)
    sender.join()
    assert line.rests - before == RESTS


@pytest.mark.parametrize(
    ("limit_us", "cores", "share", "polls"),
    [(300, {0, 1}, None, True), (0, {0, 1}, None, False), (300, {0}, None, False), (300, {0, 1}, 1.5, False)],
)
def test_a_loop_polls_where_a_core_is_left_for_others(
    monkeypatch: pytest.MonkeyPatch, limit_us: int, cores: set[int], share: float | None, polls: bool
) -> None:
    made: list[int] = []

    class Noted(BusyPollingSelector):
        def __init__(self, limit_us: int) -> None:
            super().__init__(limit_us)
            made.append(limit_us)

    monkeypatch.setattr(busy_polling, "BusyPollingSelector", Noted)
    has_cores(monkeypatch, cores)
    monkeypatch.setattr(busy_polling, "find_cpu_limit", lambda: share)
    with asyncio.Runner(loop_factory=lambda: make_event_loop(limit_us)) as runner:
        assert runner.run(asyncio.sleep(0, "done")) == "done"
    assert made == ([300] if polls else [])


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="pidfds are Linux's")
def test_children_are_waited_for_by_their_pidfds(monkeypatch: pytest.MonkeyPatch) -> None:
    has_cores(monkeypatch, {0, 1})
    before = asyncio.get_child_watcher()  # pyright: ignore[reportDeprecated]
    asyncio.set_child_watcher(asyncio.PidfdChildWatcher())  # pyright: ignore[reportDeprecated]

    async def run() -> int:
        child = await asyncio.create_subprocess_exec("sh", "-c", "exit 3")
        return await child.wait()

    try:
        with asyncio.Runner(loop_factory=lambda: make_event_loop(300)) as runner:
            assert runner.run(run()) == 3
    finally:
        asyncio.set_child_watcher(before)  # pyright: ignore[reportDeprecated]
        asyncio.set_event_loop(None)
