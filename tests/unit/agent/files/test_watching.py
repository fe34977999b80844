"""What inotify of a real kernel tells."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from genba_agent.files import watching
from genba_agent.files.watching import Watcher
from genba_wire.tunnel.files import FileChange
from tests.support.carriers import CEILING_S


class Told:
    """What a watcher told."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []
        self._came = asyncio.Event()

    def note(self, changes: list[FileChange]) -> None:
        self.changes += [(change.type, change.path) for change in changes]
        self._came.set()

    async def until(self, *change: str) -> None:
        async with asyncio.timeout(CEILING_S):
            while change not in self.changes:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def watched(folder: Path) -> AsyncGenerator[Told]:
    told = Told()
    watcher = Watcher(bytes(folder), told.note)
    await watcher.open()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(watcher.run())
        yield told
        running.cancel()
    await watcher.close()


async def refuse(folder: Path, reason: str) -> None:
    watcher = Watcher(bytes(folder), lambda changes: None)
    with pytest.raises(OSError, match=reason):
        await watcher.open()
    await watcher.close()


async def test_changes_are_told_by_their_paths(tmp_path: Path) -> None:
    def prepare() -> None:
        (tmp_path / "deep" / "er").mkdir(parents=True)

    def change() -> None:
        (tmp_path / "deep" / "er" / "a").write_text("x")
        (tmp_path / "deep" / "er" / "a").rename(tmp_path / "b")
        (tmp_path / "b").chmod(0o600)
        (tmp_path / "b").unlink()
        with open(bytes(tmp_path) + b"/\xff", "wb"):
            pass

    await asyncio.to_thread(prepare)
    async with watched(tmp_path) as told:
        await asyncio.to_thread(change)
        await told.until("changed", "\0ff")
    assert told.changes == [
        ("created", "deep/er/a"),
        ("changed", "deep/er/a"),
        ("deleted", "deep/er/a"),
        ("created", "b"),
        ("changed", "b"),
        ("deleted", "b"),
        ("created", "\0ff"),
        ("changed", "\0ff"),
    ]


async def test_folder_that_is_made_later_is_watched_with_what_is_in_it(tmp_path: Path) -> None:
    async with watched(tmp_path) as told:
        await asyncio.to_thread(os.makedirs, tmp_path / "a" / "b")
        await told.until("created", "a/b")
        await asyncio.to_thread((tmp_path / "a" / "b" / "file").write_text, "x")
        await told.until("changed", "a/b/file")


async def test_link_is_not_followed(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "loop").symlink_to, tmp_path)
    async with watched(tmp_path) as told:
        await asyncio.to_thread((tmp_path / "file").touch)
        await told.until("changed", "file")
        assert [path for _, path in told.changes if path.startswith("loop")] == []


async def test_too_many_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_FOLDERS", 3)
    await asyncio.to_thread((tmp_path / "a" / "b").mkdir, parents=True)
    async with watched(tmp_path):
        """Three are watched."""
    await asyncio.to_thread((tmp_path / "c").mkdir)
    await refuse(tmp_path, "more than 3 folders")


@pytest.mark.parametrize(("name", "reason"), [("absent", "No such file"), ("file", "Not a directory")])
async def test_what_is_no_folder_is_an_error(tmp_path: Path, name: str, reason: str) -> None:
    await asyncio.to_thread((tmp_path / "file").touch)
    await refuse(tmp_path / name, reason)
