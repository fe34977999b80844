"""How long to wait before asking an absent gateway again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

FIRST_WAIT_S: Final = 0.1
"""The wait after the immediate second attempt; it doubles from there (contract 1.6)."""

RESTART_CAP_S: Final = 0.3
"""The longest wait while a restart may be all there is: every session waits for its agent to be back."""

RESTART_OUTAGE_S: Final = 10.0
"""How long a restart may take."""

EARLY_CAP_S: Final = 1.0
"""The longest wait in an outage's first minute: most outages are restarts, and people are watching."""

EARLY_OUTAGE_S: Final = 60.0
"""How long an outage counts as young."""

LATE_CAP_S: Final = 10.0
"""The longest wait of all (contract 1.6)."""


class Backoff:
    """Waits of one outage: none, then 0.1 s doubling, capped, with jitter (half to all of each wait)."""

    def __init__(self, monotonic: Callable[[], float], jitter: Callable[[], float] = random.random) -> None:
        self._monotonic = monotonic
        self._jitter = jitter
        self._began_at: float | None = None
        self._failures = 0

    @property
    def outage_s(self) -> float:
        """Seconds since the outage's first failure; 0 when there is none."""
        return 0.0 if self._began_at is None else self._monotonic() - self._began_at

    def next_wait_s(self) -> float:
        """Count one failure and say how long to wait."""
        if self._began_at is None:
            self._began_at = self._monotonic()
        self._failures += 1
        if self._failures == 1:
            return 0.0
        cap = self._longest_wait_s()
        # The exponent is bounded so that a weekend's outage does not overflow a float.
        longest = min(cap, FIRST_WAIT_S * 2.0 ** min(self._failures - 2, 16))
        return longest * (0.5 + 0.5 * self._jitter())

    def _longest_wait_s(self) -> float:
        if self.outage_s < RESTART_OUTAGE_S:
            return RESTART_CAP_S
        return EARLY_CAP_S if self.outage_s < EARLY_OUTAGE_S else LATE_CAP_S

    def reset(self) -> None:
        """The outage is over."""
        self._began_at = None
        self._failures = 0
