"""What editors read about a connection."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from genba_ide_bridge.cli.network_info import STALE_S, NetworkInfo
from genba_ide_bridge.sessions.byte_session import Traffic


class Watch:
    """A clock that passes with each sleep; `run` stops when it has slept as often as was asked."""

    def __init__(self, sleeps: int) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self._sleeps = sleeps

    def read(self) -> float:
        return self.now

    async def sleep(self, delay_s: float) -> None:
        if len(self.slept) == self._sleeps:
            raise asyncio.CancelledError
        self.slept.append(delay_s)
        self.now += delay_s
        await asyncio.sleep(0)


async def test_the_file_is_rewritten_with_rates_and_removed_at_the_end(tmp_path: Path) -> None:
    folder, traffic, watch = tmp_path / "not" / "there", Traffic(), Watch(2)
    seen: list[dict[str, object]] = []

    async def look(delay_s: float) -> None:
        seen.append(json.loads(await asyncio.to_thread((folder / "4711.json").read_text)))
        assert await asyncio.to_thread(os.listdir, folder) == ["4711.json"]
        traffic.sent += 5000
        traffic.received += 50_000
        await watch.sleep(delay_s)

    info = NetworkInfo(folder, 4711, "gateway.example", traffic, lambda: 0.0215, 5.0, clock=watch.read, sleep=look)
    with pytest.raises(asyncio.CancelledError):
        await info.run()
    assert watch.slept == [5.0, 5.0]
    assert seen[1] == {
        "p2p": False,
        "latency": 21.5,
        "preferred_derp": "gateway.example",
        "derp_latency": {"gateway.example": 21.5},
        "upload_bytes_sec": 1000,
        "download_bytes_sec": 10_000,
        "using_coder_connect": False,
    }
    assert (seen[0]["upload_bytes_sec"], seen[0]["download_bytes_sec"]) == (0, 0)
    assert await asyncio.to_thread(os.listdir, folder) == []


async def test_files_that_nobody_rewrites_are_removed_and_others_kept(tmp_path: Path) -> None:
    for name, age_s in (("1.json", STALE_S + 60), ("2.json", STALE_S - 60), ("mine.json", STALE_S * 9)):
        (tmp_path / name).write_text("{}")
        moment = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (moment, moment))
    watch = Watch(0)
    info = NetworkInfo(tmp_path, 3, "g", Traffic(), lambda: 0.0, 5.0, clock=watch.read, sleep=watch.sleep)
    with pytest.raises(asyncio.CancelledError):
        await info.run()
    assert sorted(await asyncio.to_thread(os.listdir, tmp_path)) == ["2.json", "mine.json"]


async def test_a_folder_that_can_not_be_written_to_ends_no_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    watch = Watch(1)
    info = NetworkInfo(tmp_path / "file", 3, "g", Traffic(), lambda: 0.0, 5.0, clock=watch.read, sleep=watch.sleep)
    with pytest.raises(asyncio.CancelledError):
        await info.run()
    assert watch.slept == [5.0]
