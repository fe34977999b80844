"""Messages of websockets, put together from frames that were cut anywhere."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as LibraryOpcode

from genba_wire import websocket_frames
from genba_wire.errors import RemoteProtocolError
from genba_wire.websocket_frames import (
    CLOSE_NOT_UTF8,
    CLOSE_TOO_BIG,
    CLOSE_UNSUPPORTED,
    NO_STATUS,
    BinaryMessage,
    Close,
    MessageEvent,
    MessageReader,
    Opcode,
    Ping,
    Pong,
    encode_close,
    encode_header,
)
from tests.unit.wire.splitting import cuts, split

LIMIT = 1000


def read(stream: bytes, sizes: list[int], *, is_server: bool = False) -> list[MessageEvent]:
    """What a reader says about the stream, cut so."""
    reader = MessageReader(is_server, LIMIT)
    events: list[MessageEvent] = []
    for piece in split(stream, sizes):
        memory = bytearray(piece)
        events += [
            BinaryMessage(bytes(event.data)) if isinstance(event, BinaryMessage) else event
            for event in reader.feed(memory)
        ]
        # What belongs to an unfinished message must have been copied.
        memory[:] = bytes(len(memory))
    return events


def test_all_that_is_public_is_there() -> None:
    assert [name for name in websocket_frames.__all__ if not hasattr(websocket_frames, name)] == []


@given(
    messages=st.lists(
        st.tuples(st.just("binary"), st.lists(st.binary(max_size=300), min_size=1, max_size=3))
        | st.tuples(st.sampled_from(["ping", "pong"]), st.lists(st.binary(max_size=125), min_size=1, max_size=1)),
        max_size=5,
    ),
    masked=st.booleans(),
    sizes=cuts(),
)
def test_messages_arrive_however_they_are_cut_and_in_fragments(
    messages: list[tuple[str, list[bytes]]], masked: bool, sizes: list[int]
) -> None:
    stream = b""
    expected: list[MessageEvent] = []
    for kind, fragments in messages:
        if kind == "binary":
            for number, fragment in enumerate(fragments):
                opcode = LibraryOpcode.CONT if number else LibraryOpcode.BINARY
                stream += Frame(opcode, fragment, fin=number == len(fragments) - 1).serialize(mask=masked)
                stream += Frame(LibraryOpcode.PING, b"between").serialize(mask=masked) if number == 0 else b""
            if len(fragments) > 1:
                expected += [Ping(b"between"), BinaryMessage(b"".join(fragments))]
            else:
                expected += [BinaryMessage(fragments[0]), Ping(b"between")]
        else:
            opcode = LibraryOpcode.PING if kind == "ping" else LibraryOpcode.PONG
            stream += Frame(opcode, fragments[0]).serialize(mask=masked)
            expected.append(Ping(fragments[0]) if kind == "ping" else Pong(fragments[0]))
    assert read(stream, sizes, is_server=masked) == expected


def test_message_that_is_whole_is_not_copied() -> None:
    fed = encode_header(Opcode.BINARY, 5, masked=True) + b"hello"
    [message] = MessageReader(True, LIMIT).feed(fed)
    assert isinstance(message, BinaryMessage)
    assert isinstance(message.data, memoryview)
    assert message.data.obj is fed


def test_message_in_fragments_at_the_limit_and_past_it() -> None:
    def fragments(second: int) -> bytes:
        return (
            encode_header(Opcode.BINARY, 600, masked=False, fin=False)
            + bytes(600)
            + encode_header(Opcode.CONTINUATION, second, masked=False)
            + bytes(second)
        )

    assert read(fragments(400), [10_000]) == [BinaryMessage(bytes(1000))]
    with pytest.raises(RemoteProtocolError) as caught:
        read(fragments(401), [10_000])
    assert caught.value.close_code == CLOSE_TOO_BIG


def test_text_is_refused() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read(b"\x81\x01a", [10])
    assert caught.value.close_code == CLOSE_UNSUPPORTED


def test_nothing_is_read_behind_a_close() -> None:
    stream = encode_close(4001, "signed out", masked=False) + b"\xff\xff\xff"
    assert read(stream, [100]) == [Close(4001, "signed out")]
    assert read(stream, [1]) == [Close(4001, "signed out")]


def test_close_without_a_code() -> None:
    assert read(b"\x88\x00", [10]) == [Close(NO_STATUS, "")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
def test_close_with_a_code_that_nobody_may_send_is_refused(code: int) -> None:
    with pytest.raises(RemoteProtocolError):
        read(b"\x88\x02" + code.to_bytes(2, "big"), [10])


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4999])
def test_close_with_a_code_that_may_be_sent(code: int) -> None:
    assert read(b"\x88\x02" + code.to_bytes(2, "big"), [10]) == [Close(code, "")]


def test_close_with_half_a_code_or_broken_text_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        read(b"\x88\x01\x03", [10])
    with pytest.raises(RemoteProtocolError) as caught:
        read(b"\x88\x03\x03\xe8\xff", [10])
    assert caught.value.close_code == CLOSE_NOT_UTF8


@given(data=st.binary(max_size=300), is_server=st.booleans(), sizes=cuts())
def test_random_bytes_raise_nothing_else(data: bytes, is_server: bool, sizes: list[int]) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read(data, sizes, is_server=is_server)
