"""Sees that a client has left from whom nothing is read at the moment: asyncio looks only at sockets that it reads."""

from __future__ import annotations

import asyncio
import select
import socket
from typing import Final

LOOK_S: Final = 2.0

# Linux tells of an end behind bytes that were not read; elsewhere only a connection that broke is seen.
_LEFT: Final = getattr(select, "POLLRDHUP", 0) | getattr(select, "POLLHUP", 0) | getattr(select, "POLLERR", 0)


class LossWatch:
    """Aborts a connection whose client has left while the transport's reading was paused.

    Between `begin` and `end` something waits that may pause it: an answer, room for a body.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_on = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Look now and then."""
        self._is_on = True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def end(self) -> None:
        """Look no more. The timer stays for who begins again soon."""
        self._is_on = False

    def close(self) -> None:
        """The connection is over."""
        self._is_on = False
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        transport = self._transport
        if not self._is_on or transport.is_closing():
            return
        if not transport.is_reading() and _has_left(transport.get_extra_info("socket")):
            transport.abort()
        else:
            self.begin()


def _has_left(connection: socket.socket | None) -> bool:
    if connection is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(connection, _LEFT)
    return any(found & _LEFT for _, found in poll.poll(0))
