"""A process with an agent's SSH server behind a real link; `tests/support/ssh_workspace.py` starts it.

Connections to a unix socket become streams of the kind "ssh". One line of JSON on stdin is a command, and
is answered by one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, cast

from genba_agent.clock import SystemClock
from genba_agent.ssh.banners import Banners, format_banners
from genba_agent.ssh.host_certificate import HostCertificate
from genba_agent.ssh.host_key import HostIdentity
from genba_agent.ssh.server import SshServer, SshSettings
from genba_agent.terminals.commands import TerminalEnvironment
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.socket_joint import SocketJoint
from genba_wire.tunnel.streams import SSH, SshOpen, encode
from tests.support.links import LinkWorld, link_world


class _Known:
    """A certificate that nobody has to be asked for."""

    def __init__(self, identity: HostIdentity) -> None:
        self.identity = identity

    async def get_identity(self) -> HostIdentity:
        return self.identity


class _Announced:
    """Banners likewise."""

    def __init__(self, messages: list[str]) -> None:
        self.text = format_banners(messages)


class _Client(asyncio.Protocol):
    """Joins a connection of the unix socket with a stream."""

    def __init__(self, session: LinkSession, group: asyncio.TaskGroup) -> None:
        self._session = session
        self._group = group

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        transport.pause_reading()
        self._group.create_task(self._join(transport))

    async def _join(self, transport: asyncio.Transport) -> None:
        stream = await self._session.open_stream(SSH, encode(SshOpen()))
        joint = SocketJoint(stream)
        transport.set_protocol(joint)
        joint.connection_made(transport)
        transport.resume_reading()


def make_environment(folder: Path, options: dict[str, Any]) -> TerminalEnvironment:
    """What the workspace's programs run with."""
    shell = options.get("login_shell", "/bin/bash")
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    return TerminalEnvironment(  # `shell` is a path
        shell=shell,
        home=str(home),
        directory=str(work),
        environ={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "USER": "dev",
            "SHELL": shell,
            "CODER": "true",
            "CODER_WORKSPACE_NAME": "here",
            "CODER_SCRIPT_BIN_DIR": str(folder / "bin"),
            "LC_ALL": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if name == "PYTEST_SESSION_MARK"},
            **options.get("environ", {}),
        },
        motd_file=str(folder / "motd"),
    )


async def main(folder: Path, options: dict[str, Any]) -> None:
    """Serve until stdin ends."""
    identity = HostIdentity(
        private_key=(folder / "host_key").read_bytes(),
        public_key=(folder / "host_key.pub").read_text(),
        certificate=(folder / "host_key-cert.pub").read_text(),
    )
    async with asyncio.TaskGroup() as group:
        server = SshServer(SystemClock(), group)
        server.open(
            SshSettings(
                environment=make_environment(folder, options),
                certificate=cast(HostCertificate, _Known(identity)),
                banners=cast(Banners, _Announced(options.get("banners", []))),
                blocks_file_transfer=bool(options.get("blocks")),
            )
        )
        async with link_world(server.handle_stream) as (world, _, _):
            loop = asyncio.get_running_loop()
            listening = await loop.create_unix_server(lambda: _Client(world.session, group), folder / "socket")
            print("ready", flush=True)
            try:
                await _obey(server, world)
            finally:
                listening.close()
                await server.close()


async def _obey(server: SshServer, world: LinkWorld) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        answer: object = None
        match json.loads(line):
            case "counts":
                counts = server.counts
                answer = {
                    "connections": counts.connections,
                    **{kind: counts[kind] for kind in ("ssh", "vscode", "jetbrains")},
                }
            case "stop":
                await server.stop()
            case command:
                answer = f"unknown: {command}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
