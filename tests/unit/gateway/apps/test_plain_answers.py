"""Chunks as httptools reads them for apps' answers: in the way h11 does, however they are cut."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.apps.plain_answers import MAX_HEAD_BYTES, BadChunks, PlainAnswer, read_plain
from genba_gateway.apps.responses import BadAnswer, ResponseReader

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Read = tuple[bytes, list[tuple[bytes, bytes]], bool, bool]


def begin() -> PlainAnswer:
    """An answer in chunks, behind its head."""
    answer = read_plain("GET", HEAD)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
        ("HEAD", HEAD),
        ("GET", b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 100 Go on\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("GET", HEAD[:-1]),
    ],
)
def test_what_is_not_plainly_in_chunks_is_left_to_h11(method: str, head: bytes) -> None:
    assert read_plain(method, head) is None


@pytest.mark.parametrize("step", [1, 3, 100])
def test_chunks_pass_as_they_come(step: int) -> None:
    data = b"3  \r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1 \r\n\r\n"
    answer = begin()
    body = b"".join(b"".join(answer.read_chunks(data[at : at + step])) for at in range(0, len(data), step))
    assert (body, answer.trailers, answer.is_complete, answer.has_more) == (b"abcde", [(b"x-sum", b"1")], True, False)


@pytest.mark.parametrize("more", [HEAD + b"1\r\nx\r\n0\r\n\r\n", b"x", b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n"])
def test_what_follows_the_chunks_is_nobodys(more: bytes) -> None:
    answer = begin()
    assert answer.read_chunks(b"1\r\na\r\n0\r\n\r\n" + more) == [b"a"]
    assert (answer.trailers, answer.is_complete, answer.has_more) == ([], True, True)


@pytest.mark.parametrize("trailer", [b"X : 1", b"no colon", b"Content-Length: 1", b"X: 1\r\n folded"])
def test_trailers_that_can_not_be_read_are_dropped_with_the_connection(trailer: bytes) -> None:
    answer = begin()
    assert answer.read_chunks(b"1\r\na\r\n0\r\nX-Sum: 1\r\n" + trailer + b"\r\n\r\n") == [b"a"]
    assert (answer.trailers, answer.is_complete, answer.has_more) == ([], True, True)


@pytest.mark.parametrize("data", [b"x\r\n", b"3\nabc", b"3\r\nabcd", b"-1\r\n", b"1" * 17 + b"\r\n", b"\r\n"])
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(BadChunks):
        begin().read_chunks(data)


@pytest.mark.parametrize("start", [b"1;x=", b"0\r\nx-sum: "])
def test_lines_and_trailers_are_as_long_as_they_may_be(start: bytes) -> None:
    answer = begin()
    assert answer.read_chunks(b"1\r\na\r\n") == [b"a"]
    assert answer.read_chunks(start) == []
    assert answer.read_chunks(b"y" * (MAX_HEAD_BYTES - len(start))) == []
    with pytest.raises(BadChunks, match="too long"):
        answer.read_chunks(b"y")


def outcome_of(reader: ResponseReader, pieces: list[bytes]) -> Read | None:
    """Body, trailers, whether it is complete, and whether the connection is; None for a fault."""
    body, has_head = b"", False
    try:
        for piece in pieces:
            if not has_head:
                begun = reader.read_head(piece)
                has_head = begun is not None
                parts = begun[1] if begun else []
            elif not reader.is_complete:
                parts = reader.read_body(piece)
            else:
                break
            body += b"".join(bytes(part) for part in parts)
    except BadAnswer:
        return None
    return body, reader.trailers, reader.is_complete, reader.is_complete and reader.can_reuse


def start_h11() -> h11.Connection:
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    parser.send(h11.Request(method="GET", target="/", headers=[("host", "app")]))
    parser.send(h11.EndOfMessage())
    return parser


LINES = st.sampled_from([b"%x", b"%X", b"0%x", b"%x;a=b", b'%x;a="b c"', b"%x ", b"%x ;a"])
CHUNKS = st.lists(st.tuples(LINES, st.binary(min_size=1, max_size=20)), max_size=4)
TRAILERS = st.sampled_from([b"", b"X: y\r\n", b"X:y\r\nZ: \r\n", b"X: \xff \r\n", b"X y\r\n", b"X: y\n"])
ENDS = st.sampled_from([b"", b"", b"\r\n", b"x", b"HTTP/1.1 200 OK\r\n"])
DAMAGE = st.none() | st.tuples(st.integers(0, 200), st.sampled_from([b"", b"\r", b"\n", b" ", b";", b"0", b"g"]))


@given(CHUNKS, TRAILERS, ENDS, DAMAGE, st.lists(st.integers(1, 60), max_size=5))
def test_chunks_are_read_as_h11_reads_them(
    chunks: list[tuple[bytes, bytes]], trailers: bytes, end: bytes, damage: tuple[int, bytes] | None, cuts: list[int]
) -> None:
    data = b"".join(line % len(part) + b"\r\n" + part + b"\r\n" for line, part in chunks)
    data += b"0\r\n" + trailers + b"\r\n" + end
    if damage is not None:
        at, what = damage
        data = data[:at] + what + data[at + 1 :]
    whole, pieces = data, [HEAD]
    for cut in [*cuts, len(data)]:
        pieces, data = [*pieces, data[:cut]], data[cut:]
    pieces = [piece for piece in pieces if piece]
    plain, slow = outcome_of(ResponseReader("GET"), pieces), outcome_of(ResponseReader("GET", _h11=start_h11()), pieces)
    if plain == slow:
        return
    if plain is None:
        assert damage is not None  # it may be stricter
    elif slow is None:
        # It forgives a space before an extension, and trailers that can't be read.
        assert b" ;" in whole or (plain[1], plain[2:]) == ([], (True, False))
    else:
        # It drops trailers whose lines end without CR, and passes over ends of lines behind an answer.
        assert plain[0] == slow[0]
        has_line_behind = end == b"\r\n" or whole[-1:] in b"\r\n"
        assert (plain[1], plain[2:]) == ([], (True, False)) or (plain[1:3] == slow[1:3] and has_line_behind)
