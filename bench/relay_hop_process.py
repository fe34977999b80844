"""One of the processes of `relay_hop`: `python -m bench.relay_hop_process ROLE …`.

Each prints lines of JSON: its port when it listens, or what it measured. It ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its middleware is untyped
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from quart import Quart, websocket

from genba_gateway.relay.quart_end import accepted_end
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.relay.splice import join
from genba_gateway.relay.taken_transport import TakenTransport
from genba_gateway.relay.takeover import install_takeover
from genba_wire.websocket_frames import Opcode, encode_header

FRAME_BYTES = 64 * 1024
READ_BYTES = 256 * 1024
HEAD_END = b"\r\n\r\n"


def say(**values: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(values), flush=True)


def open_websocket(port: int, path: str) -> socket.socket:
    """Upgrade a connection; nothing follows the answer before this end has sent something."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(HEAD_END):
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return connection


def run_source(port: int, frames: int) -> None:
    """Send frames as our ends do, masked with the key 0; end when the connection does."""
    frame = encode_header(Opcode.BINARY, FRAME_BYTES, masked=True) + os.urandom(FRAME_BYTES)
    with open_websocket(port, "/client") as connection:
        for _ in range(frames):
            connection.sendall(frame)
        connection.recv(1)


def run_sink(port: int, frames: int, header_bytes: int) -> None:
    """Receive so many frames; say in how many seconds, from the first byte to the last."""
    memory = bytearray(READ_BYTES)
    left = frames * (FRAME_BYTES + header_bytes)
    with open_websocket(port, "/agent") as connection:
        left -= connection.recv_into(memory)
        began = time.monotonic()
        while left > 0:
            left -= connection.recv_into(memory)
        assert left == 0, f"{-left} bytes too many"
        say(seconds=time.monotonic() - began)


async def run_relay() -> None:
    """The relay behind a real Hypercorn, as in the gateway; the agent's end may come first."""
    install_takeover()
    app = Quart("relay_hop", static_folder=None)
    rendezvous = Rendezvous()
    numbers = {"client": 0, "agent": 0}

    @app.websocket("/client")
    async def client() -> None:
        numbers["client"] += 1
        async with accepted_end(websocket) as end, rendezvous.expect(str(numbers["client"]), "") as waiting:
            say(waiting=True)
            agent_end = await waiting.arrive(30)
            assert isinstance(end, TakenTransport)
            assert isinstance(agent_end, TakenTransport)
            await join(end, agent_end)

    @app.websocket("/agent")
    async def agent() -> None:
        numbers["agent"] += 1
        async with accepted_end(websocket) as end:
            await rendezvous.deliver(str(numbers["agent"]), "", end)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = Config()
        config.bind = [f"fd://{os.dup(listener.fileno())}"]
        config.accesslog = config.errorlog = None
        framework: ASGIFramework = app
        say(port=listener.getsockname()[1])
        await serve(framework, config, shutdown_trigger=asyncio.Event().wait)


class Copier(asyncio.Protocol):
    """Answers any head with a 101, then hands on to the other connection of its pair what comes, as it comes."""

    waiting: list[Copier] = []  # noqa: RUF012  # of all of them

    transport: asyncio.Transport
    peer: Copier | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.transport.write(data)
        else:
            self._answer(data)

    def _answer(self, head: bytes) -> None:
        assert head.endswith(HEAD_END)
        self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        if self.waiting:
            self.peer = self.waiting.pop()
            self.peer.peer = self
            self.peer.transport.resume_reading()
        else:
            self.transport.pause_reading()
            self.waiting.append(self)
            say(waiting=True)

    def pause_writing(self) -> None:
        assert self.peer is not None
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        assert self.peer is not None
        self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is not None:
            self.peer.transport.close()


async def run_copier() -> None:
    """Copy between the connections of each pair."""
    server = await asyncio.get_running_loop().create_server(Copier, "127.0.0.1", 0)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main() -> None:
    """Run the role that the arguments name."""
    role, *arguments = sys.argv[1:]
    roles: dict[str, Callable[..., None]] = {
        "source": run_source,
        "sink": run_sink,
        "relay": lambda: asyncio.run(run_relay()),
        "copier": lambda: asyncio.run(run_copier()),
    }
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    roles[role](*map(int, arguments))


def _end_with_stdin() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
