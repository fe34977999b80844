"""The end of a child process, on the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

UNKNOWN_STATUS: Final = 255
"""The exit status of a program that somebody else reaped."""


def watch_exit(pid: int, on_exit: Callable[[int], None]) -> None:
    """Reap the process once it ends, and call back in this loop with its status; a signal's number is negative."""
    loop = asyncio.get_running_loop()
    try:
        pidfd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        # A kernel before 5.3, or a sandbox. Not the loop's threads: a terminal would keep one busy for days.
        threading.Thread(target=_wait_in_thread, args=(loop, pid, on_exit), name=f"wait for {pid}", daemon=True).start()
    else:
        loop.add_reader(pidfd, _reap_ended, loop, pidfd, pid, on_exit)


def _reap_ended(loop: asyncio.AbstractEventLoop, pidfd: int, pid: int, on_exit: Callable[[int], None]) -> None:
    loop.remove_reader(pidfd)
    os.close(pidfd)
    on_exit(_reap(pid, os.WNOHANG))


def _wait_in_thread(loop: asyncio.AbstractEventLoop, pid: int, on_exit: Callable[[int], None]) -> None:
    status = _reap(pid, 0)
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(on_exit, status)


def _reap(pid: int, flags: int) -> int:
    try:
        _, status = os.waitpid(pid, flags)
    except ChildProcessError:
        return UNKNOWN_STATUS
    return os.waitstatus_to_exitcode(status)
