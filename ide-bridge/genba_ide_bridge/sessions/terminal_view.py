"""What a terminal tells whoever shows it, and how one stream's events become that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import Exited, Resize, encode, parse_pty_note

if TYPE_CHECKING:
    from genba_wire.aio.stream import Stream


@dataclass(frozen=True, slots=True)
class Connected:
    """Input and output flow. `is_replay`: what was shown comes again from the scrollback, so clear the screen first."""

    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The way to the terminal is lost and tried again; the terminal itself goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """There will be no more. `exit_code` is the command's when it ended, else None; `hint` is what to do next."""

    reason: str
    exit_code: int | None = None
    hint: str = ""


TerminalState = Connected | Reconnecting | Ended


class TerminalEvents(Protocol):
    """Is told what happens in a terminal. Called in the event loop; must not block."""

    def output(self, data: memoryview) -> None:
        """Bytes of the tty, valid only during the call. Answer each with `TerminalSession.consumed` when shown."""
        ...

    def state(self, state: TerminalState) -> None:
        """The state is another one. `Ended` comes once, last."""
        ...

    def writable(self) -> None:
        """`TerminalSession.is_writable` is true again."""
        ...


class TerminalView:
    """One stream of a terminal: the listener of it, and the credit that is still to be given for what it brought."""

    def __init__(
        self,
        stream: Stream,
        events: TerminalEvents,
        on_end: Callable[[Ended], None],
        *,
        size: tuple[int, int],
    ) -> None:
        """Listen to a stream.

        Args:
            stream: accepted by the agent.
            events: who is told what comes.
            on_end: hears the end.
            size: the (height, width) that it was opened with.
        """
        self.stream = stream
        self.unconsumed_bytes = 0
        self.is_over = False
        self._events = events
        self._on_end = on_end
        self._told_size = size
        self._exit_code: int | None = None

    def tell_size(self, height: int, width: int) -> None:
        """Tell the agent the size unless it knows it."""
        if self._told_size != (height, width):
            self._told_size = (height, width)
            self.stream.note(encode(Resize(height=height, width=width)))

    def consumed(self, size: int) -> None:
        """Give credit for bytes that were shown."""
        self.unconsumed_bytes -= size
        self.stream.consumed(size)

    def data_received(self, data: memoryview) -> None:
        """Show bytes of the tty."""
        self.unconsumed_bytes += len(data)
        self._events.output(data)

    def note_received(self, note: bytes) -> None:
        """Keep the exit code."""
        try:
            said = parse_pty_note(note)
        except RemoteProtocolError as error:
            self.stream.reset(ResetCode.PROTOCOL, str(error))
            self._on_end(Ended(f"The agent said something that is not understood: {error}"))
            return
        if isinstance(said, Exited):
            self._exit_code = said.code

    def finished(self) -> None:
        """The terminal ended."""
        self.is_over = True
        self.stream.finish()
        self._on_end(Ended("The terminal has ended.", self._exit_code))

    def reset(self, code: int, reason: str) -> None:
        """The agent took the terminal away, or the link is over; the latter is the link's matter."""
        self.is_over = True
        if code != ResetCode.LINK_LOST:
            self._on_end(Ended(reason or "The terminal was closed.", self._exit_code))

    def writable(self) -> None:
        """Tell whoever types."""
        self._events.writable()
