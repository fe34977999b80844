"""As `unbreakable_client`, by the user's OpenSSH: `python -m tests.support.unbreakable_ssh`.

The transfer goes through `ssh -L` to the server's port (`ssh -W` gives up sending once the server has ended), the shell
is `ssh -tt`, each with a ProxyCommand of ours, as config-ssh writes it. What they say on stderr is what users are told.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.ssh_config.host_blocks import HostBlocks, HostSettings, Traces
from genba_ide_bridge.ssh_config.known_hosts import write_known_hosts
from tests.support.exact_bytes import BLOCK_BYTES, DOWN_SEED, UP_SEED, ExactBytes, ExactSink
from tests.support.unbreakable_client import MOVED_BYTES, Task, say
from tests.support.waiting import eventually

LOST: Final = re.compile(r"The way to the workspace is lost: (.*) Trying again; nothing is lost\.")
BACK: Final = "The way to the workspace is back."


@dataclass
class Ssh:
    """One ssh, and what it said."""

    link: str
    words: Sequence[str]
    environment: Mapping[str, str]
    process: Process | None = None
    said: str = ""

    async def start(self) -> Process:
        self.process = await asyncio.create_subprocess_exec(
            "ssh", *self.words, env=self.environment, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        return self.process

    async def listen(self) -> None:
        """Pass on what the ProxyCommand says of outages, and at the end everything else."""
        assert self.process is not None
        assert self.process.stderr is not None
        while line := (await self.process.stderr.readline()).decode().rstrip("\r\n"):
            if lost := LOST.search(line):
                say("outage", link=self.link, reason=lost[1])
            elif BACK in line:
                say("resumed", link=self.link)
            else:
                self.said = f"{self.said} {line}".strip()
        code = await self.process.wait()
        if code:
            say("over", link=self.link, reason=f"{code}: {self.said}", hint="")

    async def end(self) -> None:
        """End it as a user's window that is closed does."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGHUP)
            await self.process.wait()


class Client:
    """The two of them."""

    def __init__(self, task: Task, folder: Path) -> None:
        self._task = task
        self._folder = folder
        self._host = ""
        self._environment = {
            **os.environ,
            "GENBA_URL": task.url,
            "GENBA_SESSION_TOKEN": task.token,
            "GENBA_CONFIG_DIR": str(folder),
            "GENBA_VERBOSE": "true",
        }

    async def configure(self) -> None:
        """Write what `genba config-ssh` writes."""
        async with open_transport(self._task.url, self._task.token, {}) as transport:
            client = GatewayClient(Calls(transport))
            facts = await client.deployment.get_ssh_config()
            workspace = await client.workspaces.get_workspace_by_id(self._task.workspace_id)
        self._host = f"genba.{workspace.name}"
        settings = HostSettings()
        program = [sys.executable, "-m", "genba_ide_bridge"]
        known_hosts = await asyncio.to_thread(
            write_known_hosts, self._folder, settings.certified_patterns, facts.host_certificate_authority
        )
        text = HostBlocks(settings, workspace.owner_name, program, known_hosts).render(Traces())
        await asyncio.to_thread((self._folder / "ssh_config").write_bytes, text)

    async def run(self) -> None:
        """Live until there is nothing more to be typed."""
        here = self._folder / "here"
        forward = f"{here}:127.0.0.1:{self._task.port}"
        tunnel = self._make("tunnel", "-N", "-o", "ExitOnForwardFailure=yes", "-L", forward, self._host)
        shell = self._make("terminal", "-tt", self._host, "exec /bin/sh")
        async with asyncio.TaskGroup() as group:
            for ssh in (tunnel, shell):
                await ssh.start()
                group.create_task(ssh.listen())
            group.create_task(self._show(shell))
            await eventually(here.exists)
            reader, writer = await asyncio.open_unix_connection(here)
            say("open", link="tunnel")
            moving = group.create_task(self._transfer(reader, writer))
            while line := await asyncio.to_thread(sys.stdin.readline):
                await _type(shell, json.loads(line)["type"].encode())
            moving.cancel()
            for ssh in (tunnel, shell):
                await ssh.end()
            writer.close()

    def _make(self, link: str, *words: str) -> Ssh:
        return Ssh(link, ("-F", str(self._folder / "ssh_config"), "-o", "BatchMode=yes", *words), self._environment)

    async def _transfer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sink = ExactSink(DOWN_SEED)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(writer))
            group.create_task(self._receive(reader, sink))
        if sink.received == self._task.size:
            say("done", received=sink.received, sent=self._task.size, wrong_at=sink.wrong_at)

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        source, sent = ExactBytes(UP_SEED), 0
        with suppress(ConnectionError):  # that it is over, ssh says
            while sent < self._task.size:
                data = source.take(sent, self._task.size - sent)
                writer.write(data)
                await writer.drain()
                sent += len(data)
            writer.write_eof()

    async def _receive(self, reader: asyncio.StreamReader, sink: ExactSink) -> None:
        told = 0
        with suppress(ConnectionError):
            while data := await reader.read(BLOCK_BYTES):
                sink.take(data)
                if sink.received - told >= MOVED_BYTES or sink.received == self._task.size:
                    told = sink.received
                    say("moved", received=told, wrong_at=sink.wrong_at)

    async def _show(self, ssh: Ssh) -> None:
        assert ssh.process is not None
        assert ssh.process.stdout is not None
        is_open = False
        while data := await ssh.process.stdout.read(BLOCK_BYTES):
            if not is_open:
                is_open = True
                say("open", link="terminal")
            say("output", text=data.decode(errors="replace"))


async def _type(ssh: Ssh, data: bytes) -> None:
    assert ssh.process is not None
    assert ssh.process.stdin is not None
    with suppress(ConnectionError):  # it has ended, which its exit code tells
        ssh.process.stdin.write(data)
        await ssh.process.stdin.drain()


async def main() -> None:
    """Read what to do, and do it."""
    task = msgspec.json.decode(await asyncio.to_thread(sys.stdin.readline), type=Task)
    with tempfile.TemporaryDirectory() as folder:
        client = Client(task, Path(folder))
        await client.configure()
        await client.run()


if __name__ == "__main__":
    asyncio.run(main())
