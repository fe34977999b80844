"""Requests as they come from the server in front, and what is refused unread."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from genba_gateway.apps.requests import find_client, find_fault, find_host, make_request
from genba_gateway.domain.app_access import AppOrigin


def scope_of(path: bytes = b"/", *headers: tuple[bytes, bytes], query: bytes = b"", **more: Any) -> dict[str, Any]:
    """What Hypercorn makes of a request."""
    made = {"type": "http", "method": "GET", "scheme": "http", "http_version": "1.1", "client": ("10.0.0.1", 5)}
    return {**made, "raw_path": path, "query_string": query, "headers": [(b"host", b"a.test"), *headers], **more}


@pytest.mark.parametrize(
    "path",
    [
        b"*",
        b"http://evil/",
        b"//evil/../x",
        b"",
        b"evil",
        b"/a b",
        b"/\x7f",
        b"/\xe9",
        b"/..",
        b"/a/../b",
        b"/./",
        b"/%2e%2e/x",
        b"/%2E./x",
        b"/.%2e",
        b"/a/..\\b",
        b"/..%2fx",
        b"/..%5Cx",
    ],
)
def test_an_address_that_is_no_plain_path_is_refused(path: bytes) -> None:
    assert find_fault(scope_of(path))


@pytest.mark.parametrize(
    "path", [b"/", b"//", b"/a..b/..c/c../...", b"/%2e%2e%2e", b"/a%2Fb", b"/.well-known/x", b"/~a"]
)
def test_a_plain_path_passes(path: bytes) -> None:
    assert not find_fault(scope_of(path))


@pytest.mark.parametrize("method", ["", "GET /admin HTTP/1.1\r\nX:", "GET /", "get", "GÉT", "A\tB", "A:B", "GET\n"])
def test_a_method_that_would_break_a_line_is_refused(method: str) -> None:
    assert find_fault(scope_of(method=method))


@pytest.mark.parametrize("method", ["GET", "M-SEARCH", "VERSION-CONTROL", "X!#$%&'*+-.^_`|~0"])
def test_a_method_of_any_name_passes(method: str) -> None:
    assert not find_fault(scope_of(method=method))


@pytest.mark.parametrize("query", [b"a b", b"a\r\nb", b"\xe9"])
def test_a_query_that_would_break_a_line_is_refused(query: bytes) -> None:
    assert find_fault(scope_of(query=query))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"1"), (b"content-length", b"1")],
        [(b"a b", b"1")],
        [(b"a", b"1\r\nb: 2")],
    ],
)
def test_what_might_be_read_in_two_ways_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    assert find_fault(scope_of(b"/", *headers))
    assert not find_fault(scope_of(b"/", (b"content-length", b"1")))
    assert not find_fault(scope_of(b"/", (b"transfer-encoding", b"chunked")))


def test_chunks_in_an_old_version_are_refused() -> None:
    assert find_fault(scope_of(b"/", (b"transfer-encoding", b"chunked"), http_version="1.0"))


def test_two_hosts_are_none() -> None:
    assert find_host(scope_of()) == "a.test"
    assert find_host(scope_of(b"/", (b"host", b"b.test"))) == ""


def test_a_request_says_what_came() -> None:
    scope = scope_of(b"/a%20b", query=b"x=1", scheme="wss", type="websocket")
    request = make_request(scope, AppOrigin.PATH, "a.test", "https", ())
    assert (request.method, request.scheme, request.raw_path, request.query) == ("GET", "https", "/a%20b", "x=1")
    assert (request.host, request.client_address, request.is_websocket) == ("a.test", "10.0.0.1", True)


def test_no_header_says_by_which_scheme_an_app_is_reached() -> None:
    scope = scope_of(b"/", (b"x-forwarded-proto", b"http"))
    networks = (ipaddress.ip_network("10.0.0.0/24"),)
    assert make_request(scope, AppOrigin.PATH, "a.test", "https", networks).scheme == "https"


def test_only_a_trusted_proxy_says_who_asks() -> None:
    said = [
        (b"x-forwarded-for", b"1.1.1.1, 2.2.2.2"),
        (b"x-forwarded-for", b"10.0.0.9"),
    ]
    networks = (ipaddress.ip_network("10.0.0.0/24"),)
    assert find_client(scope_of(b"/", *said), ()) == "10.0.0.1"
    assert find_client(scope_of(b"/", *said, client=("9.9.9.9", 1)), networks) == "9.9.9.9"
    assert find_client(scope_of(b"/", *said), networks) == "2.2.2.2"
    assert find_client(scope_of(b"/", (b"x-forwarded-for", b"a\r\nb")), networks) == ""
