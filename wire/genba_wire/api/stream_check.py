"""The answer by which a client sees what becomes of streams on the way."""

from __future__ import annotations

from typing import Final

from genba_wire.api.message import Message

STREAM_CHECK_PATH: Final = "/api/v2/genba/stream-check"


class StreamCheck(Message, frozen=True, kw_only=True):
    """One event of GET /api/v2/genba/stream-check: the first comes at once, the last one seconds later."""

    text: str
    """What is changed by those who change text on the way: addresses, and tags of a page."""

    sha256: str
    """Of the text as it was sent, in hex."""

    host: str
    """The Host header that reached the gateway."""

    is_last: bool = False
