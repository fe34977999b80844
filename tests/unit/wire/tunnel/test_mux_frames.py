"""Frames of streams: their bytes, limits, and any cut."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel.frames import MAX_REASON_BYTES
from genba_wire.tunnel.mux_frames import (
    HEADER,
    MAX_HEAD_BYTES,
    MAX_KIND_BYTES,
    MAX_NOTE_BYTES,
    MAX_PAYLOAD_BYTES,
    Accept,
    Credit,
    Data,
    Finish,
    MuxFrame,
    MuxFrameReader,
    MuxType,
    Note,
    Open,
    Reset,
    ResetCode,
    data_header,
    encode,
)
from tests.unit.wire.splitting import cuts, split

BYTES: list[tuple[MuxFrame, bytes]] = [
    (Open(1, 0x40000, "pty", b"{}"), b"\x80\0\0\0\x01\0\0\0\x0a\0\x04\0\0\x03pty{}"),
    (Accept(1, 0x40000, b"ok"), b"\x81\0\0\0\x01\0\0\0\x06\0\x04\0\0ok"),
    (Data(1, b"abc"), b"\x82\0\0\0\x01\0\0\0\x03abc"),
    (Credit(1, 0x20000), b"\x83\0\0\0\x01\0\0\0\x04\0\x02\0\0"),
    (Finish(1), b"\x84\0\0\0\x01\0\0\0\x00"),
    (Reset(1, ResetCode.FAILED, "né"), b"\x85\0\0\0\x01\0\0\0\x05\0\x04n\xc3\xa9"),
    (Note(1, b"{}"), b"\x86\0\0\0\x01\0\0\0\x02{}"),
]


def join(frames: list[MuxFrame]) -> list[MuxFrame]:
    """With the parts of Data put together."""
    joined: list[MuxFrame] = []
    for frame in frames:
        if isinstance(frame, Data):
            last = joined[-1] if joined else None
            if isinstance(last, Data) and last.stream == frame.stream:
                joined[-1] = Data(last.stream, bytes(last.data) + bytes(frame.data))
            else:
                joined.append(Data(frame.stream, bytes(frame.data)))
        else:
            joined.append(frame)
    return joined


@pytest.mark.parametrize(("frame", "data"), BYTES, ids=lambda value: type(value).__name__)
def test_frame_has_its_bytes(frame: MuxFrame, data: bytes) -> None:
    assert encode(frame) == data
    assert MuxFrameReader().feed(data) == [frame]


def test_each_type_has_its_bytes_above() -> None:
    assert {data[0] for _, data in BYTES} == set(MuxType)


numbers = st.integers(0, 0xFFFF_FFFF)
any_frame: st.SearchStrategy[MuxFrame] = st.one_of(
    st.builds(Open, numbers, numbers, st.text(st.characters(codec="ascii"), min_size=1, max_size=20), st.binary()),
    st.builds(Accept, numbers, numbers, st.binary()),
    st.builds(Data, numbers, st.binary(min_size=1, max_size=300)),
    st.builds(Credit, numbers, numbers),
    st.builds(Finish, numbers),
    st.builds(Reset, numbers, st.integers(0, 0xFFFF), st.text(max_size=50)),
    st.builds(Note, numbers, st.binary(max_size=300)),
)


@given(frames=st.lists(any_frame, max_size=8), sizes=cuts())
def test_frames_are_read_however_they_are_cut(frames: list[MuxFrame], sizes: list[int]) -> None:
    stream = b"".join(encode(frame) for frame in frames)
    reader = MuxFrameReader()
    read = [frame for piece in split(stream, sizes) for frame in reader.feed(piece)]
    assert join(read) == join(frames)


@given(sizes=cuts(), size=st.integers(0, 500))
def test_unknown_type_below_0x80_is_skipped(sizes: list[int], size: int) -> None:
    stream = HEADER.pack(0x42, 7, size) + b"\x82" * size + encode(Finish(1))
    reader = MuxFrameReader()
    assert [frame for piece in split(stream, sizes) for frame in reader.feed(piece)] == [Finish(1)]


@pytest.mark.parametrize("frame_type", [0x87, 0xFF])
def test_unknown_type_from_0x80_on_is_fatal(frame_type: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"{frame_type:#04x}"):
        MuxFrameReader().feed(HEADER.pack(frame_type, 1, 0))


def test_little_among_much_is_copied() -> None:
    fed = encode(Data(1, b"x" * 10)) + encode(Data(3, bytes(10_000)))
    little, much = MuxFrameReader().feed(fed)
    assert isinstance(little, Data)
    assert isinstance(much, Data)
    assert memoryview(little.data).obj == b"x" * 10
    assert memoryview(much.data).obj is fed


def test_bulk_is_never_copied() -> None:
    fed = b"".join(encode(Data(1, bytes(MAX_PAYLOAD_BYTES))) for _ in range(4))
    assert all(memoryview(frame.data).obj is fed for frame in MuxFrameReader().feed(fed) if isinstance(frame, Data))


def test_data_is_a_view_of_what_was_fed() -> None:
    fed = encode(Data(1, b"abc"))
    [frame] = MuxFrameReader().feed(fed)
    assert isinstance(frame, Data)
    assert isinstance(frame.data, memoryview)
    assert frame.data.obj is fed


LIMITS: list[tuple[MuxFrame, MuxFrame]] = [
    (Open(1, 0, "k" * MAX_KIND_BYTES, bytes(MAX_HEAD_BYTES)), Open(1, 0, "k", bytes(MAX_HEAD_BYTES + 1))),
    (Open(1, 0, "k"), Open(1, 0, "")),
    (Open(1, 0, "k"), Open(1, 0, "é")),
    (Open(1, 0, "k" * MAX_KIND_BYTES), Open(1, 0, "k" * (MAX_KIND_BYTES + 1))),
    (Accept(1, 0, bytes(MAX_HEAD_BYTES)), Accept(1, 0, bytes(MAX_HEAD_BYTES + 1))),
    (Note(1, bytes(MAX_NOTE_BYTES)), Note(1, bytes(MAX_NOTE_BYTES + 1))),
    (Data(1, bytes(MAX_PAYLOAD_BYTES)), Data(1, bytes(MAX_PAYLOAD_BYTES + 1))),
]


@pytest.mark.parametrize(("most", "more"), LIMITS)
def test_frame_at_its_limit_and_past_it(most: MuxFrame, more: MuxFrame) -> None:
    assert MuxFrameReader().feed(encode(most)) == [most]
    with pytest.raises(LocalProtocolError):
        encode(more)


@pytest.mark.parametrize(
    ("frame_type", "most"),
    [
        (0x42, MAX_PAYLOAD_BYTES),
        (MuxType.OPEN, 5 + MAX_KIND_BYTES + MAX_HEAD_BYTES),
        (MuxType.ACCEPT, 4 + MAX_HEAD_BYTES),
        (MuxType.DATA, MAX_PAYLOAD_BYTES),
        (MuxType.CREDIT, 4),
        (MuxType.FINISH, 0),
        (MuxType.RESET, 2 + MAX_REASON_BYTES),
        (MuxType.NOTE, MAX_NOTE_BYTES),
    ],
)
def test_length_at_its_limit_and_past_it(frame_type: int, most: int) -> None:
    if frame_type != MuxType.FINISH:
        assert MuxFrameReader().feed(HEADER.pack(frame_type, 1, most)) == []
    with pytest.raises(RemoteProtocolError):
        MuxFrameReader().feed(HEADER.pack(frame_type, 1, most + 1))


def test_long_reason_is_cut() -> None:
    [frame] = MuxFrameReader().feed(encode(Reset(1, 2, "x" * (MAX_REASON_BYTES + 1))))
    assert frame == Reset(1, 2, "x" * MAX_REASON_BYTES)


@pytest.mark.parametrize(
    ("frame_type", "payload"),
    [
        (MuxType.OPEN, b"\0\0\0\0"),
        (MuxType.OPEN, b"\0\0\0\0\x00"),
        (MuxType.OPEN, b"\0\0\0\0\x04pty"),
        (MuxType.OPEN, b"\0\0\0\0\x01\xff"),
        (MuxType.OPEN, b"\0\0\0\0\x01k" + bytes(MAX_HEAD_BYTES + 1)),
        (MuxType.ACCEPT, b"\0\0\0"),
        (MuxType.CREDIT, b"\0\0\0"),
        (MuxType.RESET, b"\0"),
        (MuxType.RESET, b"\0\x01\xff"),
    ],
)
def test_malformed_frame_is_refused(frame_type: int, payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        MuxFrameReader().feed(HEADER.pack(frame_type, 1, len(payload)) + payload)


def test_header_of_too_much_data_is_an_error_of_ours() -> None:
    with pytest.raises(LocalProtocolError):
        data_header(1, MAX_PAYLOAD_BYTES + 1)


@given(st.binary(max_size=300), cuts())
def test_random_bytes_raise_nothing_else(data: bytes, sizes: list[int]) -> None:
    reader = MuxFrameReader()
    try:
        for piece in split(data, sizes):
            reader.feed(piece)
    except RemoteProtocolError:
        pass


@given(st.sampled_from(list(MuxType)), st.binary(max_size=60))
def test_random_payload_of_a_known_type_raises_nothing_else(frame_type: MuxType, payload: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        MuxFrameReader().feed(HEADER.pack(frame_type, 1, len(payload)) + payload)
