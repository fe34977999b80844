"""What the mux knows of one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from genba_wire.tunnel.credit import ReceiveWindow


class StreamState(Enum):
    """Whether a stream may be used; the values are words for errors."""

    OPENED = "not accepted yet by the other end"
    OFFERED = "not accepted yet by this end"
    OPEN = "open"


@dataclass(slots=True)
class MuxStream:
    """One stream, as one end sees it."""

    state: StreamState
    credit: int = 0
    """Bytes that may be sent."""
    window: ReceiveWindow = field(default_factory=ReceiveWindow)
    is_waiting: bool = False
    """`send` took less than it was given, so whoever sends wants to hear of credit."""
    is_finished: bool = False
    is_peer_finished: bool = False
