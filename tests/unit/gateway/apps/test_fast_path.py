"""Which bytes are one whole plain request; everything else stays Hypercorn's."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.apps.fast_path import MAX_HEAD_BYTES, is_kept, read_request

HOST = b"Host: app.apps.test"


def request(*lines: bytes, first: bytes = b"GET /a%20b?x=1&y HTTP/1.1") -> bytes:
    return b"\r\n".join([first, HOST, *lines, b"", b""])


def test_a_plain_request_is_read_as_it_is_written() -> None:
    scope = read_request(request(b"X-Two: 1", b"x-TWO:\t2 \t", b"Cookie: a=b", b"Accept:"))
    assert scope is not None
    assert (scope["method"], scope["raw_path"], scope["path"], scope["query_string"]) == (
        "GET",
        b"/a%20b",
        "/a b",
        b"x=1&y",
    )
    assert scope["headers"] == [
        (b"host", b"app.apps.test"),
        (b"x-two", b"1"),
        (b"x-two", b"2"),
        (b"cookie", b"a=b"),
        (b"accept", b""),
    ]


@pytest.mark.parametrize(("value", "goes_on"), [(b"close", False), (b"x, Close", False), (b"keep-alive", True)])
def test_a_client_says_whether_it_goes_on(value: bytes, goes_on: bool) -> None:
    scope = read_request(request(b"Connection: " + value))
    assert scope is not None
    assert is_kept(scope["headers"]) is goes_on


@pytest.mark.parametrize(
    "data",
    [
        b"",
        request()[:-1],
        request()[:-2],
        request() + b"G",
        request() + request(),
        b"\r\n\r\n",
        request().replace(b"\r\n", b"\n"),
        request(b"A: b\r\n folded"),
        request(b"A : b"),
        request(b"A: b\rC: d"),
        request(b"A: b\nC: d"),
        request(b"A: \0"),
        request(b": b"),
        request(b"no colon"),
        request(b"Content-Length: 0"),
        request(b"Content-Length: 5"),
        request(b"Transfer-Encoding: chunked"),
        request(b"Transfer-Encoding: identity"),
        request(b"Expect: 100-continue"),
        request(b"TE: trailers"),
        request(b"Upgrade: h2c"),
        request(b"Connection: upgrade", b"Upgrade: websocket"),
        request(b"HTTP2-Settings: AAMAAABk"),
        request(first=b"POST / HTTP/1.1"),
        request(first=b"DELETE / HTTP/1.1"),
        request(first=b"CONNECT a:1 HTTP/1.1"),
        request(first=b"get / HTTP/1.1"),
        request(first=b"GET  / HTTP/1.1"),
        request(first=b"GET /  HTTP/1.1"),
        request(first=b"GET /\tHTTP/1.1"),
        request(first=b"GET / HTTP/1.0"),
        request(first=b"GET / HTTP/1.2"),
        request(first=b"GET / HTTP/2.0"),
        request(first=b"GET /"),
        request(first=b"GET * HTTP/1.1"),
        request(first=b"GET http://app.apps.test/ HTTP/1.1"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_not_one_whole_plain_request_is_left_alone(data: bytes) -> None:
    assert read_request(data) is None


def test_a_head_is_read_up_to_the_limit() -> None:
    room = MAX_HEAD_BYTES - len(request(b"A: "))
    assert read_request(request(b"A: " + b"b" * room)) is not None
    assert read_request(request(b"A: " + b"b" * (room + 1))) is None


@given(
    pieces=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    b"GET",
                    b"HEAD",
                    b" ",
                    b"/",
                    b"/a?b",
                    b"HTTP/1.1",
                    b"\r\n",
                    b"\r",
                    b"\n",
                    b":",
                    b"\t",
                    b"Host: a",
                    b"X: y",
                ]
            ),
            st.binary(max_size=3),
        ),
        max_size=6,
    ),
    at=st.integers(0, 60),
)
def test_what_is_read_here_is_read_by_hypercorns_parser_in_the_same_way(pieces: list[bytes], at: int) -> None:
    plain = request(b"X-A: b", b"Cookie: c=d")
    data = plain[:at] + b"".join(pieces) + plain[at:]
    scope = read_request(data)
    if scope is None:
        return
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(data)
    event = parser.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method.decode(), list(event.headers)) == (scope["method"], scope["headers"])
    query = b"?" + scope["query_string"] if b"?" in event.target else b""
    assert event.target == scope["raw_path"] + query
    assert isinstance(parser.next_event(), h11.EndOfMessage)
    assert not parser.trailing_data[0]
