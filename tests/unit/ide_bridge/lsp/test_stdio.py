"""Messages over pipes."""

from __future__ import annotations

import asyncio
import os

import pytest

from genba_ide_bridge.lsp import stdio
from genba_ide_bridge.lsp.stdio import MAX_MESSAGE_BYTES, OutputThread, read_message


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=stdio.MAX_HEADER_BYTES)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_messages_are_read_one_after_the_other() -> None:
    reader = fed(b"Content-Length: 2\r\nContent-Type: x; charset=utf-8\r\n\r\n{}content-length:3\r\n\r\n[1]")
    assert await read_message(reader) == b"{}"
    assert await read_message(reader) == b"[1]"
    with pytest.raises(asyncio.IncompleteReadError):
        await read_message(reader)


@pytest.mark.parametrize(
    "header", [b"\r\n", b"Content-Length: x\r\n\r\n", b"Content-Length: -1\r\n\r\n", b"Other: 1\r\n\r\n"]
)
async def test_what_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError):
        await read_message(fed(header + b"{}"))


async def test_a_message_has_a_limit() -> None:
    with pytest.raises(ValueError):
        await read_message(fed(b"Content-Length: %d\r\n\r\n" % (MAX_MESSAGE_BYTES + 1)))
    with pytest.raises(asyncio.IncompleteReadError):
        await read_message(fed(b"Content-Length: %d\r\n\r\n" % MAX_MESSAGE_BYTES))


async def test_a_header_has_a_limit() -> None:
    with pytest.raises(asyncio.LimitOverrunError):
        await read_message(fed(b"x" * (stdio.MAX_HEADER_BYTES + 2) + b"\n"))


async def test_output_is_written_in_order_and_finished() -> None:
    read_fd, write_fd = os.pipe()
    output = OutputThread(write_fd)
    output.start(lambda: None)
    for number in range(100):
        output.write(b"%d " % number)
    await asyncio.to_thread(output.finish)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as file:
        assert file.read() == b"".join(b"%d " % number for number in range(100))


async def test_an_editor_that_is_gone_is_noticed() -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    lost = asyncio.Event()
    loop = asyncio.get_running_loop()
    output = OutputThread(write_fd)
    output.start(lambda: loop.call_soon_threadsafe(lost.set))
    output.write(b"x")
    async with asyncio.timeout(30):
        await lost.wait()
    os.close(write_fd)


async def test_an_editor_that_does_not_read_is_taken_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio, "MAX_WAITING_BYTES", 1024 * 1024)
    read_fd, write_fd = os.pipe()
    lost: list[str] = []
    output = OutputThread(write_fd)
    output.start(lambda: lost.append("lost"))
    output.write(bytes(1024 * 1024))
    assert lost == []
    output.write(b"x")
    assert lost == ["lost"]
    os.close(read_fd)
    await asyncio.to_thread(output.finish)
    os.close(write_fd)
