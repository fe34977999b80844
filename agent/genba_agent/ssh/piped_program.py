"""A session's program on pipes: what `ssh host command`, scp, rsync and git are."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, cast

from genba_agent.clock import Clock, wait_for_first
from genba_agent.ssh.programs import ProgramListener
from genba_agent.terminals.process_exit import watch_exit
from genba_agent.terminals.session_members import HANG_UP_S, end_members, kill_members
from genba_agent.terminals.spawning import WindowSize

PIPE_BYTES: Final = 256 * 1024
"""What a pipe may hold, where the kernel allows: a full one is one read. The default is a quarter of it."""


async def start_on_pipes(
    argv: Sequence[str], executable: str, environ: Mapping[str, str], directory: str, listener: ProgramListener
) -> PipedProgram:
    """Start a program with pipes as its standard files.

    Raises:
        OSError: it can't be started.
        ValueError: a NUL in an argument or a variable.
    """
    starting = asyncio.get_running_loop().run_in_executor(None, _spawn, argv, executable, environ, directory)
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            _discard(await starting)
        raise
    program = PipedProgram(process, listener)
    try:
        await program.connect()
    except BaseException:
        program.signal(signal.SIGKILL)
        raise
    return program


def _spawn(argv: Sequence[str], executable: str, environ: Mapping[str, str], directory: str) -> subprocess.Popen[bytes]:
    # Pipes and not sockets: programs open /dev/stdin and /dev/stdout.
    return subprocess.Popen(
        argv,
        executable=executable,
        env=environ,
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pipesize=-1,
        start_new_session=True,
    )


def _discard(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


class PipedProgram:
    """A `Program` on pipes.

    It is over when the program has ended and nobody holds its outputs any more, as with any SSH server: what it left in
    the background may still write. A daemon that closed them, or sent them elsewhere, lives on by itself.
    """

    def __init__(self, process: subprocess.Popen[bytes], listener: ProgramListener) -> None:
        """Take over a process that was just started; `connect` follows."""
        self.pid = process.pid
        self._process = process
        self._listener = listener
        self._exited = asyncio.Event()
        self._status = 0
        self._outputs = (_Output(listener.output, self._look), _Output(listener.error_output, self._look))
        self._input = _Input(listener)
        self._is_told = False
        self._is_ending = False
        watch_exit(process.pid, self._finish)

    async def connect(self) -> None:
        """Begin to read and write."""
        loop = asyncio.get_running_loop()
        process = self._process
        assert process.stdin is not None  # noqa: S101  # for the type checkers
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        await loop.connect_write_pipe(lambda: self._input, process.stdin)
        for output, pipe in zip(self._outputs, (process.stdout, process.stderr), strict=True):
            await loop.connect_read_pipe(_returning(output), pipe)

    @property
    def has_exited(self) -> bool:
        return self._exited.is_set()

    def write(self, data: bytes) -> None:
        self._input.write(data)

    def write_eof(self) -> None:
        self._input.close()

    def resize(self, size: WindowSize) -> None:
        """There is no terminal."""

    def pause_output(self) -> None:
        if self._is_ending:
            return
        for output in self._outputs:
            output.pause()

    def resume_output(self) -> None:
        for output in self._outputs:
            output.resume()

    def signal(self, number: int) -> None:
        if not self.has_exited:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def hang_up(self, clock: Clock) -> None:
        """Hang the process group up; what was started with nohup or setsid stays, with its pipes closed."""
        self._drop_output()
        self.signal(signal.SIGHUP)
        self.signal(signal.SIGCONT)
        if not await wait_for_first([self._exited], clock, HANG_UP_S):
            self.signal(signal.SIGKILL)
            await self._exited.wait()
        self._close_pipes()

    async def end(self, clock: Clock) -> None:
        self._drop_output()
        await end_members(self._process.pid, self._exited, clock)
        self._close_pipes()

    async def kill(self) -> None:
        self._close_pipes()
        if not self.has_exited:
            await asyncio.to_thread(kill_members, self._process.pid)
            await self._exited.wait()

    def _drop_output(self) -> None:
        """Read whether anybody shows it or not: a program that can't write dies of that, not of the hang-up."""
        self._input.abort()
        self.resume_output()
        self._is_ending = True

    def _close_pipes(self) -> None:
        self._input.abort()
        for output in self._outputs:
            output.close()

    def _finish(self, status: int) -> None:
        self._process.returncode = self._status = status
        self._exited.set()
        self._look()

    def _look(self) -> None:
        """Tell the end once all of it is there."""
        if self._exited.is_set() and all(output.has_ended for output in self._outputs) and not self._is_told:
            self._is_told = True
            self._input.close()
            self._listener.exited(self._status)


class _Output(asyncio.Protocol):
    """The reading end of a pipe."""

    def __init__(self, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self.has_ended = False
        self._on_data = on_data
        self._on_end = on_end
        self._transport: asyncio.ReadTransport | None = None
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.ReadTransport, transport)
        if self._is_paused:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.has_ended = True
        self._on_end()

    def pause(self) -> None:
        self._is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        self._is_paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Input(asyncio.Protocol):
    """The writing end of a pipe."""

    def __init__(self, listener: ProgramListener) -> None:
        self._listener = listener
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        # What still comes is dropped: nobody reads it.
        self._listener.input_drained()

    def pause_writing(self) -> None:
        self._listener.input_filled()

    def resume_writing(self) -> None:
        # Not within asyncio's own writing: input that ends there and then has its last bytes dropped (Python 3.11).
        asyncio.get_running_loop().call_soon(self._listener.input_drained)

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close the pipe once what was written is read."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close the pipe at once."""
        transport = self._transport
        # asyncio closes a pipe twice, and fails, when it is told to while it does so already.
        if transport is not None and not (transport.is_closing() and not transport.get_write_buffer_size()):
            transport.abort()


def _returning(output: _Output) -> Callable[[], _Output]:
    return lambda: output
