"""Frames of a carrier: their bytes, limits and what is ignored."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel import frames
from genba_wire.tunnel.frames import (
    MAJOR,
    MAX_CONTROL_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_REASON_BYTES,
    MIN_MESSAGE_BYTES,
    Accept,
    Ack,
    Answer,
    Challenge,
    CloseCode,
    Closed,
    Command,
    Data,
    Frame,
    Hello,
    Open,
    Ping,
    Pong,
    Proof,
    Resume,
    Resumed,
    check_hello,
    data_header,
    encode,
    parse,
)

ID, KEY, NONCE, BOOT = b"i" * 16, b"k" * 32, b"n" * 16, b"b" * 16

BYTES: list[tuple[Frame, bytes]] = [
    (Ping(b"12345678"), b"\x0112345678"),
    (Pong(b"12345678"), b"\x0212345678"),
    (Hello(BOOT, 1, 2, 3, 0x10050), b"\x80GNBA\x01\x02\0\0\0\x03\x00\x01\x00\x50" + BOOT),
    (Open(ID, KEY), b"\x81" + ID + KEY),
    (Accept(KEY, 3600), b"\x82" + KEY + b"\x00\x00\x0e\x10"),
    (Resume(ID, BOOT, 2, 300, NONCE), b"\x83" + ID + BOOT + b"\0\0\0\x02" + b"\0\0\0\0\0\0\x01\x2c" + NONCE),
    (Challenge(NONCE), b"\x84" + NONCE),
    (Proof(KEY), b"\x85" + KEY),
    (Resumed(300, KEY), b"\x86\0\0\0\0\0\0\x01\x2c" + KEY),
    (Closed(CloseCode.REVOKED, "né"), b"\x87\x00\x04n\xc3\xa9"),
    (Data(300, b"abc"), b"\x88\0\0\0\0\0\0\x01\x2cabc"),
    (Ack(300), b"\x89\0\0\0\0\0\0\x01\x2c"),
    (Command(b"{}"), b"\xa0{}"),
    (Answer(b"{}"), b"\xa1{}"),
]
FIXED = (Ping, Pong, Open, Accept, Resume, Challenge, Proof, Resumed, Ack)


def test_all_that_is_public_is_there() -> None:
    assert [name for name in frames.__all__ if not hasattr(frames, name)] == []


@pytest.mark.parametrize(("frame", "message"), BYTES, ids=lambda value: type(value).__name__)
def test_frame_has_its_bytes(frame: Frame, message: bytes) -> None:
    assert encode(frame) == message
    assert parse(message) == frame


def test_each_type_has_its_bytes_above() -> None:
    assert {message[0] for _, message in BYTES} == set(frames.FrameType)


@pytest.mark.parametrize(("frame", "message"), BYTES, ids=lambda value: type(value).__name__)
def test_frame_that_is_too_short_is_refused(frame: Frame, message: bytes) -> None:
    shortest = len(message)
    if isinstance(frame, Data):
        shortest = 9
    elif isinstance(frame, Closed):
        shortest = 3
    elif isinstance(frame, Command | Answer):
        shortest = 1
    for size in range(1, shortest):
        with pytest.raises(RemoteProtocolError):
            parse(message[:size])


@pytest.mark.parametrize(("frame", "message"), BYTES, ids=lambda value: type(value).__name__)
def test_only_a_hello_may_be_longer_than_its_layout(frame: Frame, message: bytes) -> None:
    if isinstance(frame, Hello):
        assert parse(message + b"of a later version") == frame
    elif isinstance(frame, FIXED):
        with pytest.raises(RemoteProtocolError):
            parse(message + b"x")


def test_data_is_a_view_of_the_message() -> None:
    message = data_header(7) + b"abc"
    frame = parse(message)
    assert isinstance(frame, Data)
    assert isinstance(frame.data, memoryview)
    assert frame.data.obj is message


@pytest.mark.parametrize("frame_type", [0x00, 0x03, 0x7F])
def test_unknown_type_below_0x80_is_ignored(frame_type: int) -> None:
    assert parse(bytes([frame_type]) + b"whatever") is None


@pytest.mark.parametrize("frame_type", [0x8A, 0x9F, 0xA2, 0xFF])
def test_unknown_type_from_0x80_on_is_fatal(frame_type: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"{frame_type:#04x}"):
        parse(bytes([frame_type]) + b"whatever")


def test_empty_message_and_foreign_magic_are_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"")
    with pytest.raises(RemoteProtocolError, match="magic"):
        parse(encode(Hello()).replace(b"GNBA", b"HTTP"))


def test_reason_at_the_limit_and_past_it() -> None:
    longest = "x" * MAX_REASON_BYTES
    assert parse(encode(Closed(0, longest))) == Closed(0, longest)
    assert parse(encode(Closed(0, longest + "x"))) == Closed(0, longest)
    assert parse(encode(Closed(0, "é" * 513))) == Closed(0, "é" * 512)
    with pytest.raises(RemoteProtocolError):
        parse(encode(Closed(0, longest)) + b"x")
    with pytest.raises(RemoteProtocolError):
        parse(b"\x87\x00\x00\xff")


@pytest.mark.parametrize("frame_class", [Command, Answer])
def test_command_at_the_limit_and_past_it(frame_class: type[Command] | type[Answer]) -> None:
    longest = frame_class(b"x" * MAX_CONTROL_BYTES)
    assert parse(encode(longest)) == longest
    with pytest.raises(LocalProtocolError):
        encode(frame_class(b"x" * (MAX_CONTROL_BYTES + 1)))
    with pytest.raises(RemoteProtocolError):
        parse(encode(longest) + b"x")


def test_hello_promises_within_limits() -> None:
    for promise in (MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES):
        assert parse(encode(Hello(max_message=promise))) == Hello(max_message=promise)
    for promise in (MIN_MESSAGE_BYTES - 1, MAX_MESSAGE_BYTES + 1):
        with pytest.raises(LocalProtocolError):
            encode(Hello(max_message=promise))


def test_hello_of_another_major_version_or_too_small_a_promise_is_refused() -> None:
    check_hello(Hello(minor=200, features=0xFFFF_FFFF, max_message=0xFFFF_FFFF))
    check_hello(Hello(max_message=MIN_MESSAGE_BYTES))
    with pytest.raises(RemoteProtocolError, match="version 2"):
        check_hello(Hello(major=MAJOR + 1))
    with pytest.raises(RemoteProtocolError):
        check_hello(Hello(max_message=MIN_MESSAGE_BYTES - 1))


def test_member_of_the_wrong_length_is_an_error_of_ours() -> None:
    wrong: list[Frame] = [Ping(b"1"), Open(b"", KEY), Open(ID, ID), Proof(ID), Resume(ID, b"", 0, 0, NONCE)]
    for frame in wrong:
        with pytest.raises(LocalProtocolError):
            encode(frame)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(message: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse(message)


@given(st.sampled_from([message[0] for _, message in BYTES]), st.binary(max_size=100))
def test_random_bytes_behind_a_known_type_raise_nothing_else(frame_type: int, rest: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse(bytes([frame_type]) + rest)
