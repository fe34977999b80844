"""A stream for whoever wants to see whether streams arrive whole, and piece by piece."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import Final

from quart import Blueprint, Response, request

from genba_gateway.api.gate import needs
from genba_gateway.api.streams import stream_events
from genba_gateway.domain.actors import RouteAccess
from genba_wire.api.stream_check import STREAM_CHECK_PATH, StreamCheck

HOLD_S: Final = 3.0
"""The time between the first event and the last: who gets both at once is behind something that holds back."""

_PAGE: Final = "<html><head><title>Check</title></head><body></body></html>"


def make_blueprint(*, access_url: str, hold_s: float = HOLD_S) -> Blueprint:
    """The one route."""
    blueprint = Blueprint("stream_check", __name__)
    text = f"{access_url} {_PAGE}"
    digest = hashlib.sha256(text.encode()).hexdigest()

    @blueprint.get(STREAM_CHECK_PATH)
    @needs(RouteAccess.PUBLIC)
    async def check_stream() -> Response:
        host = request.headers.get("Host", "")

        async def events() -> AsyncGenerator[StreamCheck]:
            yield StreamCheck(text=text, sha256=digest, host=host)
            await asyncio.sleep(hold_s)
            yield StreamCheck(text="", sha256=hashlib.sha256().hexdigest(), host=host, is_last=True)

        return await stream_events(events())

    return blueprint
