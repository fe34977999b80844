"""Starts a program on a pty of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

_IUTF8: Final = 0x4000
"""Linux's asm-generic/termbits.h; Python's termios does not name it. Lets the kernel erase whole characters."""

_FD_DIR: Final = "/proc/self/fd"


@dataclass(frozen=True, slots=True)
class WindowSize:
    """Rows and columns, 1 to 65535 each."""

    height: int = 24
    width: int = 80


@dataclass(frozen=True, slots=True)
class SpawnedPty:
    """A started program. Who takes this closes both fds and reaps the process.

    `terminal` is the program's side. It stays open here, or `controller` would be at its end whenever no program has
    the terminal open for a moment.
    """

    pid: int
    controller: int
    terminal: int

    def discard(self) -> None:
        """Kill the program, as nobody takes it. Waits for its end, which is at once."""
        os.killpg(self.pid, signal.SIGKILL)
        os.close(self.controller)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def spawn_on_pty(
    argv: list[str],
    environ: Mapping[str, str],
    size: WindowSize,
    *,
    prepare: Callable[[int], None] | None = None,
    name_variable: str = "",
) -> SpawnedPty:
    """Start a program as the leader of a session whose controlling terminal is a new pty.

    Nothing of Python runs in the child, so threads are no danger: posix_spawn makes the session, and on Linux a session
    leader that opens a terminal gets it as its controlling one. Touches the disk: call it in a thread.

    Args:
        prepare: called with the program's side of the terminal before there is a program.
        name_variable: the environment variable that is to hold the terminal's name.

    Raises:
        OSError: no pty is left, or the program can't be started.
        ValueError: a NUL in the arguments or the environment.
    """
    controller, terminal = os.openpty()
    try:
        os.set_blocking(controller, False)
        set_window_size(controller, size)
        _let_kernel_erase_utf8(terminal)
        if prepare is not None:
            prepare(terminal)
        if name_variable:
            environ = {**environ, name_variable: os.ttyname(terminal)}
        pid = os.posix_spawn(
            argv[0],
            argv,
            environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.ttyname(terminal), os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, 0, 2),
                # Python's own are closed at exec by themselves; these came from whoever started the agent.
                *((os.POSIX_SPAWN_CLOSE, fd) for fd in _list_inheritable()),
            ],
            setsid=True,
            # An agent started by nohup ignores SIGHUP, Python SIGPIPE: programs would inherit that.
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
            setsigmask=(),
        )
    except BaseException:
        os.close(controller)
        os.close(terminal)
        raise
    return SpawnedPty(pid, controller, terminal)


def set_window_size(controller: int, size: WindowSize) -> None:
    """Resize the terminal; its foreground programs get SIGWINCH when that changes something."""
    fcntl.ioctl(controller, termios.TIOCSWINSZ, struct.pack("HHHH", size.height, size.width, 0, 0))


def get_window_size(controller: int) -> WindowSize:
    """The terminal's size."""
    return WindowSize(*struct.unpack("HHHH", fcntl.ioctl(controller, termios.TIOCGWINSZ, bytes(8)))[:2])


def _let_kernel_erase_utf8(terminal: int) -> None:
    attributes = termios.tcgetattr(terminal)
    attributes[0] |= _IUTF8
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def _list_inheritable() -> list[int]:
    try:
        fds = [int(name) for name in os.listdir(_FD_DIR)]
    except OSError:
        return []
    return [fd for fd in fds if fd > 2 and _is_inheritable(fd)]


def _is_inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False  # closed since: the listing's own, or another thread's
