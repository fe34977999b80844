"""Starts the command line by a fork of a process that has imported it, without the third of a second of imports.

Each call still is a process of its own, with the descriptors, environment, folder, terminal and signals that exec
would give it. The server has one thread and no event loop, so forking it is safe. It ends when its socket does.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import importlib
import importlib.util
import io
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import termios
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from genba_wire.api.message import Message

MAX_REQUEST_BYTES: Final = 128 * 1024
"""Arguments and environment in one packet; a socket takes about 200 KiB."""

LIBRARIES: Final = ("anyio._backends._asyncio", "rich.live", "rich.table", "websockets.asyncio.client", "yaml")
"""What commands import when they need it, and nearly all of them do."""

ABSENT: Final = "sniffio"
"""httpcore tries to import it dozens of times in a call, and each time all of the path is searched for it."""


INTERVALS: Final = (
    ("genba_ide_bridge.api.streams", "FIRST_DELAY_S"),
    ("genba_ide_bridge.api.streams", "LONGEST_DELAY_S"),
    ("genba_ide_bridge.api.watch", "POLL_INTERVAL_S"),
    ("genba_ide_bridge.cli.agent_readiness", "POLL_INTERVAL_S"),
    ("genba_ide_bridge.cli.following", "QUEUE_INTERVAL_S"),
)
SHORT_S: Final = 0.02
"""What these are in forked calls: their tests wait for what comes of asking again, not for the time between."""


class ForkedGenba:
    """What tests use of asyncio's Process."""

    def __init__(self, pid: int, status: socket.socket) -> None:
        self.pid = pid
        self._status = status
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        """The exit code once it has ended; a negative signal's number when that ended it."""
        if self._code is None:
            try:
                self._keep(self._status.recv(64))
            except BlockingIOError:
                return None
        return self._code

    async def wait(self) -> int:
        """Wait for the exit code."""
        if self._code is None:
            self._keep(await asyncio.get_running_loop().sock_recv(self._status, 64))
        assert self._code is not None
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.returncode is None:
            # Between the process's end and the news of it the id is nobody's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _keep(self, packet: bytes) -> None:
        self._code = int(packet)
        self._status.close()


class ForkServer:
    """The process that forks, seen from the tests."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.cli_forks", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONWARNINGS": "error"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    async def start(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], cwd: Path, standard: Sequence[int]
    ) -> ForkedGenba:
        """Start a call; `standard` are the descriptors of its stdin, stdout and stderr, which stay the caller's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        call = {"arguments": list(arguments), "environment": dict(environment), "cwd": str(cwd)}
        with theirs:
            socket.send_fds(self._control, [json.dumps(call).encode()], [*standard, theirs.fileno()])
        pid = int(await asyncio.get_running_loop().sock_recv(ours, 64))
        return ForkedGenba(pid, ours)

    def stop(self) -> None:
        """End the server."""
        self._control.close()
        self._process.wait()


_servers: list[ForkServer] = []


def fork_server() -> ForkServer:
    """The server of this test session."""
    if not _servers:
        _servers.append(ForkServer())
    return _servers[0]


def stop_fork_server() -> None:
    """End it if there is one."""
    while _servers:
        _servers.pop().stop()


def serve(control: socket.socket) -> None:
    """Fork a process for each request, until the other end is closed."""
    _import_all()
    # The children of this process only wait for their own child and are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, 4)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _watch(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _import_all() -> None:
    import genba_ide_bridge
    from genba_ide_bridge.api.connect import open_transport

    open_transport("http://127.0.0.1:9", "", {})
    for found in pkgutil.walk_packages(genba_ide_bridge.__path__, "genba_ide_bridge."):
        if ".lsp" not in found.name:
            importlib.import_module(found.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    importlib.import_module("genba_wire.aio.handshake")
    if importlib.util.find_spec(ABSENT) is None:
        sys.modules[ABSENT] = None  # type: ignore[assignment]  # says to `import` that there is none
    _describe(Message)
    for module_name, name in INTERVALS:
        module = sys.modules[module_name]
        getattr(module, name)  # it has not been renamed
        setattr(module, name, SHORT_S)
    gc.freeze()


def _describe(base: type[msgspec.Struct]) -> None:
    """Let msgspec find out what each message consists of, as it would when the first one arrives."""
    for kind in base.__subclasses__():
        msgspec.json.Decoder(kind)
        _describe(kind)


def _watch(call: dict[str, object], descriptors: list[int]) -> NoReturn:
    """Start the call's process, tell its id, then its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *standard, status = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(status)
        _run(call, standard)
    for descriptor in standard:
        os.close(descriptor)
    os.write(status, str(pid).encode())
    _, code = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # when the test has left
        os.write(status, str(os.waitstatus_to_exitcode(code)).encode())
    os._exit(0)


def _run(call: dict[str, object], standard: list[int]) -> NoReturn:
    code = 1
    try:
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        arguments = _settle(**call)  # type: ignore[arg-type]  # what ForkServer.start sends
        from genba_ide_bridge.cli.main import main

        code = main(arguments)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
    os._exit(code)


def _settle(arguments: list[str], environment: dict[str, str], cwd: str) -> list[str]:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    time.tzset()
    # Unbuffered, as PYTHONUNBUFFERED makes it.
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
    sys.stdout = _writer(1, "surrogateescape")
    sys.stderr = _writer(2, "backslashreplace")
    sys.argv = ["genba", *arguments]
    return arguments


def _writer(descriptor: int, errors: str) -> io.TextIOWrapper:
    raw = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests)
