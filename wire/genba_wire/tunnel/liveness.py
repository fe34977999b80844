"""When to ping, and when a carrier is dead."""

from __future__ import annotations

from genba_wire.tunnel.frame_types import DEAD_AFTER_S, PING_AFTER_S, TOKEN_BYTES


class Liveness:
    """Watches one carrier.

    An end pings when it heard nothing for `PING_AFTER_S`, and also when it said nothing for so long: a peer that only
    sends, over a slow line, must hear something too. Traffic moves the timers later only, so a driver needs to look at
    them when one fires, not at every message.
    """

    __slots__ = ("_heard_at", "_pinged_at", "_said_at", "_tokens")

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._said_at = now
        self._pinged_at = now
        self._tokens = 0

    def heard(self, now: float) -> None:
        """A message came."""
        self._heard_at = now

    def said(self, now: float) -> None:
        """A message is sent. `now` may be a little behind; then a ping comes a little early."""
        self._said_at = now

    @property
    def dead_at(self) -> float:
        """When the carrier is dead, if nothing comes."""
        return self._heard_at + DEAD_AFTER_S

    @property
    def ping_at(self) -> float:
        """When a ping is due, if nothing happens."""
        return max(min(self._heard_at, self._said_at), self._pinged_at) + PING_AFTER_S

    def next_token(self, now: float) -> bytes:
        """A ping is sent: return its token."""
        self._pinged_at = self._said_at = now
        self._tokens += 1
        return self._tokens.to_bytes(TOKEN_BYTES, "big")
