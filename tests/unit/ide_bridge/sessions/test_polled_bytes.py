"""Pipes and sockets that the event loop waits for."""

from __future__ import annotations

import asyncio
import os

from genba_ide_bridge.sessions.polled_bytes import MAX_PARTS, PolledReader, PolledWriter
from tests.support.carriers import CEILING_S


def unexpected() -> None:
    raise AssertionError("not to be called")


async def test_a_pipe_gets_its_blocking_mode_back() -> None:
    source, target = os.pipe()
    kept = os.dup(source)
    reader = PolledReader(source, lambda _data: None, unexpected)
    assert not os.get_blocking(kept)
    reader.close()
    assert os.get_blocking(kept)
    os.close(kept)
    os.close(target)


async def test_nothing_is_read_while_paused() -> None:
    source, target = os.pipe()
    pieces: list[bytes] = []
    arrived, ended = asyncio.Event(), asyncio.Event()

    def take(data: bytes | bytearray | memoryview) -> None:
        pieces.append(bytes(data))
        reader.pause()
        arrived.set()

    reader = PolledReader(source, take, ended.set)
    os.write(target, b"one")
    await asyncio.sleep(0)
    assert pieces == []
    async with asyncio.timeout(CEILING_S):
        reader.resume()
        await arrived.wait()
        os.write(target, b"two")
        os.close(target)
        assert pieces == [b"one"]
        assert not ended.is_set()
        arrived.clear()
        reader.resume()
        await arrived.wait()
        reader.resume()
        await ended.wait()
    assert pieces == [b"one", b"two"]
    reader.resume()
    reader.close()


async def test_more_parts_than_one_call_takes_are_written_in_order() -> None:
    source, target = os.pipe()
    written: list[int] = []
    finished = asyncio.Event()
    writer = PolledWriter(target, written.append, finished.set, unexpected)
    parts = [b"%08d" % number for number in range(2 * MAX_PARTS + 3)]
    for part in parts:
        writer.write(memoryview(part))
    writer.finish()
    async with asyncio.timeout(CEILING_S):
        await finished.wait()
    assert sum(written) == 8 * len(parts)
    assert os.read(source, 1_000_000) == b"".join(parts)
    assert os.read(source, 1) == b""
    os.close(source)


async def test_what_a_full_pipe_does_not_take_is_written_when_it_is_read() -> None:
    source, target = os.pipe()
    written: list[int] = []
    finished = asyncio.Event()
    writer = PolledWriter(target, written.append, finished.set, unexpected)
    content = os.urandom(1_000_000)
    writer.write(memoryview(content))
    writer.finish()
    received = b""
    async with asyncio.timeout(CEILING_S):
        while not finished.is_set():
            await asyncio.sleep(0)
            assert sum(written) <= len(received) + 300_000
            if sum(written) > len(received):
                received += os.read(source, 50_000)
    while piece := os.read(source, 65536):
        received += piece
    assert received == content
    os.close(source)


async def test_a_pipe_without_a_reader_is_told_though_nothing_is_written() -> None:
    source, target = os.pipe()
    broken = asyncio.Event()
    writer = PolledWriter(target, lambda _size: None, unexpected, broken.set)
    os.close(source)
    async with asyncio.timeout(CEILING_S):
        await broken.wait()
    writer.write(memoryview(b"too late"))
    writer.finish()
    writer.close()
