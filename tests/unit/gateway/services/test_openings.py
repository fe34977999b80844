"""What breaks off the opening of a session."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway.errors import AgentUnreachable
from genba_gateway.services.openings import OpeningEnded, opening
from tests.support.agent_rows import open_agent_rows
from tests.support.carriers import CEILING_S
from tests.support.links import Hosts
from tests.support.session_world import session_world


async def never() -> None:
    await asyncio.Event().wait()


async def test_a_session_that_is_opened_goes_on_after_the_block(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream) as world,
        opening(world.sessions, world.grant, never),
    ):
        await asyncio.sleep(0)


async def test_a_client_that_leaves_breaks_it_off(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        left = asyncio.Event()

        async def wait_until_left() -> None:
            await left.wait()

        with pytest.raises(OpeningEnded) as ended:
            async with asyncio.timeout(CEILING_S), opening(world.sessions, world.grant, wait_until_left):
                left.set()
                await never()
        assert ended.value.reason == ""


async def test_signing_out_breaks_it_off(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        with pytest.raises(OpeningEnded) as ended:
            async with asyncio.timeout(CEILING_S), opening(world.sessions, world.grant, never):
                await world.sign_out()
                await never()
        assert ended.value.reason == "You signed out."


async def test_only_the_first_reason_to_break_it_off_counts(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        left = asyncio.Event()
        has_left = asyncio.Event()

        async def wait_until_left() -> None:
            await left.wait()
            asyncio.get_running_loop().call_soon(has_left.set)

        with pytest.raises(OpeningEnded) as ended:
            async with asyncio.timeout(CEILING_S), opening(world.sessions, world.grant, wait_until_left):
                try:
                    await world.sign_out()
                    await never()
                finally:  # the time-out is expiring
                    left.set()
                    await has_left.wait()
        assert ended.value.reason == "You signed out."


async def test_what_keeps_the_session_from_opening_is_raised_as_it_is(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        with pytest.raises(AgentUnreachable, match="no way"):
            async with opening(world.sessions, world.grant, never):
                raise AgentUnreachable("no way")
