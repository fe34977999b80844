"""One of the processes of bench/relay.py and relay_load.py: `python -m bench.relay_process ROLE …`.

Each prints lines of JSON: its port when it is ready, and what it measured. It ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine

from bench.load_roles import (
    end_with_stdin_later,
    run_asyncssh,
    run_drain,
    run_echo,
    run_flood,
    run_idlers,
    run_line,
    run_sinks,
    run_sources,
    say,
)
from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.sessions.refusals import AgentAddress
from genba_ide_bridge.sessions.tunnels import Tunnels
from genba_wire.aio.socket_joint import SocketJoint
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.tunnel.streams import TCP, TcpOpen, encode

WRITE_BYTES = 64 * 1024
READ_BYTES = 256 * 1024


def run_source(port: int, size: int) -> None:
    """Write `size` bytes to a port of loopback, 64 KiB at a time; say when the first was written."""
    block = os.urandom(WRITE_BYTES)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.monotonic()
        for _ in range(size // WRITE_BYTES):
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
        say(began=began)
        # The other direction ends when the sink has all.
        connection.recv(1)


def run_sink() -> None:
    """Read connections to their end, one after the other; say how much came, and when the last of it."""
    memory = bytearray(READ_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as server:
        say(port=server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            received = 0
            with connection:
                while got := connection.recv_into(memory):
                    received += got
                say(received=received, ended=time.monotonic())


class Copier(asyncio.Protocol):
    """Hands on what comes, as it comes: what a process in the middle costs at least."""

    transport: asyncio.Transport
    peer: Copier

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.peer.transport.write(data)

    def eof_received(self) -> bool:
        self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.peer.transport.close()


async def run_copier(target_port: int) -> None:
    """Copy every connection to another port of loopback."""
    loop = asyncio.get_running_loop()

    async def join(connection: socket.socket) -> None:
        near, far = Copier(), Copier()
        near.peer, far.peer = far, near
        await loop.connect_accepted_socket(lambda: near, connection)
        # Either end may speak first.
        near.transport.pause_reading()
        await loop.create_connection(lambda: far, "127.0.0.1", target_port)
        near.transport.resume_reading()

    with _listen() as listener:
        say(port=listener.getsockname()[1])
        async with asyncio.TaskGroup() as group:
            while True:
                connection, _ = await loop.sock_accept(listener)
                group.create_task(join(connection))


async def run_client(*target_ports: int) -> None:
    """The client's end of a link to an agent: a port for each target, whose connections become streams to it.

    Where and how comes as a line of JSON on stdin: `url` (maybe a line's to the gateway), `token`, and the ids
    `workspace_id`, `build_id`, `agent_id`.
    """
    loop = asyncio.get_running_loop()
    how = json.loads(await asyncio.to_thread(sys.stdin.readline))
    async with Transport(TransportOptions(how["url"], how["token"])) as transport, asyncio.TaskGroup() as group:
        address = AgentAddress(how["workspace_id"], how["build_id"], how["agent_id"])
        way = asyncio.Event()
        client = GatewayClient(Calls(transport))
        tunnels = Tunnels(client, address, on_outage=lambda _: None, on_way=way.set)
        group.create_task(tunnels.run())
        await way.wait()

        async def join(connection: socket.socket, target_port: int) -> None:
            stream = await tunnels.open_stream(TCP, encode(TcpOpen(host="127.0.0.1", port=target_port)))
            await loop.connect_accepted_socket(lambda: SocketJoint(stream), connection)

        async def accept(listener: socket.socket, target_port: int) -> None:
            with listener:
                async with asyncio.TaskGroup() as group:
                    while True:
                        connection, _ = await loop.sock_accept(listener)
                        group.create_task(join(connection, target_port))

        listeners = [_listen() for _ in target_ports]
        ports = [listener.getsockname()[1] for listener in listeners]
        say(port=ports[0], ports=ports)
        end_with_stdin_later()
        for listener, target_port in zip(listeners, target_ports, strict=True):
            group.create_task(accept(listener, target_port))


def main() -> None:
    """Run the role that the arguments name."""
    role, *arguments = sys.argv[1:]
    roles: dict[str, Callable[..., Coroutine[None, None, None] | None]] = {
        "source": run_source,
        "sink": run_sink,
        "copier": run_copier,
        "client": run_client,
        "sources": run_sources,
        "sinks": run_sinks,
        "echo": run_echo,
        "flood": run_flood,
        "drain": run_drain,
        "line": run_line,
        "idlers": run_idlers,
        "asyncssh": run_asyncssh,
    }
    if role not in ("client", "idlers"):
        end_with_stdin_later()
    running = roles[role](*(int(word) if word.isdigit() else word for word in arguments))
    if running is not None:
        asyncio.run(running)


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    main()
