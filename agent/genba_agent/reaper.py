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

    Returns:
        In the parent, after the child's end, the exit status for the process.
    """
    child = os.fork()
    if child == 0:
        return None
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: _pass_on(child, received))
    return _reap_until(child)


def _pass_on(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _reap_until(child: int) -> int:
    while True:
        process, status = os.wait()
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
