"""What a carrier is to the layer above: whole messages both ways, by callbacks, over a connection that may break.

`WebSocketCarrier` is the usual one; the gateway has another where a connection can't be taken over, and both ends have
one where websockets don't pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from genba_wire.buffers import Buffer

CLOSE_NORMAL: Final = 1000
CLOSE_GOING_AWAY: Final = 1001
CLOSE_PROTOCOL_ERROR: Final = 1002
CLOSE_ABNORMAL: Final = 1006
CLOSE_TOO_BIG: Final = 1009
CLOSE_INTERNAL_ERROR: Final = 1011


class CarrierReceiver(Protocol):
    """Who uses a carrier. All methods are called by the event loop and must not block."""

    def message_received(self, message: memoryview | bytes) -> None:
        """Take one message. Its memory stays as it is for as long as a view of it is kept."""
        ...

    def carrier_lost(self, reason: str) -> None:
        """Learn, once, that the carrier is over: the peer closed it or vanished. Not called after one's own `close`."""
        ...

    def sending_paused(self) -> None:
        """Learn that enough is waiting to be sent; what is sent nevertheless is kept in memory."""
        ...

    def sending_resumed(self) -> None:
        """Learn that more may be sent."""
        ...


class Carrier(Protocol):
    """A connection of messages. Its methods are called in the event loop's thread and never block."""

    @property
    def is_sending_paused(self) -> bool:
        """Whether more should wait for `sending_resumed`."""
        ...

    def send(self, *parts: Buffer) -> None:
        """Send one message, given in parts that need no joining. Does nothing after the end of the carrier."""
        ...

    def send_messages(self, messages: Iterable[Sequence[Buffer]]) -> None:
        """Send several messages, each given in parts, with as few writes as possible."""
        ...

    def start(self, receiver: CarrierReceiver) -> None:
        """Deliver messages from here on, beginning with those that came before (never within this call).

        Called again it hands the carrier to another receiver. A carrier that broke before says so at once, that is in
        the next turn of the loop.
        """
        ...

    def pause_reading(self) -> None:
        """Deliver nothing more until `resume_reading` (messages that were read already may still come)."""
        ...

    def resume_reading(self) -> None:
        """Deliver again."""
        ...

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        """Say goodbye and close, within a second; the receiver hears nothing more. Harmless when closed already."""
        ...


class DialledCarrier(Carrier, Protocol):
    """A carrier whose connection is the owner's, who sees to its end."""

    close_code: int | None
    """The code that the peer closed with, 1006 without one; None while the carrier lives."""
    close_reason: str

    def abort(self) -> None:
        """Drop the connection at once."""
        ...

    async def wait_closed(self) -> None:
        """Return once the connection is gone."""
        ...
