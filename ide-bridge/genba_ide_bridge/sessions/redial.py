"""How long to wait between attempts to reach an agent again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

FIRST_DELAY_S: Final = 0.05
"""The second attempt; the first one is made at once, since most carriers break while the gateway is well."""

LONGEST_RESTART_DELAY_S: Final = 0.3
"""A gateway that restarts is back in about a second, and somebody sits at the keyboard."""

RESTART_S: Final = 10.0
"""How long a restart may take."""

LONGEST_DELAY_S: Final = 1.0
"""Of a short outage."""

PATIENT_AFTER_S: Final = 60.0
"""From here on the outage is a long one."""

LONGEST_PATIENT_DELAY_S: Final = 5.0
"""After a network is back, nobody should wait longer than this."""


@dataclass(slots=True)
class RedialDelays:
    """Delays of one outage: none, then doubling, with jitter so that many clients don't come at once."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    _began: float | None = None
    _delay_s: float = 0.0

    def reset(self) -> None:
        """The way is there again: the next outage is a new one."""
        self._began = None
        self._delay_s = 0.0

    @property
    def waited_s(self) -> float:
        """How long this outage has lasted."""
        return 0.0 if self._began is None else self.clock() - self._began

    async def wait(self) -> None:
        """Wait before the next attempt."""
        if self._began is None:
            self._began = self.clock()
            await self.sleep(0)
        else:
            await self.sleep(self._delay_s * random.uniform(0.8, 1.0))  # noqa: S311  jitter needs no secrecy
        self._delay_s = min(max(self._delay_s * 2, FIRST_DELAY_S), self._longest_s())

    def hurry(self) -> None:
        """Something has changed for the better: the rest of the way is likely to be there soon."""
        self._delay_s = min(self._delay_s, FIRST_DELAY_S)

    def _longest_s(self) -> float:
        if self.waited_s < RESTART_S:
            return LONGEST_RESTART_DELAY_S
        return LONGEST_DELAY_S if self.waited_s < PATIENT_AFTER_S else LONGEST_PATIENT_DELAY_S
