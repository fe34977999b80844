from __future__ import annotations

from genba_gateway.domain.hashing import hash_secret


def test_a_secret_is_kept_as_its_sha256() -> None:
    assert hash_secret("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
