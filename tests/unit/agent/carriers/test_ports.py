from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from genba_agent.carriers.ports import KEPT_S, PortStreams, find_listening_ports
from genba_wire.api.agents import ListeningPort, ListeningPorts
from genba_wire.api.message import decode_message
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.streams import PORTS
from tests.support.links import StreamHearer, link_world

LISTEN = """
import socket, sys
ends = [socket.create_server((host, 0), family=family) for host, family in
        [("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET)]]
print(*(end.getsockname()[1] for end in ends), flush=True)
sys.stdin.read()
"""


def test_ports_of_other_programs_are_found_with_their_names_and_none_of_ours() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as ours,
        subprocess.Popen([sys.executable, "-c", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout is not None
        theirs = [int(word) for word in other.stdout.readline().split()]
        found = {each.port: each for each in find_listening_ports()}
        for port in theirs:
            assert found[port].process_name.startswith("python")
            assert found[port].network == "tcp"
        assert ours.getsockname()[1] not in found
        other.communicate(b"")


async def test_list_is_made_anew_when_it_is_old() -> None:
    now, calls = 100.0, 0

    def find() -> list[ListeningPort]:
        nonlocal calls
        calls += 1
        return [ListeningPort(process_name="node", network="tcp", port=8000 + calls)]

    async with asyncio.TaskGroup() as group:
        streams = PortStreams(group, lambda: now, find)
        async with link_world(streams.handle_stream) as (world, _, _):

            async def ask() -> list[int]:
                near = StreamHearer(await world.session.open_stream(PORTS, b"{}"))
                await near.wait_finished()
                return [each.port for each in decode_message(near.data, ListeningPorts).ports]

            assert await ask() == [8001]
            now += KEPT_S - 0.1
            assert await ask() == [8001]
            now += 0.1
            assert await ask() == [8002]


async def test_failure_refuses_the_stream() -> None:
    def fail() -> list[ListeningPort]:
        raise PermissionError("no /proc")

    async with asyncio.TaskGroup() as group:
        streams = PortStreams(group, lambda: 0.0, fail)
        async with link_world(streams.handle_stream) as (world, _, _):
            with pytest.raises(StreamRefused, match="no /proc"):
                await world.session.open_stream(PORTS, b"{}")
