"""What is found by looking through a folder again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from genba_agent.files import polling
from genba_agent.files.polling import LOOK_SHARE, POLL_S, PollingWatcher
from genba_wire.tunnel.files import FileChange


class Looks:
    """Between two looks, each of `changes` happens; the test ends with the last."""

    def __init__(self, folder: Path, *changes: Callable[[], object], look_s: float = 0.0) -> None:
        self.told: list[tuple[str, str]] = []
        self.pauses: list[float] = []
        self._changes = list(changes)
        self._time = 0.0
        self.look_s = look_s
        self.watcher = PollingWatcher(bytes(folder), self._note, clock=self._clock, sleep=self._sleep)

    def _note(self, changes: list[FileChange]) -> None:
        self.told += [(change.type, change.path) for change in changes]

    def _clock(self) -> float:
        self._time += self.look_s
        return self._time

    async def _sleep(self, delay_s: float) -> None:
        self.pauses.append(delay_s)
        if not self._changes:
            raise asyncio.CancelledError
        await asyncio.to_thread(self._changes.pop(0))

    async def run(self) -> None:
        await self.watcher.open()
        with pytest.raises(asyncio.CancelledError):
            await self.watcher.run()
        await self.watcher.close()


async def test_changes_are_told_by_their_paths(tmp_path: Path) -> None:
    def prepare() -> None:
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "old").write_text("x")
        (tmp_path / "loop").symlink_to(".")

    def make() -> None:
        (tmp_path / "new" / "er").mkdir(parents=True)
        with open(bytes(tmp_path) + b"/\xff", "wb"):
            pass

    await asyncio.to_thread(prepare)
    looks = Looks(
        tmp_path,
        make,
        lambda: (tmp_path / "deep" / "old").write_text("longer"),
        lambda: (tmp_path / "deep" / "old").chmod(0o600),
        lambda: (tmp_path / "deep" / "old").rename(tmp_path / "deep" / "moved"),
        lambda: None,
    )
    await looks.run()
    assert sorted(looks.told[:3]) == [("created", "\0ff"), ("created", "new"), ("created", "new/er")]
    assert looks.told[3:] == [
        ("changed", "deep/old"),
        ("changed", "deep/old"),
        ("deleted", "deep/old"),
        ("created", "deep/moved"),
    ]
    assert set(looks.pauses) == {POLL_S}


async def test_a_file_that_is_replaced_by_another_of_its_size_and_time_has_changed(tmp_path: Path) -> None:
    def replace() -> None:
        found = (tmp_path / "file").stat()
        (tmp_path / "other").write_text("b")
        os.utime(tmp_path / "other", ns=(found.st_mtime_ns, found.st_mtime_ns))
        (tmp_path / "other").replace(tmp_path / "file")

    await asyncio.to_thread((tmp_path / "file").write_text, "a")
    looks = Looks(tmp_path, replace)
    await looks.run()
    assert looks.told == [("changed", "file")]


async def test_a_folder_that_can_not_be_read_is_told_as_missed_and_looked_at_again(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    await asyncio.to_thread(folder.mkdir)

    def come_back() -> None:
        folder.mkdir()
        (folder / "file").touch()

    looks = Looks(folder, folder.rmdir, come_back)
    await looks.run()
    assert looks.told == [("overflow", ""), ("created", "file")]


async def test_looking_takes_no_more_than_its_share_of_the_time(tmp_path: Path) -> None:
    looks = Looks(tmp_path, look_s=5.0)
    await looks.run()
    assert looks.pauses == [5.0 / LOOK_SHARE]


async def test_a_look_in_vain_takes_no_more_than_its_share_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MAX_ENTRIES", 0)
    looks = Looks(tmp_path, (tmp_path / "one").touch)
    await looks.watcher.open()
    looks.look_s = 5.0
    with pytest.raises(asyncio.CancelledError):
        await looks.watcher.run()
    assert looks.told == [("overflow", "")]
    assert looks.pauses == [POLL_S, 5.0 / LOOK_SHARE]


@pytest.mark.parametrize("more", [0, 1])
async def test_too_many_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    monkeypatch.setattr(polling, "MAX_ENTRIES", 3)
    for number in range(3 + more):
        await asyncio.to_thread((tmp_path / str(number)).touch)
    watcher = PollingWatcher(bytes(tmp_path), lambda changes: None)
    if more:
        with pytest.raises(OSError, match="more than 3 names"):
            await watcher.open()
    else:
        await watcher.open()
