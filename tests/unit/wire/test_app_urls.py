from __future__ import annotations

import pytest

from genba_wire.app_urls import SocketUrl, read_socket_url


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http+unix://.app%2Fsocket", SocketUrl(".app/socket", "/")),
        ("http+unix://%2Fvar%2FRun%2Fs/healthz?deep=1", SocketUrl("/var/Run/s", "/healthz?deep=1")),
        ("http+unix://~%2Fa%20b/", SocketUrl("~/a b", "/")),
        ("http://localhost:13337/x", None),
        ("https://[::1]:1/", None),
        ("", None),
    ],
)
def test_socket_and_request_are_told_apart(url: str, found: SocketUrl | None) -> None:
    assert read_socket_url(url) == found


@pytest.mark.parametrize("url", ["http+unix:///healthz", "http+unix://", "http+unix://a%00b/", "http+unix://%ff/"])
def test_address_without_a_socket_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        read_socket_url(url)
