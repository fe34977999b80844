"""An agent's SSH server in the test's own loop, behind a real link, with asyncssh's client."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import asyncssh

from genba_agent.clock import Clock, SystemClock
from genba_agent.ssh.banners import Banners
from genba_agent.ssh.host_certificate import HostCertificate
from genba_agent.ssh.host_key import HostIdentity, load_host_key
from genba_agent.ssh.server import SshServer, SshSettings
from genba_agent.terminals.commands import TerminalEnvironment
from genba_wire.aio.socket_joint import SocketJoint
from genba_wire.aio.stream import Stream
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.streams import SSH
from tests.support.links import LinkWorld, link_world


@dataclass
class _Identity:
    identity: HostIdentity

    async def get_identity(self) -> HostIdentity:
        return self.identity


@dataclass
class _Banners:
    text: bytes = b""


def make_settings(folder: Path) -> SshSettings:
    """Settings of a workspace in a folder; its programs can be found again by the session mark of the tests."""
    return SshSettings(
        environment=TerminalEnvironment(
            "/bin/sh", str(folder), str(folder), {**os.environ, "HOME": str(folder), "USER": "dev"}, ""
        ),
        certificate=cast(HostCertificate, _Identity(load_host_key(folder))),
        banners=cast(Banners, _Banners()),
    )


@dataclass
class ServedSsh:
    """The server, the link to it, and its ends of the streams."""

    server: SshServer
    links: LinkWorld
    carrier: WebSocketCarrier
    streams: list[Stream] = field(default_factory=list[Stream])

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[asyncssh.SSHClientConnection]:
        """An SSH connection over a stream of its own."""
        near, far = _tcp_pair()
        stream = await self.links.session.open_stream(SSH, b"{}")
        await asyncio.get_running_loop().create_connection(lambda: SocketJoint(stream), sock=far)
        connection = await asyncssh.run_client(near, known_hosts=None, username="anyone", client_keys=None, config=None)
        try:
            yield connection
        finally:
            connection.abort()
            await connection.wait_closed()


@asynccontextmanager
async def served_ssh(folder: Path, clock: Clock | None = None) -> AsyncGenerator[ServedSsh]:
    """Yield a server that is open; at the end it is closed."""
    settings = await asyncio.to_thread(make_settings, folder)
    async with asyncio.TaskGroup() as group:
        server = SshServer(clock or SystemClock(), group)
        server.open(settings)
        streams: list[Stream] = []

        def serve(kind: str, head: bytes, stream: Stream) -> None:
            streams.append(stream)
            server.handle_stream(kind, head, stream)

        async with link_world(serve) as (links, carrier, _):
            try:
                yield ServedSsh(server, links, carrier, streams)
            finally:
                await server.close()


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a connection over loopback: asyncssh wants its peer's address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.create_connection(listening.getsockname())
        far, _ = listening.accept()
    for end in (near, far):
        end.setblocking(False)
    return near, far
