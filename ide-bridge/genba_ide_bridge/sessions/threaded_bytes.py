"""Files, terminals and whatever else the event loop can't wait for as local ends of a session: a thread for each."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from genba_wire.aio.read_memory import READ_BYTES
from genba_wire.buffers import Buffer


class ThreadReader:
    """Reads what can't be polled: a thread reads a piece, and the next one when that was taken and more is wanted."""

    def __init__(self, descriptor: int, on_data: Callable[[Buffer], None], on_end: Callable[[], None]) -> None:
        """Args: where from; what takes each piece; what hears that there will be no more."""
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._on_data = on_data
        self._on_end = on_end
        self._wanted = threading.Semaphore(0)
        self._is_wanted = self._is_asked = self._is_closed = self._is_started = False

    def pause(self) -> None:
        self._is_wanted = False

    def resume(self) -> None:
        self._is_wanted = True
        if not self._is_started:
            self._is_started = True
            # A daemon: it may wait for somebody's keyboard for ever, and must not keep the program.
            threading.Thread(target=self._run, name="local input", daemon=True).start()
        self._ask()

    def close(self) -> None:
        self._is_closed = True
        self._wanted.release()

    def _ask(self) -> None:
        if self._is_wanted and not self._is_asked:
            self._is_asked = True
            self._wanted.release()

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            while True:
                self._wanted.acquire()
                if self._is_closed:
                    break
                try:
                    data = os.read(self._descriptor, READ_BYTES)
                except OSError:
                    data = b""
                self._loop.call_soon_threadsafe(self._take, data)
                if not data:
                    break
        os.close(self._descriptor)

    def _take(self, data: bytes) -> None:
        self._is_asked = False
        if self._is_closed:
            return
        if not data:
            self._is_closed = True
            self._on_end()
            return
        self._on_data(data)
        self._ask()


class ThreadWriter:
    """Writes to what can't be polled: a thread writes piece after piece."""

    def __init__(
        self,
        descriptor: int,
        on_written: Callable[[int], None],
        on_finished: Callable[[], None],
        on_broken: Callable[[], None],
    ) -> None:
        """See `make_writer`."""
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._on_written = on_written
        self._on_finished = on_finished
        self._on_broken = on_broken
        self._pieces: SimpleQueue[memoryview | None] = SimpleQueue()
        self._is_closed = self._is_finishing = False
        threading.Thread(target=self._run, name="local output", daemon=True).start()

    def write(self, data: memoryview) -> None:
        if not self._is_closed:
            self._pieces.put(data)

    def finish(self) -> None:
        self._is_finishing = True
        self._pieces.put(None)

    def close(self) -> None:
        self._is_closed = True
        self._pieces.put(None)

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            while (piece := self._pieces.get()) is not None and not self._is_closed:
                try:
                    _write_all(self._descriptor, piece)
                except OSError:
                    self._tell(self._on_broken)
                    break
                self._tell(self._on_written, len(piece))
            else:
                if self._is_finishing:
                    self._tell(self._on_finished)
        os.close(self._descriptor)

    def _tell(self, told: Callable[..., None], *arguments: int) -> None:
        self._loop.call_soon_threadsafe(self._call, told, *arguments)

    def _call(self, told: Callable[..., None], *arguments: int) -> None:
        if not self._is_closed:
            told(*arguments)


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
