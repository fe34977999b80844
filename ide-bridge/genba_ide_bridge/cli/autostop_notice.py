"""Says beforehand that a workspace will stop by itself, so that its end surprises nobody (contract 2.2, `ssh`)."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.cli.outage_line import write_to_stderr
from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import TransportError
from genba_wire.visible_text import visible_text

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace

logger = logging.getLogger(__name__)

NOTICES: Final = (timedelta(minutes=30), timedelta(minutes=5))
"""How long before the stop something is said, the longest first."""


def say_on_terminal(text: str) -> None:
    """Say it on stderr. OpenSSH's terminal is raw meanwhile, where a line end alone does not return to the left."""
    logger.info("%s", text)
    shown = visible_text(text)
    write_to_stderr(f"\r{shown}\r\n" if sys.stderr.isatty() else f"{shown}\n")


@dataclass(slots=True)
class AutostopNotice:
    """Looks how long a workspace has, until cancelled.

    `workspace` is as it was asked for last, so the first look costs no request. A deadline that was put off is a new
    one: what was said of the former counts no more.
    """

    client: GatewayClient
    workspace: Workspace
    interval_s: float
    name: str
    """By which the user calls the workspace."""

    say: Callable[[str], None] = say_on_terminal
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _said_below: timedelta = field(default=timedelta.max)

    async def run(self) -> None:
        """Look, and look again; a gateway that is away, or refuses, harms no session.

        Nor does what answers in its place: a page of a hotspot's, or of a proxy's while the gateway is mended.
        """
        while True:
            self._look()
            await self.sleep(self.interval_s)
            try:
                self.workspace = await self.client.workspaces.get_workspace_by_id(self.workspace.id)
            except (TransportError, BridgeError) as error:
                logger.info("Nobody knows when the workspace stops: %s", error)

    def _look(self) -> None:
        build = self.workspace.latest_build
        # Go's zero time stands for none in some of the API's answers.
        if build.transition != "start" or build.deadline is None or build.deadline.year < 2000:
            self._said_below = timedelta.max
            return
        left = build.deadline - self.clock()
        due = [notice for notice in NOTICES if left <= notice]
        if not due:
            self._said_below = timedelta.max
        elif due[-1] < self._said_below and left > timedelta(0):
            self._said_below = due[-1]
            minutes = max(1, round(left / timedelta(minutes=1)))
            self.say(f"The workspace {self.name} stops by itself in {minutes} min, unless its deadline is put off.")
