"""Finds the supervisors of host workspaces, and what one that was killed has left behind.

Apart from host_supervisor, which is a program of one file: it starts without this package on its path.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from typing import Final

from genba_gateway.provider.host_supervisor import LOCK_FILE, MARKER, list_pids

EXEC_LOOKS: Final = 3
EXEC_POLL_S: Final = 0.002
"""A process in the middle of an exec shows no environment for a moment; it is looked at again that often."""

FLOCK: Final = "hhqqi"
"""struct flock: type, whence, start, length, pid."""


def find_lock_holder(run_directory: str) -> int | None:
    """Give the pid of the supervisor of a run directory, None when there is none."""
    try:
        lock = os.open(os.path.join(run_directory, LOCK_FILE), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(lock, fcntl.F_GETLK, asked))
    finally:
        os.close(lock)
    return pid if kind != fcntl.F_UNLCK and pid > 0 else None


def list_marked(directory: str) -> list[int]:
    """Give the pids of all whose marker is `directory` or below it, except this process's own."""
    return [pid for pid in list_pids() if pid != os.getpid() and is_marked(pid, directory)]


def is_marked(pid: int, directory: str) -> bool:
    """Say whether a process carries the marker of `directory` or of one below it."""
    try:
        variables = _read_environment(pid)
        for _ in range(EXEC_LOOKS):
            if variables or not os.readlink(f"/proc/{pid}/exe"):
                break
            time.sleep(EXEC_POLL_S)
            variables = _read_environment(pid)
    except OSError:
        return False
    wanted = f"{MARKER}={directory}".encode()
    return any(each == wanted or each.startswith(wanted + b"/") for each in variables.split(b"\0"))


def _read_environment(pid: int) -> bytes:
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()
