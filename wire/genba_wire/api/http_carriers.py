"""Carriers over plain HTTP requests, where websockets don't pass (docs/protocol.md, "Carriers over HTTP requests")."""

from __future__ import annotations

from typing import Final

from genba_wire.api.message import Message

OPEN_SUFFIX: Final = "/http"
"""Behind the path of the websocket. POST, with the websocket's credentials: opens a carrier."""

DOWN_SUFFIX: Final = OPEN_SUFFIX + "/down"
"""GET: one answer without an end, which carries what comes down."""

UP_SUFFIX: Final = OPEN_SUFFIX + "/up"
"""POST: the next piece of what goes up."""

CARRIER_HEADER: Final = "Genba-Carrier"
"""Names the carrier, and proves that it is the sender's: in a header, since URLs end up in logs."""

NUMBER_HEADER: Final = "Genba-Number"
"""Numbers the pieces that go up, from 0 in decimal: one whose answer was lost is sent again under its number."""

MAX_UP_BYTES: Final = 256 * 1024
"""Of one piece that goes up: proxies refuse bodies of more than a megabyte, and many hold them back until the end."""

TAKE_UP_S: Final = 30.0
"""How long an opened carrier waits for its GET."""

KEEP_ALIVE_S: Final = 15.0
"""How often something comes down: proxies end answers on which nothing came for a minute, some for half of one."""

TAKEN: Final = 204
"""The status of a piece that was taken, now or before."""

NOT_YET: Final = 202
"""The status of one that was not, since the other end does not read yet: it is to be sent again."""

CONTENT_TYPE: Final = "application/octet-stream"


class HttpCarrierOpened(Message, frozen=True, kw_only=True):
    """The answer to the request that opens a carrier: what the header carries from here on."""

    carrier: str
