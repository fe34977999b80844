from __future__ import annotations

import pytest

from genba_agent.terminals.scrollback import LINE_SEARCH_BYTES, SCROLLBACK_BYTES, Scrollback


def test_keeps_everything_up_to_the_limit_and_drops_the_oldest_past_it() -> None:
    scrollback = Scrollback(limit=8)
    scrollback.append(b"12345678")
    assert (scrollback.begin, scrollback.end, scrollback.since(0)) == (0, 8, b"12345678")
    scrollback.append(b"9")
    assert (scrollback.begin, scrollback.end, scrollback.since(1)) == (1, 9, b"23456789")


def test_append_longer_than_the_limit_keeps_its_end() -> None:
    scrollback = Scrollback(limit=4)
    scrollback.append(b"0123456789")
    assert scrollback.since(scrollback.begin) == b"6789"
    assert scrollback.end == 10


def test_what_came_since_a_position_is_returned() -> None:
    scrollback = Scrollback()
    scrollback.append(b"before")
    position = scrollback.end
    assert scrollback.since(position) == b""
    scrollback.append(b"after")
    assert scrollback.since(position) == b"after"


def test_replay_of_everything_is_not_cut() -> None:
    scrollback = Scrollback(limit=8)
    scrollback.append(b"ab\ncd\nef")
    assert scrollback.replay() == b"ab\ncd\nef"


def test_replay_of_a_cut_scrollback_begins_with_a_line() -> None:
    scrollback = Scrollback(limit=8)
    scrollback.append(b"abc\ndef\ngh")
    assert scrollback.replay() == b"def\ngh"


@pytest.mark.parametrize("cut_bytes", [1, 2, 3])
def test_replay_without_lines_begins_with_a_whole_character(cut_bytes: int) -> None:
    text = "世" * 10
    scrollback = Scrollback(limit=30 - cut_bytes)
    scrollback.append(text.encode())
    assert scrollback.replay().decode() == text[1:]


def test_line_far_behind_the_cut_does_not_cost_what_is_before_it() -> None:
    scrollback = Scrollback(limit=LINE_SEARCH_BYTES * 2)
    scrollback.append(b"x" * LINE_SEARCH_BYTES * 2 + b"\nend")
    assert len(scrollback.replay()) == LINE_SEARCH_BYTES * 2


def test_single_bytes_take_no_more_memory_than_their_number() -> None:
    import sys

    scrollback = Scrollback()
    for _ in range(2 * SCROLLBACK_BYTES):
        scrollback.append(b"x")
    assert scrollback.end - scrollback.begin == SCROLLBACK_BYTES
    assert sys.getsizeof(scrollback._kept) < 2 * SCROLLBACK_BYTES  # pyright: ignore[reportPrivateUsage]
