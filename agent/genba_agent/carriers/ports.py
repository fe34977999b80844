"""Which ports the workspace listens on: found without root, in /proc, by psutil."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from genba_agent.carriers.guarding import guard
from genba_wire.aio.stream import Stream
from genba_wire.api.agents import ListeningPort, ListeningPorts
from genba_wire.api.message import encode_message
from genba_wire.tunnel.mux_frames import ResetCode

KEPT_S: Final = 5.0
"""A list is given out for so long: to look costs a walk through all processes of the user."""

_FROM_LOOPBACK: Final = frozenset({"127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"})
"""Addresses that a connection to localhost reaches."""


class PortStreams:
    """Serves streams of the kind "ports"."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        clock: Callable[[], float],
        find: Callable[[], list[ListeningPort]] | None = None,
    ) -> None:
        """`group` is the parent of the tasks that look; `clock` tells how old a list is."""
        self._group = group
        self._clock = clock
        self._find = find or find_listening_ports
        self._looking = asyncio.Lock()
        self._found: bytes | None = None
        self._found_at = 0.0

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        """Answer with the list, then finish."""
        self._group.create_task(guard(stream, self._answer(stream)), name="look for listening ports")

    async def _answer(self, stream: Stream) -> None:
        try:
            found = await self._look()
        except Exception as error:  # noqa: BLE001  psutil passes on whatever /proc gives: no reason to end the agent
            stream.refuse(ResetCode.FAILED, f"The ports could not be found: {error}")
            return
        stream.accept()
        stream.write(found)
        stream.finish()

    async def _look(self) -> bytes:
        async with self._looking:
            if self._found is None or self._clock() - self._found_at >= KEPT_S:
                ports = await asyncio.to_thread(self._find)
                self._found = encode_message(ListeningPorts(ports=ports))
                self._found_at = self._clock()
            return self._found


def find_listening_ports() -> list[ListeningPort]:
    """Find TCP ports that are reached from the loopback interface, without the agent's own. Blocks."""
    import psutil

    names: dict[int, str] = {}
    own = os.getpid()
    found: dict[int, str] = {}
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status != psutil.CONN_LISTEN or connection.family not in (socket.AF_INET, socket.AF_INET6):
            continue
        if connection.pid == own or not connection.laddr or connection.laddr.ip not in _FROM_LOOPBACK:
            continue
        pid, port = connection.pid, connection.laddr.port
        if pid is not None and pid not in names:
            names[pid] = _name_of(pid)
        found[port] = found.get(port, "") or (names[pid] if pid is not None else "")
    return [ListeningPort(process_name=name, network="tcp", port=port) for port, name in sorted(found.items())]


def _name_of(pid: int) -> str:
    import psutil

    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return ""
