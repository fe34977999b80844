"""The secret of a link and its proofs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.secret import (
    ResumeTranscript,
    agent_proof,
    client_proof,
    derive_secret,
    is_same,
    public_key,
)

CLIENT, AGENT, LINK = b"c" * 32, b"a" * 32, b"l" * 16
TRANSCRIPT = ResumeTranscript(LINK, 1, b"n" * 16, b"m" * 16)


def derive(private: bytes, peer: bytes, link_id: bytes = LINK) -> bytes:
    return derive_secret(private, peer, link_id=link_id, client_key=public_key(CLIENT), agent_key=public_key(AGENT))


def test_both_ends_derive_the_same_secret() -> None:
    secret = derive(CLIENT, public_key(AGENT))
    assert len(secret) == 32
    assert derive(AGENT, public_key(CLIENT)) == secret


def test_another_link_or_key_is_another_secret() -> None:
    secrets = {
        derive(CLIENT, public_key(AGENT)),
        derive(CLIENT, public_key(AGENT), b"x" * 16),
        derive(b"x" * 32, public_key(AGENT)),
    }
    assert len(secrets) == 3


def test_key_that_makes_every_exchange_the_same_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        derive(CLIENT, bytes(32))


def test_proof_covers_everything() -> None:
    secret = derive(CLIENT, public_key(AGENT))
    proof = client_proof(secret, TRANSCRIPT, 5)
    others = [
        client_proof(b"x" * 32, TRANSCRIPT, 5),
        client_proof(secret, TRANSCRIPT, 6),
        agent_proof(secret, TRANSCRIPT, 5),
        client_proof(secret, replace(TRANSCRIPT, link_id=b"x" * 16), 5),
        client_proof(secret, replace(TRANSCRIPT, epoch=2), 5),
        client_proof(secret, replace(TRANSCRIPT, client_nonce=b"x" * 16), 5),
        client_proof(secret, replace(TRANSCRIPT, agent_nonce=b"x" * 16), 5),
    ]
    assert is_same(proof, client_proof(secret, TRANSCRIPT, 5))
    assert not any(is_same(proof, other) for other in others)
