"""A carrier's messages as a stream of bytes, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import RemoteProtocolError
from genba_wire.http_frames import (
    END_FLAG,
    KEEP_ALIVE,
    MAX_END_BYTES,
    CarrierEnd,
    CarrierMessage,
    HttpEvent,
    HttpFrameReader,
    encode_end,
    encode_length,
)
from genba_wire.tunnel.frames import MAX_MESSAGE_BYTES
from tests.unit.wire.splitting import cuts, split


def encode(message: bytes) -> bytes:
    return encode_length(len(message)) + message


def read(stream: bytes, sizes: list[int]) -> tuple[list[HttpEvent], int]:
    """What a reader says about the stream, cut so, and how many frames it counts."""
    reader = HttpFrameReader()
    events: list[HttpEvent] = []
    for piece in split(stream, sizes):
        memory = bytearray(piece)
        events += reader.feed(memory)
        # What a message is made of must have been copied.
        memory[:] = bytes(len(memory))
    assert reader.kept_bytes == 0
    return events, reader.frames


@given(
    messages=st.lists(st.just(b"") | st.binary(max_size=300), max_size=6),
    end=st.none() | st.tuples(st.integers(0, 0xFFFF), st.text(max_size=40)),
    sizes=cuts(),
)
def test_messages_come_as_they_were_sent_wherever_they_are_cut(
    messages: list[bytes], end: tuple[int, str] | None, sizes: list[int]
) -> None:
    stream = b"".join(map(encode, messages)) + (encode_end(*end) if end else b"")
    wanted: list[HttpEvent] = [CarrierMessage(message) for message in messages if message]
    assert read(stream, sizes) == ([*wanted, *([CarrierEnd(*end)] if end else [])], len(messages) + (end is not None))


def test_what_keeps_the_way_open_is_a_message_of_no_bytes() -> None:
    assert encode(b"") == KEEP_ALIVE
    assert read(KEEP_ALIVE * 3, [5]) == ([], 3)


def test_largest_message_passes_and_one_byte_more_is_refused_by_its_length() -> None:
    largest = bytes(MAX_MESSAGE_BYTES)
    assert read(encode(largest), [65_536]) == ([CarrierMessage(largest)], 1)
    for pieces in ([encode_length(MAX_MESSAGE_BYTES + 1)], [b"\0", encode_length(MAX_MESSAGE_BYTES + 1)[1:]]):
        reader = HttpFrameReader()
        with pytest.raises(RemoteProtocolError, match=f"a frame of {MAX_MESSAGE_BYTES + 1} bytes") as caught:
            for piece in pieces:
                reader.feed(piece)
        assert caught.value.close_code == 1009


def test_end_is_cut_to_its_limit_and_a_longer_one_or_one_without_a_code_is_refused() -> None:
    end = encode_end(4001, "ü" * MAX_END_BYTES)
    assert len(end) <= 4 + MAX_END_BYTES
    (event,), _ = read(end, [7])
    assert isinstance(event, CarrierEnd)
    assert (event.code, set(event.reason)) == (4001, {"ü"})
    with pytest.raises(RemoteProtocolError):
        HttpFrameReader().feed(encode_length(END_FLAG | (MAX_END_BYTES + 1)))
    with pytest.raises(RemoteProtocolError, match="without a code"):
        HttpFrameReader().feed(encode_length(END_FLAG | 1))


def test_nothing_is_read_behind_the_end() -> None:
    reader = HttpFrameReader()
    assert reader.feed(encode_end(1000, "") + encode(b"late")) == [CarrierEnd(1000, "")]
    assert (reader.feed(encode(b"later")), reader.kept_bytes) == ([], 0)
