from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from genba_agent.api import AgentApi
from genba_agent.clock import Clock, SystemClock
from genba_agent.metadata import MAX_OUTPUT_BYTES, ONCE_TIMEOUT_S, Metadata
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.agents import MetadataDescription
from tests.support.agent_builders import make_manifest, make_metadata
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, AgentGateway, running_gateway
from tests.support.agent_workspace import make_script_settings


@asynccontextmanager
async def metadata_of(
    folder: Path, clock: Clock, *descriptions: MetadataDescription
) -> AsyncGenerator[tuple[Metadata, AgentGateway]]:
    settings = await asyncio.to_thread(make_script_settings, folder)
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        yield Metadata(AgentApi(transport), clock, settings, descriptions), gateway


async def test_output_is_cut_and_both_streams_count(tmp_path: Path) -> None:
    long = make_metadata("long", "head -c 20000 /dev/zero | tr '\\0' x", timeout=30)
    both = make_metadata("both", "echo out; echo err >&2", timeout=30)
    async with metadata_of(tmp_path, SystemClock()) as (metadata, gateway):
        await metadata.collect(long)
        await metadata.collect(both)
        await metadata.report()
        items = {item["key"]: item for item in gateway.metadata}
        assert items["long"]["value"] == "x" * MAX_OUTPUT_BYTES
        assert items["both"]["value"] == "out\nerr"
        assert items["both"]["error"] == ""


async def test_item_without_interval_has_three_seconds(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        metadata_of(tmp_path, clock) as (metadata, gateway),
        asyncio.TaskGroup() as group,
    ):
        collecting = group.create_task(metadata.collect(make_metadata("stuck", "echo part; sleep 60")))
        await clock.wait_for_sleep(ONCE_TIMEOUT_S)
        clock.advance(ONCE_TIMEOUT_S)
        await collecting
        await metadata.report()
        assert gateway.metadata[0]["error"] == "The script did not end within 3 s."


async def test_report_that_failed_is_repeated_with_its_age(tmp_path: Path) -> None:
    clock = FakeClock()
    async with metadata_of(tmp_path, clock) as (metadata, gateway):
        await metadata.collect(make_metadata("key", "echo 1"))
        gateway.fail_next("metadata", 503)
        await metadata.report()
        clock.advance(2)
        await metadata.report()
        assert [(item["value"], item["age"]) for item in gateway.metadata] == [("1", 2)]
        await metadata.report()
        assert len(gateway.metadata) == 1


async def test_report_that_was_refused_for_good_is_dropped(tmp_path: Path) -> None:
    async with metadata_of(tmp_path, FakeClock()) as (metadata, gateway):
        await metadata.collect(make_metadata("key", "echo 1"))
        gateway.fail_next("metadata", 400)
        await metadata.report()
        await metadata.report()
        assert len(gateway.requests) == 1
        await metadata.collect(make_metadata("key", "echo 2"))
        await metadata.report()
        assert [item["value"] for item in gateway.metadata] == ["2"]


async def test_collection_repeats_at_its_interval_and_once_means_once(tmp_path: Path) -> None:
    clock = FakeClock()
    often, once = make_metadata("often", "echo o", interval=5), make_metadata("once", "echo 1")
    async with (
        metadata_of(tmp_path, clock, often, once) as (metadata, gateway),
        asyncio.TaskGroup() as group,
    ):
        running = group.create_task(metadata.run())
        for count in (1, 2, 3):
            while len([item for item in gateway.metadata if item["key"] == "often"]) < count:
                await clock.wait_for_sleep(1)
                clock.advance(1)
                # Programs and requests need real time between two seconds of the clock.
                await asyncio.sleep(0.02)
        assert len([item for item in gateway.metadata if item["key"] == "once"]) == 1
        assert clock.monotonic() >= 10
        running.cancel()
