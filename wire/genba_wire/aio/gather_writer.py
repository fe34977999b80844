"""Writing several buffers to a transport with one system call and without joining them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from typing import Final

from genba_wire.buffers import Buffer

MAX_PARTS: Final = 512
"""More are joined first; below the 1024 that Linux and macOS take in one call (IOV_MAX)."""

MIN_GATHER_BYTES: Final = 4 * 1024
"""Less is cheaper to join than to gather."""


class GatherWriter:
    """Writes to an asyncio transport.

    asyncio's own `writelines` joins what it is given (before Python 3.12), which costs a copy of all bulk data. While
    nothing waits in the transport's buffer its socket may be written to directly: the order is kept, and what the
    kernel does not take at once is left to the transport. That needs a plain socket; anything else (TLS, Windows) gets
    the joined bytes.
    """

    __slots__ = ("_descriptor", "_kept_bytes", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._descriptor = _find_descriptor(transport)
        self._kept_bytes = 0

    @property
    def drained_bytes(self) -> int:
        """How much of what the socket did not take at once it has taken since: this grows only while the peer reads."""
        return self._kept_bytes - self._transport.get_write_buffer_size()

    def write(self, parts: Sequence[Buffer], size: int) -> None:
        """Write `parts`, which are `size` bytes in all."""
        transport = self._transport
        waiting_bytes = transport.get_write_buffer_size()
        if (
            sys.platform == "win32"
            or self._descriptor < 0
            or size < MIN_GATHER_BYTES
            or len(parts) > MAX_PARTS
            or waiting_bytes
            or transport.is_closing()
        ):
            transport.write(b"".join(parts))
        else:
            self._gather(parts, size)
        self._kept_bytes += transport.get_write_buffer_size() - waiting_bytes

    def _gather(self, parts: Sequence[Buffer], size: int) -> None:
        try:
            written = os.writev(self._descriptor, parts)
        except OSError:
            # Would block, or broken: the transport finds out by itself, waits or reports it.
            written = 0
        if written == size:
            return
        transport = self._transport
        for part in parts:
            if written >= len(part):
                written -= len(part)
            else:
                transport.write(memoryview(part)[written:] if written else part)
                written = 0


def set_no_delay(transport: asyncio.Transport) -> None:
    """Have a TCP socket send small writes at once."""
    found: socket.socket | None = transport.get_extra_info("socket")
    if found is not None and not transport.is_closing() and found.family in (socket.AF_INET, socket.AF_INET6):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _find_descriptor(transport: asyncio.Transport) -> int:
    """Return the descriptor of a plain stream socket, -1 for anything else."""
    if transport.get_extra_info("sslcontext") is not None or not hasattr(os, "writev"):
        return -1
    found: socket.socket | None = transport.get_extra_info("socket")
    return -1 if found is None or found.type != socket.SOCK_STREAM else found.fileno()
