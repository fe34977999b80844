"""Runs one Terraform process: output as it comes, cancel by one SIGINT, nothing left behind.

Output goes through named pipes that Terraform holds open in both directions. If the gateway dies, Terraform
thus never gets SIGPIPE at its next line (which would kill it between creating a resource and noting it in the
state); at worst it waits with a full pipe until recovery empties it.

Cancelling: one SIGINT to Terraform alone, so that it stops its provisioners and writes the state; a second one
would make it forget what it is creating. After a grace, SIGKILL; either way, then, to its whole session, since
children of scripts survive their shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.sessions import ProcessRecord, kill_session, start_mark, write_record

# When the gateway itself shuts down, Terraform gets this long in place of `cancel_grace_s`.
SHUTDOWN_GRACE_S = 5.0
# Output still in the pipes after Terraform ended is read for at most this long.
DRAIN_S = 5.0
READ_BYTES = 64 * 1024
# `show -json` and `graph` of the largest templates stay far below this.
MAX_CAPTURE_BYTES = 128 * 1024 * 1024

Sink = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended."""

    exit_code: int
    is_canceled: bool = False
    is_late: bool = False


class Capture:
    """A sink that keeps the bytes."""

    def __init__(self) -> None:
        self._data = bytearray()

    async def feed(self, chunk: bytes) -> None:
        """Take bytes as they come; raises ProvisionError beyond `MAX_CAPTURE_BYTES`."""
        if len(self._data) + len(chunk) > MAX_CAPTURE_BYTES:
            raise ProvisionError(
                f"Terraform's plan is larger than {MAX_CAPTURE_BYTES // 2**20} MiB; make the template smaller."
            )
        self._data += chunk

    def data(self) -> bytes:
        """Return everything so far."""
        return bytes(self._data)


@dataclass(frozen=True, slots=True)
class _Pipe:
    """A named pipe: the end that we read, and the one that Terraform gets."""

    reader: BinaryIO
    writer: int


class TerraformExecution:
    """Runs processes for one job; `cancel` ends the one that runs and prevents the next."""

    def __init__(
        self,
        *,
        program: Path,
        directory: JobDirectory,
        environment: Mapping[str, str],
        cancel: asyncio.Event,
        cancel_grace_s: float,
    ) -> None:
        self._program = program
        self._directory = directory
        self._environment = dict(environment)
        self._cancel = cancel
        self._cancel_grace_s = cancel_grace_s

    async def run(
        self, arguments: Sequence[str], *, stdout: Sink, stderr: Sink, limit_s: float | None = None
    ) -> Outcome:
        """Run `terraform <arguments>` in the job's source directory until it has ended and all output is read.

        After `limit_s` it is ended as by a cancel.

        A cancel of the calling task ends the process too, with `SHUTDOWN_GRACE_S`, before it goes on.
        """
        if self._cancel.is_set():
            return Outcome(exit_code=1, is_canceled=True)
        session, pipes = await asyncio.to_thread(_open_session, self._directory.sessions)
        try:
            process = await self._spawn(arguments, pipes)
        except BaseException:
            for pipe in pipes:
                pipe.reader.close()
            raise
        running = _RunningTerraform(process, session, self._cancel, self._cancel_grace_s, limit_s)
        outcome = await running.supervise(pipes, (stdout, stderr))
        await asyncio.to_thread(shutil.rmtree, session, True)
        return outcome

    async def _spawn(self, arguments: Sequence[str], pipes: Sequence[_Pipe]) -> asyncio.subprocess.Process:
        stdout, stderr = (pipe.writer for pipe in pipes)
        try:
            return await asyncio.create_subprocess_exec(
                self._program,
                *arguments,
                cwd=self._directory.source,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise ProvisionError(
                f"{self._program} could not be started ({error.strerror}); check the installation of Terraform."
            ) from error
        finally:
            os.close(stdout)
            os.close(stderr)


def _open_session(sessions: Path) -> tuple[Path, tuple[_Pipe, _Pipe]]:
    session = Path(tempfile.mkdtemp(dir=sessions))
    return session, (_open_pipe(session / "stdout"), _open_pipe(session / "stderr"))


def _open_pipe(path: Path) -> _Pipe:
    os.mkfifo(path, 0o600)
    writer = os.open(path, os.O_RDWR)
    return _Pipe(os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0), writer)


class _RunningTerraform:
    """One process from its start to its end."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        session: Path,
        cancel: asyncio.Event,
        cancel_grace_s: float,
        limit_s: float | None,
    ) -> None:
        self._process = process
        self._session = session
        self._cancel = cancel
        self._cancel_grace_s = cancel_grace_s
        self._limit_s = limit_s
        self._is_late = False
        self._record = ProcessRecord(pid=process.pid, started="")
        self._record_lock = threading.Lock()
        self._is_interrupted = False

    async def supervise(self, pipes: Sequence[_Pipe], sinks: Sequence[Sink]) -> Outcome:
        try:
            async with asyncio.TaskGroup() as tasks:
                pumps = [
                    tasks.create_task(_pump(pipe, sink), name="terraform output")
                    for pipe, sink in zip(pipes, sinks, strict=True)
                ]
                stopper = tasks.create_task(self._stop_when_over(), name="terraform cancel")
                try:
                    await asyncio.to_thread(self._write_record)
                    await self._process.wait()
                    if self._is_interrupted:
                        # It is still killing what the process left in its session.
                        await asyncio.wait([stopper])
                except asyncio.CancelledError:
                    # The pumps go on meanwhile, so Terraform can tell what it does while it stops.
                    stopper.cancel()
                    await self._stop(SHUTDOWN_GRACE_S)
                    raise
                stopper.cancel()
                await asyncio.wait(pumps, timeout=DRAIN_S)
                for pump in pumps:
                    pump.cancel()
        except ExceptionGroup as group:
            expected, rest = group.split(ProvisionError)
            if expected is None or rest is not None:
                raise
            raise _first(expected) from None
        finally:
            await self._kill_now()
            for pipe in pipes:
                pipe.reader.close()
        exit_code = self._process.returncode or 0
        # A SIGINT that came when everything was done has changed nothing.
        was_ended = self._is_interrupted and exit_code != 0
        return Outcome(exit_code, is_canceled=was_ended and not self._is_late, is_late=was_ended and self._is_late)

    def _write_record(self) -> None:
        # The beginning may still be being written when a cancel is noted; the later write has both.
        with self._record_lock:
            self._record.started = self._record.started or start_mark(self._process.pid)
            write_record(self._session, self._record)

    async def _stop_when_over(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                await self._cancel.wait()
        except TimeoutError:
            self._is_late = True
        await self._stop(self._cancel_grace_s)

    async def _stop(self, grace_s: float) -> None:
        await self._interrupt()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.to_thread(kill_session, self._process.pid)

    async def _interrupt(self) -> None:
        # Noted before it is sent: recovery after a crash in between must not send a second one.
        self._record.is_interrupted = True
        await asyncio.to_thread(self._write_record)
        if not self._is_interrupted:
            self._is_interrupted = True
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    async def _kill_now(self) -> None:
        """The last resort when even stopping was cancelled: nothing may outlive us."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


async def _pump(pipe: _Pipe, sink: Sink) -> None:
    reader = asyncio.StreamReader(limit=READ_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe.reader
    )
    try:
        while chunk := await reader.read(READ_BYTES):
            await sink(chunk)
    finally:
        transport.close()


def _first(group: ExceptionGroup[ProvisionError]) -> ProvisionError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
