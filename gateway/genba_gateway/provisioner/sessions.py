"""Processes of a job as the operating system knows them: identity, sessions, marks. Blocking: use threads.

Each Terraform runs in a session of its own, whose number is its process id; what its scripts start stays in that
session unless it leaves on purpose. All of them inherit the job's mark in their environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import psutil

from genba_gateway.provisioner.environment import JOB_MARKER

# Between two looks at processes that are not our children, which can't be waited for otherwise.
POLL_S = 0.02
# After SIGKILL only the kernel is in the way; a process stuck in it longer is reported as left over.
KILL_WAIT_S = 10.0
# A process in the middle of an exec shows no environment for a moment; it is looked at again that often.
EXEC_LOOKS = 3
EXEC_POLL_S = 0.002
_RECORD_NAME = "process.json"


class ProcessRecord(msgspec.Struct):
    """One started Terraform: its id, when it began (ids are used again), and whether it got its SIGINT."""

    pid: int
    started: str
    is_interrupted: bool = False


def write_record(session: Path, record: ProcessRecord) -> None:
    """Store the record, whole or not at all."""
    draft = session / f"{_RECORD_NAME}.new"
    draft.write_bytes(msgspec.json.encode(record))
    draft.replace(session / _RECORD_NAME)


def read_record(session: Path) -> ProcessRecord | None:
    """Return the record, None when the process was never started or the file is not readable."""
    try:
        return msgspec.json.decode((session / _RECORD_NAME).read_bytes(), type=ProcessRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def start_mark(pid: int) -> str:
    """Return what tells this process from others with the same id, empty when there is none.

    On Linux from the kernel's own counter (boot id and clock ticks), which changes of the clock don't touch.
    """
    try:
        # The name in brackets may hold anything, so fields are counted from the last bracket; start time is 22.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot_id}:{fields[19]}"
    except (OSError, IndexError):
        pass
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""


def is_running(record: ProcessRecord) -> bool:
    """Tell whether this very process lives (a zombie doesn't)."""
    return start_mark(record.pid) == record.started != "" and _is_alive(record.pid)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def session_members(session_id: int) -> list[int]:
    """Return the living processes of a session."""
    return [pid for pid in psutil.pids() if _session_of(pid) == session_id and _is_alive(pid)]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def marked_processes(job_id: str) -> list[int]:
    """Return the living processes that carry the job's mark in their environment."""
    return [pid for pid in psutil.pids() if has_mark(pid, job_id) and _is_alive(pid)]


def has_mark(pid: int, job_id: str) -> bool:
    """Tell whether the process inherited the job's environment; False for what we may not read."""
    try:
        process = psutil.Process(pid)
        environment = process.environ()
        for _ in range(EXEC_LOOKS):
            if environment or not process.exe():
                break
            time.sleep(EXEC_POLL_S)
            environment = process.environ()
    except (psutil.Error, OSError):
        return False
    return environment.get(JOB_MARKER) == job_id


def kill_until_gone(find: Callable[[], Iterable[int]]) -> list[int]:
    """Kill what `find` returns, again and again until it returns nothing, since processes fork meanwhile.

    Returns:
        The processes that could not be killed within `KILL_WAIT_S`.
    """
    deadline = time.monotonic() + KILL_WAIT_S
    while left := [pid for pid in find() if pid != os.getpid()]:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return left
        time.sleep(POLL_S)
    return []


def kill_session(session_id: int) -> list[int]:
    """Kill a session whose leader has just ended under our eyes (so that its number is still its own)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session_id, signal.SIGKILL)
    return kill_until_gone(lambda: session_members(session_id))
