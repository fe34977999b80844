"""Input from terminals, pipes and files."""

from __future__ import annotations

import asyncio
import os
import tty
from pathlib import Path

from genba_ide_bridge.cli.local_input import LocalInput

CEILING_S = 30.0


class Taken:
    def __init__(self) -> None:
        self.data = b""
        self.ended = asyncio.Event()
        self.grew = asyncio.Event()

    def take(self, data: bytes) -> None:
        self.data += data
        self.grew.set()

    async def wait_for(self, data: bytes) -> None:
        async with asyncio.timeout(CEILING_S):
            while self.data != data:
                self.grew.clear()
                await self.grew.wait()


async def test_a_pipe_is_read_to_its_end() -> None:
    taken = Taken()
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    os.close(writer)
    async with asyncio.timeout(CEILING_S):
        source = LocalInput(reader, taken.take, taken.ended.set)
        await source.run()
    source.close()
    os.close(reader)
    assert taken.data == b"hello"
    assert taken.ended.is_set()


async def test_a_file_that_can_not_be_polled_is_read_to_its_end(tmp_path: Path) -> None:
    taken = Taken()
    (tmp_path / "in").write_bytes(b"x" * 200_000)
    with (tmp_path / "in").open("rb") as file:
        async with asyncio.timeout(CEILING_S):
            await LocalInput(file.fileno(), taken.take, taken.ended.set).run()
    assert taken.data == b"x" * 200_000
    assert taken.ended.is_set()


async def test_after_a_pause_within_a_piece_nothing_is_read_until_it_is_resumed() -> None:
    taken = Taken()
    reader, writer = os.pipe()

    def take_and_pause(data: bytes) -> None:
        taken.take(data)
        source.pause()

    source = LocalInput(reader, take_and_pause, taken.ended.set)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(source.run())
        os.write(writer, b"one")
        await taken.wait_for(b"one")
        os.write(writer, b" two")
        for _ in range(20):
            await asyncio.to_thread(str)
        assert taken.data == b"one"
        source.resume()
        await taken.wait_for(b"one two")
        reading.cancel()
    os.close(reader)
    os.close(writer)


async def test_a_terminal_that_is_closed_is_the_end() -> None:
    taken = Taken()
    master, slave = os.openpty()
    tty.setraw(slave)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        source = LocalInput(slave, taken.take, taken.ended.set)
        reading = group.create_task(source.run())
        os.write(master, b"\x03")
        await taken.wait_for(b"\x03")
        os.close(master)
        await reading
    source.close()
    os.close(slave)
    assert taken.ended.is_set()
