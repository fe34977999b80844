from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from genba_agent.line_splitter import MAX_LINE_BYTES, LineSplitter


def split(*pieces: bytes) -> list[str]:
    splitter = LineSplitter()
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines + splitter.finish()


def test_lines_come_out_when_they_are_complete() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == ["one"]
    assert splitter.feed(b"o\n") == ["two"]
    assert splitter.finish() == []


def test_rest_comes_out_at_the_end() -> None:
    assert split(b"no newline") == ["no newline"]


def test_empty_lines_and_carriage_returns() -> None:
    assert split(b"a\r\n\r\n\nb\r", b"\nc\r") == ["a", "", "", "b", "c"]


def test_invalid_utf8_and_nul_are_replaced() -> None:
    assert split(b"a\xffb\x00c\n") == ["a\ufffdb\ufffdc"]


def test_character_split_over_two_reads_stays_whole() -> None:
    data = "現場\n".encode()
    assert split(data[:2], data[2:4], data[4:]) == ["現場"]


def test_line_at_the_limit_stays_whole_and_one_past_it_is_cut() -> None:
    assert split(b"x" * MAX_LINE_BYTES + b"\n") == ["x" * MAX_LINE_BYTES]
    assert split(b"x" * (MAX_LINE_BYTES + 1) + b"\n") == ["x" * MAX_LINE_BYTES, "x"]


def test_line_without_end_comes_out_in_pieces_and_is_not_held() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"x" * (2 * MAX_LINE_BYTES + 5)) == ["x" * MAX_LINE_BYTES] * 2
    assert splitter.finish() == ["xxxxx"]


def test_long_line_is_not_cut_within_a_character() -> None:
    lines = split("場".encode() * MAX_LINE_BYTES)
    assert "".join(lines) == "場" * MAX_LINE_BYTES
    assert all(len(line.encode()) <= MAX_LINE_BYTES for line in lines)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_lines_do_not_depend_on_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, *cuts, len(data)} & set(range(len(data) + 1)))
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert split(*pieces) == split(data)
