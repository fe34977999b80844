"""How busy the machine and the container are that this runs in, as Linux tells in files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from genba_ide_bridge.errors import BridgeError
from genba_wire.cpu_limit import find_cpu_limit

SAMPLE_S: Final = 0.2
"""Time between two looks at the counters of processors: ten of their ticks at the least."""

PREFIXES: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

_UNLIMITED_BYTES: Final = 2**60
"""cgroup v1 says of a container without a limit that it has nearly all of 64 bits."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What is used of something; `total` is None where there is no limit. `unit` is "cores" or "B"."""

    used: float
    total: float | None
    unit: str

    def as_json(self) -> dict[str, object]:
        """The contract's keys (2.2)."""
        return {"used": self.used, "total": self.total, "unit": self.unit}

    def as_text(self, prefix: str = "Gi") -> str:
        """For people: `1.9/15.6 GiB (12%)`."""
        size, unit = (PREFIXES[prefix], f"{prefix}B") if self.unit == "B" else (1, self.unit)
        if not self.total:
            return f"{self.used / size:.1f} {unit}"
        total = f"{self.total / size:.1f}".removesuffix(".0")
        return f"{self.used / size:.1f}/{total} {unit} ({self.used / self.total:.0%})"


@dataclass(frozen=True, slots=True)
class _Processors:
    busy: float
    """Seconds of all processors together."""
    at: float


@dataclass(slots=True)
class MachineStat:
    """Reads figures below `root`; `clock` and `sleep` are for tests."""

    root: Path = field(default_factory=lambda: Path("/"))
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def host_cpu(self) -> Figure:
        """Processors that are busy, of all."""
        first, cores = self._ticks()
        self.sleep(SAMPLE_S)
        second, _ = self._ticks()
        all_ticks = sum(second) - sum(first)
        # The fourth and fifth are idle time; the last two are in the first ones already.
        idle_ticks = second[3] + second[4] - first[3] - first[4]
        return Figure(cores * (1 - idle_ticks / all_ticks) if all_ticks > 0 else 0.0, float(cores), "cores")

    def _ticks(self) -> tuple[list[int], int]:
        lines = self._read("proc/stat").splitlines()
        ticks = [int(word) for word in lines[0].split()[1:9]]
        cores = sum(1 for line in lines if line.startswith("cpu") and line[3:4].isdigit())
        return ticks, max(cores, 1)

    def host_memory(self) -> Figure:
        """Memory that programs can't get, of all."""
        sizes = dict(line.split(":", 1) for line in self._read("proc/meminfo").splitlines() if ":" in line)
        total, free = (int(sizes[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
        return Figure(float(total - free), float(total), "B")

    def disk(self, path: Path) -> Figure:
        """What is used of the file system that a path is on."""
        try:
            found = os.statvfs(path)
        except OSError as error:
            raise BridgeError(f"Can't look at the disk of {path}: {error.strerror}.") from error
        return Figure(
            float((found.f_blocks - found.f_bfree) * found.f_frsize), float(found.f_blocks * found.f_frsize), "B"
        )

    def container_cpu(self) -> Figure | None:
        """Processors that the container uses, of those it may; None outside of one."""
        if not self.is_container():
            return None
        first = self._container_processors()
        self.sleep(SAMPLE_S)
        second = self._container_processors()
        span = second.at - first.at
        return Figure((second.busy - first.busy) / span if span > 0 else 0.0, find_cpu_limit(self.root), "cores")

    def _container_processors(self) -> _Processors:
        if self._is_v2():
            busy = self._table("sys/fs/cgroup/cpu.stat").get("usage_usec", 0) / 1e6
        else:
            busy = int(self._read_first("cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage") or 0) / 1e9
        return _Processors(busy, self.clock())

    def container_memory(self) -> Figure | None:
        """Memory of the container without what the kernel can take back, of what it may have; None outside of one."""
        if not self.is_container():
            return None
        if self._is_v2():
            used, limit = self._read("sys/fs/cgroup/memory.current", "0"), self._read("sys/fs/cgroup/memory.max", "max")
            cache = self._table("sys/fs/cgroup/memory.stat").get("inactive_file", 0)
        else:
            used = self._read_first("memory/memory.usage_in_bytes") or "0"
            limit = self._read_first("memory/memory.limit_in_bytes") or "max"
            cache = self._table("sys/fs/cgroup/memory/memory.stat").get("total_inactive_file", 0)
        total = float(limit) if limit.strip().isdigit() and int(limit) < _UNLIMITED_BYTES else None
        return Figure(float(max(int(used) - cache, 0)), total, "B")

    def is_container(self) -> bool:
        """Whether this runs in a container that has a control group of its own."""
        if any((self.root / name).exists() for name in (".dockerenv", "run/.containerenv")):
            return True
        # The machine's own top group has no limits; that of a container is the top one that can be seen from inside.
        if self._is_v2() and (self.root / "sys/fs/cgroup/memory.max").exists():
            return True
        groups = self._read("proc/1/cgroup", "")
        return any(word in groups for word in ("docker", "kubepods", "libpod", "lxc"))

    def _is_v2(self) -> bool:
        return (self.root / "sys/fs/cgroup/cgroup.controllers").exists()

    def _table(self, name: str) -> dict[str, int]:
        pairs = (line.split() for line in self._read(name, "").splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}

    def _read_first(self, *names: str) -> str | None:
        texts = (self._read(f"sys/fs/cgroup/{name}", "") for name in names)
        return next((text for text in texts if text), None)

    def _read(self, name: str, default: str | None = None) -> str:
        try:
            return (self.root / name).read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            if default is not None:
                return default
            raise BridgeError(
                f"This machine does not tell: {self.root / name} can't be read. It takes Linux."
            ) from error
