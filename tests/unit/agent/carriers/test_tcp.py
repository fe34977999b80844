"""Streams to a TCP port: through a real link, to a real server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from unittest.mock import AsyncMock

import pytest

from genba_agent.carriers.tcp import TcpStreams
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.stream import WRITABLE_BELOW_BYTES
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux import MAX_WINDOW
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import TCP, TcpOpen, encode
from tests.support.carriers import CEILING_S
from tests.support.chaos_line import RESET_AT_CLOSE
from tests.support.links import StreamHearer, link_world

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_world(serve: Serve) -> AsyncGenerator[tuple[LinkSession, bytes]]:
    """Yield a client's session and the head of a stream to a server."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        async with server, link_world(TcpStreams(group).handle_stream) as (world, _, _):
            port = server.sockets[0].getsockname()[1]
            yield world.session, encode(TcpOpen(host="127.0.0.1", port=port))


async def test_each_direction_ends_alone() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello ")
        asked = await reader.read()
        writer.write(asked.upper())
        await writer.drain()

    async with tcp_world(serve) as (session, head):
        near = StreamHearer(await session.open_stream(TCP, head))
        await near.until(lambda: near.data == b"hello ")
        near.stream.write(b"question")
        near.stream.finish()
        await near.until(lambda: "finished" in near.events)
        assert (near.data, near.resets, near.stream.is_over) == (b"hello QUESTION", [], True)


async def test_server_may_end_first() -> None:
    got = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        got.set_result(await reader.read())

    async with tcp_world(serve) as (session, head):
        near = StreamHearer(await session.open_stream(TCP, head))
        await near.until(lambda: "finished" in near.events)
        near.stream.write(b"after the end")
        near.stream.finish()
        async with asyncio.timeout(CEILING_S):
            assert await got == b"after the end"


async def test_sixteen_mib_are_echoed_exactly() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()

    data = random.Random(5).randbytes(16 * 1024 * 1024)
    async with tcp_world(serve) as (session, head):
        near = StreamHearer(await session.open_stream(TCP, head))
        at = 0

        def go_on() -> None:
            nonlocal at
            while near.stream.is_writable and at < len(data):
                near.stream.write(data[at : at + 100_000])
                at += 100_000
            if at >= len(data):
                near.on_writable = lambda: None
                near.stream.finish()

        near.on_writable = go_on
        go_on()
        await near.until(lambda: "finished" in near.events)
    assert near.digest.digest() == hashlib.sha256(data).digest()


async def test_server_that_reads_nothing_holds_back_the_writer() -> None:
    go_on = asyncio.Event()
    total = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        received = 0
        while data := await reader.read(65_536):
            received += len(data)
        total.set_result(received)

    async with tcp_world(serve) as (session, head):
        near = StreamHearer(await session.open_stream(TCP, head))
        written = 0
        quiet_turns = 0
        # The kernel's own buffers take some MiB; what Genba keeps is a window and what waits at the writer.
        while quiet_turns < 1000:
            if near.stream.is_writable:
                near.stream.write(bytes(65_536))
                written += 65_536
                quiet_turns = 0
                assert written < 64 * 1024 * 1024, "a writer without bound"
            else:
                quiet_turns += 1
            await asyncio.sleep(0)
        assert near.stream.waiting_bytes <= WRITABLE_BELOW_BYTES + 65_536 <= MAX_WINDOW
        go_on.set()
        near.stream.finish()
        async with asyncio.timeout(CEILING_S):
            assert await total == written


async def test_client_that_gives_no_credit_holds_back_the_server() -> None:
    sent = 0
    is_blocked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        quiet_turns = 0
        while quiet_turns < 1000:
            if writer.transport.get_write_buffer_size() == 0:
                writer.write(bytes(65_536))
                sent += 65_536
                quiet_turns = 0
            else:
                quiet_turns += 1
            await asyncio.sleep(0)
        is_blocked.set()
        await reader.read()

    async with tcp_world(serve) as (session, head):
        near = StreamHearer(await session.open_stream(TCP, head), gives_credit=False)
        async with asyncio.timeout(CEILING_S):
            await is_blocked.wait()
        assert 0 < near.received <= MAX_WINDOW
        assert sent < 64 * 1024 * 1024
        near.stream.reset(ResetCode.CANCELLED, "")


@pytest.mark.parametrize("host", ["a\0b", "x" * 300, "\ud800"])
async def test_host_that_is_no_name_refuses_the_stream_and_ends_nothing_else(host: str) -> None:
    async with tcp_world(AsyncMock()) as (session, _):
        with pytest.raises(StreamRefused) as refused:
            await session.open_stream(TCP, json.dumps({"host": host, "port": 1}).encode())
        assert refused.value.code in (ResetCode.FAILED, ResetCode.PROTOCOL)
        with pytest.raises(StreamRefused):
            await session.open_stream(TCP, b"{}")


async def test_refused_connection_refuses_the_stream() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("nobody connects")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    async with tcp_world(serve) as (session, _):
        with pytest.raises(StreamRefused, match=f"Can't connect to 127.0.0.1:{free}") as refused:
            await session.open_stream(TCP, encode(TcpOpen(host="127.0.0.1", port=free)))
        assert refused.value.code == ResetCode.FAILED
        with pytest.raises(StreamRefused):
            await session.open_stream(TCP, encode(TcpOpen(host="a" * 300, port=1)))


@pytest.mark.parametrize("head", [b"", b"{}", b'{"host": "x", "port": 0}', b"\xff"])
async def test_head_that_is_none_refuses_the_stream(head: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("nobody connects")

    async with tcp_world(serve) as (session, _):
        with pytest.raises(StreamRefused) as refused:
            await session.open_stream(TCP, head)
    assert refused.value.code == ResetCode.PROTOCOL


async def test_connection_that_breaks_resets_the_stream() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        writer.transport.abort()

    async with tcp_world(serve) as (session, head):
        near = StreamHearer(await session.open_stream(TCP, head))
        near.stream.write(b"x" * 100_000)
        await near.until(lambda: bool(near.resets))
        assert near.resets[0][0] == ResetCode.FAILED


async def test_reset_and_lost_link_drop_the_connection() -> None:
    ended: list[str] = []
    both = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
            ended.append("end")
        except ConnectionResetError:
            ended.append("reset")
        if len(ended) == 2:
            both.set()

    async with tcp_world(serve) as (session, head):
        first = await session.open_stream(TCP, head)
        await session.open_stream(TCP, head)
        first.reset(ResetCode.CANCELLED, "")
        session.close()
        async with asyncio.timeout(CEILING_S):
            await both.wait()
