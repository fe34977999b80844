"""Local sockets joined to real streams of a real tunnel."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from genba_ide_bridge.cli.forward_specs import LocalPath
from genba_ide_bridge.cli.local_sockets import bind_path
from genba_ide_bridge.sessions.forwards import IDLE_S, MAX_PEERS, ConnectionForward, DatagramForward
from genba_wire.errors import GatewayUnreachable
from genba_wire.tunnel.streams import TCP, UDP, UNIX, TcpOpen, UdpOpen, UnixOpen, encode
from tests.support.carriers import CEILING_S
from tests.support.tunnel_stage import TunnelStage, tunnel_stage

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def tcp_forward(serve: Serve) -> AsyncGenerator[tuple[TunnelStage, int, list[str]]]:
    """Yield the stage, the local port, and why connections failed."""
    refused: list[str] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    head = encode(TcpOpen(host="127.0.0.1", port=server.sockets[0].getsockname()[1]))
    async with server, tunnel_stage() as stage, asyncio.TaskGroup() as group, asyncio.timeout(CEILING_S):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        port: int = listener.getsockname()[1]
        forward = ConnectionForward(stage.tunnel, TCP, head, refused.append)
        task = group.create_task(forward.serve(listener))
        yield stage, port, refused
        task.cancel()


async def test_connections_are_joined_each_to_its_own() -> None:
    async with tcp_forward(echo) as (_, port, _):
        ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for number, (_, writer) in enumerate(ends):
            writer.write(f"number {number}".encode())
            writer.write_eof()
        for number, (reader, writer) in enumerate(ends):
            assert await reader.read() == f"number {number}".encode()
            writer.close()


async def test_eight_mib_go_both_ways_exactly() -> None:
    data = random.Random(1).randbytes(8 * 1024 * 1024)
    async with tcp_forward(echo) as (_, port, _), asyncio.TaskGroup() as group:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        came = group.create_task(reader.read())
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        assert hashlib.sha256(await came).digest() == hashlib.sha256(data).digest()
        writer.close()


async def test_client_that_says_nothing_is_greeted_and_may_answer_after_the_end() -> None:
    answered = asyncio.get_running_loop().create_future()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready")
        writer.write_eof()
        answered.set_result(await reader.read())
        writer.close()

    async with tcp_forward(greet) as (_, port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"220 ready"
        writer.write(b"thanks")
        writer.write_eof()
        assert await answered == b"thanks"
        writer.close()


async def test_refusal_closes_the_connection_and_is_told() -> None:
    async with tcp_forward(echo) as (stage, _, _):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free: int = taken.getsockname()[1]
        refused: list[str] = []
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        port: int = listener.getsockname()[1]
        forward = ConnectionForward(stage.tunnel, TCP, encode(TcpOpen(host="127.0.0.1", port=free)), refused.append)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(forward.serve(listener))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
            task.cancel()
        assert len(refused) == 1
        assert f"Can't connect to 127.0.0.1:{free}" in refused[0]


async def test_connection_made_in_an_outage_waits_for_its_end() -> None:
    async with tcp_forward(echo) as (stage, port, _):
        await stage.until(lambda: stage.ways == 1)
        stage.transport.failures = [GatewayUnreachable("down")] * 3
        stage.transport.lose_carrier()
        await stage.until(lambda: bool(stage.outages))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"patience")
        assert await reader.readexactly(8) == b"patience"
        writer.close()


async def test_unix_socket_is_forwarded_to_another(short_dir: Path) -> None:
    server = await asyncio.start_unix_server(echo, short_dir / "there.sock")
    head = encode(UnixOpen(path=str(short_dir / "there.sock")))
    async with server, tunnel_stage() as stage, asyncio.TaskGroup() as group, asyncio.timeout(CEILING_S):
        here = str(short_dir / "here.sock")
        listener = await asyncio.to_thread(bind_path, LocalPath(here))
        task = group.create_task(ConnectionForward(stage.tunnel, UNIX, head, lambda reason: None).serve(listener))
        reader, writer = await asyncio.open_unix_connection(here)
        writer.write(b"through")
        writer.write_eof()
        assert await reader.read() == b"through"
        writer.close()
        task.cancel()


class Program(asyncio.DatagramProtocol):
    """A local program, or one in the workspace, that keeps what it gets."""

    def __init__(self, *, is_echo: bool = False) -> None:
        self.got: asyncio.Queue[tuple[bytes, object]] = asyncio.Queue()
        self._is_echo = is_echo

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.put_nowait((data, addr))
        if self._is_echo:
            self.transport.sendto(data.upper(), addr)


async def test_datagrams_find_their_way_back_to_who_sent_them() -> None:
    loop = asyncio.get_running_loop()
    far, served = await loop.create_datagram_endpoint(lambda: Program(is_echo=True), local_addr=("127.0.0.1", 0))
    head = encode(UdpOpen(host="127.0.0.1", port=far.get_extra_info("sockname")[1]))
    async with tunnel_stage() as stage, asyncio.TaskGroup() as group, asyncio.timeout(CEILING_S):
        local = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        local.bind(("127.0.0.1", 0))
        local.setblocking(False)
        address: tuple[str, int] = local.getsockname()
        forward = DatagramForward(stage.tunnel, UDP, head, lambda reason: None)
        task = group.create_task(forward.serve(local))
        programs = [(await loop.create_datagram_endpoint(Program, remote_addr=address))[1] for _ in range(3)]
        for number, program in enumerate(programs):
            program.transport.sendto(b"from %d" % number)
            assert (await program.got.get())[0] == b"FROM %d" % number
        callers = {(await served.got.get())[1] for _ in programs}
        assert len(callers) == 3
        # Idle ones are let go, and come back with another socket.
        forward.forget_idle(loop.time() + IDLE_S + 1)
        programs[0].transport.sendto(b"again")
        assert (await programs[0].got.get())[0] == b"AGAIN"
        assert (await served.got.get())[1] not in callers
        for program in programs:
            program.transport.close()
        task.cancel()
    far.close()


async def test_one_address_too_many_is_dropped() -> None:
    async with tunnel_stage() as stage, asyncio.TaskGroup() as group:
        opened: list[object] = []
        forward = DatagramForward(stage.tunnel, UDP, b"{}", lambda reason: None)
        transport = cast("asyncio.DatagramTransport", None)
        for number in range(MAX_PEERS + 1):
            forward.receive(group, transport, b"x", ("127.0.0.1", number))
            opened.append(number)
        assert len(forward) == MAX_PEERS
        await stage.until(lambda: stage.ways == 1)
