"""Shows a session's terminal in the one in front of the user."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from genba_ide_bridge.cli.escape import EscapeAction, EscapeFilter
from genba_ide_bridge.cli.local_input import LocalInput
from genba_ide_bridge.cli.local_output import LocalOutput
from genba_ide_bridge.cli.local_terminal import (
    ScreenMemory,
    enter_raw_mode,
    has_screen,
    is_in_foreground,
    raw_mode,
    screen_size,
    signals,
)
from genba_ide_bridge.cli.outage_line import OutageLine, write_to_stderr
from genba_ide_bridge.sessions.terminal import (
    CLEAR_SCREEN,
    Connected,
    Ended,
    Reconnecting,
    TerminalEvents,
    TerminalSession,
    TerminalState,
)

END_OF_INPUT: Final = b"\x04"
"""What a terminal's driver takes for the end of what is typed, at a line's beginning."""

END_OF_INPUT_AGAIN_S: Final = 1.0
"""A shell that has just begun may read the sign for the end as an ordinary byte: it is typed until it is heard."""

HELP: Final = "At the beginning of a line:  ~.  leave, the terminal stays   ~~  a tilde   ~?  this help"

BROKEN_PIPE: Final = 13
"""The number of SIGPIPE, which Windows does not name."""

_INPUT: Final = 0
_OUTPUT: Final = 1


@dataclass(frozen=True, slots=True)
class Left:
    """The user went away, by the escape or by a signal; its number, or 0."""

    signal: int = 0


class TerminalViewer:
    """One terminal on stdin, stdout and stderr. `run` shows it, once, until it ends or is left."""

    def __init__(self, make_session: Callable[[TerminalEvents], TerminalSession]) -> None:
        """Args: makes the session, which tells this viewer what happens."""
        self._session = make_session(self)
        self._is_typed = os.isatty(_INPUT)
        self._is_screen = has_screen()
        self._escape = EscapeFilter()
        self._memory = ScreenMemory()
        self._outage = OutageLine(is_screen=self._is_screen, is_raw=self._is_typed)
        self._local = ExitStack()
        self._opened = asyncio.Event()
        self._left: asyncio.Future[Left] = asyncio.get_running_loop().create_future()
        self._output = LocalOutput(_OUTPUT, self._consumed)
        self._input = LocalInput(_INPUT, self._take_input, self._end_input)
        self._input_over = asyncio.Event()
        self._last_byte = b"\n"

    async def run(self) -> Ended | Left:
        """Show the terminal; returns how it ended, or that it was left."""
        has_ended = False
        try:
            with self._local, signals(self._resize, self._come_back, self._leave_by_signal):
                outcome = await self._show()
                has_ended = isinstance(outcome, Ended) and outcome.exit_code is not None
        finally:
            self._input.close()
            self._output.close()
            if self._is_screen and not has_ended:
                # A program over there goes on, or was cut off, and did not put the screen in order.
                write_to_stderr(self._memory.farewell())
        return outcome

    def output(self, data: memoryview) -> None:
        """Show bytes of the tty."""
        self._memory.see(data)
        self._output.write(data)

    def state(self, state: TerminalState) -> None:
        """Say what became of the connection."""
        match state:
            case Connected(is_replay):
                self._open()
                was_shown = self._outage.is_shown
                self._outage.hide(is_back=True)
                if is_replay:
                    self._begin_replay()
                elif was_shown and self._is_screen and self._memory.is_other_screen:
                    self._ask_for_redraw()
            case Reconnecting(reason):
                self._outage.show(reason)
            case Ended():
                self._outage.hide(is_back=False)

    def writable(self) -> None:
        """Read on what is typed."""
        self._input.resume()

    async def _show(self) -> Ended | Left:
        async with asyncio.TaskGroup() as group:
            output = group.create_task(self._write_output(), name="output")
            typing = group.create_task(self._read_input(), name="input")
            running = group.create_task(self._session.run(), name="session")
            await asyncio.wait((running, output, self._left), return_when=asyncio.FIRST_COMPLETED)
            if running.done() and not running.cancelled() and running.exception() is None:
                drained = group.create_task(self._output.drain(), name="rest of the output")
                await asyncio.wait((drained, output, self._left), return_when=asyncio.FIRST_COMPLETED)
                drained.cancel()
            for task in (output, typing, running):
                task.cancel()
        return running.result() if not running.cancelled() else self._left.result()

    async def _write_output(self) -> None:
        try:
            await self._output.run()
        except OSError:
            # Whoever read this has gone, as in `genba terminal demo -- make | head`, or the terminal was closed.
            self._leave(Left(BROKEN_PIPE))

    async def _read_input(self) -> None:
        # Until then the keyboard is the shell's, so that Ctrl-C ends a wait for the connection.
        await self._opened.wait()
        await self._input.run()
        await self._input_over.wait()
        if self._last_byte != b"\n":
            self._session.write(END_OF_INPUT)
        while True:
            self._session.write(END_OF_INPUT)
            await asyncio.sleep(END_OF_INPUT_AGAIN_S)

    def _open(self) -> None:
        if not self._opened.is_set():
            self._opened.set()
            self._local.enter_context(raw_mode(_INPUT))

    def _take_input(self, data: bytes) -> None:
        self._last_byte = data[-1:]
        if self._is_typed:
            typed = self._escape.feed(data)
            data = typed.data
            for action in typed.actions:
                if action is EscapeAction.LEAVE:
                    self._leave(Left())
                else:
                    write_to_stderr(f"\r\n{HELP}\r\n")
        if data:
            self._session.write(data)
        if not self._session.is_writable:
            self._input.pause()

    def _end_input(self) -> None:
        if self._is_typed:
            self._leave(Left())
        else:
            self._input_over.set()

    def _begin_replay(self) -> None:
        if self._is_screen:
            start = self._memory.farewell().encode() + CLEAR_SCREEN
            self._memory = ScreenMemory()
            self._output.write(start, is_counted=False)
        else:
            write_to_stderr("[genba: the last output follows once more]\n")

    def _ask_for_redraw(self) -> None:
        """Change the size for a moment: programs draw anew then, also what the outage's words covered."""
        height, width = screen_size()
        self._session.resize(height, max(width - 1, 1))
        self._session.resize(height, width)

    def _resize(self) -> None:
        self._session.resize(*screen_size())

    def _come_back(self) -> None:
        if self._opened.is_set() and self._is_typed and is_in_foreground(_INPUT):
            enter_raw_mode(_INPUT)
            self._resize()

    def _leave_by_signal(self, number: int) -> None:
        self._leave(Left(number))

    def _leave(self, left: Left) -> None:
        if not self._left.done():
            self._left.set_result(left)

    def _consumed(self, size: int) -> None:
        self._session.consumed(size)
