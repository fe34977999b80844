"""A thread that may wait for the disk for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")


class DiskThread:
    """Does one thing after the other in a thread of its own, which begins with the first one.

    A file server that has gone away holds whoever asks it, maybe for ever. In asyncio's pool that would take a thread
    from all of the agent, and `asyncio.run` and the interpreter's end wait for any executor's threads. This one is a
    daemon: the process ends without it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._has_begun = False

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do it in the thread; return or raise what it does. Whoever is cancelled leaves it behind."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_T] = loop.create_future()

        def carry_out() -> None:
            if done.cancelled():
                return
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001  # it is raised where it is awaited
                tell(_fail, done, error)
            else:
                tell(_succeed, done, result)

        def tell(how: Callable[..., None], *told: object) -> None:
            # The loop may have ended by then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(how, *told)

        self._waiting.put(carry_out)
        if not self._has_begun:
            self._has_begun = True
            threading.Thread(target=_work_off, args=(self._waiting,), name=self._name, daemon=True).start()
        return await done

    def close(self) -> None:
        """End the thread after what it has begun and what waits."""
        if self._has_begun:
            self._waiting.put(None)
            self._has_begun = False


def _work_off(waiting: SimpleQueue[Callable[[], None] | None]) -> None:
    while (carry_out := waiting.get()) is not None:
        carry_out()
        del carry_out


def _succeed(done: asyncio.Future[_T], result: _T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[_T], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
