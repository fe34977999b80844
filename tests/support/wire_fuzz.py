"""Fuzzing of what reads bytes of strangers: each target takes one input, and may raise the documented errors only.

Inputs are random bytes, whole frames with any fields, and whole frames that were bent: so that they reach behind the
first check. What may not be besides crashes: memory that grows past what the protocol allows, and endless loops (the
caller sets a time limit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from struct import Struct
from typing import Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel import control, frames, mux_frames, streams
from genba_wire.tunnel.frames import MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES, CloseCode
from genba_wire.tunnel.greeting import Greeting
from genba_wire.tunnel.link import Link, LinkState
from genba_wire.tunnel.mux import MAX_STREAMS, Mux, StreamData, StreamOpened
from genba_wire.tunnel.mux_frames import MuxFrameReader
from genba_wire.tunnel.replay import CONTROL_RESERVE_BYTES, MAX_REPLAY_BYTES, ReplayBudget
from genba_wire.tunnel.secret import public_key
from genba_wire.websocket_frames import MessageReader, Opcode, encode_header

Target: TypeAlias = Callable[[DataObject], None]

LINK_ID: Final = b"l" * 16
BOOT_ID: Final = b"b" * 16
CLIENT_KEY: Final = b"c" * 32
AGENT_KEY: Final = b"a" * 32
WEBSOCKET_MESSAGE_BYTES: Final = 4096

_BYTES: Final = st.binary(max_size=200)
_U16: Final = st.integers(0, 0xFFFF)
_U32: Final = st.one_of(st.integers(0, 3), st.integers(0, 0xFFFF_FFFF))
_U64: Final = st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1))
_TEXT: Final = st.text(max_size=20)


def _id(usual: bytes) -> SearchStrategy[bytes]:
    """Mostly what fits, so that what comes behind is reached."""
    return st.one_of(st.just(usual), st.just(usual), st.binary(min_size=len(usual), max_size=len(usual)))


_FRAMES: Final[SearchStrategy[frames.Frame]] = st.one_of(
    st.builds(
        frames.Hello,
        _id(BOOT_ID),
        major=st.integers(0, 3),
        minor=st.integers(0, 3),
        features=_U32,
        max_message=st.integers(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES),
    ),
    st.builds(frames.Open, _id(LINK_ID), _id(CLIENT_KEY)),
    st.builds(frames.Accept, _id(AGENT_KEY), _U32),
    st.builds(frames.Resume, _id(LINK_ID), _id(BOOT_ID), _U32, _U64, _id(bytes(16))),
    st.builds(frames.Challenge, _id(bytes(16))),
    st.builds(frames.Proof, _id(bytes(32))),
    st.builds(frames.Resumed, _U64, _id(bytes(32))),
    st.builds(frames.Data, _U64, _BYTES),
    st.builds(frames.Ack, _U64),
    st.builds(frames.Ping, _id(bytes(8))),
    st.builds(frames.Pong, _id(bytes(8))),
    st.builds(frames.Closed, _U16, _TEXT),
    st.builds(frames.Command, _BYTES),
    st.builds(frames.Answer, _BYTES),
)

_STREAM: Final = st.one_of(st.integers(1, 8), st.integers(1, 8), _U32)
_MUX_FRAMES: Final[SearchStrategy[mux_frames.MuxFrame]] = st.one_of(
    st.builds(mux_frames.Open, _STREAM, _U32, st.sampled_from(["pty", "tcp", "x"]), _BYTES),
    st.builds(mux_frames.Accept, _STREAM, _U32, _BYTES),
    st.builds(mux_frames.Data, _STREAM, _BYTES),
    st.builds(mux_frames.Credit, _STREAM, _U32),
    st.builds(mux_frames.Finish, _STREAM),
    st.builds(mux_frames.Reset, _STREAM, _U16, _TEXT),
    st.builds(mux_frames.Note, _STREAM, _BYTES),
)
_WEBSOCKET_HEADER: Final = Struct(">BB")


@st.composite
def _bent(draw: st.DrawFn, whole: SearchStrategy[bytes]) -> bytes:
    """Bytes of which some were changed, left out or added."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 2)):
            case 0:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del data[at : at + draw(st.integers(1, 8))]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(data)


