"""Fuzzing of what reads bytes of strangers: each target takes one input, and may raise the documented errors only.

Inputs are random bytes, whole frames with any fields, and whole frames that were bent: so that they reach behind the
first check. All is drawn from one generator, so that a seed repeats it; Hypothesis draws fifty times slower, which for
inputs as small as these is worth more than what it leaves out of a counterexample. What may not be besides crashes:
memory that grows past what the protocol allows, and endless loops (the caller sets a time limit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from struct import Struct
from typing import Final, TypeAlias

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.http_frames import MAX_END_BYTES, CarrierEnd, CarrierMessage, HttpFrameReader, encode_end, encode_length
from genba_wire.tunnel import control, frames, mux_frames, streams
from genba_wire.tunnel.frames import MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES, CloseCode
from genba_wire.tunnel.greeting import Greeting
from genba_wire.tunnel.link import Link, LinkState
from genba_wire.tunnel.mux import MAX_STREAMS, Mux, StreamData, StreamOpened
from genba_wire.tunnel.mux_frames import MuxFrameReader
from genba_wire.tunnel.replay import CONTROL_RESERVE_BYTES, MAX_REPLAY_BYTES, ReplayBudget
from genba_wire.tunnel.secret import public_key
from genba_wire.websocket_frames import MessageReader, Opcode, encode_header

Target: TypeAlias = Callable[[Random], None]

LINK_ID: Final = b"l" * 16
BOOT_ID: Final = b"b" * 16
CLIENT_KEY: Final = b"c" * 32
AGENT_KEY: Final = b"a" * 32
CLIENT_PUBLIC_KEY: Final = public_key(CLIENT_KEY)
AGENT_PUBLIC_KEY: Final = public_key(AGENT_KEY)
WEBSOCKET_MESSAGE_BYTES: Final = 4096

_U32: Final = 0xFFFF_FFFF
_U64: Final = 2**64 - 1
_EDGES: Final = (0, 1, 2, 100, 0x7FFF_FFFF, _U32)
_WEBSOCKET_HEADER: Final = Struct(">BB")

_JSON: Final = (
    b'{"type":"dial","nonce":"00000000-0000-0000-0000-000000000000","build_id":"b","ticket":"t"}',
    b'{"type":"dial_failed","nonce":"00000000-0000-0000-0000-000000000000","reason":"r"}',
    b'{"type":"resize","height":24,"width":80}',
    b'{"type":"exited","code":-9}',
    b'{"reconnect":"00000000-0000-0000-0000-000000000000","command":"c","height":24,"width":80}',
    b'{"host":"127.0.0.1","port":80}',
    b"[" * 5000,
)


def _bytes(draw: Random, most: int = 200) -> bytes:
    return draw.randbytes(draw.randint(0, most))


def _number(draw: Random, most: int) -> int:
    return min(draw.choice(_EDGES), most) if draw.random() < 0.7 else draw.randint(0, most)


def _usual(draw: Random, usual: bytes) -> bytes:
    """Mostly what fits, so that what comes behind is reached."""
    return usual if draw.random() < 0.8 else draw.randbytes(len(usual))


_FRAMES: Final[Sequence[Callable[[Random], frames.Frame]]] = (
    lambda draw: frames.Hello(
        _usual(draw, BOOT_ID),
        major=draw.choice((frames.MAJOR, draw.randint(0, 3))),
        features=_number(draw, _U32),
        max_message=draw.randint(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES),
    ),
    lambda draw: frames.Open(_usual(draw, LINK_ID), _usual(draw, CLIENT_PUBLIC_KEY)),
    lambda draw: frames.Accept(_usual(draw, AGENT_PUBLIC_KEY), _number(draw, _U32)),
    lambda draw: frames.Resume(
        _usual(draw, LINK_ID), _usual(draw, BOOT_ID), _number(draw, _U32), _number(draw, _U64), bytes(16)
    ),
    lambda draw: frames.Challenge(_usual(draw, bytes(16))),
    lambda draw: frames.Proof(_usual(draw, bytes(32))),
    lambda draw: frames.Resumed(_number(draw, _U64), _usual(draw, bytes(32))),
    lambda draw: frames.Data(_number(draw, _U64), _bytes(draw)),
    lambda draw: frames.Ack(_number(draw, _U64)),
    lambda draw: frames.Ping(_usual(draw, bytes(8))),
    lambda draw: frames.Pong(_usual(draw, bytes(8))),
    lambda draw: frames.Closed(draw.randint(0, 0xFFFF), "x" * draw.randint(0, 20)),
    lambda draw: frames.Command(_bytes(draw)),
    lambda draw: frames.Answer(_bytes(draw)),
)


def _stream(draw: Random) -> int:
    return draw.randint(1, 8) if draw.random() < 0.9 else _number(draw, _U32)


_MUX_FRAMES: Final[Sequence[Callable[[Random], mux_frames.MuxFrame]]] = (
    lambda draw: mux_frames.Open(_stream(draw), _number(draw, _U32), draw.choice(("pty", "x")), _bytes(draw)),
    lambda draw: mux_frames.Accept(_stream(draw), _number(draw, _U32), _bytes(draw)),
    lambda draw: mux_frames.Data(_stream(draw), _bytes(draw)),
    lambda draw: mux_frames.Credit(_stream(draw), _number(draw, _U32)),
    lambda draw: mux_frames.Finish(_stream(draw)),
    lambda draw: mux_frames.Reset(_stream(draw), draw.randint(0, 0xFFFF), "x" * draw.randint(0, 20)),
    lambda draw: mux_frames.Note(_stream(draw), _bytes(draw)),
)


def _maybe_bent(draw: Random, whole: bytes) -> bytes:
    """Bytes of which some may be changed, left out or added."""
    if draw.random() < 0.6:
        return whole
    data = bytearray(whole)
    for _ in range(draw.randint(1, 3)):
        at = draw.randint(0, len(data))
        match draw.randint(0, 2):
            case 0:
                data[at : at + 1] = draw.randbytes(1)
            case 1:
                del data[at : at + draw.randint(1, 8)]
            case _:
                data[at:at] = draw.randbytes(draw.randint(1, 8))
    return bytes(data)


def draw_message(draw: Random) -> bytes:
    """What may come on a carrier."""
    if draw.random() < 0.1:
        return _bytes(draw)
    return _maybe_bent(draw, frames.encode(draw.choice(_FRAMES)(draw)))


def draw_mux_bytes(draw: Random) -> bytes:
    """What may come on a link."""
    if draw.random() < 0.1:
        return _bytes(draw)
    return _maybe_bent(draw, mux_frames.encode(draw.choice(_MUX_FRAMES)(draw)))


def _draw_websocket_bytes(draw: Random, *, masked: bool) -> bytes:
    opcode = draw.choice((*Opcode, Opcode.BINARY, Opcode.BINARY, 3, 11))
    payload = draw.choice((_bytes(draw, 125), bytes(2000), bytes(5000)))
    if opcode >= Opcode.CLOSE and len(payload) > 125:
        return _WEBSOCKET_HEADER.pack(0x80 | opcode, 126) + payload
    masked = masked if draw.random() < 0.9 else not masked
    return encode_header(opcode, len(payload), masked=masked, fin=draw.random() < 0.7) + payload


def fuzz_frames(draw: Random) -> None:
    """Frames of carriers."""
    message = draw_message(draw)
    with suppress(RemoteProtocolError):
        frame = frames.parse(message)
        # A hello may promise anything until it is checked.
        if frame is not None and not isinstance(frame, frames.Hello):
            assert frames.parse(frames.encode(frame)) == frame


def fuzz_mux_frames(draw: Random) -> None:
    """Frames of streams, cut anywhere."""
    reader = MuxFrameReader()
    with suppress(RemoteProtocolError):
        for _ in range(draw.randint(1, 12)):
            reader.feed(draw_mux_bytes(draw))
            kept = len(reader._kept)  # pyright: ignore[reportPrivateUsage]
            assert kept <= mux_frames.MAX_PAYLOAD_BYTES + mux_frames.MAX_HEAD_BYTES


def fuzz_websockets(draw: Random) -> None:
    """Frames and messages of websockets, cut anywhere."""
    is_server = draw.random() < 0.5
    reader = MessageReader(is_server=is_server, max_message=WEBSOCKET_MESSAGE_BYTES)
    pieces = [_maybe_bent(draw, _draw_websocket_bytes(draw, masked=is_server)) for _ in range(draw.randint(1, 8))]
    whole = b"".join(pieces)
    size = draw.choice((draw.randint(1, 20), draw.randint(1, 3000)))
    with suppress(RemoteProtocolError):
        for at in range(0, len(whole), size):
            reader.feed(whole[at : at + size])
            assert len(reader._pieces) <= WEBSOCKET_MESSAGE_BYTES  # pyright: ignore[reportPrivateUsage]


def _draw_http_bytes(draw: Random) -> bytes:
    match draw.randint(0, 5):
        case 0:
            return encode_end(draw.randint(0, 0xFFFF), "x" * draw.randint(0, 2000))
        case 1:
            return encode_length(_number(draw, _U32)) + _bytes(draw)
        case _:
            payload = draw.choice((b"", _bytes(draw), bytes(5000)))
            return encode_length(len(payload)) + payload


def fuzz_http_frames(draw: Random) -> None:
    """What carries messages over HTTP requests, cut anywhere."""
    whole = b"".join(_maybe_bent(draw, _draw_http_bytes(draw)) for _ in range(draw.randint(1, 8)))
    size = draw.choice((draw.randint(1, 20), draw.randint(1, 3000)))
    reader, is_over = HttpFrameReader(), False
    with suppress(RemoteProtocolError):
        for at in range(0, len(whole), size):
            events = reader.feed(whole[at : at + size])
            assert not (is_over and events)
            for event in events:
                if isinstance(event, CarrierEnd):
                    is_over = True
                    assert len(event.reason.encode(errors="replace")) <= 3 * MAX_END_BYTES
                else:
                    assert isinstance(event, CarrierMessage)
                    assert 0 < len(event.data) <= MAX_MESSAGE_BYTES
            assert reader.kept_bytes <= MAX_MESSAGE_BYTES + 4


def fuzz_json(draw: Random) -> None:
    """Commands, answers, heads and notes."""
    text = _bytes(draw) if draw.random() < 0.1 else _maybe_bent(draw, draw.choice(_JSON))
    for parse in (
        control.parse_command,
        control.parse_answer,
        streams.parse_pty_open,
        streams.parse_tcp_open,
        streams.parse_pty_note,
    ):
        with suppress(RemoteProtocolError):
            parse(text)


def fuzz_greeting(draw: Random) -> None:
    """The first messages of a carrier, which raise nothing at all."""
    greeting = Greeting(BOOT_ID, 0.0)
    events = 0
    for _ in range(draw.randint(0, 8)):
        events += len(greeting.receive_message(draw_message(draw), 1.0))
        greeting.messages_to_send()
    assert events + len(greeting.handle_timer(1000.0)) == 1


def fuzz_link(draw: Random) -> None:
    """An end of a link in whatever state, whose peer says anything, and whose user does what users do."""
    budget = ReplayBudget()
    link = _make_link(draw, budget)
    now = 1.0
    for _ in range(draw.randint(1, 25)):
        with suppress(RemoteProtocolError, LocalProtocolError):
            now += _act(draw, link, now)
        link.messages_to_send()
        assert 0 <= link.acknowledged <= link.sent
        assert link.sent - link.acknowledged == budget.held <= MAX_REPLAY_BYTES + CONTROL_RESERVE_BYTES
        when = link.next_timer()
        assert when is None or link.state is not LinkState.CLOSED or when <= now
    link.close(CloseCode.NORMAL, "")
    assert budget.held == 0


def _make_link(draw: Random, budget: ReplayBudget) -> Link:
    if draw.random() < 0.5:
        link = Link.connect(LINK_ID, CLIENT_KEY, now=0.0, random=bytes, budget=budget)
        if draw.random() < 0.5:
            link.attach(0.0)
            for greeting in (frames.Hello(BOOT_ID), frames.Accept(AGENT_PUBLIC_KEY, 3600)):
                link.receive_message(frames.encode(greeting), 0.0)
            assert link.state is LinkState.OPEN
        return link
    opening = frames.Open(LINK_ID, CLIENT_PUBLIC_KEY)
    return Link.accept(
        opening, private_key=AGENT_KEY, boot_id=BOOT_ID, keep_s=3600, now=0.0, random=bytes, budget=budget
    )


def _act(draw: Random, link: Link, now: float) -> float:
    """Do one thing; returns how much time passes."""
    match draw.randint(0, 9):
        case 0:
            link.attach(now)
        case 1:
            link.detach(now)
        case 2:
            link.resume(frames.Resume(LINK_ID, BOOT_ID, _number(draw, _U32), _number(draw, _U64), bytes(16)), now)
        case 3:
            link.send((_bytes(draw), draw.choice((b"", bytes(5000), bytes(60_000)))))
        case 4:
            link.resend(draw.randint(0, 100_000))
        case 5:
            passes = draw.choice((0.1, 10.0, 40.0, 4000.0))
            link.handle_timer(now + passes)
            return passes
        case _:
            link.receive_message(draw_message(draw), now)
    return 0.0


def fuzz_mux(draw: Random) -> None:
    """The streams of a link, whose peer says anything, and whose user does what users do."""
    mux = Mux(is_client=draw.random() < 0.5)
    unread: dict[int, int] = {}
    opened = [1]
    for _ in range(draw.randint(1, 25)):
        with suppress(LocalProtocolError):
            stream = draw.choice(opened)
            match draw.randint(0, 8):
                case 0:
                    opened.append(mux.open("pty"))
                case 1:
                    mux.accept(stream)
                case 2:
                    mux.send(stream, _bytes(draw))
                case 3:
                    mux.finish(stream)
                case 4:
                    mux.consumed(stream, unread.pop(stream, 0))
                case 5:
                    mux.reset(stream, 1, "")
                case _:
                    try:
                        events = mux.receive(draw_mux_bytes(draw))
                    except RemoteProtocolError:
                        return
                    for event in events:
                        if isinstance(event, StreamOpened):
                            opened.append(event.stream)
                        elif isinstance(event, StreamData):
                            unread[event.stream] = unread.get(event.stream, 0) + len(event.data)
        mux.frames_to_send()
        assert len(mux._streams) <= MAX_STREAMS  # pyright: ignore[reportPrivateUsage]


TARGETS: Final[Mapping[str, Target]] = {
    "frames": fuzz_frames,
    "mux_frames": fuzz_mux_frames,
    "websockets": fuzz_websockets,
    "http_frames": fuzz_http_frames,
    "json": fuzz_json,
    "greeting": fuzz_greeting,
    "link": fuzz_link,
    "mux": fuzz_mux,
}
