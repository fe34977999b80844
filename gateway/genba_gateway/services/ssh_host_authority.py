"""The authority that certifies the SSH host keys of agents: an ed25519 key, made when first needed, kept sealed.

Keys have ids and are kept as a list, newest first: the first one signs. Users' OpenSSH knows its public half as one
`@cert-authority` line.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.services.visibility import Clock
from genba_gateway.store import settings as setting_store
from genba_gateway.store.engine import Database
from genba_gateway.store.sealing import Sealer

SETTING: Final = "ssh_host_authority_sealed"


class AuthorityKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key: its id is written into what it signs, its private half (32 bytes) leaves the process only sealed."""

    id: str
    private: bytes
    created_at: datetime

    def __repr__(self) -> str:
        return f"AuthorityKey(id={self.id!r})"

    @property
    def signer(self) -> Ed25519PrivateKey:
        """What signs."""
        return Ed25519PrivateKey.from_private_bytes(self.private)

    @property
    def public_line(self) -> str:
        """The public half in OpenSSH's format, without a comment."""
        return self.signer.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class SshHostAuthority:
    """The authority of this deployment. Nothing is remembered: a command of another process may replace the key."""

    def __init__(self, database: Database, sealer: Sealer, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._now = now

    async def get_key(self) -> AuthorityKey:
        """The key that signs."""
        async with self._database.glance() as connection:
            current = await self._find(connection)
        if current is None:
            async with self._database.write() as connection:
                # Writers take turns, other processes' too: who comes second finds the key of the first.
                current = await self._find(connection) or await self._make(connection)
        return current

    async def replace(self) -> AuthorityKey:
        """Make another key, which signs from here on; the former one is forgotten."""
        async with self._database.write() as connection:
            return await self._make(connection)

    async def _find(self, connection: AsyncConnection) -> AuthorityKey | None:
        text = await setting_store.find_setting(connection, SETTING)
        if text is None:
            return None
        return msgspec.json.decode(self._sealer.open(base64.b64decode(text)), type=list[AuthorityKey])[0]

    async def _make(self, connection: AsyncConnection) -> AuthorityKey:
        private = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        key = AuthorityKey(id=secrets.token_hex(4), private=private, created_at=self._now())
        sealed = base64.b64encode(self._sealer.seal(msgspec.json.encode([key]))).decode()
        await setting_store.put_setting(connection, SETTING, sealed)
        return key
