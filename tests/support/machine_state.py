"""How busy the machine was while a test ran: what a failed wait may be due to. Shown with every failure."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import psutil

PRESSURE: Final = Path("/proc/pressure")
"""How long tasks have waited, if the kernel counts it (Documentation/accounting/psi.rst)."""


class MachineState:
    """The machine since this was made."""

    def __init__(self) -> None:
        self._processor = psutil.cpu_times()
        self._monotonic, self._wall = time.monotonic(), time.time()

    def describe(self) -> str:
        """Say it in a few lines, shares in percent of all processors."""
        after = psutil.cpu_times()
        # "guest" is within "user" (proc_stat(5)).
        fields = [name for name in after._fields if not name.startswith("guest")]
        spent = {name: getattr(after, name) - getattr(self._processor, name) for name in fields}
        total = sum(spent.values()) or 1.0
        shares = ", ".join(f"{name} {100 * seconds / total:.0f} %" for name, seconds in spent.items())
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        lines = [
            f"{time.monotonic() - self._monotonic:.1f} s, by the clock on the wall {time.time() - self._wall:.1f} s",
            f"{os.cpu_count()} processors: {shares}; load {load}",
            f"memory free: {psutil.virtual_memory().available >> 20} MiB",
        ]
        if PRESSURE.is_dir():
            lines += [f"{file.name} {file.read_text().splitlines()[0]}" for file in sorted(PRESSURE.iterdir())]
        stuck = [
            process for process in psutil.process_iter(["name", "status"]) if process.info["status"] == "disk-sleep"
        ]
        lines += [f"in the kernel, not to be interrupted: {process.info['name']} ({process.pid})" for process in stuck]
        return "\n".join(lines)
