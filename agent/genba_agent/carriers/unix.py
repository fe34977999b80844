"""Streams to a unix socket of the workspace."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Final

from genba_agent.carriers.accepting_joint import AcceptingJoint
from genba_agent.carriers.guarding import guard
from genba_agent.carriers.tcp import CONNECT_S
from genba_wire.aio.stream import Stream
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import UnixOpen, parse_unix_open

BUSY_AGAIN_S: Final = 0.02
"""How soon a socket whose backlog is full is tried again: the kernel does not tell when there is room."""


class UnixStreams:
    """Serves streams of the kind "unix"."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        """`group` is the parent of the tasks that connect."""
        self._group = group

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        """Connect, then accept the stream; refuse it when there is no connection."""
        try:
            target = parse_unix_open(head)
        except RemoteProtocolError as error:
            stream.refuse(ResetCode.PROTOCOL, str(error))
            return
        self._group.create_task(guard(stream, self._connect(target, stream)), name=f"unix stream to {target.path}")

    async def _connect(self, target: UnixOpen, stream: Stream) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                connected = await _connect_to(locate_socket(target.path))
        except TimeoutError:
            stream.refuse(ResetCode.FAILED, f"{target.path} did not answer within {CONNECT_S:.0f} s.")
        except (OSError, ValueError) as error:
            # A path with a zero byte is a ValueError.
            stream.refuse(ResetCode.FAILED, f"Can't connect to {target.path}: {error}")
        else:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: AcceptingJoint(stream), sock=connected)


def locate_socket(path: str) -> str:
    """Return where a socket is that is named absolutely or below the home folder."""
    return os.path.join(os.path.expanduser("~"), path.removeprefix("~/"))


async def _connect_to(path: str) -> socket.socket:
    """Return a connected socket.

    asyncio's own way takes the answer "the backlog is full" for "not connected yet", and then for a connection.
    """
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.setblocking(False)
        while True:
            try:
                end.connect(path)
            except BlockingIOError:
                await asyncio.sleep(BUSY_AGAIN_S)
            else:
                return end
    except BaseException:
        end.close()
        raise
