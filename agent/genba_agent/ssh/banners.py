"""Announcements of the deployment, shown at the beginning of a login shell (contract 3.6)."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from genba_agent.backoff import Backoff
from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    from genba_agent.api import AgentApi
    from genba_agent.clock import Clock

logger = logging.getLogger(__name__)

ASKED_EVERY_S: Final = 30 * 60.0
"""How often editors ask, too (contract 2.1)."""

WIDTH: Final = 80


class Banners:
    """Knows what is announced; `text` is ready for a terminal."""

    def __init__(self, api: AgentApi, clock: Clock) -> None:
        self.text = b""
        self._api = api
        self._clock = clock
        self._backoff = Backoff(clock.monotonic)

    async def run(self) -> None:
        """Ask at once, then now and then, until cancelled."""
        while True:
            await self._clock.sleep(await self.step())

    async def step(self) -> float:
        """Ask once; returns after how many seconds to ask again. A refusal means that nothing is announced."""
        try:
            messages = await self._api.fetch_announcements()
        except GatewayRefused as error:
            logger.debug("The gateway has no announcements: %s", error)
            messages = []
        except TransportError as error:
            logger.debug("Announcements are not known yet: %s", error)
            return self._backoff.next_wait_s()
        self._backoff.reset()
        self.text = format_banners(messages)
        return ASKED_EVERY_S


def format_banners(messages: Sequence[str]) -> bytes:
    """Return what a terminal shows, with an empty line after each message; b"" without any."""
    lines: list[str] = []
    for message in messages:
        for paragraph in message.strip().splitlines():
            # Nothing but text: a message must not steer the terminal.
            clean = "".join(letter for letter in paragraph.expandtabs(4) if letter.isprintable())
            lines += textwrap.wrap(clean, WIDTH) or [""]
        lines.append("")
    return "".join(f"{line}\r\n" for line in lines).encode()
