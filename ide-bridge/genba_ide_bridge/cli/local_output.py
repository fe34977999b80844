"""Writes a session's output to where stdout goes, without ever blocking the event loop."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable

from genba_ide_bridge.cli.local_terminal import reopen_terminal


class LocalOutput:
    """Bytes to a file descriptor, in order.

    A terminal is opened anew for writing without blocking: the flag belongs to the open file, which the shell that
    started us shares. Anything else (a pipe, a file) is written by a thread, one piece at a time.
    """

    def __init__(self, descriptor: int, on_written: Callable[[int], None]) -> None:
        """Args: where to write; what to tell, in bytes, when some were written."""
        self._on_written = on_written
        self._pending: deque[tuple[bytes, bool]] = deque()
        self._has_more = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._failure: OSError | None = None
        self._own = reopen_terminal(descriptor, os.O_WRONLY)
        self._descriptor = descriptor if self._own is None else self._own

    def write(self, data: bytes | memoryview, *, is_counted: bool = True) -> None:
        """Write now what the terminal takes, the rest when it takes more; `on_written` hears of what is counted.

        After a failure, of which `run` tells, it does nothing.
        """
        if self._failure is not None:
            return
        if self._own is not None and not self._pending:
            written = self._try_write(data, is_counted=is_counted)
            if written == len(data):
                return
            data = data[written:]
        self._pending.append((bytes(data), is_counted))
        self._is_idle.clear()
        self._has_more.set()

    async def run(self) -> None:
        """Write what waits, until cancelled.

        Raises:
            OSError: the terminal or the reader of the pipe is gone.
        """
        while True:
            await self._has_more.wait()
            while self._pending and self._failure is None:
                await self._write_first()
            if self._failure is not None:
                raise self._failure
            self._has_more.clear()
            self._is_idle.set()

    async def drain(self) -> None:
        """Wait until all is written; needs `run` beside it."""
        await self._is_idle.wait()

    def close(self) -> None:
        """Give the terminal back."""
        if self._own is not None:
            os.close(self._own)

    async def _write_first(self) -> None:
        data, is_counted = self._pending[0]
        if self._own is None:
            written = await asyncio.to_thread(os.write, self._descriptor, data)
            self._count(written, is_counted=is_counted)
        else:
            await self._wait_until_writable()
            written = self._try_write(data, is_counted=is_counted)
        if written == len(data):
            self._pending.popleft()
        else:
            self._pending[0] = data[written:], is_counted

    def _try_write(self, data: bytes | memoryview, *, is_counted: bool) -> int:
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._failure = error
            self._has_more.set()
            return 0
        self._count(written, is_counted=is_counted)
        return written

    def _count(self, written: int, *, is_counted: bool) -> None:
        if is_counted:
            self._on_written(written)

    async def _wait_until_writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._descriptor)
