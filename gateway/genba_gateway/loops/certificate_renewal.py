"""Takes over a renewed certificate: when its files change, and when the process is told by SIGHUP."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from genba_gateway.errors import ConfigError
from genba_gateway.services.server_certificate import ServerCertificate

log = logging.getLogger(__name__)

INTERVAL_S: Final = 60.0
"""How often the files are looked at; renewal has weeks."""


class CertificateRenewal:
    """Reads the certificate again, from files that may be half written: what can't be used is tried again."""

    def __init__(self, certificate: ServerCertificate, told: asyncio.Event, *, interval_s: float = INTERVAL_S) -> None:
        self._certificate = certificate
        self._told = told
        self._interval_s = interval_s
        self._has_failed = False

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._interval_s):
                    await self._told.wait()
            except TimeoutError:
                pass
            await self.step()

    async def step(self) -> bool:
        """Take over what is new; whether there was something."""
        is_told = self._told.is_set()
        self._told.clear()
        if not is_told and not self._has_failed and not await asyncio.to_thread(self._certificate.has_changed):
            return False
        try:
            await asyncio.to_thread(self._certificate.check)
            self._certificate.take_over()
        except ConfigError as error:
            self._has_failed = True
            log.error("the renewed certificate can't be used, the former stays: %s", error)
            return False
        self._has_failed = False
        log.info("the certificate was read again")
        return True
