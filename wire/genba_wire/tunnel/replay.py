"""What an end of a link sent and the other end has not acknowledged yet: it is sent again on the next carrier.

The buffer grows with what is under way, so with the path, and is empty when nothing is. What it holds is limited for
each link and for all links of a process; a full buffer pauses the link's streams, and nothing is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from genba_wire.buffers import Buffer
from genba_wire.errors import LocalProtocolError

MAX_REPLAY_BYTES: Final = 16 * 1024 * 1024
"""What a link's streams may have under way: 2.5 Gbit/s over 50 ms."""

CONTROL_RESERVE_BYTES: Final = 1024 * 1024
"""Room beyond that for what streams say besides data. It is used up only by a peer that asks and never acknowledges."""

MAX_PROCESS_REPLAY_BYTES: Final = 256 * 1024 * 1024
"""What all links of a process together may hold; past it each has `LEAST_REPLAY_BYTES`."""

LEAST_REPLAY_BYTES: Final = 256 * 1024
"""What a link may always have under way, so that it goes on, slowly, whatever the others hold."""

JOIN_BELOW_BYTES: Final = 4 * 1024
"""Smaller messages are kept as one copy: their parts may be views of much larger memory."""

Parts: TypeAlias = tuple[Buffer, ...]


@dataclass(slots=True)
class ReplayBudget:
    """What the links of one process hold together, in bytes."""

    limit: int = MAX_PROCESS_REPLAY_BYTES
    held: int = 0


PROCESS_BUDGET: Final = ReplayBudget()
"""Of this process."""


class ReplayBuffer:
    """The bytes between `start` and `end`, which are offsets of the link; from `next` on they are to be sent again."""

    __slots__ = ("_at", "_budget", "_messages", "end", "is_keeping", "next", "start")

    def __init__(self, budget: ReplayBudget) -> None:
        self.is_keeping = True
        """False for a link that is never resumed: then bytes are only counted. To be set before any are."""
        self.start = 0
        """All below is acknowledged, and forgotten."""
        self.next = 0
        """What stands below was sent on this carrier, or on an earlier one whose loss is not known."""
        self.end = 0
        """Bytes sent over the life of the link."""
        self._messages: deque[tuple[int, Parts]] = deque()
        """Where each message begins, and its parts; the first one may begin below `start`."""
        self._at = 0
        """Which message begins at `next`, or contains it, while something is to be sent again."""
        self._budget = budget

    @property
    def held(self) -> int:
        """Bytes that are not acknowledged."""
        return self.end - self.start

    @property
    def room(self) -> int:
        """What streams may add."""
        budget, held = self._budget, self.end - self.start
        if not self.is_keeping:
            return MAX_REPLAY_BYTES
        limit = MAX_REPLAY_BYTES if budget.held < budget.limit else LEAST_REPLAY_BYTES
        return max(limit - held, 0)

    @property
    def has_more(self) -> bool:
        """Whether something is to be sent again."""
        return self.next != self.end

    def append(self, parts: Sequence[Buffer], size: int) -> Parts:
        """Keep a message of `size` bytes; return what to send. Its parts have to stay as they are until then and later.

        Raises:
            LocalProtocolError: there is no room, not even in the reserve.
        """
        if not self.is_keeping:
            self.end += size
            self.next = self.end
            return tuple(parts)
        if self.end - self.start + size > MAX_REPLAY_BYTES + CONTROL_RESERVE_BYTES:
            raise LocalProtocolError("the other end acknowledges nothing of what it asked for")
        kept: Parts = (b"".join(parts),) if size < JOIN_BELOW_BYTES else tuple(parts)
        if size:
            self._messages.append((self.end, kept))
            if self.next == self.end:
                self.next += size
            self.end += size
            self._budget.held += size
        return kept

    def acknowledge(self, offset: int) -> None:
        """Forget what the other end has for certain.

        Args:
            offset: not below `start`, and not above `end`.
        """
        messages = self._messages
        if self.is_keeping:
            self._budget.held -= offset - self.start
        self.start = offset
        self.next = max(self.next, offset)
        while messages and (messages[1][0] if len(messages) > 1 else self.end) <= offset:
            messages.popleft()
            self._at = max(self._at - 1, 0)

    def rewind(self) -> None:
        """Send everything again that is not acknowledged."""
        self.next = self.start
        self._at = 0

    def take(self, budget: int, limit: int) -> list[tuple[int, Parts]]:
        """Return messages that are to be sent again, with where each begins.

        Args:
            budget: about how many bytes.
            limit: what one message may have, in bytes.
        """
        taken: list[tuple[int, Parts]] = []
        while self.next < self.end and budget > 0:
            offset, parts = self._messages[self._at]
            size = sum(map(len, parts))
            skipped = self.next - offset
            if skipped or size > limit:
                parts = (memoryview(b"".join(parts))[skipped : skipped + limit],)
                size = len(parts[0])
            taken.append((self.next, parts))
            budget -= size
            self.next += size
            following = self._messages[self._at + 1][0] if self._at + 1 < len(self._messages) else self.end
            if self.next == following:
                self._at += 1
        return taken

    def clear(self) -> None:
        """Keep nothing any more: the link is over."""
        if self.is_keeping:
            self._budget.held -= self.end - self.start
        self.start = self.next = self.end
        self._messages.clear()
        self._at = 0
