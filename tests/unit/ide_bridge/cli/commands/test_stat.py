"""`genba stat`, on this machine."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.support.cli_process import run_genba

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells in /proc")


async def test_all_figures_have_the_keys_of_the_contract(tmp_path: Path) -> None:
    done = await run_genba("stat", "-o", "json", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    figures = json.loads(done.out)
    assert list(figures) == ["host_cpu", "host_memory", "home_disk", "container_cpu", "container_memory"]
    for name in ("host_cpu", "host_memory", "home_disk"):
        assert set(figures[name]) == {"used", "total", "unit"}
        assert 0 <= figures[name]["used"] <= figures[name]["total"]


async def test_a_table_has_the_columns_that_are_wanted(tmp_path: Path) -> None:
    done = await run_genba("stat", "-c", "home disk,host memory", folder=tmp_path)
    assert re.fullmatch(r"HOME DISK +HOST MEMORY\n[\d.]+/[\d.]+ GiB \(\d+%\) +[\d.]+/[\d.]+ GiB \(\d+%\)\n", done.out)


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (("cpu", "--host"), r"[\d.]+/\d+ cores \(\d+%\)\n"),
        (("mem", "--host", "--prefix", "Mi"), r"[\d.]+/[\d.]+ MiB \(\d+%\)\n"),
        (("disk", "--path", "/", "--prefix", "Ti"), r"[\d.]+/[\d.]+ TiB \(\d+%\)\n"),
    ],
)
async def test_one_figure_is_one_line(tmp_path: Path, arguments: tuple[str, ...], pattern: str) -> None:
    done = await run_genba("stat", *arguments, folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(pattern, done.out)
    raw = await run_genba("stat", *arguments, "-o", "json", folder=tmp_path)
    assert set(json.loads(raw.out)) == {"used", "total", "unit"}
