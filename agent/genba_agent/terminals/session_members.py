"""What lives in a session of processes: everything that its leader started and that did not leave it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress


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
