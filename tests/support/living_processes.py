"""Which processes live: found by what stands in their environment."""

from __future__ import annotations

import psutil


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
