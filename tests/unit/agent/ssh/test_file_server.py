"""Where the file server waits for the disk; what it serves to real clients: tests/integration/ssh/test_files.py."""

from __future__ import annotations

import inspect
import os
import resource
import sys
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import cast

import asyncssh
import pytest

from genba_agent.ssh import file_server
from genba_agent.ssh.file_server import MAX_READ_BYTES, FileServer, read_from_memory


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
