"""The duties of process 1: collect orphaned processes, pass signals on.

A container whose first process is the agent has nobody else for that. The agent itself then runs as a child, so that
collecting "any" process here never takes an exit status away from it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Final

PASSED_ON: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def fork_below_reaper() -> int | None:
    """Fork: the child returns None and goes on as the agent; the parent reaps.

    The parent takes its signals by waiting for them. Handlers of Python's run between two of its instructions only: one
    that came between the last of them and the call that waits for children would be heard when a child ends. Blocked
    ones wait, also for process 1, and also before the parent knows whom to pass them on to.

    Returns:
        In the parent, after the child's end, the exit status for the process.
    """
    # Where it is ignored, children leave no status behind.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [*PASSED_ON, signal.SIGCHLD])
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return None
    try:
        return _reap_until(child)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _reap_until(child: int) -> int:
    while True:
        number = signal.sigwait([*PASSED_ON, signal.SIGCHLD])
        if number != signal.SIGCHLD:
            with suppress(ProcessLookupError):
                os.kill(child, number)
            continue
        status = _reap_all(child)
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _reap_all(child: int) -> int | None:
    """Collect all that have ended, as one signal may stand for several; returns the status of `child`, if it has."""
    while True:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == child:
            return status
        if process == 0:
            return None
