"""Keys that sign tickets: made when first needed, kept sealed in the settings, replaced after 30 days.

A replaced key still verifies until what it signed is dead, so that nobody notices the change.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.services.visibility import Clock
from genba_gateway.store import settings as setting_store
from genba_gateway.store.engine import Database
from genba_gateway.store.sealing import Sealer

SETTING: Final = "ticket_keys_sealed"
KEY_BYTES: Final = 32
"""As long as the hash of HS256 (RFC 7518, 3.2)."""

REPLACE_AFTER: Final = timedelta(days=30)
OVERLAP: Final = timedelta(hours=1)
"""How long a replaced key verifies: far above a ticket's life, so that replicas' clocks need not agree."""


LOOK_AGAIN_AFTER: Final = timedelta(seconds=1)
"""How soon the keys are read again for a ticket of a key that is not there: anybody can send such tickets."""


class TicketKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key. Its id travels in tickets, its secret never."""

    id: str
    secret: bytes
    created_at: datetime
    replaced_at: datetime | None = None

    def __repr__(self) -> str:
        return f"TicketKey(id={self.id!r})"

    def verifies(self, now: datetime) -> bool:
        """Whether what it signed may still be alive."""
        return self.replaced_at is None or now < self.replaced_at + OVERLAP


class TicketKeys:
    """The keys of this deployment; what was read is remembered."""

    def __init__(self, database: Database, sealer: Sealer, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._now = now
        self._known: dict[str, TicketKey] = {}
        self._looked_at: datetime | None = None

    async def get_signing_key(self) -> TicketKey:
        """The key to sign with, made if there is none or it is too old."""
        key = self._newest()
        if key is None or self._is_due(key):
            async with self._database.write() as connection:
                await self._load(connection)
                key = self._newest()
                if key is None or self._is_due(key):  # another replica may have been faster
                    key = await self._replace(connection)
        return key

    async def find_verifying_key(self, key_id: str) -> TicketKey | None:
        """The key of that id, unless all that it signed is dead."""
        if key_id not in self._known and self._may_look():
            async with self._database.glance() as connection:
                await self._load(connection)
        key = self._known.get(key_id)
        return key if key is not None and key.verifies(self._now()) else None

    def _may_look(self) -> bool:
        now = self._now()
        if self._looked_at is not None and timedelta(0) <= now - self._looked_at < LOOK_AGAIN_AFTER:
            return False
        self._looked_at = now
        return True

    def _newest(self) -> TicketKey | None:
        return next((key for key in self._known.values() if key.replaced_at is None), None)

    def _is_due(self, key: TicketKey) -> bool:
        return self._now() >= key.created_at + REPLACE_AFTER

    async def _load(self, connection: AsyncConnection) -> None:
        text = await setting_store.find_setting(connection, SETTING)
        if text is None:
            return
        keys = msgspec.json.decode(self._sealer.open(base64.b64decode(text)), type=list[TicketKey])
        self._known = {key.id: key for key in keys}

    async def _replace(self, connection: AsyncConnection) -> TicketKey:
        now = self._now()
        key = TicketKey(id=secrets.token_hex(4), secret=secrets.token_bytes(KEY_BYTES), created_at=now)
        kept = [
            each if each.replaced_at is not None else msgspec.structs.replace(each, replaced_at=now)
            for each in self._known.values()
            if each.verifies(now)
        ]
        keys = [key, *kept]
        sealed = base64.b64encode(self._sealer.seal(msgspec.json.encode(keys))).decode()
        await setting_store.put_setting(connection, SETTING, sealed)
        self._known = {each.id: each for each in keys}
        return key
