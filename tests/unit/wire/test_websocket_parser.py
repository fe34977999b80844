"""Headers and frames of websockets, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as LibraryOpcode

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.websocket_parser import (
    CLOSE_TOO_BIG,
    MASK_ZERO,
    MAX_CONTROL,
    FrameEnd,
    FrameEvent,
    FrameParser,
    FramePayload,
    FrameStart,
    Opcode,
    encode_close,
    encode_header,
)
from tests.unit.wire.splitting import cuts, split

LIMIT = 70_000


def join(events: list[FrameEvent]) -> list[tuple[int, bool, bytes]]:
    """Whole frames as (opcode, fin, payload)."""
    frames: list[tuple[int, bool, bytes]] = []
    payload = b""
    start = FrameStart(0, True, 0, False)
    for event in events:
        match event:
            case FrameStart():
                start, payload = event, b""
            case FramePayload(data):
                payload += data
            case FrameEnd():
                assert start.length == len(payload)
                frames.append((start.opcode, start.fin, payload))
    return frames


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, LIMIT])
@pytest.mark.parametrize("masked", [True, False])
def test_header_is_what_the_library_writes(length: int, masked: bool) -> None:
    library = Frame(LibraryOpcode.BINARY, bytes(length)).serialize(mask=False)
    ours = encode_header(Opcode.BINARY, length, masked=masked)
    if masked:
        assert ours[-4:] == MASK_ZERO
        assert ours[1] & 0x80
        ours = bytes([ours[0], ours[1] & 0x7F]) + ours[2:-4]
    assert ours + bytes(length) == library


def test_fragment_has_no_fin() -> None:
    assert encode_header(Opcode.BINARY, 3, masked=False, fin=False) == b"\x02\x03"
    assert encode_header(Opcode.CONTINUATION, 3, masked=False) == b"\x80\x03"


def test_control_frame_at_the_limit_and_past_it() -> None:
    assert encode_header(Opcode.PING, MAX_CONTROL, masked=False) == b"\x89\x7d"
    with pytest.raises(LocalProtocolError):
        encode_header(Opcode.PING, MAX_CONTROL + 1, masked=False)


@pytest.mark.parametrize("reason", ["", "going away", "x" * 123])
def test_close_frame_is_what_the_library_writes(reason: str) -> None:
    expected = Frame(LibraryOpcode.CLOSE, (1001).to_bytes(2, "big") + reason.encode()).serialize(mask=False)
    assert encode_close(1001, reason, masked=False) == expected


def test_long_reason_is_cut_at_the_end_of_a_character() -> None:
    frame = encode_close(1000, "ä" * 100, masked=False)
    assert frame[2 + 2 :].decode() == "ä" * 61
    assert len(frame) <= 2 + MAX_CONTROL


payloads = st.binary(max_size=400)
frames = st.lists(
    st.tuples(st.sampled_from([Opcode.BINARY, Opcode.PING, Opcode.PONG]), st.binary(max_size=125))
    | st.tuples(st.just(Opcode.BINARY), payloads),
    max_size=6,
)


@given(frames=frames, masked=st.booleans(), sizes=cuts())
def test_frames_of_the_library_are_read_however_they_are_cut(
    frames: list[tuple[Opcode, bytes]], masked: bool, sizes: list[int]
) -> None:
    stream = b"".join(Frame(LibraryOpcode(opcode), data).serialize(mask=masked) for opcode, data in frames)
    parser = FrameParser(is_server=masked, max_length=LIMIT)
    events = [event for piece in split(stream, sizes) for event in parser.feed(piece)]
    assert join(events) == [(opcode, True, data) for opcode, data in frames]


@given(data=payloads, key=st.binary(min_size=4, max_size=4), sizes=cuts())
def test_any_key_is_unmasked(data: bytes, key: bytes, sizes: list[int]) -> None:
    header = encode_header(Opcode.BINARY, len(data), masked=True)[:-4] + key
    masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(data))
    parser = FrameParser(is_server=True, max_length=LIMIT)
    events = [event for piece in split(header + masked, sizes) for event in parser.feed(piece)]
    assert events[0] == FrameStart(Opcode.BINARY, True, len(data), key != MASK_ZERO)
    assert join(events) == [(Opcode.BINARY, True, data)]


def test_payload_with_key_zero_is_a_view_of_what_was_fed() -> None:
    fed = encode_header(Opcode.BINARY, 5, masked=True) + b"hello"
    _, payload, _ = FrameParser(is_server=True, max_length=LIMIT).feed(fed)
    assert isinstance(payload, FramePayload)
    assert payload.data.obj is fed


def test_frame_at_the_limit_and_past_it() -> None:
    parser = FrameParser(is_server=False, max_length=LIMIT)
    assert parser.feed(encode_header(Opcode.BINARY, LIMIT, masked=False))
    with pytest.raises(RemoteProtocolError) as caught:
        FrameParser(is_server=False, max_length=LIMIT).feed(encode_header(Opcode.BINARY, LIMIT + 1, masked=False))
    assert caught.value.close_code == CLOSE_TOO_BIG


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc2\x00",  # a reserved bit
        b"\x83\x00",  # opcode 3
        b"\x8b\x00",  # opcode 11
        b"\x82\x80\x00\x00\x00\x00",  # masked, from a server
        b"\x89\x7e\x00\x7e",  # a ping of 126 bytes
        b"\x09\x00",  # a ping in fragments
        b"\x80\x00",  # the middle of no message
        b"\x02\x00\x82\x00",  # a message inside another one
    ],
)
def test_broken_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        FrameParser(is_server=False, max_length=LIMIT).feed(frame)


def test_server_refuses_a_frame_that_is_not_masked() -> None:
    with pytest.raises(RemoteProtocolError):
        FrameParser(is_server=True, max_length=LIMIT).feed(b"\x82\x00")


def test_control_frame_may_come_between_fragments() -> None:
    parser = FrameParser(is_server=False, max_length=LIMIT)
    assert join(parser.feed(b"\x02\x01a\x89\x01p\x80\x01b")) == [
        (Opcode.BINARY, False, b"a"),
        (Opcode.PING, True, b"p"),
        (Opcode.CONTINUATION, True, b"b"),
    ]


@given(data=st.binary(max_size=300), is_server=st.booleans(), sizes=cuts())
def test_random_bytes_raise_nothing_else(data: bytes, is_server: bool, sizes: list[int]) -> None:
    parser = FrameParser(is_server, LIMIT)
    try:
        for piece in split(data, sizes):
            parser.feed(piece)
    except RemoteProtocolError:
        pass
