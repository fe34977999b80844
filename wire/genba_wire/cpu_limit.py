"""How many cores a container may use, as Linux tells in files of its control group."""

from __future__ import annotations

from pathlib import Path

_V1_FOLDERS = ("cpu", "cpu,cpuacct")


def find_cpu_limit(root: Path = Path("/")) -> float | None:
    """Return the cores that this container may use on average; None without a limit, and outside of one.

    Args:
        root: where `sys/fs/cgroup` is looked for.
    """
    folder = root / "sys/fs/cgroup"
    if (folder / "cgroup.controllers").exists():
        quota, _, period = _read(folder / "cpu.max").partition(" ")
    else:
        quota, period = (
            next(filter(None, (_read(folder / each / f"cpu.cfs_{name}_us") for each in _V1_FOLDERS)), "")
            for name in ("quota", "period")
        )
    period = period or "100000"  # both versions' default
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
