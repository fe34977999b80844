"""Counts what waits to be sent on a carrier, and tells its receiver when that is much, and when there is room again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genba_wire.aio.carrier import CarrierReceiver


class SendMarks:
    """For carriers that keep what they send themselves.

    Args:
        high_bytes: with more than this waiting, who sends is asked to pause.
        low_bytes: with no more than this waiting, who was asked to pause may send again.
    """

    def __init__(self, high_bytes: int, low_bytes: int) -> None:
        self.kept_bytes = 0
        self.is_paused = False
        self._high_bytes = high_bytes
        self._low_bytes = low_bytes

    def add(self, size: int) -> None:
        """More waits; `check` is to follow once all of it is there."""
        self.kept_bytes += size

    def check(self, receiver: CarrierReceiver | None) -> None:
        """Ask for a pause when enough waits."""
        if self.kept_bytes > self._high_bytes and not self.is_paused:
            self.is_paused = True
            if receiver is not None:
                receiver.sending_paused()

    def take(self, size: int, receiver: CarrierReceiver | None) -> None:
        """So much of it is gone; tell when there is room again."""
        self.kept_bytes -= size
        if self.is_paused and self.kept_bytes <= self._low_bytes:
            self.is_paused = False
            if receiver is not None:
                receiver.sending_resumed()
