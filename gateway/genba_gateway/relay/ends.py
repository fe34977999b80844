"""What an end of a session is, and the carrier (whole messages) on it."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from genba_gateway.relay.http_end import HttpEnd
from genba_gateway.relay.taken_transport import TakenTransport
from genba_wire.aio.carrier import Carrier
from genba_wire.aio.websocket_carrier import WebSocketCarrier

End: TypeAlias = TakenTransport | Carrier
"""The fast way, a transport that the relay has taken; or the slower one, a carrier over Quart or over HTTP
requests.

Both have `close(code, reason)`.
"""


def carrier_of(end: End) -> Carrier:
    """Return the carrier on an end, for a session that the gateway itself is a party of; call it once an end."""
    return server_carrier(end) if isinstance(end, TakenTransport) else end


async def wait_until_left(end: End) -> None:
    """Return when the peer leaves before its session has begun; of one that went the slower way Quart cancels the
    handler, and with it this."""
    if isinstance(end, TakenTransport | HttpEnd):
        await end.wait_until_left()
    else:
        await asyncio.Event().wait()


def server_carrier(taken: TakenTransport) -> WebSocketCarrier:
    """Make the carrier on a taken transport."""
    carrier = WebSocketCarrier(
        taken.transport,
        is_server=True,
        early=taken.take_early(),
        on_connection_lost=lambda _error: taken.lost(),
    )
    taken.goodbye = carrier.close
    return carrier
