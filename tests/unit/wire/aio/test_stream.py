"""One stream on a real mux: what waits, what is told, and what is over."""

from __future__ import annotations

from genba_wire.aio.stream import WRITABLE_BELOW_BYTES, Stream
from genba_wire.tunnel.mux import INITIAL_WINDOW, Mux, StreamData, StreamFinished, StreamNote, StreamOpened, StreamReset
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.links import StreamHearer


class Ends:
    """A stream of a client, and the mux at its other end."""

    def __init__(self) -> None:
        self.mux, self.far = Mux(is_client=True), Mux(is_client=False)
        self.changes = 0
        self.stream = Stream(self.mux.open("test"), "test", self.mux, self._note_change)
        opened = self.carry()
        assert opened == [StreamOpened(1, "test", b"")]

    def accept(self) -> None:
        self.far.accept(1)
        for part in self.far.frames_to_send():
            self.mux.receive(part)
        self.stream.deliver_accept(b"")

    def carry(self) -> list[object]:
        self.stream.pump(1 << 30)
        return [event for part in self.mux.frames_to_send() for event in self.far.receive(part)]

    def _note_change(self, stream: Stream) -> None:
        self.changes += 1


def test_nothing_is_sent_before_the_stream_is_accepted() -> None:
    ends = Ends()
    ends.stream.write(b"early")
    ends.stream.note(b"note")
    ends.stream.finish()
    assert ends.carry() == []
    ends.accept()
    assert ends.carry() == [StreamData(1, memoryview(b"early")), StreamNote(1, b"note"), StreamFinished(1)]


def test_each_call_that_has_something_to_send_says_so() -> None:
    ends = Ends()
    for number, call in enumerate(
        (lambda: ends.stream.write(b"x"), lambda: ends.stream.note(b"n"), ends.stream.finish)
    ):
        call()
        assert ends.changes == number + 1
    ends.stream.write(b"after the end")
    ends.stream.note(b"after the end")
    ends.stream.finish()
    assert ends.changes == 3


def test_stream_is_writable_up_to_its_limit_and_again_below() -> None:
    ends = Ends()
    ends.accept()
    hearer = StreamHearer(ends.stream)
    told: list[bool] = []
    hearer.on_writable = lambda: told.append(True)
    ends.stream.write(bytes(WRITABLE_BELOW_BYTES))
    assert ends.stream.is_writable
    ends.stream.write(b"x")
    assert not ends.stream.is_writable
    ends.stream.tell_writable()
    assert told == []
    ends.carry()
    assert ends.stream.waiting_bytes == WRITABLE_BELOW_BYTES + 1 - INITIAL_WINDOW
    ends.stream.tell_writable()
    ends.stream.tell_writable()
    assert (told, ends.stream.is_writable) == ([True], True)


def test_pump_keeps_to_its_budget() -> None:
    ends = Ends()
    ends.accept()
    ends.stream.write(bytes(1000))
    ends.stream.write(bytes(1000))
    assert [ends.stream.pump(1500), ends.stream.pump(1500)] == [1500, 500]


def test_listener_that_comes_after_a_reset_hears_of_it() -> None:
    ends = Ends()
    ends.stream.deliver_data(memoryview(b"of no use"))
    ends.stream.deliver_reset(ResetCode.FAILED, "broke")
    assert StreamHearer(ends.stream).resets == [(ResetCode.FAILED, "broke")]


def test_events_before_a_listener_are_delivered_when_it_comes() -> None:
    ends = Ends()
    memory = bytearray(b"data")
    ends.stream.deliver_data(memoryview(memory))
    memory[:] = b"else"
    ends.stream.deliver_note(b"note")
    ends.stream.deliver_finish()
    assert StreamHearer(ends.stream, gives_credit=False).events == ["data data", "note note", "finished"]


def test_reset_drops_what_waits_and_silences_the_listener() -> None:
    ends = Ends()
    ends.accept()
    hearer = StreamHearer(ends.stream)
    ends.stream.write(b"never sent")
    ends.stream.reset(ResetCode.CANCELLED, "bye")
    assert ends.carry() == [StreamReset(1, ResetCode.CANCELLED, "bye")]
    ends.stream.deliver_data(memoryview(b"late"))
    ends.stream.deliver_reset(ResetCode.FAILED, "late")
    assert (hearer.events, ends.stream.is_over, ends.stream.is_writable) == ([], True, False)


def test_stream_is_over_when_both_have_finished_and_all_was_sent() -> None:
    ends = Ends()
    ends.accept()
    ends.stream.write(b"rest")
    ends.stream.finish()
    ends.stream.deliver_finish()
    assert not ends.stream.is_over
    ends.carry()
    assert ends.stream.is_over


def test_notes_that_wait_count_like_data() -> None:
    ends = Ends()
    ends.accept()
    ends.stream.note(bytes(WRITABLE_BELOW_BYTES))
    assert (ends.stream.waiting_bytes, ends.stream.is_writable) == (WRITABLE_BELOW_BYTES, True)
    ends.stream.note(b"x")
    assert not ends.stream.is_writable
