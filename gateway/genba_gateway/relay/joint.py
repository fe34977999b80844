"""What joining two ends gives: something that runs until the session is over, and can be told to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class JoinEnd:
    """How a session ended; `a` is the client's end, `b` the agent's.

    The bytes are those of frames (transports) or of messages (carriers).
    """

    reason: str
    bytes_from_a: int
    bytes_from_b: int


class Joint(Protocol):
    """Two ends that are joined."""

    async def run(self) -> JoinEnd:
        """Carry what the ends send until both are gone. When it is cancelled, both ends are closed."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the session: both ends get a close frame with the code and the reason, and are gone within a second."""
        ...
