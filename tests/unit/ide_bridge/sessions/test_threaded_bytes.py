"""Local ends that a thread reads or writes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from genba_ide_bridge.sessions.threaded_bytes import ThreadReader, ThreadWriter
from tests.support.carriers import CEILING_S


def unexpected() -> None:
    raise AssertionError("not to be called")


async def test_a_piece_is_read_when_the_one_before_was_taken_and_more_is_wanted(tmp_path: Path) -> None:
    content = os.urandom(700_000)
    (tmp_path / "file").write_bytes(content)
    pieces: list[bytes] = []
    arrived, ended = asyncio.Event(), asyncio.Event()

    def take(data: bytes | bytearray | memoryview) -> None:
        pieces.append(bytes(data))
        reader.pause()
        arrived.set()

    reader = ThreadReader(os.open(tmp_path / "file", os.O_RDONLY), take, ended.set)
    async with asyncio.timeout(CEILING_S):
        for count in (1, 2, 3):
            arrived.clear()
            reader.resume()
            await arrived.wait()
            assert len(pieces) == count
            assert not ended.is_set()
        reader.resume()
        await ended.wait()
    assert b"".join(pieces) == content
    reader.close()


async def test_a_reader_that_is_closed_says_nothing_more() -> None:
    source, target = os.pipe()
    reader = ThreadReader(source, lambda _data: unexpected(), unexpected)
    reader.resume()
    reader.close()
    with contextlib.suppress(BrokenPipeError):  # it may have let go already
        os.write(target, b"x")
    os.close(target)
    await asyncio.sleep(0)


async def test_all_is_written_before_the_end_is_told(tmp_path: Path) -> None:
    written: list[int] = []
    finished = asyncio.Event()
    target = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT, 0o600)
    writer = ThreadWriter(target, written.append, finished.set, unexpected)
    for number in range(100):
        writer.write(memoryview(b"%04d" % number))
    writer.finish()
    async with asyncio.timeout(CEILING_S):
        await finished.wait()
    assert sum(written) == 400
    assert (tmp_path / "file").read_bytes() == b"".join(b"%04d" % number for number in range(100))
    writer.close()


async def test_a_reader_who_has_gone_is_told() -> None:
    source, target = os.pipe()
    os.close(source)
    broken = asyncio.Event()
    writer = ThreadWriter(target, lambda _size: None, unexpected, broken.set)
    writer.write(memoryview(b"x"))
    async with asyncio.timeout(CEILING_S):
        await broken.wait()
    writer.close()
