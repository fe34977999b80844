"""Figures of a machine, from files as Linux writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genba_ide_bridge.cli.machine_stat import SAMPLE_S, Figure, MachineStat
from genba_ide_bridge.errors import BridgeError

BEFORE = "cpu 100 0 100 700 100 0 0 0 0 0\ncpu0 1\ncpu1 1\nintr 5\n"
AFTER = "cpu 110 0 105 725 110 0 0 0 9 9\ncpu0 1\ncpu1 1\nintr 5\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_stat(root: Path, meanwhile: Callable[[], None] = lambda: None) -> MachineStat:
    times = iter([10.0, 10.5])
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert slept == [SAMPLE_S]
        meanwhile()

    return MachineStat(root, lambda: next(times), sleep)


def test_busy_processors_are_those_that_are_not_idle(tmp_path: Path) -> None:
    write(tmp_path, proc__stat=BEFORE)
    # 50 ticks, 35 of them idle or waiting for a disk.
    found = make_stat(tmp_path, lambda: write(tmp_path, proc__stat=AFTER)).host_cpu()
    assert (round(found.used, 3), found.total, found.unit) == (0.6, 2.0, "cores")
    write(tmp_path, proc__stat=BEFORE)
    assert make_stat(tmp_path).host_cpu().used == 0.0


def test_used_memory_is_what_programs_cannot_get(tmp_path: Path) -> None:
    write(tmp_path, proc__meminfo="MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n")
    assert make_stat(tmp_path).host_memory() == Figure(600 * 1024, 1000 * 1024, "B")


def test_a_disk_has_a_size(tmp_path: Path) -> None:
    found = make_stat(tmp_path).disk(tmp_path)
    assert found.total is not None
    assert 0 < found.used <= found.total
    with pytest.raises(BridgeError, match="none"):
        make_stat(tmp_path).disk(tmp_path / "none")


@pytest.mark.parametrize(("limit", "total"), [("150000 100000", 1.5), ("max 100000", None)])
def test_a_container_of_cgroup_2_has_its_own_figures(tmp_path: Path, limit: str, total: float | None) -> None:
    write(
        tmp_path,
        sys__fs__cgroup__cgroup_DOT_controllers="cpu memory",
        sys__fs__cgroup__cpu_DOT_max=limit,
        sys__fs__cgroup__cpu_DOT_stat="usage_usec 1000000\nuser_usec 1",
        sys__fs__cgroup__memory_DOT_max="2000" if total else "max",
        sys__fs__cgroup__memory_DOT_current="900",
        sys__fs__cgroup__memory_DOT_stat="anon 1\ninactive_file 300",
    )
    stat = make_stat(tmp_path, lambda: write(tmp_path, sys__fs__cgroup__cpu_DOT_stat="usage_usec 1500000"))
    assert stat.container_cpu() == Figure(1.0, total, "cores")
    assert stat.container_memory() == Figure(600.0, 2000.0 if total else None, "B")


@pytest.mark.parametrize(("quota", "total"), [("50000", 0.5), ("-1", None)])
def test_a_container_of_cgroup_1_has_its_own_figures(tmp_path: Path, quota: str, total: float | None) -> None:
    write(
        tmp_path,
        _DOT_dockerenv="",
        sys__fs__cgroup__cpuacct__cpuacct_DOT_usage="1000000000",
        sys__fs__cgroup__memory__memory_DOT_limit_in_bytes="2000" if total else "9223372036854771712",
        sys__fs__cgroup__memory__memory_DOT_usage_in_bytes="900",
        sys__fs__cgroup__memory__memory_DOT_stat="total_inactive_file 300",
    )
    for name, text in (("quota", quota), ("period", "100000")):
        path = tmp_path / "sys/fs/cgroup/cpu" / f"cpu.cfs_{name}_us"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    usage = "1250000000"
    stat = make_stat(tmp_path, lambda: write(tmp_path, sys__fs__cgroup__cpuacct__cpuacct_DOT_usage=usage))
    assert stat.container_cpu() == Figure(0.5, total, "cores")
    assert stat.container_memory() == Figure(600.0, 2000.0 if total else None, "B")


@pytest.mark.parametrize(
    ("files", "is_container"),
    [
        ({}, False),
        ({"_DOT_dockerenv": ""}, True),
        ({"run___DOT_containerenv": ""}, True),
        ({"proc__1__cgroup": "11:cpu:/kubepods/besteffort/x"}, True),
        ({"proc__1__cgroup": "0::/init.scope"}, False),
        ({"sys__fs__cgroup__cgroup_DOT_controllers": "cpu"}, False),
    ],
)
def test_a_container_is_recognised(tmp_path: Path, files: dict[str, str], is_container: bool) -> None:
    write(tmp_path, **files)
    stat = make_stat(tmp_path)
    assert stat.is_container() is is_container
    if not is_container:
        assert (stat.container_cpu(), stat.container_memory()) == (None, None)


def test_a_machine_that_does_not_tell_is_said(tmp_path: Path) -> None:
    for read in (make_stat(tmp_path).host_cpu, make_stat(tmp_path).host_memory):
        with pytest.raises(BridgeError, match="It takes Linux"):
            read()


@pytest.mark.parametrize(
    ("figure", "prefix", "text"),
    [
        (Figure(0.64, 8, "cores"), "Gi", "0.6/8 cores (8%)"),
        (Figure(0.64, None, "cores"), "Gi", "0.6 cores"),
        (Figure(1.5 * 2**30, 15.6 * 2**30, "B"), "Gi", "1.5/15.6 GiB (10%)"),
        (Figure(2**30, 2**31, "B"), "Mi", "1024.0/2048 MiB (50%)"),
        (Figure(2**30, None, "B"), "Gi", "1.0 GiB"),
    ],
)
def test_people_read_what_is_used_of_how_much(figure: Figure, prefix: str, text: str) -> None:
    assert figure.as_text(prefix) == text
