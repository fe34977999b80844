"""One stream that shows a terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from genba_agent.terminals.scrollback import Scrollback
from genba_agent.terminals.spawning import WindowSize
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import Exited, Resize, encode, parse_pty_note

if TYPE_CHECKING:
    from genba_wire.aio.stream import StreamListener

logger = logging.getLogger(__name__)

CLEAR: Final = b"\x1bc\x1b[3J"
"""Resets the viewer's terminal, its own scrollback too: what follows is shown from the beginning."""


class ViewerStream(Protocol):
    """What terminals need of a stream: `genba_wire.aio.stream.Stream`."""

    @property
    def is_writable(self) -> bool: ...

    @property
    def is_attached(self) -> bool: ...

    def watch_carrier(self, on_attached: Callable[[bool], None]) -> None: ...

    def listen(self, listener: StreamListener) -> None: ...

    def accept(self) -> None: ...

    def refuse(self, code: int, reason: str) -> None: ...

    def write(self, data: bytes) -> None: ...

    def note(self, data: bytes) -> None: ...

    def finish(self) -> None: ...

    def consumed(self, size: int) -> None: ...


class ViewedTerminal(Protocol):
    """What viewers need of their session."""

    @property
    def scrollback(self) -> Scrollback:
        """The output, which a viewer reads from where it stands."""
        ...

    def type_input(self, data: memoryview, consumed: Callable[[int], None]) -> None:
        """Hand keystrokes on."""
        ...

    def resize(self, size: WindowSize) -> None:
        """Give the terminal a size."""
        ...

    def viewer_writable(self) -> None:
        """A viewer takes output again."""
        ...

    def viewer_moved(self) -> None:
        """The connection of a viewer's link was lost, or is there again."""
        ...

    def viewer_left(self, viewer: Viewer, *, is_lost: bool) -> None:
        """A viewer's stream is over; lost means that its link broke, so the last may not have arrived."""
        ...


class Viewer:
    """Shows a terminal's output on a stream, in order and without gaps as far as the scrollback reaches."""

    def __init__(self, stream: ViewerStream, terminal: ViewedTerminal) -> None:
        self._stream = stream
        self._terminal = terminal
        self._position = 0
        """What of the terminal's output was written to the stream."""

    @property
    def is_writable(self) -> bool:
        return self._stream.is_writable

    @property
    def is_present(self) -> bool:
        """Whether its link has a connection; else it sees nothing, and may never come back."""
        return self._stream.is_attached

    def begin(self) -> None:
        """Show what is there, then listen."""
        scrollback = self._terminal.scrollback
        replay = scrollback.replay()
        if replay:
            self._stream.write(replay)
        self._position = scrollback.end
        self._stream.watch_carrier(self._carrier_changed)
        self._stream.listen(self)

    def show(self, data: bytes) -> None:
        """Show the output that was just appended to the scrollback, unless the stream has enough to do."""
        is_up_to_date = self._position == self._terminal.scrollback.end - len(data)
        if is_up_to_date and self._stream.is_writable and self.is_present:
            self._position += len(data)
            self._stream.write(data)

    def catch_up(self) -> None:
        """Show everything up to now."""
        scrollback = self._terminal.scrollback
        if self._position < scrollback.begin:
            self._stream.write(CLEAR + scrollback.replay())
        elif self._position < scrollback.end:
            self._stream.write(scrollback.since(self._position))
        self._position = scrollback.end

    def tell_exit(self, code: int) -> None:
        """Show the rest and end the stream; `viewer_left` follows when the other end has got it."""
        self.catch_up()
        self._stream.note(encode(Exited(code=code)))
        self._stream.finish()

    # StreamListener

    def data_received(self, data: memoryview) -> None:
        self._terminal.type_input(data, self._stream.consumed)

    def note_received(self, note: bytes) -> None:
        try:
            said = parse_pty_note(note)
        except RemoteProtocolError as error:
            # A size of nothing is no reason to take somebody's terminal away.
            logger.debug("Ignored a note of a terminal's viewer: %s", error)
            return
        if isinstance(said, Resize):
            self._terminal.resize(WindowSize(said.height, said.width))

    def finished(self) -> None:
        self._stream.finish()
        self._terminal.viewer_left(self, is_lost=False)

    def reset(self, code: int, reason: str) -> None:
        self._terminal.viewer_left(self, is_lost=code == ResetCode.LINK_LOST)

    def writable(self) -> None:
        self.catch_up()
        self._terminal.viewer_writable()

    def _carrier_changed(self, is_attached: bool) -> None:
        # One who is back with a full stream catches up when that is writable.
        if is_attached and self._stream.is_writable:
            self.catch_up()
        self._terminal.viewer_moved()
