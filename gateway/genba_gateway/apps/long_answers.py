"""Which answers last: those that are over soon, as most are, need nobody who watches them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

LONG_ANSWER_S: Final = 1.0
"""An answer that takes longer is watched: it ends when whoever reads it may not have it any more."""


class LongAnswers:
    """Calls back for what has lasted for `LONG_ANSWER_S`, by one timer for all."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        """When to call whom; the oldest first."""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, answer: Hashable, call: Callable[[], None]) -> None:
        """An answer has begun."""
        loop = asyncio.get_running_loop()
        due = loop.time() + LONG_ANSWER_S
        self._waiting[answer] = due, call
        if self._timer is None:
            self._timer = loop.call_at(due, self._look)

    def discard(self, answer: Hashable) -> None:
        """It is over."""
        self._waiting.pop(answer, None)

    def close(self) -> None:
        """Call nobody any more."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for answer, (due, call) in list(self._waiting.items()):
            if due > loop.time():
                self._timer = loop.call_at(due, self._look)
                return
            del self._waiting[answer]
            call()
