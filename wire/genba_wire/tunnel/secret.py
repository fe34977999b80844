"""The secret of a link, and the proofs that a resume needs.

Each end makes an X25519 key pair for each link. The gateway between them sees the public keys only, so it can neither
compute the secret nor answer a challenge; it could put itself in the middle when the link is made, which is what SSH
inside the link and TLS around it are for.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from struct import Struct
from typing import Final

from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.frame_types import KEY_BYTES

SECRET_LABEL: Final = b"genba link 1"
CLIENT_LABEL: Final = b"genba resume 1 client"
AGENT_LABEL: Final = b"genba resume 1 agent"
"""Each use of a key has its own label, so that one proof can't stand for another."""

_COUNTERS: Final = Struct(">IQ")


@dataclass(frozen=True, slots=True)
class ResumeTranscript:
    """What both ends know once a resume was challenged; every proof covers all but the other's `received`."""

    link_id: bytes
    epoch: int
    client_nonce: bytes
    agent_nonce: bytes


def public_key(private_key: bytes) -> bytes:
    """Return the X25519 public key of 32 random bytes."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def derive_secret(
    private_key: bytes, peer_public_key: bytes, *, link_id: bytes, client_key: bytes, agent_key: bytes
) -> bytes:
    """Return the link's secret of 32 bytes: HKDF-SHA256 over the X25519 exchange, bound to link id and public keys.

    Raises:
        RemoteProtocolError: the peer's key is one that makes every exchange the same.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    try:
        shared = X25519PrivateKey.from_private_bytes(private_key).exchange(
            X25519PublicKey.from_public_bytes(peer_public_key)
        )
    except ValueError as error:
        raise RemoteProtocolError("the public key of the other end is not usable") from error
    info = SECRET_LABEL + link_id + client_key + agent_key
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(shared)


def client_proof(secret: bytes, transcript: ResumeTranscript, received: int) -> bytes:
    """Return the mac of a Proof frame."""
    return _prove(secret, CLIENT_LABEL, transcript, received)


def agent_proof(secret: bytes, transcript: ResumeTranscript, received: int) -> bytes:
    """Return the mac of a Resumed frame."""
    return _prove(secret, AGENT_LABEL, transcript, received)


def is_same(mac: bytes, expected: bytes) -> bool:
    """Compare in a time that does not tell where they differ."""
    return hmac.compare_digest(mac, expected)


def _prove(secret: bytes, label: bytes, transcript: ResumeTranscript, received: int) -> bytes:
    counters = _COUNTERS.pack(transcript.epoch, received)
    nonces = transcript.client_nonce + transcript.agent_nonce
    return hmac.digest(secret, label + transcript.link_id + counters + nonces, "sha256")
