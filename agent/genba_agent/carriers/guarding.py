"""Work for one stream that may fail without ending the agent, and everybody's sessions with it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from genba_wire.aio.stream import Stream
from genba_wire.aio.stream_table import INTERNAL_ERROR
from genba_wire.tunnel.mux_frames import ResetCode

logger = logging.getLogger(__name__)


async def guard(stream: Stream, work: Awaitable[None]) -> None:
    """Do the work; when it raises what nobody expected, log that and break the stream off."""
    try:
        await work
    except Exception:
        logger.exception("A stream of the kind %r broke in the agent.", stream.kind)
        stream.reset(ResetCode.FAILED, INTERNAL_ERROR)
