"""One program of the user: its process group and its output pipes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, cast

from genba_agent.clock import Clock, wait_for_all

UNKNOWN_EXIT: Final = 255
"""The exit status of a program whose own is not known: killed by a signal, or never started (contract 1.9)."""

DRAIN_S: Final = 10.0
"""How long a process group may live after SIGHUP, and pipes may stay open after a program's end (contract 1.9)."""

REAP_S: Final = 5.0
"""How long a killed program may take to be gone."""


class OutputPipe(asyncio.Protocol):
    """The reading end of one pipe. It lives as long as anybody holds the other end, beyond the program if need be."""

    def __init__(self, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._on_data = on_data
        self._on_end = on_end
        self._transport: asyncio.ReadTransport | None = None
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.ReadTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_end()
        self.ended.set()

    @property
    def is_connected(self) -> bool:
        """Say whether the transport owns the pipe."""
        return self._transport is not None

    def close(self) -> None:
        """Read no more."""
        if self._transport is not None:
            self._transport.close()


class ChildProcess:
    """A started program that leads a process group (and session) of its own."""

    def __init__(self, process: asyncio.subprocess.Process, pipes: Sequence[OutputPipe]) -> None:
        self._process = process
        self._pipes = pipes
        self.exited = asyncio.Event()

    @property
    def exit_status(self) -> int:
        """0 to 255 once it has exited."""
        status = self._process.returncode
        return UNKNOWN_EXIT if status is None or status < 0 else status

    @property
    def pipes_ended(self) -> list[asyncio.Event]:
        return [pipe.ended for pipe in self._pipes]

    @property
    def has_open_pipes(self) -> bool:
        return not all(event.is_set() for event in self.pipes_ended)

    async def watch_exit(self) -> None:
        """Set `exited` when the program ends."""
        await self._process.wait()
        self.exited.set()

    async def hang_up(self, clock: Clock) -> None:
        """End the process group: SIGHUP, and SIGKILL for what is left after `DRAIN_S`."""
        self._signal_group(signal.SIGHUP)
        if not await wait_for_all([self.exited, *self.pipes_ended], clock, DRAIN_S):
            self.kill()

    def kill(self) -> None:
        """Kill the process group at once."""
        self._signal_group(signal.SIGKILL)

    async def end(self) -> None:
        """Kill the process group, and return when the program is gone: asyncio must hear of it before its loop ends."""
        self.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(REAP_S):
                await self._process.wait()

    async def close_pipes(self) -> None:
        """Read no more output; what was read is handed on before this returns."""
        for pipe in self._pipes:
            pipe.close()
        for pipe in self._pipes:
            await pipe.ended.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        # The group's id stays taken while a member lives; without open pipes, there is no sign of one, and the id may
        # be somebody else's by now.
        if self._process.returncode is None or self.has_open_pipes:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


async def start_process(
    argv: Sequence[str],
    environ: Mapping[str, str],
    directory: str,
    outputs: Sequence[OutputPipe],
) -> ChildProcess:
    """Start a program with an empty stdin.

    The pipes are ours and not asyncio's, whose `wait` also waits for the pipes in some versions: a daemon that
    inherited them would keep its start script alive.

    Args:
        outputs: the readers of stdout and stderr; or one reader of both.

    Raises:
        OSError: it can't be started; the pipes are closed.
    """
    reading: list[int] = []
    writing: list[int] = []
    try:
        for _ in outputs:
            read_fd, write_fd = os.pipe()
            reading.append(read_fd)
            writing.append(write_fd)
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing[0],
            stderr=writing[-1],
            env=environ,
            cwd=directory,
            start_new_session=True,
        )
    except BaseException:
        for fd in reading:
            os.close(fd)
        raise
    finally:
        for fd in writing:
            os.close(fd)
    child = ChildProcess(process, outputs)
    files = [os.fdopen(fd, "rb", buffering=0) for fd in reading]
    try:
        loop = asyncio.get_running_loop()
        for output, file in zip(outputs, files, strict=True):
            await loop.connect_read_pipe(_returning(output), file)
    except BaseException:
        # Cancelled in between: nobody but us knows of the program yet.
        await child.end()
        for output, file in zip(outputs, files, strict=True):
            output.close()
            if not output.is_connected:
                file.close()
        raise
    return child


def _returning(output: OutputPipe) -> Callable[[], OutputPipe]:
    return lambda: output
