"""Files through a real link, on a real disk: the client's end and the agent's."""

from __future__ import annotations

import asyncio
import os
import random
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from genba_agent.files.streams import PAGE_ENTRIES
from genba_ide_bridge.sessions.files import RemoteFiles
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.files import escape_path
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.carriers import CEILING_S
from tests.support.tunnel_stage import TunnelStage, tunnel_stage


@asynccontextmanager
async def files_stage() -> AsyncGenerator[tuple[RemoteFiles, TunnelStage]]:
    async with tunnel_stage(purpose="files") as stage, asyncio.timeout(CEILING_S):
        yield RemoteFiles(stage.tunnel), stage


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for each in data:
        yield each


async def read_all(files: RemoteFiles, path: Path, **how: int) -> bytes:
    return b"".join([piece async for piece in files.read(str(path), **how)])


def prepare(folder: Path) -> bytes:
    data = random.Random(3).randbytes(6 * 1024 * 1024)
    (folder / "big").write_bytes(data)
    (folder / "loop").symlink_to("loop")
    (folder / "pipe").unlink(missing_ok=True)
    os.mkfifo(folder / "pipe")
    return data


async def test_files_are_read_whole_and_in_parts(tmp_path: Path) -> None:
    data = await asyncio.to_thread(prepare, tmp_path)
    async with files_stage() as (files, _):
        assert await read_all(files, tmp_path / "big") == data
        assert await read_all(files, tmp_path / "big", offset=5, size=10) == data[5:15]
        assert await read_all(files, tmp_path / "big", offset=len(data)) == b""
        found = await files.stat(str(tmp_path / "big"))
        assert (found.type, found.size) == ("file", len(data))


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("absent", ResetCode.GONE, "No such file"),
        ("big/below", ResetCode.GONE, "Not a directory"),
        ("loop", ResetCode.FAILED, "Too many levels of symbolic links"),
        ("", ResetCode.FAILED, "It is no file but directory"),
        ("pipe", ResetCode.FAILED, "It is no file but other"),
        ("a\0b", ResetCode.FAILED, "null"),
        ("n" * 256, ResetCode.FAILED, "File name too long"),
    ],
)
async def test_what_can_not_be_read_is_refused_in_words(tmp_path: Path, name: str, code: int, reason: str) -> None:
    await asyncio.to_thread(prepare, tmp_path)
    async with files_stage() as (files, _):
        with pytest.raises(StreamRefused, match=reason) as refused:
            await read_all(files, Path(f"{tmp_path}/{name}") if name else tmp_path)
        assert refused.value.code == code


async def test_file_is_written_and_an_interrupted_one_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "new"
    async with files_stage() as (files, _):
        part = await files.begin_write(str(path), size=6, mode=0o750, mtime_ns=1_500_000_000, part="id")
        await part.write(pieces(b"abc"))
        kept = tmp_path / ".new.genba-id"
        while await asyncio.to_thread(kept.read_bytes) != b"abc":  # noqa: ASYNC110  the disk announces nothing
            await asyncio.sleep(0)
        part.close()
        part = await files.begin_write(str(path), size=6, mode=0o750, mtime_ns=1_500_000_000, part="id")
        assert part.size == 3
        await part.write(pieces(b"d", b"ef"))
        await part.finish()
        part.close()
        assert await read_all(files, path) == b"abcdef"
        found = await files.stat(str(path))
        assert (found.mode, found.mtime_ns) == (0o750, 1_500_000_000)


async def test_file_that_is_too_short_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    await asyncio.to_thread(path.write_text, "before")
    async with files_stage() as (files, _):
        part = await files.begin_write(str(path), size=100)
        await part.write(pieces(b"short"))
        with pytest.raises(StreamRefused, match="5 of 100 bytes came"):
            await part.finish()
        assert await read_all(files, path) == b"before"


async def test_huge_folder_comes_in_pages_with_names_of_any_bytes(tmp_path: Path) -> None:
    count = 2 * PAGE_ENTRIES + 1

    def fill() -> None:
        for number in range(count - 2):
            (tmp_path / f"file {number}").touch()
        os.mkdir(bytes(tmp_path) + b"/\xff\xfe")
        (tmp_path / "link").symlink_to("nowhere")

    await asyncio.to_thread(fill)
    async with files_stage() as (files, _):
        entries = {entry.name: entry.stat async for entry in files.list(str(tmp_path))}
        assert len(entries) == count
        odd = escape_path(b"\xff\xfe")
        assert entries[odd].type == "directory"
        assert (entries["link"].type, entries["link"].target) == ("link", "nowhere")
        assert [entry async for entry in files.list(f"{tmp_path}/{odd}")] == []
        with pytest.raises(StreamRefused, match="Not a directory"):
            _ = [entry async for entry in files.list(f"{tmp_path}/file 1")]


async def test_folders_and_links_are_made_renamed_and_deleted(tmp_path: Path) -> None:
    async with files_stage() as (files, _):
        await files.make_folder(f"{tmp_path}/a/b", 0o700)
        await files.make_folder(f"{tmp_path}/a/b", 0o700)
        await files.make_link(f"{tmp_path}/a/b/link", "first")
        await files.make_link(f"{tmp_path}/a/b/link", "../..")
        await files.rename(f"{tmp_path}/a", f"{tmp_path}/c")
        assert (await files.stat(f"{tmp_path}/c/b")).mode == 0o700
        found = await files.stat(f"{tmp_path}/c/b/link", follow=False)
        assert (found.type, found.target) == ("link", "../..")
        # What a link points to is not deleted with it.
        await files.delete(f"{tmp_path}/c")
        with pytest.raises(StreamRefused) as refused:
            await files.stat(f"{tmp_path}/c")
        assert refused.value.code == ResetCode.GONE
        assert stat.S_ISDIR(os.lstat(tmp_path).st_mode)


async def test_path_below_the_home_folder_and_one_that_is_not_to_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with files_stage() as (files, _):
        await files.make_folder("below")
        for spelling in (f"{tmp_path}/below", "~/below", "below"):
            assert (await files.stat(spelling)).type == "directory"
        assert (await files.stat("~")).mode == (await files.stat(str(tmp_path))).mode


async def test_text_is_searched_for(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "notes").write_text, "one\ntwo Words\n")
    async with files_stage() as (files, _):
        (match,) = [match async for match in files.search(str(tmp_path), "words", ignore_case=True)]
        assert (match.path, match.line, match.column, match.text) == ("notes", 2, 4, "two Words")
        assert [match async for match in files.search(str(tmp_path), "nothing")] == []
        for query, reason in (("", "on one line"), ("a\nb", "on one line")):
            with pytest.raises(StreamRefused, match=reason):
                _ = [match async for match in files.search(str(tmp_path), query)]
        with pytest.raises(StreamRefused) as refused:
            _ = [match async for match in files.search(f"{tmp_path}/absent", "x")]
        assert refused.value.code == ResetCode.GONE


async def test_folder_is_watched_until_the_client_has_enough(tmp_path: Path) -> None:
    async with files_stage() as (files, _):
        changes = files.watch(str(tmp_path))
        first = await anext(changes)
        assert (first.type, first.path) == ("overflow", "")
        await asyncio.to_thread((tmp_path / "a").touch)
        assert [(change.type, change.path) for change in (await anext(changes), await anext(changes))] == [
            ("created", "a"),
            ("changed", "a"),
        ]
        await changes.aclose()
        with pytest.raises(StreamRefused) as refused:
            await anext(files.watch(f"{tmp_path}/absent"))
        assert refused.value.code == ResetCode.GONE
