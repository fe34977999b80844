"""Where apps are, and what they are asked for."""

from __future__ import annotations

import pytest

from genba_gateway.apps.upstreams import make_target, parse_app_url, strip_query
from genba_gateway.errors import BadRequest
from genba_wire.tunnel.streams import TCP, UNIX, parse_tcp_open, parse_unix_open

BASE = "/@alice/demo.main/apps/code/"


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls", "base"),
    [
        ("http://localhost:13337", "localhost", 13337, False, ""),
        ("http://localhost/", "localhost", 80, False, ""),
        ("https://127.0.0.1", "127.0.0.1", 443, True, ""),
        ("https://127.0.0.1:8443/base/", "127.0.0.1", 8443, True, "/base"),
        ("http://[::1]:9/x/y", "::1", 9, False, "/x/y"),
    ],
)
def test_an_apps_url_says_what_to_connect_to(url: str, host: str, port: int, is_tls: bool, base: str) -> None:
    upstream = parse_app_url(url)
    opened = parse_tcp_open(upstream.head)
    assert (upstream.kind, opened.host, opened.port) == (TCP, host, port)
    assert (upstream.is_tls, upstream.base) == (is_tls, base)


def test_an_app_may_listen_on_a_unix_socket() -> None:
    upstream = parse_app_url("http+unix://%2Frun%2Fapp.sock/base")
    assert (upstream.kind, parse_unix_open(upstream.head).path, upstream.base) == (UNIX, "/run/app.sock", "/base")


@pytest.mark.parametrize(
    "url", ["", "localhost:80", "ftp://x", "http://", "http://x:99999", "http://[", "http+unix://"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        parse_app_url(url)


@pytest.mark.parametrize(
    ("url", "base_path", "path", "query", "target"),
    [
        ("http://x", "/", "/", "", b"/"),
        ("http://x", "/", "/a%2Fb//c", "q=1", b"/a%2Fb//c?q=1"),
        ("http://x/base", "/", "/a", "", b"/base/a"),
        ("http://x", BASE, BASE, "", b"/"),
        ("http://x", BASE, BASE + "a/b", "x", b"/a/b?x"),
        ("http://x", BASE, "/%40alice/demo.main/apps/code/a", "", b"/a"),
        ("http://x", BASE, BASE + "/evil", "", b"//evil"),
    ],
)
def test_the_apps_own_path_is_what_is_below_its_base(
    url: str, base_path: str, path: str, query: str, target: bytes
) -> None:
    assert make_target(parse_app_url(url), base_path, path, query) == target


def test_a_path_that_is_not_below_the_apps_is_refused() -> None:
    with pytest.raises(BadRequest):
        make_target(parse_app_url("http://x"), BASE, "/@alice/demo.main/apps/code", "")


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("a=1&b=%20", "a=1&b=%20"),
        ("coder_session_token=s", ""),
        ("a=1&coder_session_token=s&b", "a=1&b"),
        ("Coder_Session_Token=s&a", "a"),
        ("coder%5Fsession_token=s&a", "a"),
        ("%63oder_application_connect_api_key_35e783=k", ""),
        ("x=coder_session_token", "x=coder_session_token"),
        ("", ""),
    ],
)
def test_tokens_of_ours_are_taken_out_of_queries(query: str, kept: str) -> None:
    assert strip_query(query) == kept
