"""Which processes live, and the end of those that a failed test left: found by what they were started with."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

GONE_WITHIN_S: Final = 10.0
"""Killed processes are waited for no longer."""


def list_processes_with(text: str) -> list[int]:
    """The living processes (no zombies) with the text in a variable of their environment."""
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if process.status() != psutil.STATUS_ZOMBIE and any(text in value for value in environment.values()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def end_processes_of(folder: Path) -> list[int]:
    """Kill, one by one, the processes that have a path below the folder in a command line or environment.

    What starts others is looked for again until none is left.

    Returns:
        The ids of those that were killed.
    """
    ended: list[int] = []
    while found := [process for process in psutil.process_iter() if _belongs_to(process, f"{folder}/")]:
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(found, timeout=GONE_WITHIN_S)
        ended += [process.pid for process in found]
        if alive:
            break
    return ended


def _belongs_to(process: psutil.Process, text: str) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return any(text in word for word in (*process.cmdline(), *process.environ().values()))
    except psutil.Error:
        return False
