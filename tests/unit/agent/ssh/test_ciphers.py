from __future__ import annotations

import pytest
from asyncssh.packet import NameList

from genba_agent.ssh.ciphers import CIPHERS, choose_ciphers

GCM128, GCM256 = b"aes128-gcm@openssh.com", b"aes256-gcm@openssh.com"
CHACHA = b"chacha20-poly1305@openssh.com"


def offer(to_server: list[bytes], from_server: list[bytes]) -> bytes:
    """The beginning of a client's offer."""
    return bytes(16) + b"".join(map(NameList, ([b"kex"], [b"host key"], to_server, from_server)))


@pytest.mark.parametrize(
    ("to_server", "from_server", "offered"),
    [
        ([CHACHA, b"aes128-ctr", GCM128, GCM256], [CHACHA, GCM128, GCM256], [GCM128, GCM256]),
        ([CHACHA, GCM256], [CHACHA, GCM256], [GCM256]),
        ([GCM128], [CHACHA], CIPHERS),
        ([CHACHA], [CHACHA], CIPHERS),
        ([], [], CIPHERS),
    ],
)
def test_fast_ciphers_alone_are_offered_where_both_directions_have_one(
    to_server: list[bytes], from_server: list[bytes], offered: list[bytes]
) -> None:
    assert list(choose_ciphers(offer(to_server, from_server))) == list(offered)


def test_broken_offer_is_left_to_asyncssh() -> None:
    assert choose_ciphers(bytes(20)) == CIPHERS
    assert choose_ciphers(b"") == CIPHERS
