"""The agent's end of a carrier before it is known which link it is for, as conversations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.tunnel.frames import (
    GREETING_S,
    MAX_MESSAGE_BYTES,
    CloseCode,
    Closed,
    Frame,
    Hello,
    Open,
    Ping,
    Pong,
    Resume,
    encode,
    parse,
)
from genba_wire.tunnel.greeting import Greeting, GreetingFailed, LinkRequested

BOOT = b"b" * 16
OPEN = Open(b"i" * 16, b"k" * 32)
RESUME = Resume(b"i" * 16, BOOT, 1, 0, b"n" * 16)


def sent(greeting: Greeting) -> list[Frame | None]:
    return [parse(b"".join(parts)) for parts in greeting.messages_to_send()]


@pytest.mark.parametrize("request_frame", [OPEN, RESUME])
def test_client_says_hello_and_what_it_wants(request_frame: Open | Resume) -> None:
    greeting = Greeting(BOOT, 0.0)
    assert greeting.receive_message(encode(Hello()), 1.0) == []
    assert sent(greeting) == [Hello(BOOT)]
    assert greeting.receive_message(encode(request_frame), 1.0) == [LinkRequested(request_frame, Hello())]
    assert sent(greeting) == []
    assert greeting.next_timer() is None
    assert greeting.receive_message(b"what comes now is the link's", 2.0) == []


def test_client_of_a_later_minor_version_is_understood() -> None:
    greeting = Greeting(BOOT, 0.0)
    theirs = Hello(minor=9, features=0xF00, max_message=MAX_MESSAGE_BYTES)
    greeting.receive_message(encode(theirs) + b"more", 1.0)
    assert greeting.receive_message(b"\x42unknown", 1.0) == []
    assert greeting.receive_message(encode(OPEN), 1.0) == [LinkRequested(OPEN, theirs)]


def test_client_of_another_major_version_hears_which_versions_met() -> None:
    greeting = Greeting(BOOT, 0.0)
    [failed] = greeting.receive_message(encode(Hello(major=2)), 1.0)
    assert isinstance(failed, GreetingFailed)
    assert failed.code is CloseCode.PROTOCOL
    assert sent(greeting) == [Hello(BOOT), Closed(CloseCode.PROTOCOL, failed.reason)]
    assert greeting.receive_message(encode(OPEN), 1.0) == []


def test_link_of_an_earlier_process_is_over() -> None:
    greeting = Greeting(b"B" * 16, 0.0)
    greeting.receive_message(encode(Hello()), 1.0)
    sent(greeting)
    [failed] = greeting.receive_message(encode(RESUME), 1.0)
    assert isinstance(failed, GreetingFailed)
    assert failed.code is CloseCode.WORKSPACE_RESTARTED
    assert sent(greeting) == [Closed(CloseCode.WORKSPACE_RESTARTED, "the workspace restarted")]


def test_link_that_nobody_has_is_refused() -> None:
    greeting = Greeting(BOOT, 0.0)
    failed = greeting.refuse(CloseCode.UNKNOWN_LINK, "no such link")
    assert failed == GreetingFailed(CloseCode.UNKNOWN_LINK, "no such link")
    assert sent(greeting) == [Closed(CloseCode.UNKNOWN_LINK, "no such link")]


def test_ping_is_answered_and_pong_ignored() -> None:
    greeting = Greeting(BOOT, 0.0)
    assert greeting.receive_message(encode(Ping(b"12345678")), 1.0) == []
    assert greeting.receive_message(encode(Pong(b"12345678")), 1.0) == []
    assert sent(greeting) == [Pong(b"12345678")]


def test_open_without_a_hello_and_a_second_hello_are_refused() -> None:
    first, second = Greeting(BOOT, 0.0), Greeting(BOOT, 0.0)
    second.receive_message(encode(Hello()), 1.0)
    for greeting, message in ((first, encode(OPEN)), (second, encode(Hello()))):
        [failed] = greeting.receive_message(message, 1.0)
        assert isinstance(failed, GreetingFailed)
        assert failed.code is CloseCode.PROTOCOL


def test_silent_client_is_given_up_in_time() -> None:
    greeting = Greeting(BOOT, 100.0)
    assert greeting.next_timer() == 100 + GREETING_S
    assert greeting.handle_timer(100 + GREETING_S - 0.1) == []
    [failed] = greeting.handle_timer(100 + GREETING_S)
    assert isinstance(failed, GreetingFailed)
    assert sent(greeting) == [Closed(CloseCode.PROTOCOL, failed.reason)]
    assert greeting.next_timer() is None
    assert greeting.handle_timer(200.0) == []


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_random_bytes_raise_nothing(messages: list[bytes]) -> None:
    greeting = Greeting(BOOT, 0.0)
    events = [event for message in messages for event in greeting.receive_message(message, 1.0)]
    assert len(events) <= 1
