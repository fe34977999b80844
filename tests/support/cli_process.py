"""Runs the command line as a user would: a process, with or without a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import sys
import termios
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.support.cli_forks import ForkedGenba, fork_server

CEILING_S: Final = 30.0
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
GENBA: Final = (sys.executable, "-m", "genba_ide_bridge.cli.main")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a call left behind."""

    code: int
    out: str
    err: str


def environment_for(folder: Path, **variables: str) -> dict[str, str]:
    """An environment in which nothing of this machine's owner is found."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTEST_SESSION_MARK") if name in os.environ}
    return {**kept, "HOME": str(folder), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error", **variables}


async def run_genba(
    *arguments: str, folder: Path, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] = NOTHING
) -> Finished:
    """Run a call to its end, without a terminal."""
    async with (
        started_genba(arguments, cwd or folder, environment_for(folder, **env)) as (process, ends),
        asyncio.timeout(CEILING_S),
        asyncio.TaskGroup() as group,
    ):
        out = group.create_task(ends.out.read(), name="stdout")
        err = group.create_task(ends.err.read(), name="stderr")
        ends.stdin.write(stdin)
        ends.stdin.write_eof()
        code = await process.wait()
    return Finished(code, out.result().decode(), err.result().decode())


@dataclass(frozen=True, slots=True)
class Ends:
    """Our ends of a call's pipes."""

    stdin: asyncio.WriteTransport
    out: asyncio.StreamReader
    err: asyncio.StreamReader


@asynccontextmanager
async def started_genba(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> AsyncGenerator[tuple[ForkedGenba, Ends]]:
    """Start a call on pipes and end it with the block."""
    loop = asyncio.get_running_loop()
    (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = os.pipe(), os.pipe(), os.pipe()
    out, err = asyncio.StreamReader(), asyncio.StreamReader()
    standard = (theirs_in, theirs_out, theirs_err)
    stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(ours_in, "wb"))
    readers = [
        (await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(out), os.fdopen(ours_out, "rb")))[0],
        (await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(err), os.fdopen(ours_err, "rb")))[0],
    ]
    try:
        process = await fork_server().start(arguments, environment=environment, cwd=cwd, standard=standard)
    finally:
        for descriptor in standard:
            os.close(descriptor)
    try:
        yield process, Ends(stdin, out, err)
    finally:
        process.kill()
        await process.wait()
        for transport in (stdin, *readers):
            transport.close()


class RunningGenba:
    """A call that goes on; `out` and `err` grow."""

    def __init__(self, process: ForkedGenba) -> None:
        self.process = process
        self.out = ""
        self.err = ""
        self._grew = asyncio.Event()

    async def read(self, stream: asyncio.StreamReader, is_out: bool) -> None:
        while chunk := await stream.read(65536):
            if is_out:
                self.out += chunk.decode()
            else:
                self.err += chunk.decode()
            self._grew.set()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for the output to fulfil something."""
        try:
            async with asyncio.timeout(CEILING_S):
                while not condition():
                    self._grew.clear()
                    await self._grew.wait()
        except TimeoutError as error:
            raise AssertionError(f"not seen; stdout: {self.out!r}, stderr: {self.err!r}") from error


@asynccontextmanager
async def running_genba(
    *arguments: str, folder: Path, env: Mapping[str, str] = NOTHING
) -> AsyncGenerator[RunningGenba]:
    """Start a call and end it with the block."""
    async with started_genba(arguments, folder, environment_for(folder, **env)) as (process, ends):
        ends.stdin.write_eof()
        running = RunningGenba(process)
        async with asyncio.TaskGroup() as group:
            group.create_task(running.read(ends.out, True), name="stdout")
            group.create_task(running.read(ends.err, False), name="stderr")
            yield running
            process.kill()


class TerminalGenba:
    """A call in a terminal of 100 columns; `screen` holds all that was written to it."""

    def __init__(self, process: asyncio.subprocess.Process | ForkedGenba, master: int) -> None:
        self.process = process
        self.screen = ""
        self._master = master
        self._grew = asyncio.Event()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def resize(self, height: int, width: int) -> None:
        """Give the screen another size, as a window's owner does."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read_some(self) -> None:
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            chunk = b""
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._master)
        self.screen += chunk.decode(errors="replace")
        self._grew.set()

    async def see(self, text: str, *, times: int = 1) -> None:
        """Wait for a text on the screen."""
        try:
            async with asyncio.timeout(CEILING_S):
                while self.screen.count(text) < times:
                    self._grew.clear()
                    await self._grew.wait()
        except TimeoutError as error:
            raise AssertionError(f"{text!r} not seen in {self.screen!r}") from error

    async def press_until_seen(self, key: str, text: str) -> None:
        """Press a key, again and again as people do, until a text is on the screen.

        A signal that arrives just before a blocking read begins is noticed only with the next one.
        """
        async with asyncio.timeout(CEILING_S):
            while text not in self.screen:
                self.type(key)
                try:
                    async with asyncio.timeout(1):
                        while text not in self.screen:
                            self._grew.clear()
                            await self._grew.wait()
                except TimeoutError:
                    continue

    async def end(self) -> int:
        """Wait for the exit code."""
        async with asyncio.timeout(CEILING_S):
            return await self.process.wait()


@asynccontextmanager
async def genba_on_terminal(
    *arguments: str, folder: Path, env: Mapping[str, str] = NOTHING, program: Sequence[str] = ()
) -> AsyncGenerator[TerminalGenba]:
    """Start a call, or that of a program around it, on a terminal of its own and end it with the block."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    environment = environment_for(folder, TERM="xterm", **env)
    process: asyncio.subprocess.Process | ForkedGenba
    if program:
        process = await asyncio.create_subprocess_exec(
            *program,
            *arguments,
            env=environment,
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
    else:
        process = await fork_server().start(arguments, environment=environment, cwd=folder, standard=[slave] * 3)
    os.close(slave)
    terminal = TerminalGenba(process, master)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, terminal.read_some)
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        loop.remove_reader(master)
        os.close(master)
