"""Where the file server waits for the disk; what it serves to real clients: tests/integration/ssh/test_files.py."""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import resource
import sys
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import cast

import asyncssh
import pytest
from asyncssh.constants import FXF_APPEND, FXF_CREAT, FXF_EXCL, FXF_READ, FXF_TRUNC, FXF_WRITE

from genba_agent.ssh import file_server
from genba_agent.ssh.file_server import MAX_READ_BYTES, FileServer, read_from_memory
from tests.support.carriers import CEILING_S


class Channel:
    """As much of a channel as a file server asks for."""

    def get_connection(self) -> None:
        """It is not used."""


def make_server(folder: Path) -> FileServer:
    return FileServer(cast("asyncssh.SSHServerChannel[bytes]", Channel()), str(folder))


async def result_of(answer: object) -> object:
    return await cast(Awaitable[object], answer) if inspect.isawaitable(answer) else answer


async def test_what_asks_the_disk_does_so_in_another_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    lstat = os.lstat

    def notice(path: bytes) -> os.stat_result:
        threads.append(threading.get_ident())
        return lstat(path)

    monkeypatch.setattr(os, "lstat", notice)
    assert isinstance(await result_of(make_server(tmp_path).lstat(b".")), os.stat_result)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_a_folder_is_listed_whole(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / str(number)).touch()
    (tmp_path / "link").symlink_to("nowhere")
    names = [name.filename async for name in make_server(tmp_path).scandir(b".")]
    assert sorted(names) == sorted([b".", b"..", b"link", *(b"%d" % number for number in range(300))])


@pytest.mark.parametrize(("offset", "size"), [(0, 4), (2, 100), (10, 1), (0, 10)])
async def test_reading_gives_what_is_there(tmp_path: Path, offset: int, size: int) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with (tmp_path / "file").open("rb", buffering=0) as file:
        found = await result_of(make_server(tmp_path).read(file, offset, size))
    assert found == b"0123456789"[offset : offset + size]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is in memory")
def test_only_a_whole_piece_is_taken_from_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with (tmp_path / "file").open("rb", buffering=0) as file:
        assert read_from_memory(file.fileno(), 8, 4) is None
    read_end, write_end = os.pipe()
    try:
        assert read_from_memory(read_end, 0, 4) is None
    finally:
        os.close(read_end)
        os.close(write_end)


@pytest.mark.parametrize(("limit_s", "is_thread"), [(60.0, False), (-1.0, True)])
async def test_writes_go_to_a_thread_once_one_was_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_s: float, is_thread: bool
) -> None:
    monkeypatch.setattr(file_server, "SLOW_WRITE_S", limit_s)
    server = make_server(tmp_path)
    with (tmp_path / "file").open("wb", buffering=0) as file:
        assert server.write(file, 0, b"one") == 3
        second = server.write(file, 3, b"two")
        assert inspect.isawaitable(second) is is_thread
        assert await result_of(second) == 3
    assert (tmp_path / "file").read_bytes() == b"onetwo"


@pytest.mark.parametrize("limit_s", [60.0, -1.0])
async def test_a_file_that_may_not_grow_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_s: float
) -> None:
    monkeypatch.setattr(file_server, "SLOW_WRITE_S", limit_s)
    server = make_server(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "file").open("wb", buffering=0) as file:
        await result_of(server.write(file, 0, b"one"))
        file.truncate(8_000_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_005, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                await result_of(server.write(file, 8_000_000, b"0123456789"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert file.seek(0, os.SEEK_END) == 8_000_005


@pytest.mark.parametrize("more", [0, 1])
async def test_a_read_takes_no_more_than_its_limit(tmp_path: Path, more: int) -> None:
    server = make_server(tmp_path)
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        file.truncate(MAX_READ_BYTES + more)
        assert len(cast(bytes, await result_of(server.read(file, 0, MAX_READ_BYTES + more)))) == MAX_READ_BYTES
        assert len(cast(bytes, await result_of(server.read(file, MAX_READ_BYTES - 9, 2**32 - 1)))) == 9 + more


@pytest.mark.parametrize("flags", [FXF_READ, FXF_WRITE])
async def test_a_named_pipe_without_another_end_holds_nobody(tmp_path: Path, flags: int) -> None:
    server = make_server(tmp_path)
    await asyncio.to_thread(os.mkfifo, tmp_path / "pipe")
    async with asyncio.timeout(CEILING_S):
        with pytest.raises(OSError, match="Illegal seek" if flags == FXF_READ else "No such device"):
            file = await server.open(b"pipe", flags, asyncssh.SFTPAttrs())
            with cast(io.FileIO, file):
                await result_of(server.read(file, 0, 1))


async def test_files_are_opened_as_they_are_asked_for(tmp_path: Path) -> None:
    server = make_server(tmp_path)

    async def write(flags: int, data: bytes) -> None:
        file = await server.open(b"file", flags, asyncssh.SFTPAttrs(permissions=0o640))
        with cast(io.FileIO, file):
            assert await result_of(server.write(file, 0, data)) == len(data)

    path = tmp_path / "file"
    for flags in (FXF_READ, FXF_WRITE, FXF_READ | FXF_WRITE):
        with pytest.raises(FileNotFoundError):
            await server.open(b"file", flags, asyncssh.SFTPAttrs())
    await write(FXF_WRITE | FXF_CREAT | FXF_EXCL, b"0123")
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(FileExistsError):
        await server.open(b"file", FXF_WRITE | FXF_CREAT | FXF_EXCL, asyncssh.SFTPAttrs())
    await write(FXF_READ | FXF_WRITE | FXF_CREAT, b"a")
    await write(FXF_WRITE | FXF_CREAT | FXF_APPEND, b"4")
    assert path.read_bytes() == b"a1234"
    await write(FXF_WRITE | FXF_CREAT | FXF_TRUNC, b"b")
    assert path.read_bytes() == b"b"
    with cast(io.FileIO, await server.open(b"file", FXF_READ, asyncssh.SFTPAttrs())) as file:
        assert await result_of(server.read(file, 0, 9)) == b"b"
        with pytest.raises(OSError, match="Bad file descriptor"):
            await result_of(server.write(file, 0, b"c"))


async def test_a_session_that_waits_for_ever_holds_up_no_other(tmp_path: Path) -> None:
    begun, end = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        end.wait()

    async with asyncio.TaskGroup() as group, asyncio.timeout(CEILING_S):
        for _ in range(40):
            begun.clear()
            group.create_task(make_server(tmp_path).thread.run(wait))
            await asyncio.sleep(0)
        assert isinstance(await result_of(make_server(tmp_path).lstat(b".")), os.stat_result)
        assert await asyncio.to_thread(begun.wait)
        end.set()