MESSAGES: Final = st.one_of(
    st.builds(frames.encode, _FRAMES), _bent(st.builds(frames.encode, _FRAMES)), st.binary(max_size=100)
)
"""What may come on a carrier."""

MUX_BYTES: Final = st.one_of(
    st.builds(mux_frames.encode, _MUX_FRAMES), _bent(st.builds(mux_frames.encode, _MUX_FRAMES)), _BYTES
)
"""What may come on a link."""

_JSON: Final = st.one_of(
    _BYTES,
    _bent(
        st.sampled_from(
            [
                b'{"type":"dial","nonce":"00000000-0000-0000-0000-000000000000","build_id":"b","ticket":"t"}',
                b'{"type":"dial_failed","nonce":"00000000-0000-0000-0000-000000000000","reason":"r"}',
                b'{"type":"resize","height":24,"width":80}',
                b'{"type":"exited","code":-9}',
                b'{"reconnect":"00000000-0000-0000-0000-000000000000","command":"c","height":24,"width":80}',
                b'{"host":"127.0.0.1","port":80}',
                b"[" * 5000,
            ]
        )
    ),
)


def fuzz_frames(data: DataObject) -> None:
    """Frames of carriers."""
    message = data.draw(MESSAGES)
    with suppress(RemoteProtocolError):
        frame = frames.parse(message)
        # A hello may promise anything until it is checked.
        if frame is not None and not isinstance(frame, frames.Hello):
            assert frames.parse(frames.encode(frame)) == frame


def fuzz_mux_frames(data: DataObject) -> None:
    """Frames of streams, cut anywhere."""
    reader = MuxFrameReader()
    with suppress(RemoteProtocolError):
        for piece in data.draw(st.lists(MUX_BYTES, max_size=12)):
            reader.feed(piece)
            kept = len(reader._kept)  # pyright: ignore[reportPrivateUsage]
            assert kept <= mux_frames.MAX_PAYLOAD_BYTES + mux_frames.MAX_HEAD_BYTES


@st.composite
def _websocket_bytes(draw: st.DrawFn) -> bytes:
    opcode = draw(st.sampled_from([*Opcode, Opcode.BINARY, Opcode.BINARY, 3, 11]))
    payload = draw(st.one_of(st.binary(max_size=125), st.just(bytes(2000)), st.just(bytes(5000))))
    masked, fin = draw(st.booleans()), draw(st.booleans())
    if opcode >= Opcode.CLOSE and len(payload) > 125:
        return _WEBSOCKET_HEADER.pack(0x80 | opcode, 126) + payload
    return encode_header(opcode, len(payload), masked=masked, fin=fin) + payload


def fuzz_websockets(data: DataObject) -> None:
    """Frames and messages of websockets, cut anywhere."""
    reader = MessageReader(is_server=data.draw(st.booleans()), max_message=WEBSOCKET_MESSAGE_BYTES)
    pieces = data.draw(st.lists(st.one_of(_websocket_bytes(), _bent(_websocket_bytes()), _BYTES), max_size=8))
    whole = b"".join(pieces)
    size = data.draw(st.integers(1, 3000))
    with suppress(RemoteProtocolError):
        for at in range(0, len(whole), size):
            reader.feed(whole[at : at + size])
            assert len(reader._pieces) <= WEBSOCKET_MESSAGE_BYTES  # pyright: ignore[reportPrivateUsage]


def fuzz_json(data: DataObject) -> None:
    """Commands, answers, heads and notes."""
    text = data.draw(_JSON)
    for parse in (
        control.parse_command,
        control.parse_answer,
        streams.parse_pty_open,
        streams.parse_tcp_open,
        streams.parse_pty_note,
    ):
        with suppress(RemoteProtocolError):
            parse(text)


