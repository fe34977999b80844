"""One terminal: a program, its last output, and who looks at it."""

from __future__ import annotations

from collections.abc import Callable

from genba_agent.clock import Clock
from genba_agent.terminals.pty_process import PtyProcess
from genba_agent.terminals.scrollback import Scrollback
from genba_agent.terminals.spawning import SpawnedPty, WindowSize
from genba_agent.terminals.viewer import Viewer, ViewerStream


class PtySession:
    """A terminal with any number of viewers; its size is what the last of them asked for.

    Output is read while somebody takes it or nobody looks; when all who look are behind, the program waits. One who is
    behind while others go on catches up from the scrollback. A viewer whose link has no connection does not look.
    """

    def __init__(self, spawned: SpawnedPty, greeting: bytes, on_change: Callable[[PtySession], None]) -> None:
        """Take over a started program.

        Args:
            greeting: what is shown before the program's output.
            on_change: called when a viewer came or left or lost its connection, and when the program ended.
        """
        self.scrollback = Scrollback()
        self.exit_code: int | None = None
        """How the program ended; a signal's number is negative. None while it runs."""
        self._on_change = on_change
        self._viewers: list[Viewer] = []
        self._lost_viewers = 0
        self._is_end_seen = False
        self.scrollback.append(greeting)
        self._process = PtyProcess(spawned, self)

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees what is printed."""
        return any(viewer.is_present for viewer in self._viewers)

    @property
    def has_viewers(self) -> bool:
        """Whether somebody sees it, or lost the connection and may come back: the agent keeps such a link for long."""
        return bool(self._viewers)

    @property
    def is_end_known(self) -> bool:
        """Whether the program has ended, and everybody who looked knows how, so that nobody will come back to see."""
        return self._is_end_seen and self._lost_viewers == 0 and not self._viewers

    def add_viewer(self, stream: ViewerStream, size: WindowSize) -> None:
        """Show the terminal on a stream that was accepted: what was printed already, then what comes."""
        # Who comes is taken for one of those whose link broke.
        self._lost_viewers = max(0, self._lost_viewers - 1)
        viewer = Viewer(stream, self)
        self._viewers.append(viewer)
        self.resize(size)
        viewer.begin()
        if self.exit_code is not None:
            viewer.tell_exit(self.exit_code)
        self._balance()
        self._on_change(self)

    async def hang_up(self, clock: Clock) -> None:
        """End the program as when a terminal is closed."""
        await self._process.hang_up(clock)

    async def end(self, clock: Clock) -> None:
        """End the program and everything that it left in its session."""
        await self._process.end_session(clock)

    async def kill(self) -> None:
        """Kill the program and everything in its session, and return when nothing of it is held any more."""
        await self._process.kill_session()

    # PtyListener

    def output(self, data: bytes) -> None:
        self.scrollback.append(data)
        for viewer in self._viewers:
            viewer.show(data)
        self._balance()

    def exited(self, status: int) -> None:
        self.exit_code = status
        for viewer in list(self._viewers):
            viewer.tell_exit(status)
        self._on_change(self)

    # ViewedTerminal

    def type_input(self, data: memoryview, consumed: Callable[[int], None]) -> None:
        self._process.write(data, consumed)

    def resize(self, size: WindowSize) -> None:
        self._process.resize(size)

    def viewer_writable(self) -> None:
        self._balance()

    def viewer_moved(self) -> None:
        self._balance()
        self._on_change(self)

    def viewer_left(self, viewer: Viewer, *, is_lost: bool) -> None:
        if viewer not in self._viewers:
            return
        self._viewers.remove(viewer)
        if is_lost:
            self._lost_viewers += 1
        elif self.exit_code is not None:
            self._is_end_seen = True
        self._balance()
        self._on_change(self)

    def _balance(self) -> None:
        present = [viewer for viewer in self._viewers if viewer.is_present]
        if not present or any(viewer.is_writable for viewer in present):
            self._process.resume_reading()
        else:
            self._process.pause_reading()
