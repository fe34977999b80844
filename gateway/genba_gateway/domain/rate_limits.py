"""How many requests each caller may make: fixed windows of a minute, counted in memory (contract 0.2).

Pure: time is an argument. A library was looked at and left: `limits` has an asyncio store in memory, which takes its
own clock and starts tasks that nobody awaits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left in this window; `is_over` when this request was one too many."""

    limit: int
    remaining: int
    resets_at_s: int
    """Unix time."""

    is_over: bool


class RequestCounter:
    """Counts requests by key. All windows begin with the clock's minute, so that ended ones are dropped at once."""

    def __init__(self) -> None:
        self._window = 0
        self._counts: dict[tuple[str, ...], int] = {}

    def count(self, key: tuple[str, ...], limit: int, now_s: float) -> Allowance:
        """Count one request at a Unix time."""
        window = int(now_s // WINDOW_S)
        if window != self._window:
            self._window = window
            self._counts.clear()
        used = self._counts.get(key, 0) + 1
        self._counts[key] = min(used, limit + 1)
        return Allowance(limit, max(0, limit - used), (window + 1) * WINDOW_S, used > limit)
