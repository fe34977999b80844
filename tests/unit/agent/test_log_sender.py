"""Sending against a gateway on real sockets.

Tests are synchronous and run a loop themselves: a spool writes to its journal within the loop, by decision (log_spool).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from genba_agent.api import AgentApi
from genba_agent.clock import SystemClock
from genba_agent.log_queue import QueuedLine
from genba_agent.log_sender import LogSender
from genba_agent.log_spool import create_spool, recover_spools
from genba_agent.retry import Retrier
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_manifest
from tests.support.agent_gateway import TOKEN, AgentGateway, running_gateway


def make_line(output: str, source: str = "a") -> QueuedLine:
    return QueuedLine(source, datetime(2026, 1, 1, tzinfo=UTC), "info", output)


@asynccontextmanager
async def running_sender(gateway: AgentGateway, folder: Path) -> AsyncGenerator[LogSender]:
    async with Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport:
        earlier = recover_spools(folder)
        sender = LogSender(AgentApi(transport), Retrier(SystemClock()), create_spool(folder), earlier)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(sender.run())
            yield sender
            task.cancel()
        sender.close()


def test_line_leaves_at_once_and_lines_behind_a_slow_answer_leave_together(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_gateway(make_manifest()) as gateway:
            gateway.logs_held = asyncio.Event()
            async with running_sender(gateway, tmp_path) as sender:
                sender.append(make_line("0"))
                await gateway.wait_for(lambda: gateway.batch_sizes == [1])
                for number in range(1, 6):
                    sender.append(make_line(str(number)))
                gateway.logs_held.set()
                await sender.wait_until_delivered()
            assert gateway.batch_sizes == [1, 5]
            assert gateway.output_of("a") == [str(number) for number in range(6)]

    asyncio.run(scenario())


def test_batch_that_was_stored_but_not_answered_is_stored_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_gateway(make_manifest()) as gateway:
            gateway.abort_next("logs", times=3)
            async with running_sender(gateway, tmp_path) as sender:
                sender.append(make_line("once"))
                await sender.wait_until_delivered()
            assert len(gateway.batch_sizes) == 4
            assert gateway.output_of("a") == ["once"]

    asyncio.run(scenario())


def test_earlier_spools_go_first_and_are_removed(tmp_path: Path) -> None:
    dead = create_spool(tmp_path)
    dead.append(make_line("of the dead"))
    dead.form_batch()
    dead.append(make_line("too"))
    dead.close()

    async def scenario() -> None:
        async with running_gateway(make_manifest()) as gateway:
            async with running_sender(gateway, tmp_path) as sender:
                sender.append(make_line("of the living"))
                await sender.wait_until_delivered()
            assert gateway.output_of("a") == ["of the dead", "too", "of the living"]
            assert len(gateway.next_numbers) == 2

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_overflow_drops_what_waits_and_what_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_gateway(make_manifest()) as gateway:
            gateway.fail_next("logs", 413)
            async with running_sender(gateway, tmp_path) as sender:
                sender.append(make_line("1"))
                sender.append(make_line("2", "b"))
                await sender.wait_until_delivered()
                sender.append(make_line("3"))
                await sender.wait_until_delivered()
            assert len(gateway.requests) == 1

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_undelivered_lines_stay_on_disk_at_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_gateway(make_manifest()) as gateway:
            gateway.fail_next("logs", 503, times=1000)
            async with running_sender(gateway, tmp_path) as sender:
                sender.append(make_line("kept"))
                await gateway.wait_for(lambda: len(gateway.requests) >= 2)

    asyncio.run(scenario())
    (spool,) = recover_spools(tmp_path)
    assert spool.form_batch() is not None
    spool.discard()
