"""A workspace behind lines that can be broken, and sessions that have to outlive it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.chaos_proxy import ChaosProxy, chaos_proxy
from tests.support.exact_bytes import ExactServer, exact_server
from tests.support.host_template import host_template
from tests.support.real_gateway import RealGateway, clean_environment, free_port

MIB: Final = 1024 * 1024
LINKS: Final = "unbreakable_client"
SSH: Final = "unbreakable_ssh"
"""Modules that are a user: with links of its own, and with OpenSSH."""
TICKS: Final = "i=0; while i=$((i+1)); echo tick-$i-; do sleep 0.05; done &"


@dataclass
class World:
    """A gateway, a running workspace, and the lines from the client and from the agents to the gateway."""

    gateway: RealGateway
    client_line: ChaosProxy
    agent_line: ChaosProxy
    workspace: dict[str, Any]
    agent: dict[str, Any]

    async def start_workspace(self, name: str) -> None:
        """Make a workspace, which later sessions use."""
        self.workspace = await self.gateway.create_workspace(name, self.workspace["template_id"])
        await self.gateway.wait_for_build(self.workspace["latest_build"]["id"])
        self.agent = await self.gateway.wait_for_agent(self.workspace["id"])

    def calm(self) -> None:
        """Undo what was done to the lines."""
        for line in (self.client_line, self.agent_line):
            line.heal()
            line.reset_later(None)
            line.source = "127.0.0.1"
            line.set_delay(0)
            line.set_rate(0)


@asynccontextmanager
async def world(folder: Path, **environment: str) -> AsyncGenerator[World]:
    """Start it; `environment` is the gateway's, `GENBA_AGENT_KEEP` reaches its agents."""
    port, agent_port = free_port(), free_port()
    access_url = f"http://127.0.0.1:{agent_port}"
    async with (
        chaos_proxy(port) as client_line,
        chaos_proxy(port, port=agent_port) as agent_line,
        RealGateway(folder / "gateway", "--access-url", access_url, port=port, environment=environment) as gateway,
    ):
        await gateway.sign_in()
        template = await gateway.push_template("host", host_template())
        here = World(gateway, client_line, agent_line, {"template_id": template["id"]}, {})
        await here.start_workspace("demo")
        yield here
        here.calm()
        for workspace in (await gateway.fetch("GET", "/api/v2/workspaces?q=owner:me"))["workspaces"]:
            await gateway.build(workspace["id"], "delete")


