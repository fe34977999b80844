"""An end that is one minor version behind keeps working: with a client of a later version, this one is that end.

The later client says a higher minor version, features that are unknown here, a longer hello and a larger promise; it
sends frames below 0x80 that are unknown here, on the carrier and between streams, and unknown keys in JSON.
"""

from __future__ import annotations

from genba_wire.tunnel.control import DialFailed, parse_answer, parse_command
from genba_wire.tunnel.frames import MINOR, Hello, Open, encode, parse
from genba_wire.tunnel.greeting import Greeting, LinkRequested
from genba_wire.tunnel.link import DataReceived, Link, LinkEvent, LinkOpened
from genba_wire.tunnel.mux import Mux, StreamData, StreamOpened
from genba_wire.tunnel.mux_frames import HEADER
from genba_wire.tunnel.streams import PtyOpen, parse_pty_note, parse_pty_open
from tests.unit.wire.tunnel.link_pair import BOOT, KEEP_S, FakeRandom, make_client

RECONNECT = "5f0c2a52-6d7b-4d1f-9a33-0a1c9b3f7e21"
UNKNOWN = b"\x33a frame of a later version"


def later_hello(boot_id: bytes = bytes(16)) -> bytes:
    """What a later minor version says: more in every place where it may say more."""
    hello = bytearray(encode(Hello(boot_id, minor=MINOR + 1, features=0b1010)))
    hello[11:15] = (4 * 1024 * 1024).to_bytes(4, "big")
    return bytes(hello) + b"\x00\x07members of a later version"


def test_later_hello_is_read() -> None:
    assert parse(later_hello(BOOT)) == Hello(BOOT, minor=MINOR + 1, features=0b1010, max_message=4 * 1024 * 1024)


def test_agent_serves_a_client_of_a_later_minor_version() -> None:
    client = make_client()
    client.attach(0.0)
    _, opening = [b"".join(parts) for parts in client.messages_to_send()]

    greeting = Greeting(BOOT, 0.0)
    assert greeting.receive_message(later_hello(), 0.0) == []
    assert greeting.receive_message(UNKNOWN, 0.0) == []
    [requested] = greeting.receive_message(opening, 0.0)
    assert isinstance(requested, LinkRequested)
    assert isinstance(requested.frame, Open)
    agent = Link.accept(
        requested.frame,
        private_key=b"a" * 32,
        boot_id=BOOT,
        keep_s=KEEP_S,
        now=0.0,
        hello=requested.hello,
        random=FakeRandom(2),
    )
    for parts in (*greeting.messages_to_send(), *agent.messages_to_send()):
        client.receive_message(b"".join(parts), 0.0)

    later = Mux(is_client=True)
    stream = later.open("pty", f'{{"reconnect":"{RECONNECT}","theme":"dark"}}'.encode())
    client.send((HEADER.pack(0x12, stream, 9), b"and more.", *later.frames_to_send()))
    assert agent.receive_message(UNKNOWN, 1.0) == []
    served = Mux(is_client=False)
    [received] = agent.receive_message(b"".join(client.messages_to_send()[0]), 1.0)
    assert isinstance(received, DataReceived)
    [opened] = served.receive(received.data)
    assert isinstance(opened, StreamOpened)
    assert parse_pty_open(opened.head) == PtyOpen(reconnect=RECONNECT)

    served.accept(stream)
    served.send(stream, b"$ ")
    agent.send(served.frames_to_send())
    [answer] = client.receive_message(b"".join(agent.messages_to_send()[0]), 1.0)
    assert isinstance(answer, DataReceived)
    assert StreamData(stream, memoryview(b"$ ")) in later.receive(answer.data)


def test_client_is_served_by_an_agent_of_a_later_minor_version() -> None:
    client = make_client()
    client.attach(0.0)
    opening = parse(b"".join(client.messages_to_send()[1]))
    assert isinstance(opening, Open)
    agent = Link.accept(opening, private_key=b"a" * 32, boot_id=BOOT, keep_s=KEEP_S, now=0.0)
    events: list[LinkEvent] = []
    for message in (later_hello(BOOT), UNKNOWN, b"".join(agent.messages_to_send()[0])):
        events += client.receive_message(message, 0.0)
    assert events == [LinkOpened(BOOT, KEEP_S)]


def test_unknown_commands_answers_and_notes_are_ignored() -> None:
    assert parse_command(b'{"type":"prefetch","nonce":5}') is None
    assert parse_answer(b'{"type":"prefetched"}') is None
    assert parse_pty_note(b'{"type":"theme"}') is None
    answer = f'{{"type":"dial_failed","nonce":"{RECONNECT}","reason":"no","retry_s":5}}'
    assert parse_answer(answer.encode()) == DialFailed(nonce=RECONNECT, reason="no")
