"""What is to be done once what was read is dealt with: one write for all of it, without a further turn of the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)


class Turns:
    """Of one loop. A transport's protocol that hands on what it reads does it between `begin` and `end`.

    A turn of the loop costs as much as handing on a short message, and a keystroke would take one in every program
    that it passes.
    """

    __slots__ = ("__weakref__", "_depth", "_due")

    # It holds no loop: it is kept by its loop, weakly, which could never go if it held the loop itself.
    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []
        self._depth = 0

    def begin(self) -> None:
        """What was read is being handed on; `end` must follow."""
        self._depth += 1

    def end(self) -> None:
        """Do what became due meanwhile."""
        self._depth -= 1
        if self._depth:
            return
        # By index: what is done may make more due, as a socket that took bytes gives credit for them.
        self._depth, at = 1, 0
        due = self._due
        try:
            while at < len(due):
                try:
                    due[at]()
                except Exception:  # one user's failure is not the others', as with callbacks of the loop
                    logger.exception("What was due at the end of a turn failed.")
                at += 1
        finally:
            due.clear()
            self._depth = 0

    def at_end(self, call: Callable[[], None]) -> None:
        """Call at the end of what is read at the moment, or in the loop's next turn when nothing is."""
        if self._depth:
            self._due.append(call)
        else:
            asyncio.get_running_loop().call_soon(call)


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns_of_loop() -> Turns:
    """Return those of the running loop."""
    return _turns.setdefault(asyncio.get_running_loop(), Turns())
