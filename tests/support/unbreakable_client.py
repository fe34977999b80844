"""A user's process with two links to an agent: `python -m tests.support.unbreakable_client`.

One link carries a stream "tcp" that sends and takes exact bytes, the other a terminal. Lines of JSON go in: first what
to do (`Task`), then `{"type": …}`, what is typed. Lines of JSON come out, each with `event`:

* `open`: the named link and its stream are open
* `moved`: so many bytes came down; `done`: all came and were compared, and all were sent
* `output`: what the terminal said
* `outage`, `resumed`: what happened to the named link
* `over`: the named link is over, and what the user is told
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Callable
from typing import Final

import msgspec

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.sessions.agent_link import AgentLink, SessionOver
from genba_ide_bridge.sessions.refusals import AgentAddress, Verdict
from genba_wire.aio.stream import Stream
from genba_wire.errors import LinkEnded
from genba_wire.tunnel.streams import PTY, TCP, PtyOpen, TcpOpen, encode
from tests.support.exact_bytes import DOWN_SEED, UP_SEED, ExactBytes, ExactSink

MOVED_BYTES: Final = 1024 * 1024
"""How often it says how much came."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to do."""

    url: str
    token: str
    workspace_id: str
    build_id: str
    agent_id: str
    port: int
    """Of the server that the tcp stream leads to."""
    size: int
    """Bytes each way."""


def say(event: str, **values: object) -> None:
    """Print one line."""
    print(json.dumps({"event": event, **values}), flush=True)


class Transfer:
    """Listens to the tcp stream, and writes to it while there is room."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream = stream
        self._size = size
        self._source = ExactBytes(UP_SEED)
        self._sink = ExactSink(DOWN_SEED)
        self._sent = 0
        self._said = 0
        stream.listen(self)
        self.writable()

    def data_received(self, data: memoryview) -> None:
        self._sink.take(data)
        self._stream.consumed(len(data))
        if self._sink.received - self._said >= MOVED_BYTES:
            self._said = self._sink.received
            say("moved", received=self._said, wrong_at=self._sink.wrong_at)

    def note_received(self, note: bytes) -> None:
        """A tcp stream has none."""

    def finished(self) -> None:
        say("done", received=self._sink.received, sent=self._sent, wrong_at=self._sink.wrong_at)

    def reset(self, code: int, reason: str) -> None:
        say("reset", link="tunnel", code=code, reason=reason)

    def writable(self) -> None:
        while self._stream.is_writable and self._sent < self._size:
            data = self._source.take(self._sent, self._size - self._sent)
            self._stream.write(data)
            self._sent += len(data)
            if self._sent == self._size:
                self._stream.finish()


class Shell:
    """Listens to the terminal's stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        stream.listen(self)

    def type(self, text: str) -> None:
        """Type."""
        self._stream.write(text.encode())

    def data_received(self, data: memoryview) -> None:
        say("output", text=bytes(data).decode(errors="replace"))
        self._stream.consumed(len(data))

    def note_received(self, note: bytes) -> None:
        say("output", text=note.decode(errors="replace"))

    def finished(self) -> None:
        say("shell_ended")

    def reset(self, code: int, reason: str) -> None:
        say("reset", link="terminal", code=code, reason=reason)

    def writable(self) -> None:
        """What is typed is little."""


class Client:
    """The two links."""

    def __init__(self, task: Task, client: GatewayClient) -> None:
        self._task = task
        self._client = client
        self._shell: Shell | None = None

    async def run(self) -> None:
        """Live until there is nothing more to be typed."""
        task = self._task
        pty = encode(PtyOpen(reconnect=str(uuid.uuid4()), command="exec /bin/sh", height=24, width=200))
        tcp = encode(TcpOpen(host="127.0.0.1", port=task.port))
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(self._keep("terminal", PTY, pty, self._begin_shell)),
                group.create_task(self._keep("tunnel", TCP, tcp, lambda stream: Transfer(stream, task.size))),
            ]
            while line := await asyncio.to_thread(sys.stdin.readline):
                if self._shell is not None:
                    self._shell.type(json.loads(line)["type"])
            for each in running:
                each.cancel()

    def _begin_shell(self, stream: Stream) -> None:
        self._shell = Shell(stream)

    async def _keep(self, purpose: str, kind: str, head: bytes, begin: Callable[[Stream], object]) -> None:
        """Keep a link for as long as it goes, and say why it does not go on."""
        address = AgentAddress(self._task.workspace_id, self._task.build_id, self._task.agent_id)
        link = AgentLink(
            self._client,
            address,
            purpose="tunnel" if purpose == "tunnel" else "terminal",
            on_outage=lambda reason: say("outage", link=purpose, reason=reason),
            on_resumed=lambda: say("resumed", link=purpose),
        )
        try:
            await link.connect()
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(link.keep())
                begin(await link.open_stream(kind, head))
                say("open", link=purpose)
                over = await keeping
            if isinstance(over, LinkEnded):
                say("ended", link=purpose, code=over.code, reason=over.reason)
                # What the user is told is what another attempt comes to.
                await link.connect()
                say("over", link=purpose, reason=over.reason, hint="")
            elif isinstance(over, Verdict):
                say("over", link=purpose, reason=over.reason, hint=over.hint)
        except SessionOver as error:
            say("over", link=purpose, reason=error.verdict.reason, hint=error.verdict.hint)
        finally:
            await link.close()


async def main() -> None:
    """Read what to do, and do it."""
    task = msgspec.json.decode(await asyncio.to_thread(sys.stdin.readline), type=Task)
    async with open_transport(task.url, task.token, {}) as transport:
        await Client(task, GatewayClient(Calls(transport))).run()


if __name__ == "__main__":
    asyncio.run(main())
