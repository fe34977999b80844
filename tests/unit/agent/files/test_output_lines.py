"""Long lines in many pieces."""

from __future__ import annotations

import tracemalloc

import pytest

from genba_agent.files.output_lines import OutputLines


def test_lines_are_whole_however_they_come() -> None:
    lines = OutputLines(100)
    assert lines.feed(b"on") == []
    assert lines.feed(b"e\ntwo\n\nth") == [b"one", b"two", b""]
    assert lines.feed(b"ree") == []
    assert lines.feed(b"\n") == [b"three"]


@pytest.mark.parametrize("more", [0, 1])
def test_of_a_line_only_so_much_is_kept(more: int) -> None:
    lines = OutputLines(4)
    assert lines.feed(b"ab") == []
    assert lines.feed(b"cd" + b"e" * more) == []
    assert lines.feed(b"f" * more + b"\nnext") == [b"abcd"]
    assert lines.feed(b"\n") == [b"next"]


def test_a_piece_does_not_cost_what_came_before_it() -> None:
    lines = OutputLines(1024 * 1024)
    lines.feed(b"x" * 1_000_000)
    tracemalloc.start()
    try:
        lines.feed(b"yyy")
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
