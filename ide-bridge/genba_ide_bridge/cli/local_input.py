"""Reads what is typed, or piped into this program, without blocking the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final

from genba_ide_bridge.cli.local_terminal import reopen_terminal

READ_BYTES: Final = 64 * 1024


class LocalInput:
    """Bytes from a file descriptor, piece by piece.

    A terminal is opened anew for reading without blocking. Anything else is read by a thread, when there is something:
    another program that shares it may be faster.
    """

    def __init__(self, descriptor: int, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """Args: where from; what takes each piece; what hears that there will be no more."""
        self._own = reopen_terminal(descriptor, os.O_RDONLY)
        self._descriptor = descriptor if self._own is None else self._own
        self._on_data = on_data
        self._on_end = on_end
        self._may_read = asyncio.Event()
        self._may_read.set()

    def pause(self) -> None:
        """Read nothing until `resume`."""
        self._may_read.clear()

    def resume(self) -> None:
        """Read on."""
        self._may_read.set()

    def close(self) -> None:
        """Give the terminal back."""
        if self._own is not None:
            os.close(self._own)

    async def run(self) -> None:
        """Read until there is no more, or until cancelled."""
        is_pollable = self._is_pollable()
        while True:
            await self._may_read.wait()
            # A file, or /dev/null, can't be polled; reading it never waits for somebody.
            if is_pollable:
                await self._wait_until_readable()
            try:
                data = self._read() if self._own is not None else await asyncio.to_thread(self._read)
            except BlockingIOError:
                continue
            if not data:
                self._on_end()
                return
            self._on_data(data)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            raise
        except OSError:
            # The terminal was closed (EIO): that is the end of what somebody types.
            return b""

    def _is_pollable(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(self._descriptor, _ignore)
        except (OSError, ValueError):
            return False
        loop.remove_reader(self._descriptor)
        return True

    async def _wait_until_readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._descriptor)


def _ignore() -> None:
    """Nothing is read yet."""
