"""Streams to a unix socket: through a real link, to a real server."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from genba_agent.carriers.unix import UnixStreams
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import UNIX, UnixOpen, encode
from tests.support.links import StreamHearer, link_world


async def echo_upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello ")
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("spelling", ["{home}/a.sock", "a.sock", "~/a.sock"])
async def test_each_direction_ends_alone(short_dir: Path, monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    monkeypatch.setenv("HOME", str(short_dir))
    async with asyncio.TaskGroup() as group:
        server = await asyncio.start_unix_server(echo_upper, short_dir / "a.sock")
        async with server, link_world(UnixStreams(group).handle_stream) as (world, _, _):
            head = encode(UnixOpen(path=spelling.format(home=short_dir)))
            near = StreamHearer(await world.session.open_stream(UNIX, head))
            near.stream.write(b"question")
            near.stream.finish()
            await near.wait_finished()
            assert (near.data, near.resets, near.stream.is_over) == (b"hello QUESTION", [], True)


async def test_full_backlog_is_waited_out(short_dir: Path) -> None:
    path = str(short_dir / "busy.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        async with asyncio.TaskGroup() as group, link_world(UnixStreams(group).handle_stream) as (world, _, _):
            opening = group.create_task(world.session.open_stream(UNIX, encode(UnixOpen(path=path))))
            # Another stream's refusal shows that the first has met the full backlog.
            with pytest.raises(StreamRefused):
                await world.session.open_stream(UNIX, encode(UnixOpen(path="nowhere.sock")))
            assert not opening.done()
            listener.accept()[0].close()
            near = StreamHearer(await opening)
            served, _ = listener.accept()
            with served:
                served.sendall(b"at last")
                await near.until(lambda: near.data == b"at last")


@pytest.mark.parametrize(
    ("path", "reason"), [("/nowhere/x.sock", "No such file"), ("x" * 200, "too long"), ("a\0b", "")]
)
async def test_socket_that_is_not_there_refuses_the_stream(path: str, reason: str) -> None:
    async with asyncio.TaskGroup() as group, link_world(UnixStreams(group).handle_stream) as (world, _, _):
        with pytest.raises(StreamRefused, match=f"Can't connect to .*{reason}") as refused:
            await world.session.open_stream(UNIX, encode(UnixOpen(path=path)))
        assert refused.value.code == ResetCode.FAILED
        with pytest.raises(StreamRefused) as refused:
            await world.session.open_stream(UNIX, b"{}")
        assert refused.value.code == ResetCode.PROTOCOL
