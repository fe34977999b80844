"""A program on a pty, on the event loop: its output, its input, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from genba_agent.clock import Clock, wait_for_first
from genba_agent.terminals.process_exit import watch_exit
from genba_agent.terminals.session_members import HANG_UP_S, end_members, kill_members
from genba_agent.terminals.spawning import SpawnedPty, WindowSize, get_window_size, set_window_size

READ_BYTES: Final = 64 * 1024
"""What is taken in one turn of the loop at most, so that a flood of output does not keep others waiting."""

SMALL_READ_BYTES: Final = 1024
"""A read that gave less is an echo or a prompt, and goes on at once; after more, further reads save messages."""

DRAIN_READS: Final = 16
"""How often the terminal is read at most after its program's end: a megabyte, more than kernels keep."""


REDRAW_S: Final = 0.05
"""For how long a terminal is narrower, to have its program draw anew; one that looks later sees no change."""


class PtyListener(Protocol):
    """Who shows a terminal. Called by the event loop; must not block."""

    def output(self, data: bytes) -> None:
        """Take output."""
        ...

    def exited(self, status: int) -> None:
        """Learn, after all output, that the program has ended; a signal's number is negative."""
        ...


class PtyProcess:
    """Owns the fds and the program of a `SpawnedPty`; both are gone once `exited` is set."""

    def __init__(self, spawned: SpawnedPty, listener: PtyListener) -> None:
        """Begin to read and to wait for the program's end. To be called in the loop's thread."""
        self.pid = spawned.pid
        self.exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._controller = spawned.controller
        self._terminal = spawned.terminal
        self._listener = listener
        self._input: deque[tuple[memoryview, Callable[[int], None]]] = deque()
        self._is_reading = False
        self._is_ending = False
        self.resume_reading()
        watch_exit(self.pid, self._finish)

    def write(self, data: memoryview, consumed: Callable[[int], None]) -> None:
        """Type input; `consumed` is called with the number of bytes whenever the terminal took some."""
        if self.exited.is_set():
            consumed(len(data))
            return
        if not self._input:
            taken = self._type(data)
            if taken:
                consumed(taken)
            if taken == len(data):
                return
            data = data[taken:]
            self._loop.add_writer(self._controller, self._type_on)
        self._input.append((data, consumed))

    def resize(self, size: WindowSize) -> None:
        """Give the terminal a size."""
        if not self.exited.is_set():
            set_window_size(self._controller, size)

    def resize_or_redraw(self, size: WindowSize) -> None:
        """Give the terminal a size; given the size that it has, have its program draw all of it anew."""
        if self.exited.is_set():
            return
        if size == get_window_size(self._controller):
            narrower = WindowSize(size.height, max(size.width - 1, 1))
            self.resize(narrower)
            self._loop.call_later(REDRAW_S, self._widen, narrower, size)
        else:
            self.resize(size)

    def pause_reading(self) -> None:
        """Take no more output: the program waits when the terminal's buffer is full."""
        if not self._is_ending:
            self._stop_reading()

    def resume_reading(self) -> None:
        """Take output again."""
        if not self._is_reading and not self.exited.is_set():
            self._is_reading = True
            self._loop.add_reader(self._controller, self._read)

    async def hang_up(self, clock: Clock) -> None:
        """End the program as when its terminal is closed: SIGHUP, and SIGKILL after `HANG_UP_S`.

        What it left in the background with nohup stays, as with any terminal.
        """
        self._read_to_the_end()
        self._signal_foreground(signal.SIGHUP)
        self._signal_foreground(signal.SIGCONT)
        if not await wait_for_first([self.exited], clock, HANG_UP_S):
            self._signal_foreground(signal.SIGKILL)
            await self.exited.wait()

    async def end_session(self, clock: Clock) -> None:
        """End everything in the program's session: SIGHUP, and SIGKILL for what is left after `HANG_UP_S`."""
        self._read_to_the_end()
        await end_members(self.pid, self.exited, clock)

    async def kill_session(self) -> None:
        """Kill everything in the program's session at once."""
        if not self.exited.is_set():
            await asyncio.to_thread(kill_members, self.pid)
            await self.exited.wait()

    def _signal_foreground(self, number: signal.Signals) -> None:
        if self.exited.is_set():
            return
        groups = {self.pid}
        with suppress(OSError):
            groups.add(os.tcgetpgrp(self._controller))
        for group in groups:
            if group > 1:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, number)

    def _read_to_the_end(self) -> None:
        """Read whether anybody shows it or not: a program that can't write may not end."""
        self.resume_reading()
        self._is_ending = True

    def _widen(self, narrower: WindowSize, size: WindowSize) -> None:
        if not self.exited.is_set() and get_window_size(self._controller) == narrower:
            self.resize(size)

    def _read(self) -> None:
        """Hand on what is there, in this turn of the loop."""
        data, is_open = read_available(self._controller)
        if not is_open:
            # Hung up, as the leader has ended; its exit comes by itself.
            self._stop_reading()
        if data:
            self._listener.output(data)

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._controller)

    def _type(self, data: memoryview) -> int:
        try:
            return os.write(self._controller, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # hung up: nobody will ever read it

    def _type_on(self) -> None:
        while self._input:
            data, consumed = self._input[0]
            taken = self._type(data)
            if taken < len(data):
                self._input[0] = (data[taken:], consumed)
            else:
                self._input.popleft()
            if taken:
                consumed(taken)
            if taken < len(data):
                return
        self._loop.remove_writer(self._controller)

    def _finish(self, status: int) -> None:
        """Hand the rest of the output on, give the terminal up and tell the end."""
        # The leader's end has hung the terminal up, so all that was written is there to be read. The count is for a
        # kernel or a program that has it otherwise.
        for _ in range(DRAIN_READS):
            data, is_open = read_available(self._controller)
            if data:
                self._listener.output(data)
            if not data or not is_open:
                break
        self._stop_reading()
        self._loop.remove_writer(self._controller)
        os.close(self._controller)
        os.close(self._terminal)
        self.exited.set()
        waiting, self._input = self._input, deque()
        for rest, consumed in waiting:
            consumed(len(rest))
        self._listener.exited(status)


def read_available(controller: int) -> tuple[bytes, bool]:
    """Read what is there, `READ_BYTES` or little more at most.

    Returns:
        The bytes, and whether there can be more later: false at the terminal's end.
    """
    parts: list[bytes] = []
    size = 0
    while size < READ_BYTES:
        try:
            data = os.read(controller, READ_BYTES)
        except BlockingIOError:
            break
        except OSError:  # EIO: Linux's way to say that the terminal was hung up
            data = b""
        if not data:
            return b"".join(parts), False
        parts.append(data)
        size += len(data)
        if len(data) < SMALL_READ_BYTES:
            break
    return parts[0] if len(parts) == 1 else b"".join(parts), True
