"""Pipes and sockets as local ends of a session: the event loop waits for them."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Final

from genba_wire.aio.read_memory import READ_BYTES, memory_of_loop
from genba_wire.buffers import Buffer

MAX_PARTS: Final = 512
"""Buffers of one write; below the 1024 that Linux and macOS take (IOV_MAX)."""


class _Polled:
    """A descriptor that does not block.

    A pipe's blocking mode is given back, since the shell that made it may share it. A socket may be both ends at once,
    and then belongs to nobody else.
    """

    def __init__(self, descriptor: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        self._was_blocking = os.get_blocking(descriptor)
        self._is_closed = False
        os.set_blocking(descriptor, False)
        _widen_pipe(descriptor)

    def _give_back(self) -> None:
        self._is_closed = True
        if self._is_pipe and self._was_blocking:
            with suppress(OSError):
                os.set_blocking(self._descriptor, True)
        os.close(self._descriptor)


class PolledReader(_Polled):
    """Reads a pipe, a socket or a terminal."""

    def __init__(self, descriptor: int, on_data: Callable[[Buffer], None], on_end: Callable[[], None]) -> None:
        """Args: where from, without blocking; what takes each piece; what hears that there will be no more."""
        super().__init__(descriptor)
        self._on_data = on_data
        self._on_end = on_end
        self._memory = memory_of_loop()
        self._is_reading = False

    def pause(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._descriptor)

    def resume(self) -> None:
        if not self._is_reading and not self._is_closed:
            self._is_reading = True
            self._loop.add_reader(self._descriptor, self._read)

    def close(self) -> None:
        self.pause()
        if not self._is_closed:
            self._give_back()

    def _read(self) -> None:
        try:
            size = os.readv(self._descriptor, (self._memory.get_room(),))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            # A connection that was reset, a terminal that was closed (EIO): nothing more will come.
            size = 0
        if size:
            self._on_data(self._memory.take(size))
        else:
            self.close()
            self._on_end()


class PolledWriter(_Polled):
    """Writes to a pipe, a socket or a terminal, once a turn of the loop."""

    def __init__(
        self,
        descriptor: int,
        on_written: Callable[[int], None],
        on_finished: Callable[[], None],
        on_broken: Callable[[], None],
    ) -> None:
        """See `make_writer`."""
        super().__init__(descriptor)
        self._on_written = on_written
        self._on_finished = on_finished
        self._on_broken = on_broken
        self._parts: deque[memoryview] = deque()
        self._is_waiting = False
        self._is_finishing = False
        self._flush_handle: asyncio.Handle | None = None
        if self._is_pipe:
            # The end that is written to becomes readable when its reader has gone.
            self._loop.add_reader(descriptor, self._break)

    def write(self, data: memoryview) -> None:
        if self._is_closed:
            return
        self._parts.append(data)
        self._flush_soon()

    def finish(self) -> None:
        self._is_finishing = True
        if not self._is_closed:
            self._flush_soon()

    def close(self) -> None:
        if self._is_closed:
            return
        self._stop_waiting()
        if self._flush_handle is not None:
            self._flush_handle.cancel()
        if self._is_pipe:
            self._loop.remove_reader(self._descriptor)
        self._parts.clear()
        self._give_back()

    def _flush_soon(self) -> None:
        if self._flush_handle is None and not self._is_waiting:
            self._flush_handle = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_handle = None
        written = 0
        try:
            while self._parts:
                written += self._write_some()
        except (BlockingIOError, InterruptedError):
            if not self._is_waiting:
                self._is_waiting = True
                self._loop.add_writer(self._descriptor, self._flush)
        except OSError:
            self._break()
            return
        else:
            self._stop_waiting()
        if written:
            self._on_written(written)
        if self._is_finishing and not self._parts and not self._is_closed:
            _end_sending(self._descriptor)
            self.close()
            self._on_finished()

    def _write_some(self) -> int:
        parts = self._parts
        written = left = os.writev(self._descriptor, list(islice(parts, MAX_PARTS)))
        while left:
            size = len(parts[0])
            if size > left:
                parts[0] = parts[0][left:]
                break
            left -= size
            parts.popleft()
        return written

    def _stop_waiting(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._loop.remove_writer(self._descriptor)

    def _break(self) -> None:
        self.close()
        self._on_broken()


def _end_sending(descriptor: int) -> None:
    """Tell a socket's peer that nothing more comes; a pipe learns it from being closed."""
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as end:
            end.shutdown(socket.SHUT_WR)


def _widen_pipe(descriptor: int) -> None:
    """Let a pipe hold as much as is read at once: fewer turns for the same bytes."""
    if sys.platform != "linux":
        return
    import fcntl

    with suppress(OSError):  # no pipe, or this user's pipes hold enough already
        if fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) < READ_BYTES:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, READ_BYTES)
