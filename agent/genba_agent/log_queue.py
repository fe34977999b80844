"""Lines that wait for the gateway, and the numbers they get. Pure.

Rules, which the spool's journal repeats when it is replayed:

* Lines of one source leave in the order they came. A request carries lines of one source only, so a batch is the
  oldest waiting line together with the lines behind it that have its source; lines of different sources may change
  places.
* Numbers are given when a batch is formed, so that a batch's numbers have no gaps. A batch keeps its lines and numbers
  until it is acknowledged, however often it is sent: the gateway recognises it by its first number.
* One batch is in flight at a time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from genba_wire.api.agent_protocol import MAX_LOGS_BYTES

MAX_BATCH_LINES: Final = 1000
"""Keeps a batch's insertion short on the gateway."""

MAX_BATCH_BYTES: Final = 256 * 1024
"""Output of one batch. The batch that crosses the gateway's limit is lost as a whole, so large ones lose more, and
proxies often refuse bodies above 1 MiB."""

MAX_WAITING_BYTES: Final = MAX_LOGS_BYTES + MAX_BATCH_BYTES
"""Output that may wait. The gateway stores less than this in all, so what is above could never be stored."""


@dataclass(frozen=True, slots=True)
class QueuedLine:
    """One line of output."""

    source_id: str
    created_at: datetime
    level: str
    output: str

    @property
    def size_bytes(self) -> int:
        """What the line counts towards limits."""
        return len(self.output.encode())


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines of one source with consecutive numbers."""

    first_number: int
    source_id: str
    lines: tuple[QueuedLine, ...]


class LogQueue:
    """Waiting lines and the batch in flight."""

    def __init__(self, next_number: int = 0) -> None:
        self._next_number = next_number
        self._arrivals = 0
        self._waiting: dict[str, deque[tuple[int, QueuedLine]]] = {}
        self._waiting_bytes = 0
        self._in_flight: LogBatch | None = None

    @property
    def next_number(self) -> int:
        """The number that the next batch begins with."""
        return self._next_number

    @property
    def in_flight(self) -> LogBatch | None:
        return self._in_flight

    @property
    def is_empty(self) -> bool:
        """Nothing waits and nothing is in flight."""
        return self._in_flight is None and not self._waiting

    @property
    def waiting_lines(self) -> int:
        """How many lines wait, without those in flight."""
        return sum(len(lines) for lines in self._waiting.values())

    @property
    def waiting_bytes(self) -> int:
        """Their output."""
        return self._waiting_bytes

    def append(self, line: QueuedLine) -> None:
        """Add a line behind all others."""
        self._waiting.setdefault(line.source_id, deque()).append((self._arrivals, line))
        self._arrivals += 1
        self._waiting_bytes += line.size_bytes

    def form_batch(self) -> LogBatch | None:
        """Return the batch in flight, else a fresh one, else None when nothing waits."""
        if self._in_flight is None and self._waiting:
            source_id = min(self._waiting, key=lambda source: self._waiting[source][0][0])
            self.take_batch(source_id, _count_fitting(self._waiting[source_id]))
        return self._in_flight

    def take_batch(self, source_id: str, count: int) -> LogBatch:
        """Put a source's first `count` lines in flight."""
        waiting = self._waiting[source_id]
        lines = tuple(waiting.popleft()[1] for _ in range(min(count, len(waiting))))
        if not waiting:
            del self._waiting[source_id]
        self._waiting_bytes -= sum(line.size_bytes for line in lines)
        self._in_flight = LogBatch(first_number=self._next_number, source_id=source_id, lines=lines)
        self._next_number += len(lines)
        return self._in_flight

    def renumber(self) -> None:
        """Let the numbers begin again from 0 with the batch in flight, which nobody has seen yet."""
        if self._in_flight is not None:
            self._in_flight = replace(self._in_flight, first_number=0)
            self._next_number = len(self._in_flight.lines)

    def acknowledge(self) -> None:
        """Forget the batch in flight."""
        self._in_flight = None

    def list_waiting(self) -> list[QueuedLine]:
        """Return the lines that wait, oldest first, without those in flight."""
        arrivals = [arrival for lines in self._waiting.values() for arrival in lines]
        return [line for _, line in sorted(arrivals, key=lambda arrival: arrival[0])]


def _count_fitting(waiting: deque[tuple[int, QueuedLine]]) -> int:
    """Count the first lines that fit into one batch; always at least one."""
    size_bytes = 0
    count = 0
    for _, line in waiting:
        size_bytes += line.size_bytes
        if count == MAX_BATCH_LINES or (count > 0 and size_bytes > MAX_BATCH_BYTES):
            break
        count += 1
    return count
