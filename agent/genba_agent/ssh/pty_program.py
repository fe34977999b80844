"""A session's program on a terminal of its own."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Final

from genba_agent.clock import Clock
from genba_agent.ssh.programs import ProgramListener, ProgramRequest, PtyRequest
from genba_agent.ssh.pty_modes import apply_modes
from genba_agent.terminals.commands import TerminalEnvironment, make_command
from genba_agent.terminals.pty_process import PtyProcess
from genba_agent.terminals.spawning import SpawnedPty, WindowSize, spawn_on_pty

INPUT_BYTES: Final = 64 * 1024
"""What may wait for the terminal to be read; a paste is much less."""


async def start_on_pty(
    environment: TerminalEnvironment,
    request: ProgramRequest,
    pty: PtyRequest,
    environ: dict[str, str],
    listener: ProgramListener,
) -> PtyProgram:
    """Start a command or the login shell on a terminal.

    Raises:
        OSError: it can't be started.
        ValueError: a NUL in the command or a variable.
    """
    starting = asyncio.get_running_loop().run_in_executor(None, _spawn, environment, request, pty, environ)
    try:
        spawned, greeting = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            (await starting)[0].discard()
        raise
    if greeting:
        listener.output(greeting)
    return PtyProgram(spawned, listener)


def _spawn(
    environment: TerminalEnvironment, request: ProgramRequest, pty: PtyRequest, environ: dict[str, str]
) -> tuple[SpawnedPty, bytes]:
    command = make_command(environment, request.command)
    is_hushed = request.command or os.path.exists(os.path.join(environment.home, ".hushlogin"))
    spawned = spawn_on_pty(
        command.argv,
        environ,
        pty.size,
        prepare=lambda terminal: apply_modes(terminal, pty.modes),
        name_variable="SSH_TTY",
    )
    return spawned, b"" if is_hushed else request.banners + command.greeting


class PtyProgram:
    """A `Program` on a terminal."""

    def __init__(self, spawned: SpawnedPty, listener: ProgramListener) -> None:
        self._listener = listener
        self._waiting_bytes = 0
        self._is_filled = False
        self._process = PtyProcess(spawned, listener)

    @property
    def has_exited(self) -> bool:
        return self._process.exited.is_set()

    def write(self, data: bytes) -> None:
        self._waiting_bytes += len(data)
        self._process.write(memoryview(data), self._consumed)
        if self._waiting_bytes > INPUT_BYTES and not self._is_filled:
            self._is_filled = True
            self._listener.input_filled()

    def write_eof(self) -> None:
        """A terminal has no end of input but what is typed."""

    def resize(self, size: WindowSize) -> None:
        self._process.resize_or_redraw(size)  # clients repeat a size when words of theirs covered the screen

    def pause_output(self) -> None:
        self._process.pause_reading()

    def resume_output(self) -> None:
        self._process.resume_reading()

    def signal(self, number: int) -> None:
        if not self.has_exited:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def hang_up(self, clock: Clock) -> None:
        await self._process.hang_up(clock)

    async def end(self, clock: Clock) -> None:
        await self._process.end_session(clock)

    async def kill(self) -> None:
        await self._process.kill_session()

    def _consumed(self, size: int) -> None:
        self._waiting_bytes -= size
        if self._is_filled and self._waiting_bytes <= INPUT_BYTES // 2:
            self._is_filled = False
            self._listener.input_drained()
