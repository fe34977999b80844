"""TLS within a stream, for apps that speak https on the workspace's own loopback interface."""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from typing import Final

from genba_gateway.apps.connections import Way
from genba_wire.aio.stream import StreamListener
from genba_wire.buffers import Buffer
from genba_wire.tunnel.mux_frames import ResetCode

HANDSHAKE_S: Final = 10.0
"""How long an app may take to agree on TLS; one that speaks something else may wait for more."""

READ_BYTES: Final = 256 * 1024
"""What is taken out of TLS at once."""


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    """Certificates are not verified: the stream's other end is an agent that proved who it is, and what it connects to
    is a port of its own machine, mostly with a certificate that was made there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsWay:
    """A `Way` through another one. What is written before the handshake is done waits for it."""

    def __init__(self, way: Way, host: str) -> None:
        self._way = way
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context().wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._listener: StreamListener | None = None
        self._waiting: list[Buffer] = []
        self._is_open = self._is_over = self._is_broken = self._is_finishing = False
        self._timer: asyncio.TimerHandle | None = None
        self._raw = 0
        """Bytes that came and have no credit yet; they get it when all that was in them is consumed."""
        self._plain = 0
        """Bytes that were delivered and are not consumed."""

    @property
    def is_writable(self) -> bool:
        return self._is_open and self._way.is_writable

    def listen(self, listener: StreamListener) -> None:
        self._listener = listener
        if not self._is_open and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HANDSHAKE_S, self._give_up)
        self._way.listen(self)
        self._advance()

    def write(self, data: Buffer) -> None:
        if self._is_broken:
            return
        if self._is_open and not self._waiting:
            self._encrypt(data)
            self._send()
        else:
            self._waiting.append(data)

    def finish(self) -> None:
        """Send no more. No TLS goodbye: servers take it for the end of both directions."""
        self._is_finishing = True
        if self._is_open:
            self._way.finish()

    def consumed(self, size: int) -> None:
        self._plain -= size
        self._give_credit()

    # What the way within calls.

    def data_received(self, data: memoryview) -> None:
        self._incoming.write(data)
        self._raw += len(data)
        self._advance()
        self._give_credit()

    def note_received(self, note: bytes) -> None:
        """A connection has no notes."""

    def finished(self) -> None:
        self._end_timer()
        self._incoming.write_eof()
        self._advance()
        if not self._is_over and self._listener is not None:
            self._is_over = True
            # Without TLS's own goodbye it may have been cut off; an answer's framing tells whether it was.
            self._listener.finished()

    def reset(self, code: int, reason: str) -> None:
        self._end_timer()
        self._is_over = self._is_broken = True
        self._waiting.clear()
        if self._listener is not None:
            self._listener.reset(code, reason)

    def writable(self) -> None:
        if self._listener is not None and self._is_open:
            self._listener.writable()

    def _advance(self) -> None:
        try:
            if not self._is_open:
                self._tls.do_handshake()
                self._begin()
            self._read()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._send()
            self._break(error)
            return
        self._send()

    def _begin(self) -> None:
        self._end_timer()
        self._is_open = True
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self._encrypt(data)
        self._send()
        if self._is_finishing:
            self._way.finish()
        if self._listener is not None:
            self._listener.writable()

    def _encrypt(self, data: Buffer) -> None:
        if self._is_broken:
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            self._break(error)

    def _break(self, error: ssl.SSLError) -> None:
        if not self._is_broken:
            self._is_broken = True
            if not self._is_over:
                self.reset(ResetCode.FAILED, f"TLS failed: {error.reason or error}.")

    def _give_up(self) -> None:
        self.reset(ResetCode.FAILED, f"TLS did not come about within {HANDSHAKE_S:g} s.")

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _read(self) -> None:
        while self._listener is not None and not self._is_over:
            data = self._tls.read(READ_BYTES)
            if not data:
                self._is_over = True
                self._listener.finished()
                return
            self._plain += len(data)
            self._listener.data_received(memoryview(data))

    def _send(self) -> None:
        if self._outgoing.pending:
            self._way.write(self._outgoing.read())

    def _give_credit(self) -> None:
        if not self._plain and self._raw:
            raw, self._raw = self._raw, 0
            self._way.consumed(raw)
