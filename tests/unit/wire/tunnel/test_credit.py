"""What a peer may send, and when it may send more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel.credit import INITIAL_WINDOW, MAX_GROWTH, MAX_WINDOW, ReceiveWindow


def test_peer_may_send_the_window_and_not_a_byte_more() -> None:
    window = ReceiveWindow()
    window.receive(INITIAL_WINDOW)
    with pytest.raises(RemoteProtocolError, match="1 bytes more"):
        window.receive(1)


def test_more_than_was_received_can_not_be_consumed() -> None:
    window = ReceiveWindow()
    window.receive(10)
    window.consume(10, 0)
    with pytest.raises(LocalProtocolError):
        window.consume(1, 0)
    with pytest.raises(LocalProtocolError):
        window.consume(-1, 0)


def test_half_a_window_is_granted_at_once() -> None:
    window = ReceiveWindow()
    window.receive(INITIAL_WINDOW)
    assert window.consume(INITIAL_WINDOW // 2 - 1, 0) == 0
    assert window.consume(1, 0) == INITIAL_WINDOW // 2


def flow(window: ReceiveWindow, size: int, room: int = MAX_GROWTH) -> None:
    """Bytes that are consumed as they come."""
    for _ in range(size // 65_536):
        window.receive(65_536)
        window.consume(65_536, room)


def test_window_grows_with_bulk_up_to_its_limit() -> None:
    window = ReceiveWindow()
    flow(window, INITIAL_WINDOW)
    assert window.size == 2 * INITIAL_WINDOW
    flow(window, 64 * 1024 * 1024)
    assert window.size == MAX_WINDOW


def test_window_does_not_grow_past_what_the_link_has() -> None:
    window = ReceiveWindow()
    flow(window, 64 * 1024 * 1024, room=INITIAL_WINDOW - 1)
    assert window.size == INITIAL_WINDOW
    flow(window, 64 * 1024 * 1024, room=INITIAL_WINDOW)
    assert window.size == 2 * INITIAL_WINDOW


def test_window_does_not_grow_for_a_reader_that_is_behind() -> None:
    window = ReceiveWindow()
    window.receive(INITIAL_WINDOW)
    for _ in range(1000):
        granted = window.consume(1024, MAX_GROWTH)
        window.receive(granted)
    assert window.size == INITIAL_WINDOW


@given(st.lists(st.tuples(st.booleans(), st.integers(1, INITIAL_WINDOW))))
def test_granted_and_unconsumed_bytes_are_never_more_than_the_window(steps: list[tuple[bool, int]]) -> None:
    window = ReceiveWindow()
    may_send, unconsumed = INITIAL_WINDOW, 0
    for is_receive, size in steps:
        if is_receive:
            size = min(size, may_send)
            window.receive(size)
            may_send, unconsumed = may_send - size, unconsumed + size
        else:
            size = min(size, unconsumed)
            unconsumed -= size
            may_send += window.consume(size, MAX_GROWTH)
        assert may_send + unconsumed <= window.size <= MAX_WINDOW
        # Whoever consumed everything may be sent to.
        assert unconsumed or may_send
