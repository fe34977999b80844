"""Output to terminals and pipes: in order, counted, never blocking the loop."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

import pytest

from genba_ide_bridge.cli.local_output import LocalOutput

CEILING_S = 30.0


def read_exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(descriptor, size - len(data))
    return data


async def write_all(output: LocalOutput, *pieces: bytes, meanwhile: Callable[[], bytes]) -> bytes:
    """Write while a thread reads the other side; what that has read."""
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        writing = group.create_task(output.run())
        for piece in pieces:
            output.write(piece)
        seen = await asyncio.to_thread(meanwhile)
        await output.drain()
        writing.cancel()
    return seen


async def test_more_than_a_terminal_takes_arrives_in_order_and_is_counted() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    counted: list[int] = []
    output = LocalOutput(slave, counted.append)
    pieces = [bytes([65 + at % 26]) * 1500 for at in range(200)]
    try:
        seen = await write_all(output, *pieces, meanwhile=lambda: read_exactly(master, 300_000))
        assert seen == b"".join(pieces)
        assert sum(counted) == 300_000
        assert os.get_blocking(slave), "the flag belongs to the shell's open file too"
    finally:
        output.close()
        os.close(slave)
        os.close(master)


async def test_a_pipe_that_is_full_does_not_block_the_loop() -> None:
    reader, writer = os.pipe()
    counted: list[int] = []
    output = LocalOutput(writer, counted.append)
    pieces = [bytes([at]) * 65536 for at in range(20)]
    try:
        seen = await write_all(output, *pieces, meanwhile=lambda: read_exactly(reader, 20 * 65536))
        assert seen == b"".join(pieces)
        assert sum(counted) == len(seen)
        assert os.get_blocking(writer)
    finally:
        output.close()
        os.close(writer)
        os.close(reader)


async def test_what_is_ours_is_written_in_its_place_and_not_counted(tmp_path: Path) -> None:
    counted: list[int] = []
    with (tmp_path / "out").open("wb") as file:
        output = LocalOutput(file.fileno(), counted.append)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(output.run())
            output.write(b"one ")
            output.write(b"CLEAR ", is_counted=False)
            output.write(b"two")
            await output.drain()
            writing.cancel()
    assert (tmp_path / "out").read_bytes() == b"one CLEAR two"
    assert sum(counted) == 7


async def test_a_reader_that_left_is_an_error_for_who_runs_it() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = LocalOutput(writer, lambda _: None)
    output.write(b"nobody reads this")
    with pytest.raises(BrokenPipeError):
        async with asyncio.timeout(CEILING_S):
            await output.run()
    os.close(writer)


async def test_a_terminal_that_was_closed_is_told_by_run_and_not_by_write() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    output = LocalOutput(slave, lambda _: None)
    os.close(master)
    output.write(b"nobody sees this")
    output.write(b"nor this")
    with pytest.raises(OSError, match="Input/output"):
        async with asyncio.timeout(CEILING_S):
            await output.run()
    output.close()
    os.close(slave)
