"""What is kept of secrets."""

from __future__ import annotations

import hashlib


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret with 122 bits of entropy or more, such as a key or an agent's UUID: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()
