from __future__ import annotations

import pytest

from genba_gateway.domain.control_carriers import (
    MAX_WAITING_BYTES,
    AgentGreeted,
    CarrierSilent,
    ControlCarrier,
    DialRefused,
)
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.control import Dial, DialFailed
from genba_wire.tunnel.control import encode as encode_message
from genba_wire.tunnel.frames import (
    DEAD_AFTER_S,
    GREETING_S,
    PING_AFTER_S,
    Answer,
    Closed,
    Command,
    Hello,
    Ping,
    Pong,
    encode,
    parse,
)

BOOT_ID = b"b" * 16
NONCE = "7b0e4f6e-3f0e-4d3e-8a52-0f6f6a2a9c11"


def greeted() -> ControlCarrier:
    carrier = ControlCarrier(0.0)
    assert carrier.receive_message(encode(Hello(BOOT_ID)), 0.0) == [
        AgentGreeted("62626262-6262-6262-6262-626262626262", "1.0")
    ]
    assert [type(parse(message)) for message in carrier.messages_to_send()] == [Hello]
    return carrier


@pytest.mark.parametrize("first", [Ping(b"12345678"), Hello(BOOT_ID, major=2)])
def test_an_agent_says_hello_first_and_in_our_version(first: Ping | Hello) -> None:
    with pytest.raises(RemoteProtocolError):
        ControlCarrier(0.0).receive_message(encode(first), 0.0)


def test_an_agent_that_never_says_hello_is_given_up() -> None:
    carrier = ControlCarrier(0.0)
    assert carrier.handle_timer(GREETING_S - 0.1) is None
    assert isinstance(carrier.handle_timer(GREETING_S), CarrierSilent)


def test_a_quiet_agent_is_pinged_and_a_silent_one_given_up() -> None:
    carrier = greeted()
    assert carrier.handle_timer(PING_AFTER_S) is None
    assert [type(parse(message)) for message in carrier.messages_to_send()] == [Ping]
    assert carrier.handle_timer(DEAD_AFTER_S - 0.1) is None
    assert isinstance(carrier.handle_timer(DEAD_AFTER_S), CarrierSilent)


def test_pings_are_answered_and_refusals_told() -> None:
    carrier = greeted()
    assert carrier.receive_message(encode(Ping(b"12345678")), 1.0) == []
    assert [parse(message) for message in carrier.messages_to_send()] == [Pong(b"12345678")]
    refusal = Answer(encode_message(DialFailed(nonce=NONCE, reason="no route")))
    assert carrier.receive_message(encode(refusal), 1.0) == [DialRefused(NONCE, "no route")]


def test_what_an_agent_does_not_say_here_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="Closed"):
        greeted().receive_message(encode(Closed(0)), 1.0)


def test_an_agent_that_reads_nothing_is_stuck_past_the_limit() -> None:
    carrier = greeted()
    dial = Dial(nonce=NONCE, build_id="b", ticket="t" * 1000)
    size = 0
    carrier.send_dial(dial, 0.0)
    [message] = carrier.messages_to_send()
    assert isinstance(parse(message), Command)
    while size + len(message) <= MAX_WAITING_BYTES:
        carrier.send_dial(dial, 0.0)
        size += len(message)
    pong_bytes = len(encode(Pong(b"12345678")))
    while size + pong_bytes <= MAX_WAITING_BYTES:
        carrier.receive_message(encode(Ping(b"12345678")), 0.0)
        size += pong_bytes
    assert not carrier.is_stuck
    carrier.receive_message(encode(Ping(b"12345678")), 0.0)
    assert carrier.is_stuck
    carrier.messages_to_send()
    assert not carrier.is_stuck
