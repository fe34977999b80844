from __future__ import annotations

import pytest

from genba_gateway.apps.hosts import find_host_fault
from genba_gateway.domain.app_hosts import MAX_HOST_CHARS


def find_fault(*hosts: bytes, version: str = "1.1") -> str:
    return find_host_fault({"http_version": version, "headers": [(b"host", host) for host in hosts]})


@pytest.mark.parametrize(
    "host",
    [
        b"genba.example.com",
        b"localhost:3000",
        b"localhost:",
        b"LOCALHOST.",
        b"my_host",
        b"127.0.0.1:1",
        b"[::1]:65535",
        b"a" * MAX_HOST_CHARS,
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1", "2"])
def test_a_host_passes(host: bytes, version: str) -> None:
    assert find_fault(host, version=version) == ""


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b":80",
        b"x@y",
        b"a b",
        b"a,b",
        b"a, b",
        b"a/b",
        b"http://a",
        b"a:b",
        b"a:0",
        b"a:65536",
        b"a::",
        b"::1",
        b"[::1",
        b"[::1].",
        b".a",
        b"a..b",
        b"a\\b",
        b"a#b",
        b"a?b",
        b"a%00b",
        b"\xe9",
        b"a\t",
        b"a" * (MAX_HOST_CHARS + 8),
    ],
)
def test_what_can_be_no_host_is_refused(host: bytes) -> None:
    assert "neither a host's name" in find_fault(host)


def test_a_request_names_one_host() -> None:
    assert "more than one" in find_fault(b"a", b"a")
    assert "no host" in find_fault()
    assert "no host" in find_fault(version="2")
    assert find_fault(version="1.0") == ""
