"""Processes of bench/relay_load.py, which load a relay or idle on it; `relay_process` starts them."""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import socket
import sys
import threading
import time
from pathlib import Path

from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.terminals import CLIENT_CARRIER_PATH, TICKET_HEADER, TICKET_PATH, TicketRequest, TicketResponse

BLOCK_BYTES = 64 * 1024
DIALS_AT_ONCE = 10


def say(**values: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(values), flush=True)


def end_with_stdin_later() -> None:
    """End this process when its stdin ends."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()


def _end_with_stdin() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def run_sources(port: int, count: int) -> None:
    """Write to `count` connections at once, as fast as each takes it, until all are closed."""
    block = os.urandom(BLOCK_BYTES)
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_WRITE)
        while selector.get_map():
            for key, _ in selector.select():
                try:
                    key.fileobj.send(block)  # type: ignore[union-attr]
                except OSError:
                    selector.unregister(key.fileobj)


def run_sinks(count: int, milliseconds: int) -> None:
    """Take `count` connections, then read all of them for a time, again and again; say what came on each."""
    memory = bytearray(4 * BLOCK_BYTES)
    with socket.create_server(("127.0.0.1", 0), backlog=count) as server:
        say(port=server.getsockname()[1])
        while True:
            connections = [server.accept()[0] for _ in range(count)]
            counts = dict.fromkeys(connections, 0)
            with selectors.DefaultSelector() as selector:
                for connection in connections:
                    connection.setblocking(False)
                    selector.register(connection, selectors.EVENT_READ)
                began = time.monotonic()
                while time.monotonic() - began < milliseconds / 1000:
                    for key, _ in selector.select(0.1):
                        reader = key.fileobj
                        assert isinstance(reader, socket.socket)
                        counts[reader] += reader.recv_into(memory)
                seconds = time.monotonic() - began
            for connection in connections:
                connection.close()
            say(counts=list(counts.values()), seconds=seconds)


async def run_echo() -> None:
    """Send back what comes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_flood() -> None:
    """Write to every connection without end: what a download reads."""
    block = os.urandom(BLOCK_BYTES)

    def write(connection: socket.socket) -> None:
        with connection:
            try:
                while True:
                    connection.sendall(block)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        say(port=server.getsockname()[1])
        while True:
            threading.Thread(target=write, args=(server.accept()[0],), daemon=True).start()


def run_drain(port: int) -> None:
    """Read a download without end; say how fast it was each second."""
    memory = bytearray(4 * BLOCK_BYTES)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        received, began = 0, time.monotonic()
        while got := connection.recv_into(memory):
            received += got
            if (seconds := time.monotonic() - began) >= 1:
                say(mbs=received / 1e6 / seconds)
                received, began = 0, time.monotonic()


async def run_line(port: int, round_trip_ms: int) -> None:
    """Be a line to a port whose bytes take their time."""
    from tests.support.chaos_proxy import chaos_proxy

    async with chaos_proxy(port) as line:
        line.set_delay(round_trip_ms / 2000)
        say(port=line.port)
        await asyncio.Event().wait()


async def run_idlers(count: int) -> None:
    """Open links and leave them alone. Where and how comes as a line of JSON on stdin: `url`, `token`, `agent_id`."""
    how = json.loads(await asyncio.to_thread(sys.stdin.readline))
    agent_id = how["agent_id"]
    async with Transport(TransportOptions(how["url"], how["token"])) as transport:
        path = TICKET_PATH.format(agent_id=agent_id)
        ticket = await transport.fetch("POST", path, TicketResponse, body=TicketRequest(purpose="tunnel"))
        headers = {TICKET_HEADER: ticket.ticket}
        may_dial = asyncio.Semaphore(DIALS_AT_ONCE)
        sessions: list[LinkSession] = []

        async def connect() -> None:
            async with may_dial:
                carrier = await transport.carrier(CLIENT_CARRIER_PATH.format(agent_id=agent_id), headers=headers)
                sessions.append(await LinkSession.connect(carrier))

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(connect())
        say(links=len(sessions))
        end_with_stdin_later()
        await asyncio.Event().wait()


async def run_asyncssh(folder: str) -> None:
    """Serve SSH on a port, as the agent does on streams."""
    from genba_agent.clock import SystemClock
    from genba_agent.ssh.connection import make_connection
    from genba_agent.ssh.host_key import load_host_key
    from genba_agent.ssh.server import SshServer
    from tests.support.ssh_server import make_settings

    settings, identity = make_settings(Path(folder)), load_host_key(Path(folder))
    async with asyncio.TaskGroup() as group:
        server = SshServer(SystemClock(), group)
        server.open(settings)
        listener = await asyncio.get_running_loop().create_server(
            lambda: make_connection(server, identity), "127.0.0.1", 0
        )
        say(port=listener.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
