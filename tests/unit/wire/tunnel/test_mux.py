"""Streams of a link, as conversations between the two ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel import mux as mux_module
from genba_wire.tunnel import mux_frames
from genba_wire.tunnel.credit import MAX_GROWTH
from genba_wire.tunnel.mux import (
    INITIAL_WINDOW,
    MAX_CREDIT,
    MAX_STREAMS,
    MAX_WINDOW,
    Mux,
    MuxEvent,
    StreamAccepted,
    StreamData,
    StreamFinished,
    StreamNote,
    StreamOpened,
    StreamReset,
    StreamWritable,
)
from genba_wire.tunnel.mux_frames import (
    MAX_PAYLOAD_BYTES,
    Accept,
    Credit,
    Data,
    Finish,
    MuxFrame,
    MuxFrameReader,
    Note,
    Open,
    Reset,
    ResetCode,
)
from tests.unit.wire.splitting import cuts, split


def move(sender: Mux, receiver: Mux) -> list[MuxEvent]:
    """What the sender has to say arrives."""
    return receiver.receive(b"".join(sender.frames_to_send()))


def say(receiver: Mux, *frames: MuxFrame) -> list[MuxEvent]:
    """A peer says this."""
    return receiver.receive(b"".join(mux_frames.encode(frame) for frame in frames))


def frames_of(sender: Mux) -> list[MuxFrame]:
    return MuxFrameReader().feed(b"".join(sender.frames_to_send()))


def opened() -> tuple[Mux, Mux, int]:
    """Two ends with an open stream."""
    client, agent = Mux(is_client=True), Mux(is_client=False)
    stream = client.open("tcp", b"head")
    assert move(client, agent) == [StreamOpened(stream, "tcp", b"head")]
    agent.accept(stream, b"welcome")
    assert move(agent, client) == [StreamAccepted(stream, b"welcome")]
    return client, agent, stream


def test_all_that_is_public_is_there() -> None:
    assert [name for name in mux_module.__all__ if not hasattr(mux_module, name)] == []


def test_streams_of_the_client_are_odd_and_of_the_agent_even() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    assert [client.open("a"), client.open("b")] == [1, 3]
    assert [agent.open("c"), agent.open("d")] == [2, 4]
    assert move(client, agent) == [StreamOpened(1, "a", b""), StreamOpened(3, "b", b"")]
    assert move(agent, client) == [StreamOpened(2, "c", b""), StreamOpened(4, "d", b"")]


def test_bytes_and_notes_arrive_in_order() -> None:
    client, agent, stream = opened()
    assert client.send(stream, b"before") == 6
    client.note(stream, b"{}")
    client.send(stream, b"after")
    assert move(client, agent) == [
        StreamData(stream, memoryview(b"before")),
        StreamNote(stream, b"{}"),
        StreamData(stream, memoryview(b"after")),
    ]


def test_bytes_are_copied_on_neither_side() -> None:
    client, agent, stream = opened()
    data = b"x" * 1000
    client.send(stream, data)
    header, payload = client.frames_to_send()
    assert payload is data
    fed = b"".join((header, data))
    [event] = agent.receive(fed)
    assert isinstance(event, StreamData)
    assert event.data.obj is fed


def test_long_data_is_cut_into_frames() -> None:
    client, _, stream = opened()
    data = bytes(2 * MAX_PAYLOAD_BYTES + 1)
    assert client.send(stream, data) == len(data)
    parts = client.frames_to_send()
    assert [len(part) for part in parts[1::2]] == [MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES, 1]
    assert all(isinstance(part, memoryview) and part.obj is data for part in parts[1::2])


def test_refused_stream_is_over() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    stream = client.open("x")
    move(client, agent)
    agent.refuse(stream, ResetCode.NOT_SUPPORTED, "no such kind")
    assert move(agent, client) == [StreamReset(stream, ResetCode.NOT_SUPPORTED, "no such kind")]
    assert client.send(stream, b"dropped") == 7
    assert client.frames_to_send() == []


def test_nothing_is_sent_before_the_stream_was_accepted() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    stream = client.open("x")
    assert client.send(stream, b"early") == 0
    with pytest.raises(LocalProtocolError):
        client.note(stream, b"{}")
    move(client, agent)
    assert agent.send(stream, b"early") == 0
    agent.accept(stream)
    assert move(agent, client) == [StreamAccepted(stream, b""), StreamWritable(stream)]


def test_sender_stops_at_its_credit_and_hears_when_there_is_more() -> None:
    client, agent, stream = opened()
    data = bytes(INITIAL_WINDOW + 1)
    assert client.send(stream, data) == INITIAL_WINDOW
    assert client.send(stream, b"x") == 0
    assert len(move(client, agent)) == INITIAL_WINDOW // MAX_PAYLOAD_BYTES
    agent.consumed(stream, INITIAL_WINDOW // 2 - 1)
    assert agent.frames_to_send() == []
    agent.consumed(stream, 1)
    assert move(agent, client) == [StreamWritable(stream)]
    assert client.send(stream, data) == INITIAL_WINDOW // 2


def test_credit_that_nobody_waits_for_is_no_event() -> None:
    client, agent, stream = opened()
    client.send(stream, bytes(INITIAL_WINDOW // 2))
    move(client, agent)
    agent.consumed(stream, INITIAL_WINDOW // 2)
    assert move(agent, client) == []


def test_credit_at_its_limit_and_past_it() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    stream = client.open("x")
    move(client, agent)
    assert say(client, Accept(stream, 0), Credit(stream, MAX_CREDIT)) == [StreamAccepted(stream, b"")]
    with pytest.raises(RemoteProtocolError):
        say(client, Credit(stream, 1))


def test_peer_that_sends_past_its_credit_breaks_the_rules() -> None:
    _, agent, stream = opened()
    for _ in range(INITIAL_WINDOW // MAX_PAYLOAD_BYTES):
        say(agent, Data(stream, bytes(MAX_PAYLOAD_BYTES)))
    with pytest.raises(RemoteProtocolError):
        say(agent, Data(stream, b"x"))


def test_finished_both_ways_is_over() -> None:
    client, agent, stream = opened()
    client.finish(stream)
    assert move(client, agent) == [StreamFinished(stream)]
    assert agent.send(stream, b"still") == 5
    agent.finish(stream)
    assert move(agent, client) == [StreamData(stream, memoryview(b"still")), StreamFinished(stream)]
    for end in (client, agent):
        assert end.send(stream, b"late") == 4
        end.note(stream, b"late")
        end.finish(stream)
        end.consumed(stream, 100)
        end.reset(stream, ResetCode.CANCELLED, "late")
        assert end.frames_to_send() == []


def test_finished_end_sends_nothing_more() -> None:
    client, _, stream = opened()
    client.finish(stream)
    for late in (lambda: client.send(stream, b"x"), lambda: client.note(stream, b"x"), lambda: client.finish(stream)):
        with pytest.raises(LocalProtocolError):
            late()


def test_finished_peer_is_granted_nothing_more() -> None:
    client, agent, stream = opened()
    client.send(stream, bytes(INITIAL_WINDOW))
    client.finish(stream)
    move(client, agent)
    agent.consumed(stream, INITIAL_WINDOW)
    assert agent.frames_to_send() == []


def test_what_is_under_way_to_a_stream_that_was_reset_is_dropped() -> None:
    client, agent, stream = opened()
    client.send(stream, bytes(1000))
    client.note(stream, b"{}")
    agent.reset(stream, ResetCode.FAILED, "broken")
    assert move(client, agent) == []
    assert move(agent, client) == [StreamReset(stream, ResetCode.FAILED, "broken")]


def test_reset_code_of_a_later_version_is_passed_on() -> None:
    client, _, stream = opened()
    assert say(client, Reset(stream, 999, "why")) == [StreamReset(stream, 999, "why")]


def test_streams_at_their_limit_and_past_it() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    for _ in range(MAX_STREAMS):
        client.open("x")
    with pytest.raises(LocalProtocolError):
        client.open("x")
    assert len(move(client, agent)) == MAX_STREAMS
    assert say(agent, Open(2 * MAX_STREAMS + 1, 0, "x")) == []
    assert frames_of(agent) == [
        Reset(2 * MAX_STREAMS + 1, ResetCode.REFUSED, f"the link has {MAX_STREAMS} streams already")
    ]
    agent.refuse(1, ResetCode.REFUSED, "")
    move(agent, client)
    assert client.open("x") == 2 * MAX_STREAMS + 1


def test_windows_of_a_link_grow_together_within_a_limit() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    streams = [client.open("x") for _ in range(6)]
    move(client, agent)
    for stream in streams:
        agent.accept(stream)
    move(agent, client)
    windows = dict.fromkeys(streams, INITIAL_WINDOW)
    for _ in range(200):
        for stream in streams:
            taken = client.send(stream, bytes(MAX_PAYLOAD_BYTES))
            move(client, agent)
            agent.consumed(stream, taken)
            for frame in frames_of(agent):
                assert isinstance(frame, Credit)
                say(client, frame)
    for stream in streams:
        windows[stream] = client.send(stream, bytes(2 * MAX_WINDOW))
    assert all(window <= MAX_WINDOW for window in windows.values())
    grown = sum(windows.values()) - len(streams) * INITIAL_WINDOW
    assert MAX_GROWTH // 2 < grown <= MAX_GROWTH


def test_stream_that_ends_gives_its_growth_back() -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    for _ in range(10):
        stream = client.open("x")
        move(client, agent)
        agent.accept(stream)
        move(agent, client)
        for _ in range(200):
            sent = client.send(stream, bytes(MAX_PAYLOAD_BYTES))
            move(client, agent)
            agent.consumed(stream, sent)
            move(agent, client)
        assert client.send(stream, bytes(2 * MAX_WINDOW)) > MAX_WINDOW // 2
        client.reset(stream, ResetCode.CANCELLED, "")
        move(client, agent)


@pytest.mark.parametrize(
    "frames",
    [
        [Open(2, 0, "x")],
        [Open(0, 0, "x")],
        [Open(1, 0, "x")],
        [Data(9, b"x")],
        [Credit(2, 1)],
        [Finish(9)],
        [Reset(9, 1)],
        [Note(9, b"")],
        [Accept(1, 0)],
        [Finish(1), Data(1, b"x")],
        [Finish(1), Note(1, b"x")],
        [Finish(1), Finish(1)],
        [Open(3, 0, "x"), Data(3, b"x")],
        [Open(3, 0, "x"), Note(3, b"x")],
        [Open(3, 0, "x"), Finish(3)],
    ],
)
def test_peer_that_breaks_a_rule_is_told_apart(frames: list[MuxFrame]) -> None:
    _, agent, _ = opened()
    with pytest.raises(RemoteProtocolError):
        say(agent, *frames)


def test_stream_that_never_was_is_an_error_of_the_caller() -> None:
    client, agent, stream = opened()
    calls: list[Callable[[], object]] = [
        lambda: client.send(3, b"x"),
        lambda: client.finish(2),
        lambda: client.reset(0, 1, ""),
        lambda: client.consumed(5, 1),
        lambda: agent.accept(3),
        lambda: agent.accept(stream),
        lambda: client.accept(stream),
    ]
    for call in calls:
        with pytest.raises(LocalProtocolError):
            call()


@given(
    writes=st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=600)), max_size=12),
    sizes=cuts(),
)
def test_each_stream_gets_its_bytes_however_the_link_cuts_them(
    writes: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    client, agent = Mux(is_client=True), Mux(is_client=False)
    streams = [client.open("x"), client.open("y")]
    move(client, agent)
    for stream in streams:
        agent.accept(stream)
    move(agent, client)
    sent = dict.fromkeys(streams, b"")
    got = dict.fromkeys(streams, b"")
    for which, data in writes:
        stream = streams[which]
        sent[stream] += data[: client.send(stream, data)]
    for piece in split(b"".join(client.frames_to_send()), sizes):
        for event in agent.receive(piece):
            assert isinstance(event, StreamData)
            got[event.stream] += event.data
    assert got == sent


@given(st.lists(st.tuples(st.sampled_from(["send", "consume", "move"]), st.integers(1, 400_000)), max_size=40))
def test_credit_is_never_exceeded_and_nothing_gets_stuck(steps: list[tuple[str, int]]) -> None:
    client, agent, stream = opened()
    unconsumed = under_way = 0
    for step, size in steps:
        match step:
            case "send":
                under_way += client.send(stream, bytes(size))
            case "consume":
                size = min(size, unconsumed)
                agent.consumed(stream, size)
                unconsumed -= size
            case _:
                # `receive` raises when the credit was exceeded.
                arrived = sum(len(event.data) for event in move(client, agent) if isinstance(event, StreamData))
                unconsumed += arrived
                under_way -= arrived
                move(agent, client)
        assert unconsumed + under_way <= MAX_WINDOW
    move(client, agent)
    agent.consumed(stream, unconsumed + under_way)
    move(agent, client)
    assert client.send(stream, b"x") == 1


@given(st.binary(max_size=300), cuts())
def test_random_bytes_raise_nothing_else(data: bytes, sizes: list[int]) -> None:
    _, agent, _ = opened()
    try:
        for piece in split(data, sizes):
            agent.receive(piece)
    except RemoteProtocolError:
        pass


@given(st.lists(st.sampled_from([0x42, *mux_frames.MuxType]), max_size=4), st.integers(0, 5), st.binary(max_size=8))
def test_random_frames_raise_nothing_else(types: list[int], stream: int, payload: bytes) -> None:
    _, agent, _ = opened()
    try:
        for frame_type in types:
            agent.receive(mux_frames.HEADER.pack(frame_type, stream, len(payload)) + payload)
    except RemoteProtocolError:
        pass
