"""Streams to a TCP port that the workspace can reach."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from genba_agent.carriers.accepting_joint import AcceptingJoint
from genba_agent.carriers.guarding import guard
from genba_wire.aio.stream import Stream
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import TcpOpen, parse_tcp_open

logger = logging.getLogger(__name__)

CONNECT_S: Final = 10.0
"""How long a connection may take; whoever waits for it should not give up before."""


class TcpStreams:
    """Serves streams of the kind "tcp"."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        """`group` is the parent of the tasks that connect."""
        self._group = group

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        """Connect, then accept the stream; refuse it when there is no connection."""
        try:
            target = parse_tcp_open(head)
        except RemoteProtocolError as error:
            stream.refuse(ResetCode.PROTOCOL, str(error))
            return
        self._group.create_task(
            guard(stream, self._connect(target, stream)), name=f"tcp stream to {target.host}:{target.port}"
        )

    async def _connect(self, target: TcpOpen, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: AcceptingJoint(stream), target.host, target.port)
        except TimeoutError:
            stream.refuse(ResetCode.FAILED, f"{target.host}:{target.port} did not answer within {CONNECT_S:.0f} s.")
        except (OSError, ValueError) as error:
            # A host name with a zero byte, or one that can't be encoded, is a ValueError.
            stream.refuse(ResetCode.FAILED, f"Can't connect to {target.host}:{target.port}: {error}")
