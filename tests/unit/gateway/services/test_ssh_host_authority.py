from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from genba_gateway.services.ssh_host_authority import SETTING, AuthorityKey, SshHostAuthority
from genba_gateway.store import settings as setting_store
from tests.support.agent_rows import AgentRows, open_agent_rows


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_authority(rows: AgentRows) -> SshHostAuthority:
    return SshHostAuthority(rows.database, rows.sealer, rows.clock)


async def test_one_key_is_made_and_found_by_every_process(rows: AgentRows) -> None:
    first = await make_authority(rows).get_key()

    assert await make_authority(rows).get_key() == first
    load_ssh_public_key(first.public_line.encode())
    assert first.public_line.startswith("ssh-ed25519 ")
    assert len(first.public_line.split()) == 2


async def test_processes_that_make_it_at_once_agree(rows: AgentRows) -> None:
    keys: list[AuthorityKey] = []

    async def ask() -> None:
        keys.append(await make_authority(rows).get_key())

    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(ask())

    assert len(keys) == 5
    assert {each.id for each in keys} == {keys[0].id}


async def test_the_key_is_kept_sealed_and_never_shown(rows: AgentRows) -> None:
    key = await make_authority(rows).get_key()
    async with rows.database.read() as connection:
        stored = await setting_store.find_setting(connection, SETTING)

    assert stored is not None
    assert key.id not in stored
    assert repr(key.private) not in repr(key)


async def test_another_key_takes_over_in_every_process(rows: AgentRows) -> None:
    running = make_authority(rows)
    former = await running.get_key()
    fresh = await make_authority(rows).replace()

    assert fresh.public_line != former.public_line
    assert await running.get_key() == fresh
