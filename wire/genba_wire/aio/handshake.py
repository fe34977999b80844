"""Opening a carrier: the `websockets` library does the handshake, then its connection is taken from it.

So proxies, TLS and the checks of the answer are the library's, and the data path is ours.
"""

from __future__ import annotations

from typing import Final

from websockets.asyncio.client import ClientConnection, connect

from genba_wire.aio.websocket_carrier import WebSocketCarrier

HEAD_END: Final = b"\r\n\r\n"

MAX_HEAD_BYTES: Final = 256 * 1024
"""A head that is longer is left to the library, which refuses it (it takes 128 lines of 8 KiB at most)."""


class DirectConnect(connect):
    """Follows no redirect: it would take the caller's token and ticket to wherever the answer points."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class TakenConnection(ClientConnection):
    """Shows the library the server's answer and keeps what comes behind it.

    A server may send its first messages in the segment of its 101, and the library would parse them. So it is fed up to
    the empty line that ends the head, and then reading pauses until `take`. Any other answer is the library's to read.
    """

    _seen = b""
    _early: bytes | None = None
    _is_answered = False

    def data_received(self, data: bytes) -> None:
        if self._early is not None:
            self._early += data
            return
        if self._is_answered:
            super().data_received(data)
            return
        seen = self._seen + data
        end = seen.find(HEAD_END)
        if end < 0 and len(seen) < MAX_HEAD_BYTES:
            self._seen = seen
            return
        self._is_answered, self._seen = True, b""
        if end >= 0 and _is_switching(seen):
            end += len(HEAD_END)
            self.transport.pause_reading()
            self._early = seen[end:]
            seen = seen[:end]
        super().data_received(seen)

    def eof_received(self) -> None:
        if self._seen:
            # An answer that broke off: the library says what is wrong with it.
            seen, self._seen, self._is_answered = self._seen, b"", True
            super().data_received(seen)
        super().eof_received()

    def take(self) -> WebSocketCarrier:
        """Hand over the connection after its handshake; the library's object learns of its end.

        Raises:
            ConnectionError: it broke already.
        """
        if self.connection_lost_waiter.done():
            raise ConnectionError("the connection broke right after the handshake")
        return WebSocketCarrier(
            self.transport, is_server=False, early=self._early or b"", on_connection_lost=self.connection_lost
        )


def _is_switching(head: bytes) -> bool:
    """Whether a head is that of a 101."""
    words = head.split(b"\r\n", 1)[0].split(b" ", 2)
    return len(words) > 1 and words[1] == b"101"
