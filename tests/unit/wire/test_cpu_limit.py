"""The limits that control groups of both versions may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_wire.cpu_limit import find_cpu_limit


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"cgroup.controllers": "cpu", "cpu.max": "max 100000\n"}, None),
        ({"cgroup.controllers": "cpu"}, None),
        ({"cgroup.controllers": "cpu", "cpu.max": "150000 100000\n"}, 1.5),
        ({"cgroup.controllers": "cpu", "cpu.max": "150000"}, 1.5),
        ({"cgroup.controllers": "cpu", "cpu.max": "150000 0"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu,cpuacct/cpu.cfs_quota_us": "50000\n"}, 0.5),
    ],
)
def test_what_the_control_group_says_is_understood(tmp_path: Path, files: dict[str, str], cores: float | None) -> None:
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert find_cpu_limit(tmp_path) == cores
