"""The machine that the gateway runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_BOOT_ID_FILE: Final = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id(file: Path = _BOOT_ID_FILE) -> str:
    """What changes whenever the machine starts; empty where the system doesn't tell."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""


BOOT_ID: Final = read_boot_id()
"""A constant of this process, since no process outlives a boot."""
