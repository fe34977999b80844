"""Whether the browser at the other end of a websocket that the gateway took over is still there (contract 3.1)."""

from __future__ import annotations

from typing import Final

from genba_gateway.services.agent_controls import WaitingClock
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.frames import DEAD_AFTER_S, PING_AFTER_S

SILENT: Final = f"nothing heard for {DEAD_AFTER_S:.0f} s"


async def wait_for_silence(carrier: WebSocketCarrier, clock: WaitingClock) -> str:
    """Ping every `PING_AFTER_S`; return why to close when the peer gave no sign of life for `DEAD_AFTER_S`.

    Looked at with each ping, so that a peer which fell silent between two of them is found out `PING_AFTER_S` later.
    A carrier that is not read at the moment can't be judged, and counts as heard. So does a peer that takes what waits
    for it: it is slow, and a ping would be behind all of that, where one is sent at all.
    """
    sign = _sign_of_life(carrier)
    heard_at = clock.monotonic()
    while True:
        await clock.sleep(PING_AFTER_S)
        now = clock.monotonic()
        if _sign_of_life(carrier) != sign or not carrier.is_reading:
            sign, heard_at = _sign_of_life(carrier), now
        elif now - heard_at >= DEAD_AFTER_S:
            return SILENT
        carrier.ping()


def _sign_of_life(carrier: WebSocketCarrier) -> tuple[int, int]:
    return carrier.received_bytes, carrier.drained_bytes
