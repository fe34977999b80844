"""A client's watch where the system has no more inotify for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from genba_agent.files import polling, watching
from genba_ide_bridge.sessions.files import RemoteFiles
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.files import FileChange
from tests.support.carriers import CEILING_S
from tests.support.tunnel_stage import tunnel_stage

POLL_S = 0.01


@asynccontextmanager
async def watching_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, folders: int
) -> AsyncGenerator[AsyncGenerator[FileChange]]:
    """Watch a folder where so many folders can be watched."""
    monkeypatch.setattr(watching, "MAX_FOLDERS", folders)
    monkeypatch.setattr(polling, "POLL_S", POLL_S)
    async with (
        tunnel_stage(purpose="files") as stage,
        asyncio.timeout(CEILING_S),
        aclosing(RemoteFiles(stage.tunnel).watch(str(folder))) as changes,
    ):
        yield changes


async def test_a_folder_with_too_much_below_it_is_looked_through_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread((tmp_path / "a" / "b").mkdir, parents=True)
    async with watching_folder(tmp_path, monkeypatch, folders=2) as changes:
        assert await anext(changes) == FileChange(type="overflow", path="", poll_s=POLL_S)
        await asyncio.to_thread((tmp_path / "a" / "b" / "file").touch)
        assert await anext(changes) == FileChange(type="created", path="a/b/file")


async def test_inotify_is_used_as_long_as_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching_folder(tmp_path, monkeypatch, folders=1) as changes:
        assert await anext(changes) == FileChange(type="overflow", path="")
        await asyncio.to_thread((tmp_path / "more").mkdir)
        told = [await anext(changes) for _ in range(3)]
        assert told == [
            FileChange(type="created", path="more"),
            FileChange(type="overflow", path="more"),
            FileChange(type="overflow", path="", poll_s=POLL_S),
        ]
        await asyncio.to_thread((tmp_path / "more" / "file").touch)
        assert await anext(changes) == FileChange(type="created", path="more/file")


async def test_what_can_be_watched_in_neither_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "MAX_ENTRIES", 1)
    await asyncio.to_thread((tmp_path / "a" / "b").mkdir, parents=True)
    async with watching_folder(tmp_path, monkeypatch, folders=1) as changes:
        with pytest.raises(StreamRefused, match="more than 1 names"):
            await anext(changes)
    async with watching_folder(tmp_path / "a" / "b", monkeypatch, folders=1) as changes:
        await anext(changes)
        await asyncio.to_thread((tmp_path / "a" / "b" / "c" / "d").mkdir, parents=True)
        with pytest.raises(StreamRefused, match="more than 1 names"):
            while True:
                await anext(changes)
