from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.relay.unmasking import HEADROOM, Unmasker
from genba_wire.websocket_frames import Opcode
from tests.support.raw_websocket import make_frame


def feed(unmasker: Unmasker, data: bytes) -> bytes:
    """Feed as the relay does, with what is left of a header in front; return what is to be sent."""
    assert len(unmasker.partial) < HEADROOM
    return b"".join(unmasker.feed(memoryview(bytearray(unmasker.partial + data))))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70_000])
@pytest.mark.parametrize("key", [bytes(4), b"\x01\x00\xff\x7f"])
def test_a_clients_frame_becomes_a_servers(size: int, key: bytes) -> None:
    payload = os.urandom(size)
    unmasker = Unmasker()
    assert feed(unmasker, make_frame(payload, key=key)) == make_frame(payload, masked=False)
    assert (unmasker.remaining, unmasker.partial) == (0, b"")


def test_a_payload_whose_key_is_zero_is_handed_out_where_it_lies() -> None:
    data = bytearray(make_frame(bytes(1000)))
    (part,) = Unmasker().feed(memoryview(data))
    assert part.obj is data
    assert len(part) == len(data) - 4


FRAMES = st.lists(
    st.tuples(
        st.binary(max_size=300),
        st.binary(min_size=4, max_size=4),
        st.sampled_from([Opcode.BINARY, Opcode.CONTINUATION, Opcode.TEXT]),
        st.booleans(),
    ),
    max_size=6,
)


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_frames_pass_however_they_are_cut(frames: list[tuple[bytes, bytes, Opcode, bool]], cuts: list[int]) -> None:
    data = b"".join(make_frame(payload, key=key, opcode=code, fin=fin) for payload, key, code, fin in frames)
    expected = b"".join(make_frame(payload, opcode=code, fin=fin, masked=False) for payload, _, code, fin in frames)
    unmasker, passed, position, turn = Unmasker(), b"", 0, 0
    while position < len(data):
        size = cuts[turn % len(cuts)]
        passed += feed(unmasker, data[position : position + size])
        position, turn = position + size, turn + 1
    assert passed == expected
    assert unmasker.remaining == 0


def test_it_knows_what_is_missing_of_a_frame() -> None:
    unmasker = Unmasker()
    feed(unmasker, make_frame(bytes(50))[:-20])
    assert unmasker.remaining == 20
    feed(unmasker, bytes(20))
    assert unmasker.remaining == 0


def test_a_part_of_a_header_is_kept_back() -> None:
    unmasker, frame = Unmasker(), make_frame(bytes(200))
    assert feed(unmasker, frame[:7]) == b""
    assert (unmasker.partial, unmasker.remaining) == (frame[:7], 0)


def test_nothing_is_handed_out_after_a_close_frame() -> None:
    unmasker = Unmasker()
    goodbye = b"\x03\xe8bye"
    data = make_frame(goodbye, opcode=Opcode.CLOSE) + make_frame(b"late")
    assert feed(unmasker, data) == make_frame(goodbye, opcode=Opcode.CLOSE, masked=False)
    assert unmasker.has_closed
    assert feed(unmasker, make_frame(b"later")) == b""


@pytest.mark.parametrize(
    ("data", "violation"),
    [
        (make_frame(b"x", masked=False), "a client's frame is not masked"),
        (bytes([0xC2]) + make_frame(b"x")[1:], "a reserved bit is set"),
        (bytes([0x82, 0xFF, 0x80]) + bytes(11), "a frame is longer than any can be"),
    ],
)
def test_what_breaks_the_rules_stops_it_behind_what_was_whole(data: bytes, violation: str) -> None:
    unmasker = Unmasker()
    assert feed(unmasker, make_frame(b"good") + data) == make_frame(b"good", masked=False)
    assert unmasker.violation == violation
    assert feed(unmasker, make_frame(b"more")) == b""


def test_the_longest_frame_there_can_be_passes() -> None:
    unmasker = Unmasker()
    header = bytes([0x82, 0xFF]) + (2**63 - 1).to_bytes(8, "big")
    assert feed(unmasker, header + bytes(4)) == bytes([0x82, 0x7F]) + header[2:]
    assert unmasker.remaining == 2**63 - 1
