"""Terraform's states as the database keeps them."""

from __future__ import annotations

import asyncio

from genba_gateway.store.sealing import Sealer


class SealedStates:
    """Seals and opens states in a thread: they are megabytes, and compressed."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def seal(self, state: bytes) -> bytes:
        """What is stored of a state."""
        return await asyncio.to_thread(self._sealer.seal_compressed, state)

    async def open(self, sealed: bytes) -> bytes:
        """The state of what was stored.

        Raises:
            ConfigError: the key does not fit.
        """
        return await asyncio.to_thread(self._sealer.open_compressed, sealed)
