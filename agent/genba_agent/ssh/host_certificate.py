"""The host key's certificate, which the gateway's SSH host CA signs: rebuilt workspaces raise no alarm."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from genba_agent.backoff import Backoff
from genba_agent.clock import wait_for_first
from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    from genba_agent.api import AgentApi
    from genba_agent.clock import Clock
    from genba_agent.ssh.host_key import HostIdentity

logger = logging.getLogger(__name__)

RENEWED_AFTER_S: Final = 24 * 3600.0
"""Certificates are valid for a month, so a day without a gateway does not matter."""

REFUSED_WAIT_S: Final = 60.0
"""How long to wait after a refusal, which may be that of a gateway that is being replaced."""


class HostCertificate:
    """Keeps the identity of the server, with a certificate once there is one."""

    def __init__(self, api: AgentApi, clock: Clock, key: HostIdentity) -> None:
        self.identity = key
        self._api = api
        self._clock = clock
        self._backoff = Backoff(clock.monotonic)
        self._is_answered = asyncio.Event()
        self._is_wanted = asyncio.Event()

    async def get_identity(self) -> HostIdentity:
        """The identity, once the gateway has answered: a key without its certificate is refused by every client."""
        await self._is_answered.wait()
        return self.identity

    def renew(self) -> None:
        """Ask again now: the gateway may have been restarted with another authority."""
        self._is_wanted.set()

    async def run(self) -> None:
        """Ask at once, then daily and when told to, until cancelled."""
        while True:
            self._is_wanted.clear()
            await wait_for_first([self._is_wanted], self._clock, await self.step())

    async def step(self) -> float:
        """Ask once; returns after how many seconds to ask again. What there is is kept when there is no answer."""
        try:
            answer = await self._api.post_ssh_host_key(self.identity.public_key)
        except GatewayRefused as error:
            logger.warning("The gateway signs no SSH host certificate: %s", error)
            self._is_answered.set()
            return REFUSED_WAIT_S
        except TransportError as error:
            logger.debug("No SSH host certificate yet: %s", error)
            return self._backoff.next_wait_s()
        self._backoff.reset()
        self.identity = replace(self.identity, certificate=answer.certificate)
        self._is_answered.set()
        return RENEWED_AFTER_S
