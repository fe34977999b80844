"""Answers of apps, read byte by byte and past every limit."""

from __future__ import annotations

import pytest

from genba_gateway.apps.plain_answers import MAX_HEAD_BYTES
from genba_gateway.apps.responses import (
    MAX_INFORMATIONAL,
    BadAnswer,
    Framing,
    ResponseHead,
    ResponseReader,
)


def read(reader: ResponseReader, data: bytes, *, step: int = 1) -> tuple[ResponseHead, bytes]:
    """Feed in steps until it is complete or all is fed; return head and body."""
    head: ResponseHead | None = None
    body = b""
    for at in range(0, len(data), step):
        piece = data[at : at + step]
        if head is None:
            begun = reader.read_head(piece)
            if begun is not None:
                head = begun[0]
                body += b"".join(bytes(part) for part in begun[1])
        elif not reader.is_complete:
            body += b"".join(bytes(part) for part in reader.read_body(piece))
    assert head is not None
    return head, body


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("answer", "framing", "body", "can_reuse"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Framing.LENGTH, b"hello", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Framing.LENGTH, b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx", Framing.LENGTH, b"x", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", Framing.LENGTH, b"x", False),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            Framing.CHUNKED,
            b"abc",
            True,
        ),
        (b"HTTP/1.1 204 No\r\n\r\n", Framing.NONE, b"", True),
        (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", Framing.NONE, b"", True),
        (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", Framing.LENGTH, b"x", True),
    ],
)
def test_answers_are_read_however_they_are_cut(
    answer: bytes, framing: Framing, body: bytes, can_reuse: bool, step: int
) -> None:
    reader = ResponseReader("GET")
    head, received = read(reader, answer, step=step)
    assert (head.framing, received, reader.is_complete, reader.can_reuse) == (framing, body, True, can_reuse)


def test_a_head_has_no_body_whatever_it_says() -> None:
    reader = ResponseReader("HEAD")
    head, _ = read(reader, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    assert (head.framing, reader.is_complete, reader.can_reuse) == (Framing.NONE, True, True)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader = ResponseReader("GET")
    _, body = read(reader, b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert (body, reader.is_complete) == (b"abc", False)
    assert reader.read_body(b"") == []
    assert (reader.is_complete, reader.can_reuse) == (True, False)


def test_what_follows_a_complete_answer_is_nobodys() -> None:
    for answer in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1",
    ):
        reader = ResponseReader("GET")
        _, body = read(reader, answer, step=1000)
        assert body in (b"x", b"")
        assert (reader.is_complete, reader.can_reuse) == (True, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(answer: bytes) -> None:
    with pytest.raises(BadAnswer):
        read(ResponseReader("GET"), answer, step=1000)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nConte"])
def test_an_answer_that_ends_before_its_body_is_no_answer(answer: bytes) -> None:
    reader = ResponseReader("GET")
    with pytest.raises(BadAnswer):
        if answer:
            reader.read_head(answer)
        reader.read_head(b"")


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
def test_a_body_that_ends_too_early_is_noticed(framing: bytes) -> None:
    reader = ResponseReader("GET")
    read(reader, b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n3\r\nab")
    with pytest.raises(BadAnswer):
        reader.read_body(b"")


def test_heads_are_as_long_as_they_may_be() -> None:
    first = b"HTTP/1.1 200 OK\r\nX: "
    reader = ResponseReader("GET")
    assert reader.read_head(first + b"x" * (MAX_HEAD_BYTES - len(first))) is None
    with pytest.raises(BadAnswer):
        ResponseReader("GET").read_head(first + b"x" * (MAX_HEAD_BYTES - len(first) + 1))


def test_so_many_informational_answers_and_no_more() -> None:
    informational = b"HTTP/1.1 103 Hints\r\n\r\n"
    last = b"HTTP/1.1 204 No\r\n\r\n"
    assert ResponseReader("GET").read_head(informational * MAX_INFORMATIONAL + last) is not None
    with pytest.raises(BadAnswer):
        ResponseReader("GET").read_head(informational * (MAX_INFORMATIONAL + 1) + last)


def test_an_upgrade_leaves_what_came_behind_it() -> None:
    reader = ResponseReader("GET", is_upgrade=True)
    begun = reader.read_head(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nearly")
    assert begun is not None
    assert (begun[0].status, reader.early) == (101, b"early")


def test_links_of_early_hints_are_kept_and_nothing_else_of_them() -> None:
    reader = ResponseReader("GET")
    assert reader.read_head(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: a=b\r\n\r\n") is None
    assert reader.read_head(b"HTTP/1.1 102 Processing\r\nLink: </b>\r\n\r\n") is None
    begun = reader.read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLink: </c>\r\n\r\n")
    assert begun is not None
    assert (begun[0].status, reader.hints) == (200, [b"</a>"])
