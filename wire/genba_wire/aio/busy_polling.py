"""An event loop that looks again for a moment before it sleeps, while answers come that soon.

A request to an app is handed on by programs that sleep meanwhile, and waking one takes longer than its own work for it,
most of all in a virtual machine, whose cores are given back when they idle (docs/decisions/0016-busy-polling.md).
"""

from __future__ import annotations

import asyncio
import os
import selectors
import time
from typing import Final

from genba_wire.cpu_limit import find_cpu_limit

BUSY_POLL_US: Final = 500
"""The answer for a small page of nginx comes in 300 to 350; those of slower apps are not worth waiting for awake."""

MAX_BUSY_POLL_US: Final = 10_000
"""What is longer is a mistake: a sleep costs a hundredth of it."""

TAKEN_NS: Final = 200_000
"""Another program that keeps the core for that long has a lot to do: no core is left, and polling is in the way."""

_ALL: Final = 256
_ENOUGH: Final = _ALL * 3 // 8
_MEMORY: Final = 3

_MIN_PAUSE: Final = 4
_MAX_PAUSE: Final = 1024


class BusyPollingSelector(selectors.DefaultSelector):
    """Polls for up to `limit_us` microseconds before it sleeps, if enough of its last waits ended within that.

    So it doesn't while nothing happens, nor while what happens is further apart. Between two looks it gives the core to
    any other program that has work, and when that keeps it, some waits are not polled: twice as many each time, an
    eighth less each time that it doesn't.
    """

    def __init__(self, limit_us: int) -> None:
        super().__init__()
        self._limit_ns = limit_us * 1000
        self._short = 0  # of _ALL: the share of short ones among the last waits; each counts for 1 / 2**_MEMORY of it
        self._pause = 0  # waits that are not polled
        self._next_pause = _MIN_PAUSE

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, within `timeout` seconds or None for ever, as selectors.BaseSelector says."""
        look = super().select
        if timeout is not None and timeout <= 0:
            return look(timeout)
        began = time.perf_counter_ns()
        ready: list[tuple[selectors.SelectorKey, int]] = []
        if self._pause:
            self._pause -= 1
        elif self._short > _ENOUGH:
            now, until = began, began + self._limit_ns
            while not ready and now < until:
                os.sched_yield()
                before, now = now, time.perf_counter_ns()
                ready = look(0)
                if now - before > TAKEN_NS:
                    self._pause, self._next_pause = self._next_pause, min(2 * self._next_pause, _MAX_PAUSE)
                    return ready or look(timeout)
            self._next_pause = max(self._next_pause * 7 // 8, _MIN_PAUSE)
        # A timer is late by the limit at most; by default that is less than the millisecond waits are rounded up to.
        ready = ready or look(timeout)
        was_short = bool(ready) and time.perf_counter_ns() - began <= self._limit_ns
        self._short += ((_ALL if was_short else 0) - self._short) >> _MEMORY
        return ready


def make_event_loop(limit_us: int) -> asyncio.AbstractEventLoop:
    """Make the loop of a program's main thread, and make it that thread's.

    Args:
        limit_us: it polls for at most that long. It never does with 0, with a single core, or where the container's
            share of cores is limited, which polling would use up.
    """
    if limit_us and _cores() > 1 and find_cpu_limit() is None:
        loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop(BusyPollingSelector(limit_us))
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # which Python 3.11's watcher of child processes goes by
    return loop


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
