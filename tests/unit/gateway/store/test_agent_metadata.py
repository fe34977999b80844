from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from genba_gateway.domain.agent_reports import MetadataItem, MetadataValue
from genba_gateway.domain.provisioning import AgentMetadataSpec
from genba_gateway.store import agent_metadata as metadata_store
from tests.support.agent_rows import AgentRows, make_agent_spec, open_agent_rows

ITEMS = (AgentMetadataSpec("cpu", "CPU", "cpu.sh", 10, 2, order=5), AgentMetadataSpec("ram", "RAM", "ram.sh", 20, 3))


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


async def test_items_are_in_display_order_and_begin_uncollected(rows: AgentRows) -> None:
    actor = await rows.add_running_agent(replace(make_agent_spec(), metadata=ITEMS))

    async with rows.database.read() as connection:
        assert await metadata_store.list_metadata(connection, actor.agent_id) == [
            MetadataItem("ram", "RAM", "ram.sh", 20, 3, "", "", None),
            MetadataItem("cpu", "CPU", "cpu.sh", 10, 2, "", "", None),
        ]


async def test_only_the_agents_own_known_keys_are_changed(rows: AgentRows) -> None:
    mine = await rows.add_running_agent(replace(make_agent_spec(), metadata=ITEMS))
    other = await rows.add_running_agent(replace(make_agent_spec(), metadata=ITEMS))
    values = [MetadataValue("cpu", "5%", "late"), MetadataValue("gpu", "1", "")]
    async with rows.database.write() as connection:
        assert await metadata_store.update_metadata(connection, mine.agent_id, values, rows.clock()) == 1

    async with rows.database.read() as connection:
        [_, cpu] = await metadata_store.list_metadata(connection, mine.agent_id)
        [_, others_cpu] = await metadata_store.list_metadata(connection, other.agent_id)
    assert (cpu.value, cpu.error, cpu.collected_at) == ("5%", "late", rows.clock())
    assert others_cpu.collected_at is None
