"""Find what a deleted workspace or an ended gateway left on this machine: processes and files that bear its marks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

POLL_S: Final = 0.05


def find_processes(marks: Iterable[str], but: Collection[int] = ()) -> dict[int, str]:
    """Return the command lines, by pid, of living processes with a mark in their arguments or environment.

    Args:
        marks: strings that nothing else on the machine carries, such as a folder's path or a workspace's id.
        but: pids that are known and fine; the caller's own is.
    """
    wanted = [mark.encode() for mark in marks]
    known = {os.getpid(), *but}
    return {
        pid: command
        for pid in (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
        if pid not in known and (command := _marked_command(pid, wanted)) is not None
    }


def _marked_command(pid: int, marks: list[bytes]) -> str | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None  # gone meanwhile, or another user's
    if not any(mark in command or mark in environment for mark in marks):
        return None
    return command.replace(b"\0", b" ").decode("utf-8", "replace").strip()


def wait_until_gone(marks: Iterable[str], but: Collection[int], within_s: float) -> dict[int, str]:
    """Return what `find_processes` still finds after `within_s`, or nothing as soon as that is so."""
    marks = list(marks)
    deadline = time.monotonic() + within_s
    while (left := find_processes(marks, but)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return left


def end_processes(marks: Iterable[str]) -> None:
    """End every process with a mark: SIGTERM, and SIGKILL for what is there two seconds later."""
    marks = list(marks)
    for number, within_s in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)):
        for pid in find_processes(marks):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        if not wait_until_gone(marks, (), within_s):
            return


def find_files(folder: Path, marks: Collection[str]) -> list[Path]:
    """Return the files and folders below a folder whose names hold a mark, but not what is inside those folders."""
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        marked = [name for name in [*folders, *files] if any(mark in name for mark in marks)]
        found += [Path(parent, name) for name in marked]
        folders[:] = [name for name in folders if name not in marked]
    return sorted(found)
