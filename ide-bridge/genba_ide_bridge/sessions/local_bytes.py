"""The local ends of a session's bytes: descriptors that are read and written without blocking the event loop.

OpenSSH gives its ProxyCommand pipes or a socket, which the loop polls. Anything else (a file, a terminal), and
everything on Windows, is read and written by a thread.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from genba_wire.buffers import Buffer


class LocalReader(Protocol):
    """Hands on what is read, until the end or `close`."""

    def pause(self) -> None:
        """Read nothing until `resume`."""
        ...

    def resume(self) -> None:
        """Read, also for the first time."""
        ...

    def close(self) -> None:
        """Read no more; the descriptor is closed."""
        ...


class LocalWriter(Protocol):
    """Writes in order; tells when bytes were written, and when nobody reads them any more."""

    def write(self, data: memoryview) -> None:
        """Write now or later; `data` is kept until then."""
        ...

    def finish(self) -> None:
        """Close for writing once all is written; then `on_finished` is called."""
        ...

    def close(self) -> None:
        """Write no more; the descriptor is closed."""
        ...


def make_reader(descriptor: int, on_data: Callable[[Buffer], None], on_end: Callable[[], None]) -> LocalReader:
    """A reader of a descriptor, which belongs to it from here on; it begins with `resume`."""
    if can_poll(descriptor):
        from genba_ide_bridge.sessions.polled_bytes import PolledReader

        return PolledReader(descriptor, on_data, on_end)
    from genba_ide_bridge.sessions.threaded_bytes import ThreadReader

    return ThreadReader(descriptor, on_data, on_end)


def make_writer(
    descriptor: int,
    on_written: Callable[[int], None],
    on_finished: Callable[[], None],
    on_broken: Callable[[], None],
) -> LocalWriter:
    """A writer to a descriptor, which belongs to it from here on.

    Args:
        descriptor: where to write.
        on_written: told how many bytes need no memory here any more.
        on_finished: told once all that came before `finish` is written.
        on_broken: told when nobody reads there any more.
    """
    if can_poll(descriptor):
        from genba_ide_bridge.sessions.polled_bytes import PolledWriter

        return PolledWriter(descriptor, on_written, on_finished, on_broken)
    from genba_ide_bridge.sessions.threaded_bytes import ThreadWriter

    return ThreadWriter(descriptor, on_written, on_finished, on_broken)


def can_poll(descriptor: int) -> bool:
    """Whether the loop may wait for it: for pipes and sockets of Unix, whose blocking mode hardly anybody shares."""
    if sys.platform == "win32":
        return False
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
