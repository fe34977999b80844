from __future__ import annotations

from collections.abc import Callable

from genba_agent.terminals.scrollback import Scrollback
from genba_agent.terminals.spawning import WindowSize
from genba_agent.terminals.viewer import CLEAR, Viewer
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.terminal_streams import FakeStream


class Terminal:
    """A `ViewedTerminal` without a program."""

    def __init__(self, limit: int = 100) -> None:
        self.scrollback = Scrollback(limit)
        self.typed = b""
        self.sizes: list[WindowSize] = []
        self.left: list[bool] = []
        self.moves = 0

    def type_input(self, data: memoryview, consumed: Callable[[int], None]) -> None:
        self.typed += data
        consumed(len(data))

    def resize(self, size: WindowSize) -> None:
        self.sizes.append(size)

    def viewer_writable(self) -> None:
        pass

    def viewer_moved(self) -> None:
        self.moves += 1

    def viewer_left(self, viewer: Viewer, *, is_lost: bool) -> None:
        self.left.append(is_lost)

    def print(self, data: bytes, *viewers: Viewer) -> None:
        self.scrollback.append(data)
        for viewer in viewers:
            viewer.show(data)


def begin(terminal: Terminal) -> tuple[Viewer, FakeStream]:
    stream = FakeStream()
    viewer = Viewer(stream, terminal)
    viewer.begin()
    return viewer, stream


def test_who_comes_later_sees_the_scrollback_first() -> None:
    terminal = Terminal()
    terminal.print(b"before ")
    viewer, stream = begin(terminal)
    terminal.print(b"after", viewer)
    assert stream.output == b"before after"


def test_who_was_behind_gets_what_it_missed_and_nothing_twice() -> None:
    terminal = Terminal()
    viewer, stream = begin(terminal)
    terminal.print(b"1", viewer)
    stream.is_writable = False
    terminal.print(b"2", viewer)
    stream.is_writable = True
    # The stream has room again, but has not said so: order is kept all the same.
    terminal.print(b"3", viewer)
    assert stream.output == b"1"
    stream.set_writable(writable=True)
    terminal.print(b"4", viewer)
    assert stream.output == b"1234"


def test_who_missed_more_than_the_scrollback_keeps_begins_with_a_clear_screen() -> None:
    terminal = Terminal(limit=10)
    viewer, stream = begin(terminal)
    terminal.print(b"old", viewer)
    stream.is_writable = False
    terminal.print(b"much\nmore\noutput\n", viewer)
    stream.set_writable(writable=True)
    assert stream.output == b"old" + CLEAR + b"output\n"


def test_exit_comes_after_all_output_even_to_who_is_behind() -> None:
    terminal = Terminal()
    viewer, stream = begin(terminal)
    stream.is_writable = False
    terminal.print(b"last words", viewer)
    viewer.tell_exit(-9)
    assert stream.output == b"last words"
    assert stream.notes == [{"type": "exited", "code": -9}]
    assert stream.is_finished


def test_input_and_sizes_reach_the_terminal() -> None:
    terminal = Terminal()
    _, stream = begin(terminal)
    stream.type(b"\xff\x00ls\r")
    stream.resize(1, 65535)
    assert terminal.typed == b"\xff\x00ls\r"
    assert stream.consumed_bytes == 5
    assert terminal.sizes == [WindowSize(1, 65535)]


def test_sizes_of_nothing_and_unknown_notes_are_ignored() -> None:
    terminal = Terminal()
    _, stream = begin(terminal)
    for note in (
        b'{"type": "resize", "height": 0, "width": 80}',
        b'{"type": "resize", "height": 65536, "width": 80}',
        b'{"type": "resize"}',
        b'{"type": "exited", "code": 1}',
        b'{"type": "sing"}',
        b"\xff",
    ):
        stream.listener.note_received(note)
    assert terminal.sizes == []
    assert terminal.left == []


def test_end_of_the_stream_is_told_apart_from_the_loss_of_its_link() -> None:
    terminal = Terminal()
    (_, lost), (_, closed), (_, finished) = begin(terminal), begin(terminal), begin(terminal)
    lost.listener.reset(ResetCode.LINK_LOST, "lost")
    closed.listener.reset(ResetCode.CANCELLED, "closed")
    finished.listener.finished()
    assert terminal.left == [True, False, False]
    assert [stream.is_finished for stream in (lost, closed, finished)] == [False, False, True]


def test_who_has_no_connection_is_written_nothing_and_gets_it_when_it_is_back() -> None:
    terminal = Terminal()
    viewer, stream = begin(terminal)
    terminal.print(b"1", viewer)
    stream.set_attached(attached=False)
    terminal.print(b"2", viewer)
    assert (bytes(stream.output), viewer.is_present) == (b"1", False)
    stream.set_attached(attached=True)
    assert stream.output == b"12"
    terminal.print(b"3", viewer)
    assert (bytes(stream.output), terminal.moves) == (b"123", 2)


def test_who_is_back_with_a_full_stream_catches_up_when_there_is_room() -> None:
    terminal = Terminal(limit=4)
    viewer, stream = begin(terminal)
    stream.is_writable = False
    stream.set_attached(attached=False)
    terminal.print(b"123456", viewer)
    stream.set_attached(attached=True)
    assert stream.output == b""
    stream.set_writable(writable=True)
    assert stream.output == CLEAR + b"3456"
