"""Terminals without a link: a stream that a test holds the other end of, and what ptys need to start."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from genba_agent.terminals.commands import TerminalEnvironment
from genba_agent.terminals.sessions import PtySessions
from genba_wire.tunnel.streams import PTY, PtyOpen, Resize, encode
from tests.support.agent_clock import FakeClock

if TYPE_CHECKING:
    from genba_wire.aio.stream import StreamListener

CEILING_S = 30.0
PROMPT = "prompt> "


@dataclass
class FakeStream:
    """A `ViewerStream` that records what it is told; the methods at the end are the other end's doings."""

    is_writable: bool = True
    is_attached: bool = True
    is_accepted: bool = False
    is_finished: bool = False
    refusal: tuple[int, str] | None = None
    output: bytearray = field(default_factory=bytearray)
    notes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    consumed_bytes: int = 0
    _listener: StreamListener | None = None
    _on_attached: Callable[[bool], None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self, listener: StreamListener) -> None:
        self._listener = listener

    def watch_carrier(self, on_attached: Callable[[bool], None]) -> None:
        self._on_attached = on_attached

    def accept(self) -> None:
        self.is_accepted = True
        self._changed.set()

    def refuse(self, code: int, reason: str) -> None:
        self.refusal = (code, reason)
        self._changed.set()

    def write(self, data: bytes) -> None:
        self.output += data
        self._changed.set()

    def note(self, data: bytes) -> None:
        self.notes.append(msgspec.json.decode(data))
        self._changed.set()

    def finish(self) -> None:
        self.is_finished = True
        self._changed.set()

    def consumed(self, size: int) -> None:
        self.consumed_bytes += size
        self._changed.set()

    @property
    def listener(self) -> StreamListener:
        assert self._listener is not None
        return self._listener

    def type(self, text: str | bytes) -> None:
        """Send keystrokes."""
        self.listener.data_received(memoryview(text.encode() if isinstance(text, str) else text))

    def resize(self, height: int, width: int) -> None:
        self.listener.note_received(encode(Resize(height=height, width=width)))

    def set_writable(self, *, writable: bool) -> None:
        """Fill the stream, or make room."""
        self.is_writable = writable
        if writable:
            self.listener.writable()

    def set_attached(self, *, attached: bool) -> None:
        """Lose the link's carrier, or have one again."""
        self.is_attached = attached
        assert self._on_attached is not None
        self._on_attached(attached)

    def leave(self) -> None:
        """Close the terminal's window."""
        self.listener.reset(1, "closed")

    async def wait_for(self, is_true: Callable[[], bool]) -> None:
        """Return when the condition holds; it is checked after everything that happens here."""
        async with asyncio.timeout(CEILING_S):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    async def wait_for_accept(self) -> None:
        """Return when the terminal has been started."""
        await self.wait_for(lambda: self.is_accepted)

    async def wait_for_output(self, text: str | bytes) -> None:
        """Return when the terminal has printed this."""
        wanted = text.encode() if isinstance(text, str) else text
        try:
            await self.wait_for(lambda: wanted in self.output)
        except TimeoutError:
            raise AssertionError(f"{wanted!r} is not in {bytes(self.output)!r}") from None

    async def wait_for_exit(self) -> int:
        """Return the program's exit code when the stream is finished."""
        await self.wait_for(lambda: self.is_finished)
        assert [note["type"] for note in self.notes] == ["exited"]
        code: int = self.notes[0]["code"]
        return code


def make_environment(
    folder: Path, environ: Mapping[str, str] | None = None, motd_file: str = ""
) -> TerminalEnvironment:
    """A POSIX shell in a test's folder, whose login shows `PROMPT`."""
    (folder / ".profile").write_text(f"PS1='{PROMPT}'\n")
    return TerminalEnvironment(  # noqa: S604  # a field's name
        shell="/bin/sh",
        home=str(folder),
        directory=str(folder),
        environ={**os.environ, "HOME": str(folder), **(environ or {})},
        motd_file=motd_file,
    )


def open_terminal(
    sessions: PtySessions,
    command: str = "",
    *,
    reconnect: str | None = None,
    height: int = 24,
    width: int = 80,
    must_exist: bool = False,
) -> FakeStream:
    """Open a stream as a client does."""
    stream = FakeStream()
    head = PtyOpen(
        reconnect=reconnect or str(uuid.uuid4()),
        command=command,
        height=height,
        width=width,
        must_exist=must_exist,
    )
    sessions.handle_stream(PTY, encode(head), stream)
    return stream


@dataclass
class Terminals:
    """Sessions, their clock and their tasks' group."""

    sessions: PtySessions
    clock: FakeClock
    tasks: asyncio.TaskGroup


@asynccontextmanager
async def running_terminals(environment: TerminalEnvironment | None) -> AsyncGenerator[Terminals]:
    """Sessions that are closed at the end; then no file descriptor and no process of them may be left."""
    process = psutil.Process()
    clock = FakeClock()
    # What asyncio itself opens with the first thread stays.
    await asyncio.to_thread(lambda: None)
    fds_before, children_before = process.num_fds(), process.children()
    async with asyncio.TaskGroup() as tasks:
        sessions = PtySessions(clock, tasks)
        if environment is not None:
            sessions.open(environment)
        try:
            yield Terminals(sessions, clock, tasks)
        finally:
            await sessions.close()
    assert process.num_fds() == fds_before
    assert process.children() == children_before
