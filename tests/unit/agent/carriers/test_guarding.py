"""One stream that fails alone."""

from __future__ import annotations

import asyncio

import pytest

from genba_agent.carriers.guarding import guard
from genba_wire.aio.stream import Stream
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.links import link_world


async def break_down() -> None:
    raise RecursionError


async def test_work_that_breaks_costs_its_own_stream_only() -> None:
    async with asyncio.TaskGroup() as group:

        def serve(kind: str, head: bytes, stream: Stream) -> None:
            if kind == "broken":
                group.create_task(guard(stream, break_down()))
            else:
                stream.accept()

        async with link_world(serve) as (world, _, _):
            with pytest.raises(StreamRefused, match="internal error") as refused:
                await world.session.open_stream("broken")
            assert refused.value.code == ResetCode.FAILED
            await world.session.open_stream("whole")
