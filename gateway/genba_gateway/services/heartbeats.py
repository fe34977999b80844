"""Whether the browser at the other end of a websocket that the gateway took over is still there (contract 3.1)."""

from __future__ import annotations

from typing import Final

from genba_gateway.services.agent_controls import WaitingClock
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.frames import DEAD_AFTER_S, PING_AFTER_S

SILENT: Final = f"nothing heard for {DEAD_AFTER_S:.0f} s"


async def wait_for_silence(carrier: WebSocketCarrier, clock: WaitingClock) -> str:
    """Ping every `PING_AFTER_S`; return why to close when nothing at all came back for `DEAD_AFTER_S`.

    Looked at with each ping, so that a peer which fell silent between two of them is found out `PING_AFTER_S` later.
    A carrier that is not read at the moment can't be judged, and counts as heard.
    """
    heard_bytes = carrier.received_bytes
    heard_at = clock.monotonic()
    while True:
        await clock.sleep(PING_AFTER_S)
        now = clock.monotonic()
        if carrier.received_bytes != heard_bytes or not carrier.is_reading:
            heard_bytes, heard_at = carrier.received_bytes, now
        elif now - heard_at >= DEAD_AFTER_S:
            return SILENT
        carrier.ping()
