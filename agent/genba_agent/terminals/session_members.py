"""What lives in a session of processes: everything that its leader started and that did not leave it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

from genba_agent.clock import Clock, wait_for_first

HANG_UP_S: Final = 5.0
"""How long programs may live after SIGHUP."""

LOOK_S: Final = 0.1
"""How often it is looked whether the rest of a session has ended: only a leader's end announces itself."""


async def end_members(session: int, exited: asyncio.Event, clock: Clock) -> None:
    """End everything in a session: SIGHUP, and SIGKILL for what is left after `HANG_UP_S`.

    Args:
        session: the process id of the session's leader.
        exited: set once the leader has ended and was reaped; waited for.
    """
    deadline = clock.monotonic() + HANG_UP_S
    await asyncio.to_thread(signal_members, session, signal.SIGHUP)
    await asyncio.to_thread(signal_members, session, signal.SIGCONT)
    await wait_for_first([exited], clock, max(0.0, deadline - clock.monotonic()))
    left = await asyncio.to_thread(list_members, session)
    while left and clock.monotonic() < deadline:
        await clock.sleep(LOOK_S)
        left = await asyncio.to_thread(list_members, session)
    if left:
        # While one lives, the session's id is nobody else's.
        await asyncio.to_thread(kill_members, session)
    await exited.wait()


def list_members(session: int) -> list[int]:
    """Return the ids of the session's living processes. Reads /proc: call it in a thread."""
    pids = map(int, filter(str.isdigit, os.listdir("/proc")))
    return [pid for pid in pids if _find_session(pid) == session and _lives(pid)]


def signal_members(session: int, number: signal.Signals) -> None:
    """Send a signal to each process of the session. Reads /proc: call it in a thread."""
    for pid in list_members(session):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def kill_members(session: int) -> None:
    """Kill the session; again, as long as a process was forking meanwhile. Reads /proc: call it in a thread."""
    killed: set[int] = set()
    while fresh := set(list_members(session)) - killed:
        for pid in fresh:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed |= fresh


def _find_session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _lives(pid: int) -> bool:
    """Say whether a process is more than a zombie that nobody has collected."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name before the state is in parentheses and may hold anything.
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False