class Session:
    """A user's process in the middle of a transfer both ways, with an open shell. Make it with `begin`."""

    def __init__(self, process: Process, server: ExactServer) -> None:
        self.process = process
        self.server = server
        self.came = 0
        """Bytes that came down."""
        self.screen = ""
        self.outages: list[str] = []
        self.resumed = {"tunnel": 0, "terminal": 0}
        self.over: dict[str, str] = {}
        """What the user is told about a link that is over."""
        self.ended: dict[str, tuple[int, str]] = {}
        """Code and reason of a link that ended."""
        self._open: set[str] = set()
        self._done: dict[str, Any] = {}
        self._resets: list[dict[str, Any]] = []
        self._keys = 0
        self._changed = asyncio.Event()

    async def read(self) -> None:
        """Take in what the process says, until its end."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self._take(json.loads(line))
            self._changed.set()

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the client and all that it started."""
        os.killpg(self.process.pid, number)

    async def wait_open(self, *links: str) -> None:
        """Return once the links are open."""
        await self.until(lambda: self._open.issuperset(links) or bool(self.over))
        assert not self.over, self.over

    async def begin_shell(self) -> None:
        """Have the shell say its process's number and tick."""
        self._type("stty -echo; PS1=; PS2=")
        self._type("echo pid-$$-")
        await self.until(lambda: len(re.findall(r"pid-(\d+)-", self.screen)) == 1)
        self._type(TICKS)
        await self.until(lambda: "tick-2-" in self.screen)

    def press(self) -> None:
        """Type something that has to be answered once, now or after an outage."""
        self._keys += 1
        self._type(f"echo key-{self._keys}-")

    async def moves(self, size: int) -> None:
        """Return once so many bytes more went each way; the transfer has to be under way after that.

        One way may be ahead of the other, so that it ends first.
        """
        up = min(self.server.sink.received + size, self.server.size)
        down = min(self.came + size, self.server.size)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.server.wait_received(up))
            group.create_task(self.until(lambda: self.came >= down or bool(self._resets)))
        assert not self._resets, self._resets
        # What was sent may still wait here, in front of the line.
        assert not (self._done and self.server.has_ended.is_set()), (
            "the transfer was over before everything had happened"
        )

    async def finish(self) -> None:
        """Let everything end, and insist on what has to hold."""
        await self.until(lambda: bool(self._done or self._resets))
        assert not self._resets, self._resets
        await self.server.has_ended.wait()
        server = self.server
        assert (self._done["wrong_at"], server.sink.wrong_at) == (None, None)
        assert (self._done["received"], self._done["sent"], server.sink.received) == (server.size,) * 3
        assert server.connections == 1
        self._type("echo pid-$$-")
        await self.until(lambda: len(re.findall(r"pid-(\d+)-", self.screen)) == 2)
        first, last = re.findall(r"pid-(\d+)-", self.screen)
        assert first == last
        await self.until(lambda: f"key-{self._keys}-" in self.screen)
        assert self._found("key") == list(range(1, self._keys + 1))
        ticks = self._found("tick")
        assert ticks == list(range(1, len(ticks) + 1))
        assert (self.over, self._resets) == ({}, [])

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once the condition holds; it is asked whenever the process said something."""
        while not is_so():
            self._changed.clear()
            await self._changed.wait()

    def _found(self, word: str) -> list[int]:
        return [int(number) for number in re.findall(rf"{word}-(\d+)-", self.screen)]

    def _type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"type": f"{text}\r"}).encode() + b"\n")

    def _take(self, said: dict[str, Any]) -> None:
        match said["event"]:
            case "open":
                self._open.add(said["link"])
            case "moved":
                self.came = said["received"]
                assert said["wrong_at"] is None, said
            case "output":
                self.screen += said["text"]
            case "outage":
                self.outages.append(said["reason"])
            case "resumed":
                self.resumed[said["link"]] += 1
            case "ended":
                self.ended[said["link"]] = (said["code"], said["reason"])
            case "over":
                self.over[said["link"]] = f"{said['reason']} {said['hint']}".strip()
            case "done":
                self._done = said
            case _:
                self._resets.append(said)


@asynccontextmanager
async def begin(
    here: World,
    *,
    size: int = 64 * MIB,
    rate: float = 24 * MIB,
    ceiling_s: float,
    line: ChaosProxy | None = None,
    program: Sequence[str] = (sys.executable,),
    client: str = LINKS,
    prepare: Callable[[int], Awaitable[None]] | None = None,
) -> AsyncGenerator[Session]:
    """Start a session and its transfer.

    Args:
        here: the world, whose lines are calmed first.
        size: bytes each way.
        rate: of each line, so that there is a transfer for as long as it takes; what waits in front of it is lost
            with a connection, which is the point.
        ceiling_s: how long all of it may take.
        line: what the client goes through, instead of the world's line for clients.
        program: the Python that runs the client, and what stands before it.
        client: how the user is connected: `LINKS` or `SSH`.
        prepare: does something for the client's process before it connects.
    """
    here.calm()
    line = line or here.client_line
    for each in (line, here.agent_line):
        each.set_rate(rate)
    async with asyncio.timeout(ceiling_s), exact_server(size) as server:
        process = await asyncio.create_subprocess_exec(
            *(*program, "-m", f"tests.support.{client}"),
            stdin=PIPE,
            stdout=PIPE,
            env=clean_environment(),
            limit=16 * MIB,
            # With what it starts it is one laptop, which may sleep.
            start_new_session=True,
        )
        try:
            if prepare is not None:
                await prepare(process.pid)
            async with asyncio.TaskGroup() as group:
                session = Session(process, server)
                group.create_task(session.read(), name="what the client says")
                _tell(process, here, server, f"http://{line.host}:{line.port}")
                await session.wait_open("tunnel", "terminal")
                await session.begin_shell()
                yield session
                assert process.stdin is not None
                process.stdin.close()
                await process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _tell(process: Process, here: World, server: ExactServer, url: str) -> None:
    task = {
        "url": url,
        "token": here.gateway.token,
        "workspace_id": here.workspace["id"],
        "build_id": here.workspace["latest_build"]["id"],
        "agent_id": here.agent["id"],
        "port": server.port,
        "size": server.size,
    }
    assert process.stdin is not None
    process.stdin.write(json.dumps(task).encode() + b"\n")


async def break_often(session: Session, times: int, step: int, disturb: Callable[[], Awaitable[None]]) -> None:
    """Disturb a transfer several times, each time after `step` bytes went each way; something is typed each time."""
    for _ in range(times):
        await session.moves(step)
        session.press()
        await disturb()
        session.press()
