"""Copies through a real link between two folders of a real disk."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from genba_ide_bridge.sessions import copying, local_files
from genba_ide_bridge.sessions.copying import Copier
from genba_ide_bridge.sessions.files import RemoteFiles
from genba_wire.aio.stream import Stream
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.files import FILES, FileEntry, FileStat, encode, parse_file_open
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.carriers import CEILING_S
from tests.support.tunnel_stage import TunnelStage, tunnel_stage


class Told:
    """`CopyEvents` that remember."""

    def __init__(self) -> None:
        self.size = 0
        self.files = 0
        self.failures: list[tuple[str, str]] = []

    def copied(self, size: int) -> None:
        self.size += size

    def file_done(self) -> None:
        self.files += 1

    def failed(self, path: str, reason: str) -> None:
        self.failures.append((path, reason))


@asynccontextmanager
async def copy_stage(*, is_recursive: bool = True) -> AsyncGenerator[tuple[Copier, Told, TunnelStage]]:
    told = Told()
    async with tunnel_stage(purpose="files") as stage, asyncio.timeout(CEILING_S):
        yield Copier(RemoteFiles(stage.tunnel), told, is_recursive=is_recursive), told, stage


def make_tree(top: Path) -> None:
    """A folder with what folders have."""
    (top / "deep" / "er").mkdir(parents=True)
    for number in range(40):
        (top / f"file {number}").write_bytes(random.Random(number).randbytes(number * 1000))
    (top / "deep" / "er" / "tool").write_text("#!/bin/sh\n")
    (top / "deep" / "er" / "tool").chmod(0o750)
    (top / "link").symlink_to("deep/er")
    (top / "empty").mkdir(mode=0o700)
    with open(bytes(top) + b"/\xff", "wb") as odd:
        odd.write(b"odd")
    os.utime(top / "deep", ns=(1_000_000_000, 2_000_000_000))


def describe(top: Path) -> dict[str, object]:
    """What is in a folder: kinds, permissions, times and content."""
    found: dict[str, object] = {}
    for path in sorted(top.rglob("*")):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        name = os.fsencode(path.relative_to(top)).hex()
        found[name] = (content, None) if path.is_symlink() else (content, status.st_mode)
        if path.is_file() and not path.is_symlink():
            found[name] = (content, status.st_mode, status.st_mtime_ns)
    return found


@pytest.mark.parametrize("direction", ["upload", "download"])
async def test_folder_is_copied_as_it_is(tmp_path: Path, direction: str) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    await asyncio.to_thread(make_tree, source)
    async with copy_stage() as (copier, told, _):
        await getattr(copier, direction)(str(source), str(target))
        assert told.failures == []
        assert told.files == 42
        assert await asyncio.to_thread(describe, target) == await asyncio.to_thread(describe, source)
        # Once more, over itself.
        await getattr(copier, direction)(str(source), str(target))
        assert told.failures == []
        assert await asyncio.to_thread(describe, target) == await asyncio.to_thread(describe, source)


@pytest.mark.parametrize("direction", ["upload", "download"])
async def test_interrupted_copy_is_gone_on_with(tmp_path: Path, direction: str) -> None:
    data = random.Random(1).randbytes(3_000_000)
    source, target = tmp_path / "source", tmp_path / "target"

    def leave_part() -> Path:
        source.write_bytes(data)
        status = source.stat()
        name = local_files.part_name(str(source), status.st_size, status.st_mtime_ns)
        part = target.parent / f".target.genba-{name}"
        # Not what the file begins with, so that its being left alone shows.
        part.write_bytes(bytes(1_000_000))
        return part

    part = await asyncio.to_thread(leave_part)
    async with copy_stage() as (copier, told, _):
        await getattr(copier, direction)(str(source), str(target))
        assert told.failures == []
        assert told.size == len(data)
        assert await asyncio.to_thread(target.read_bytes) == bytes(1_000_000) + data[1_000_000:]
        assert not await asyncio.to_thread(part.exists)


@pytest.mark.parametrize("direction", ["upload", "download"])
async def test_copy_goes_on_by_itself_when_the_agent_was_restarted(tmp_path: Path, direction: str) -> None:
    data = random.Random(2).randbytes(20_000_000)
    source, target = tmp_path / "source", tmp_path / "target"
    await asyncio.to_thread(source.write_bytes, data)
    async with copy_stage() as (copier, told, stage):

        class Restart(Told):
            def copied(self, size: int) -> None:
                super().copied(size)
                if self.size > 2_000_000 and stage.ways == 1 and not self.is_done:
                    self.is_done = True
                    stage.transport.forget_links()

            is_done = False

        restart = Restart()
        copier = Copier(RemoteFiles(stage.tunnel), restart, is_recursive=True)
        await getattr(copier, direction)(str(source), str(target))
        assert restart.is_done
        assert (restart.failures, restart.size, told.files) == ([], len(data), 0)
        assert await asyncio.to_thread(target.read_bytes) == data


async def test_what_can_not_be_copied_is_told_and_the_rest_copied(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"

    def prepare() -> None:
        source.mkdir()
        os.mkfifo(source / "pipe")
        (source / "file").write_text("x")

    await asyncio.to_thread(prepare)
    for direction in ("upload", "download"):
        async with copy_stage() as (copier, told, _):
            await getattr(copier, direction)(str(source), str(target))
            assert told.failures == [(f"{source}/pipe", "It is neither a file, a folder nor a link.")]
            assert told.files == 1
            await getattr(copier, direction)(str(tmp_path / "absent"), str(target))
            assert told.failures[1:] == [(str(tmp_path / "absent"), "No such file or directory")]
        async with copy_stage(is_recursive=False) as (copier, told, _):
            await getattr(copier, direction)(str(source), str(target))
            assert told.failures == [(str(source), "It is a folder: -r copies those.")]


async def test_hostile_names_lead_nowhere(tmp_path: Path) -> None:
    """What an agent lists is not believed: no name leaves the folder, and nothing is written through a link."""
    target, outside = tmp_path / "target", tmp_path / "outside"
    await asyncio.to_thread(outside.mkdir)
    folder = FileStat(type="directory", size=0, mode=0o755, mtime_ns=0)
    file = FileStat(type="file", size=1, mode=0o644, mtime_ns=0)
    link = FileStat(type="link", size=1, mode=0o777, mtime_ns=0, target=str(outside))
    names = ["..", ".", "", "../outside/a", "/etc/a", "a\0", "\0" + "2f"]

    def serve(kind: str, head: bytes, stream: Stream) -> None:
        request = parse_file_open(head)
        stream.accept(encode(folder if request.op == "stat" else file))
        if request.op == "list" and request.path == "top":
            entries = [FileEntry(name=name, stat=file) for name in names]
            entries += [FileEntry(name="trap", stat=link), FileEntry(name="trap", stat=folder)]
            stream.write(b"".join(encode(entry) + b"\n" for entry in entries))
        elif request.op == "list":
            stream.write(encode(FileEntry(name="key", stat=file)) + b"\n")
        elif request.op == "read":
            stream.write(b"x")
        stream.finish()

    async with copy_stage() as (copier, told, stage):
        stage.transport.handlers = {FILES: serve}
        for _ in range(2):
            await copier.download("top", str(target))
        assert len([reason for _, reason in told.failures if "may have this name" in reason]) == 2 * len(names)
        assert await asyncio.to_thread(lambda: list(outside.iterdir())) == []
        assert await asyncio.to_thread(lambda: sorted(each.name for each in tmp_path.iterdir())) == [
            "outside",
            "target",
        ]


FOLDER = FileStat(type="directory", size=0, mode=0o755, mtime_ns=0)


@pytest.mark.parametrize("direction", ["upload", "download"])
async def test_folders_are_copied_down_to_the_limit_and_no_deeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    monkeypatch.setattr(copying, "MAX_DEPTH", 3)
    source, target = tmp_path / "source", tmp_path / "target"
    await asyncio.to_thread((source / "1" / "2" / "3" / "4").mkdir, parents=True)
    await asyncio.to_thread((source / "1" / "2" / "3" / "file").touch)
    async with copy_stage() as (copier, told, _):
        await getattr(copier, direction)(str(source), str(target))
    assert [path for path, _ in told.failures] == [f"{source}/1/2/3/4"]
    assert await asyncio.to_thread((target / "1" / "2" / "3" / "file").exists)
    assert not await asyncio.to_thread((target / "1" / "2" / "3" / "4").exists)


async def test_an_agent_that_invents_folders_without_end_is_left(tmp_path: Path) -> None:
    def serve(kind: str, head: bytes, stream: Stream) -> None:
        stream.accept(encode(FOLDER))
        if parse_file_open(head).op == "list":
            stream.write(encode(FileEntry(name="a", stat=FOLDER)) + b"\n")
        stream.finish()

    async with copy_stage() as (copier, told, stage):
        stage.transport.handlers = {FILES: serve}
        await copier.download("top", str(tmp_path / "target"))
    assert [reason for _, reason in told.failures] == ["It lies deeper than 256 folders."]


@pytest.mark.parametrize("more", [0, 1])
async def test_an_agent_that_invents_names_without_end_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(copying, "MAX_ENTRIES", 10)

    def serve(kind: str, head: bytes, stream: Stream) -> None:
        request = parse_file_open(head)
        stream.accept(encode(FOLDER))
        if request.op == "list":
            # Two above, four in each of those.
            names = ["a", "b"] if request.path == "top" else ["c", "d", "e", "f", "g"][: 4 + more]
            other = FileStat(type="other", size=0, mode=0o644, mtime_ns=0)
            entries = [FileEntry(name=name, stat=FOLDER if request.path == "top" else other) for name in names]
            stream.write(b"".join(encode(entry) + b"\n" for entry in entries))
        stream.finish()

    async with copy_stage() as (copier, told, stage):
        stage.transport.handlers = {FILES: serve}
        await copier.download("top", str(tmp_path / "target"))
    assert any("more than 10 names" in reason for _, reason in told.failures) is bool(more)


@pytest.mark.parametrize("more", [0, 1])
async def test_names_of_several_sources_are_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(copying, "MAX_ENTRIES", 8)
    source = tmp_path / "source"
    await asyncio.to_thread(source.mkdir)
    for number in range(4):
        await asyncio.to_thread((source / str(number)).touch)
    async with copy_stage() as (copier, told, _):
        for number in range(2 + more):
            await copier.download(str(source), str(tmp_path / f"target {number}"))
    assert [reason for _, reason in told.failures] == ["There are more than 8 names to copy."] * more


async def test_names_of_this_machine_are_copied_however_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MAX_ENTRIES", 1)
    source, target = tmp_path / "source", tmp_path / "target"
    await asyncio.to_thread(make_tree, source)
    async with copy_stage() as (copier, told, _):
        await copier.upload(str(source), str(target))
    assert told.failures == []
    assert await asyncio.to_thread(describe, target) == await asyncio.to_thread(describe, source)


async def test_names_and_reasons_hold_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    def serve(kind: str, head: bytes, stream: Stream) -> None:
        request = parse_file_open(head)
        if request.path != "top":
            stream.refuse(ResetCode.REFUSED, "no \x1b[2J \x9b2J")
            return
        stream.accept(encode(FOLDER))
        if request.op == "list":
            stream.write(encode(FileEntry(name="\x1b]0;owned\x07\n\u202e", stat=FOLDER)) + b"\n")
        stream.finish()

    async with copy_stage() as (copier, told, stage):
        stage.transport.handlers = {FILES: serve}
        await copier.download("top", str(tmp_path / "target"))
    ((path, reason),) = told.failures
    assert path == "top/\\x1b]0;owned\\x07\\n\\u202e"
    assert "no \\x1b[2J \\x9b2J" in reason
    assert reason.isprintable()


async def test_agent_that_sends_more_than_a_file_has_fills_no_disk(tmp_path: Path) -> None:
    def serve(kind: str, head: bytes, stream: Stream) -> None:
        stream.accept(encode(FileStat(type="file", size=5, mode=0o644, mtime_ns=0)))
        if parse_file_open(head).op == "read":
            stream.write(b"x" * 100_000)
        stream.finish()

    async with copy_stage() as (copier, told, stage):
        stage.transport.handlers = {FILES: serve}
        await copier.download("small", str(tmp_path / "small"))
        assert [reason for _, reason in told.failures] == ["The agent sent more than it was asked for."]
        kept = await asyncio.to_thread(lambda: [each.stat().st_size for each in tmp_path.iterdir()])
        assert max(kept, default=0) <= 5


async def test_request_that_breaks_in_the_agent_ends_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with copy_stage() as (_, _, stage):
        files = RemoteFiles(stage.tunnel)
        with monkeypatch.context() as patched:
            patched.setattr("genba_agent.files.disk.describe", Mock(side_effect=RecursionError))
            with pytest.raises(StreamRefused, match="internal error"):
                await files.stat("/")
        with pytest.raises(StreamRefused) as refused:
            await stage.tunnel.open_stream(FILES, b'{"op":"read","path":"/","offset":9223372036854775808}')
        assert refused.value.code == ResetCode.PROTOCOL
        assert (await files.stat("/")).type == "directory"