def fuzz_greeting(data: DataObject) -> None:
    """The first messages of a carrier, which raise nothing at all."""
    greeting = Greeting(BOOT_ID, 0.0)
    events = 0
    for message in data.draw(st.lists(MESSAGES, max_size=8)):
        events += len(greeting.receive_message(message, 1.0))
        greeting.messages_to_send()
    assert events + len(greeting.handle_timer(1000.0)) == 1


def fuzz_link(data: DataObject) -> None:
    """An end of a link in whatever state, whose peer says anything, and whose user does what users do."""
    budget = ReplayBudget()
    link = _make_link(data, budget)
    now = 1.0
    for _ in range(data.draw(st.integers(1, 25))):
        with suppress(RemoteProtocolError, LocalProtocolError):
            now += _act(data, link, now)
        link.messages_to_send()
        assert 0 <= link.acknowledged <= link.sent
        assert link.sent - link.acknowledged == budget.held <= MAX_REPLAY_BYTES + CONTROL_RESERVE_BYTES
        when = link.next_timer()
        assert when is None or link.state is not LinkState.CLOSED or when <= now
    link.close(CloseCode.NORMAL, "")
    assert budget.held == 0


def _make_link(data: DataObject, budget: ReplayBudget) -> Link:
    if data.draw(st.booleans()):
        link = Link.connect(LINK_ID, CLIENT_KEY, now=0.0, random=bytes, budget=budget)
        if data.draw(st.booleans()):
            link.attach(0.0)
            for greeting in (frames.Hello(BOOT_ID), frames.Accept(public_key(AGENT_KEY), 3600)):
                link.receive_message(frames.encode(greeting), 0.0)
            assert link.state is LinkState.OPEN
        return link
    opening = frames.Open(LINK_ID, public_key(CLIENT_KEY))
    return Link.accept(
        opening, private_key=AGENT_KEY, boot_id=BOOT_ID, keep_s=3600, now=0.0, random=bytes, budget=budget
    )


def _act(data: DataObject, link: Link, now: float) -> float:
    """Do one thing; returns how much time passes."""
    match data.draw(st.integers(0, 9)):
        case 0:
            link.attach(now)
        case 1:
            link.detach(now)
        case 2:
            link.resume(frames.Resume(LINK_ID, BOOT_ID, data.draw(_U32), data.draw(_U64), bytes(16)), now)
        case 3:
            link.send((data.draw(_BYTES), data.draw(st.sampled_from([b"", bytes(5000), bytes(60_000)]))))
        case 4:
            link.resend(data.draw(st.integers(0, 100_000)))
        case 5:
            passes = data.draw(st.sampled_from([0.1, 10.0, 40.0, 4000.0]))
            link.handle_timer(now + passes)
            return passes
        case _:
            link.receive_message(data.draw(MESSAGES), now)
    return 0.0


def fuzz_mux(data: DataObject) -> None:
    """The streams of a link, whose peer says anything, and whose user does what users do."""
    mux = Mux(is_client=data.draw(st.booleans()))
    unread: dict[int, int] = {}
    opened = [1]
    for _ in range(data.draw(st.integers(1, 25))):
        with suppress(LocalProtocolError):
            stream = data.draw(st.sampled_from(opened))
            match data.draw(st.integers(0, 8)):
                case 0:
                    opened.append(mux.open("pty"))
                case 1:
                    mux.accept(stream)
                case 2:
                    mux.send(stream, data.draw(_BYTES))
                case 3:
                    mux.finish(stream)
                case 4:
                    mux.consumed(stream, unread.pop(stream, 0))
                case 5:
                    mux.reset(stream, 1, "")
                case _:
                    try:
                        events = mux.receive(data.draw(MUX_BYTES))
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
    "json": fuzz_json,
    "greeting": fuzz_greeting,
    "link": fuzz_link,
    "mux": fuzz_mux,
}
