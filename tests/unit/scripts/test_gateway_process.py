"""Addresses to listen on, and why a gateway ended."""

from __future__ import annotations

import socket

import pytest

from scripts.failures import ScriptFailure
from scripts.gateway_process import check_port_is_free, client_environment, find_free_port, last_words, split_listen


@pytest.mark.parametrize(
    ("listen", "parts"),
    [
        ("127.0.0.1:3000", ("127.0.0.1", 3000)),
        (":3000", ("0.0.0.0", 3000)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_addresses_are_split(listen: str, parts: tuple[str, int]) -> None:
    assert split_listen(listen) == parts


@pytest.mark.parametrize("listen", ["3000", "127.0.0.1", "host:", "host:x", "host:0", "host:65536", "host:²"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(ScriptFailure, match="is no address to listen on: write HOST:PORT"):
        split_listen(listen)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test"])
def test_a_name_that_can_be_none_is_refused_in_a_sentence(host: str) -> None:
    with pytest.raises(ScriptFailure, match="is no name of this machine"):
        check_port_is_free(f"{host}:3000")


def test_a_port_that_is_taken_is_refused_with_another_to_choose() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ScriptFailure, match=f"Port {port} on 127.0.0.1 is not to be had"):
            check_port_is_free(f"127.0.0.1:{port}")
    check_port_is_free(f"127.0.0.1:{find_free_port()}")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ""),
        (["", "  "], ""),
        (["started", "crashed ", ""], "crashed"),
        (["genba server: no terraform", "sys:1: ResourceWarning: unclosed", ""], "genba server: no terraform"),
        (["genba server: one", "genba server: two"], "genba server: two"),
    ],
)
def test_the_last_words_are_the_gateways_own(lines: list[str], words: str) -> None:
    assert last_words(lines) == words


def test_a_client_is_not_steered_by_this_shell() -> None:
    base = {"PATH": "/bin", "GENBA_URL": "x", "CODER_URL": "x", "PYTHONPATH": "x", "GENBA_CACHE": "/c"}
    assert client_environment(base) == {"PATH": "/bin", "GENBA_CACHE": "/c"}
