"""The terminals of a workspace: found again by the id that their viewers chose."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from genba_agent.clock import Clock
from genba_agent.terminals.commands import TerminalCommand, TerminalEnvironment, make_command
from genba_agent.terminals.session import PtySession
from genba_agent.terminals.spawning import SpawnedPty, WindowSize, spawn_on_pty
from genba_agent.terminals.viewer import ViewerStream
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import PtyOpen, parse_pty_open

logger = logging.getLogger(__name__)

KEPT_S: Final = 5 * 60.0
"""How long a terminal that nobody looks at lives, and how long the end of one is told to who comes back
(contract 3.1)."""

MAX_SESSIONS: Final = 64
"""Terminals at a time; each may keep 256 KiB of output and a login shell."""

KILLED_WITHIN_S: Final = 2.0
"""How long a killed program may take to be gone; one that waits for a broken disk takes for ever."""

STOPPING: Final = "The workspace is stopping."

NOT_THERE: Final = "The terminal is not there any more: it ended meanwhile, or was left for too long."


@dataclass(slots=True)
class _Place:
    """What is known under one id: first who waits for the start, then the session, and what ends it."""

    waiting: list[tuple[ViewerStream, WindowSize]] = field(
        default_factory=lambda: list[tuple[ViewerStream, WindowSize]]()
    )
    session: PtySession | None = None
    expiry: asyncio.Task[None] | None = None


class PtySessions:
    """Serves streams of the kind "pty". All is called in the event loop's thread."""

    def __init__(self, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        """`tasks` is the parent of what starts and ends sessions; `close` leaves nothing of it running."""
        self._clock = clock
        self._tasks = tasks
        self._environment: TerminalEnvironment | None = None
        self._is_stopping = False
        self._places: dict[str, _Place] = {}
        self._starts: set[asyncio.Task[None]] = set()
        self._running: set[PtySession] = set()

    @property
    def watched_count(self) -> int:
        """How many terminals somebody looks at."""
        return sum(place.session is not None and place.session.is_watched for place in self._places.values())

    def open(self, environment: TerminalEnvironment) -> None:
        """Serve from here on: the manifest is known."""
        self._environment = environment

    def handle_stream(self, kind: str, head: bytes, stream: ViewerStream) -> None:
        """Show a terminal on the stream: the one that its head names, started if there is none."""
        if self._environment is None:
            stream.refuse(ResetCode.REFUSED, "The agent has not its manifest yet; try again in a moment.")
            return
        if self._is_stopping:
            stream.refuse(ResetCode.REFUSED, STOPPING)
            return
        try:
            wanted = parse_pty_open(head)
        except RemoteProtocolError as error:
            stream.refuse(ResetCode.PROTOCOL, f"The terminal's request can't be read: {error}")
            return
        size = WindowSize(wanted.height, wanted.width)
        place = self._places.get(wanted.reconnect)
        if place is None and wanted.must_exist:
            stream.refuse(ResetCode.GONE, NOT_THERE)
        elif place is None:
            self._begin(self._environment, wanted, stream, size)
        elif place.session is None:
            place.waiting.append((stream, size))
        else:
            stream.accept()
            place.session.add_viewer(stream, size)

    async def stop(self) -> None:
        """End all terminals and what runs in them, and open none from here on."""
        self._is_stopping = True
        async with asyncio.TaskGroup() as group:
            for session in self._running:
                group.create_task(session.end(self._clock), name="end of a terminal")

    async def close(self) -> None:
        """Kill what `stop` has not ended, and wait for it a moment. Nothing of the sessions is left to the tasks."""
        self._is_stopping = True
        for place in self._places.values():
            if place.expiry is not None:
                place.expiry.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(KILLED_WITHIN_S):
                if self._starts:
                    await asyncio.wait(self._starts)
                async with asyncio.TaskGroup() as group:
                    for session in self._running:
                        group.create_task(session.kill(), name="kill of a terminal")

    def _begin(self, environment: TerminalEnvironment, wanted: PtyOpen, stream: ViewerStream, size: WindowSize) -> None:
        running = sum(place.session is None or place.session.exit_code is None for place in self._places.values())
        if running >= MAX_SESSIONS:
            stream.refuse(
                ResetCode.REFUSED, f"{MAX_SESSIONS} terminals are open in this workspace: end one of them first."
            )
            return
        self._forget_an_end()
        self._places[wanted.reconnect] = _Place(waiting=[(stream, size)])
        start = self._tasks.create_task(
            self._start(environment, wanted, size), name=f"start of terminal {wanted.reconnect}"
        )
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)

    async def _start(self, environment: TerminalEnvironment, wanted: PtyOpen, size: WindowSize) -> None:
        place = self._places[wanted.reconnect]
        try:
            spawned, command = await _spawn_in_thread(environment, wanted.command, size)
        except (OSError, ValueError) as error:
            logger.warning("A terminal could not be started: %s", error)
            self._refuse_waiting(wanted.reconnect, f"The terminal could not be started: {error}.")
            return
        except Exception:
            logger.exception("A terminal could not be started.")
            self._refuse_waiting(wanted.reconnect, "The terminal could not be started: see the agent's log.")
            return
        if self._is_stopping:
            spawned.discard()
            self._refuse_waiting(wanted.reconnect, STOPPING)
            return
        place.session = session = PtySession(
            spawned, command.greeting, lambda changed: self._handle_change(wanted.reconnect, changed)
        )
        self._running.add(session)
        waiting, place.waiting = place.waiting, []
        for stream, size_wanted in waiting:
            stream.accept()
            session.add_viewer(stream, size_wanted)

    def _refuse_waiting(self, reconnect: str, reason: str) -> None:
        for stream, _ in self._places.pop(reconnect).waiting:
            stream.refuse(ResetCode.FAILED, reason)

    def _handle_change(self, reconnect: str, session: PtySession) -> None:
        """Let the time of a terminal run that nobody looks at, and forget one whose end is known."""
        if session.exit_code is not None:
            self._running.discard(session)
        place = self._places.get(reconnect)
        if place is None or place.session is not session:
            return
        if place.expiry is not None:
            place.expiry.cancel()
            place.expiry = None
        if session.has_viewers:
            return
        if session.is_end_known:
            del self._places[reconnect]
            return
        if self._is_stopping:
            return
        place.expiry = self._tasks.create_task(self._expire(reconnect, session), name=f"expiry of terminal {reconnect}")

    async def _expire(self, reconnect: str, session: PtySession) -> None:
        await self._clock.sleep(KEPT_S)
        # From here on it is not found any more: who comes now gets another.
        del self._places[reconnect]
        if session.exit_code is None:
            logger.info("A terminal was ended, as nobody looked at it for %g minutes.", KEPT_S / 60)
            await session.hang_up(self._clock)

    def _forget_an_end(self) -> None:
        """Make room: of terminals that have ended, as many are remembered as may run."""
        ended = [
            reconnect
            for reconnect, place in self._places.items()
            if place.session is not None and place.session.exit_code is not None and not place.session.has_viewers
        ]
        if len(ended) >= MAX_SESSIONS:
            place = self._places.pop(ended[0])
            if place.expiry is not None:
                place.expiry.cancel()


async def _spawn_in_thread(
    environment: TerminalEnvironment, command: str, size: WindowSize
) -> tuple[SpawnedPty, TerminalCommand]:
    starting = asyncio.get_running_loop().run_in_executor(None, _spawn, environment, command, size)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The thread goes on, and what it started would be nobody's.
        with suppress(OSError, ValueError):
            (await starting)[0].discard()
        raise


def _spawn(environment: TerminalEnvironment, command: str, size: WindowSize) -> tuple[SpawnedPty, TerminalCommand]:
    made = make_command(environment, command)
    return spawn_on_pty(made.argv, made.environ, size), made
