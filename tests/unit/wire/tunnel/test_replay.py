"""The replay buffer: what it keeps, gives again and forgets, and its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import LocalProtocolError
from genba_wire.tunnel.replay import (
    CONTROL_RESERVE_BYTES,
    JOIN_BELOW_BYTES,
    LEAST_REPLAY_BYTES,
    MAX_REPLAY_BYTES,
    ReplayBudget,
    ReplayBuffer,
)

MIB = 1024 * 1024


def buffer_of(*messages: bytes, budget: ReplayBudget | None = None) -> ReplayBuffer:
    replay = ReplayBuffer(budget or ReplayBudget())
    for message in messages:
        replay.append((message,), len(message))
    return replay


def everything(replay: ReplayBuffer, budget: int = 1 << 30, limit: int = 1 << 30) -> list[tuple[int, bytes]]:
    return [(offset, b"".join(parts)) for offset, parts in replay.take(budget, limit)]


def test_nothing_is_to_be_sent_again_until_it_is_rewound() -> None:
    replay = buffer_of(b"abc", b"de")
    assert (replay.start, replay.next, replay.end, replay.held, replay.has_more) == (0, 5, 5, 5, False)
    assert everything(replay) == []
    replay.rewind()
    assert replay.has_more
    assert everything(replay) == [(0, b"abc"), (3, b"de")]
    assert not replay.has_more


def test_what_is_acknowledged_is_forgotten_also_in_the_middle_of_a_message() -> None:
    replay = buffer_of(b"abc", b"de", b"f")
    replay.acknowledge(4)
    assert replay.held == 2
    replay.rewind()
    assert everything(replay) == [(4, b"e"), (5, b"f")]
    replay.acknowledge(6)
    assert (replay.held, replay.has_more) == (0, False)


def test_what_is_added_while_something_is_sent_again_comes_behind_it() -> None:
    replay = buffer_of(b"abc", b"de")
    replay.rewind()
    assert everything(replay, budget=1) == [(0, b"abc")]
    replay.append((b"f",), 1)
    assert everything(replay) == [(3, b"de"), (5, b"f")]


def test_messages_that_are_too_long_for_the_other_end_are_cut() -> None:
    replay = buffer_of(b"abcdefg", b"h")
    replay.rewind()
    assert everything(replay, limit=3) == [(0, b"abc"), (3, b"def"), (6, b"g"), (7, b"h")]


def test_small_parts_are_copied_and_large_ones_are_not() -> None:
    replay = buffer_of()
    large = bytes(JOIN_BELOW_BYTES)
    view = memoryview(bytes(MIB))[:10]
    [joined] = replay.append((b"head", view), 14)
    assert joined == b"head" + bytes(10)
    assert replay.append((b"head", large), 4 + len(large))[1] is large


def test_a_link_is_full_at_its_limit_and_breaks_past_the_reserve() -> None:
    replay = buffer_of(bytes(MAX_REPLAY_BYTES - 1))
    assert replay.room == 1
    replay.append((b"x",), 1)
    assert replay.room == 0
    replay.append((bytes(CONTROL_RESERVE_BYTES),), CONTROL_RESERVE_BYTES)
    with pytest.raises(LocalProtocolError):
        replay.append((b"x",), 1)
    replay.acknowledge(CONTROL_RESERVE_BYTES + 1)
    assert replay.room == 1


def test_links_of_a_process_share_a_limit_and_each_has_a_little_of_its_own() -> None:
    budget = ReplayBudget(limit=4 * MIB)
    one = buffer_of(bytes(4 * MIB - 1), budget=budget)
    two = buffer_of(budget=budget)
    assert (one.room, two.room) == (MAX_REPLAY_BYTES - 4 * MIB + 1, MAX_REPLAY_BYTES)
    two.append((b"x",), 1)
    assert (one.room, two.room) == (0, LEAST_REPLAY_BYTES - 1)
    one.clear()
    assert (budget.held, two.room) == (1, MAX_REPLAY_BYTES - 1)


def test_a_link_that_is_never_resumed_keeps_nothing() -> None:
    budget = ReplayBudget(limit=0)
    replay = ReplayBuffer(budget)
    replay.is_keeping = False
    replay.append((bytes(MAX_REPLAY_BYTES * 2),), MAX_REPLAY_BYTES * 2)
    assert (replay.end, replay.has_more, replay.room, budget.held) == (
        MAX_REPLAY_BYTES * 2,
        False,
        MAX_REPLAY_BYTES,
        0,
    )
    replay.acknowledge(5)
    replay.clear()
    assert budget.held == 0


@given(st.data(), st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=10))
def test_any_way_of_taking_gives_the_bytes_that_are_not_acknowledged(
    data: st.DataObject, messages: list[bytes]
) -> None:
    whole = b"".join(messages)
    replay = buffer_of(*messages)
    for _ in range(data.draw(st.integers(1, 4))):
        replay.acknowledge(data.draw(st.integers(replay.start, replay.end)))
        replay.rewind()
        at = replay.start
        while replay.has_more:
            if data.draw(st.booleans()):
                replay.acknowledge(data.draw(st.integers(replay.start, replay.end)))
                at = max(at, replay.start)
            taken = everything(replay, data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40)))
            for offset, part in taken:
                assert (offset, part) == (at, whole[at : at + len(part)])
                at += len(part)
        assert at == len(whole)
