"""Tells the gateway that a workspace is in use, so that it is not stopped meanwhile (contract 2.2, 2.6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.sessions.byte_session import Traffic
    from genba_ide_bridge.sessions.refusals import AgentAddress

logger = logging.getLogger(__name__)

USAGE_INTERVAL_S: Final = 60.0

KNOWN_APPS: Final = frozenset({"vscode", "jetbrains", "reconnecting-pty", "ssh"})

NO_USAGE: Final = "disable"
"""The app name with which nothing is told."""


def app_of(name: str) -> str:
    """The app to name to the gateway, or an empty string for none; what it does not know counts as ssh."""
    if name == NO_USAGE:
        return ""
    return name if name in KNOWN_APPS else "ssh"


@dataclass(slots=True)
class UsageReport:
    """Reports at once, then every minute in which bytes flowed, until cancelled or the gateway wants none."""

    client: GatewayClient
    address: AgentAddress
    app: str
    traffic: Traffic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Report; a gateway that is away, or does not know the route, harms no session."""
        before = -1
        while True:
            flowed = self.traffic.sent + self.traffic.received
            if flowed != before and not await self._tell():
                return
            before = flowed
            await self.sleep(USAGE_INTERVAL_S)

    async def _tell(self) -> bool:
        try:
            await self.client.workspaces.report_usage(self.address.workspace_id, self.address.agent_id, self.app)
        except GatewayRefused as refusal:
            logger.info("The gateway took no report of usage: %s", refusal.message)
            return refusal.status not in (400, 404, 405)
        except TransportError as error:
            logger.info("Usage was not reported: %s", error)
        return True
