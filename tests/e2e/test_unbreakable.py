"""A transfer of 64 MiB both ways and an open shell outlive whatever happens between client and agent.

Each time the bytes are exact, the shell is the same process, and what was typed is answered once. The real waits are in
`test_unbreakable_long.py`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from genba_wire.tunnel.frames import CloseCode
from tests.support.chaos_proxy import Way
from tests.support.unbreakable_world import LINKS, MIB, SSH, World, begin, break_often, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

CEILING_S = 90.0
STEP = 12 * MIB
KEEP_S = 2

BY_BOTH = pytest.mark.parametrize("client", [LINKS, SSH])
"""With links of the test's own, and with the user's OpenSSH."""

BY_BOTH_IN_SOAK = pytest.mark.parametrize("client", [LINKS, pytest.param(SSH, marks=pytest.mark.soak)])
"""Likewise; what is between OpenSSH and the link has been tried by the others, so `make test` has no time for it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here() -> AsyncGenerator[World]:
    """One world for all: each leaves it as it was."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with world(Path(folder)) as started:
            yield started


@asynccontextmanager
async def another_workspace(here: World, name: str, client: str) -> AsyncGenerator[None]:
    """One that may end, of each client."""
    first = (here.workspace, here.agent)
    await here.start_workspace(name if client == LINKS else f"{name}-too")
    try:
        yield
    finally:
        here.workspace, here.agent = first


@BY_BOTH
async def test_the_gateway_is_killed_and_restarted_three_times(here: World, client: str) -> None:
    async def kill() -> None:
        await here.gateway.kill()
        await here.gateway.start()

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 3, STEP, kill)
        await session.finish()
        assert min(session.resumed.values()) >= 3


@BY_BOTH
async def test_the_clients_carriers_are_cut(here: World, client: str) -> None:
    async def cut() -> None:
        assert here.client_line.cut() >= 2

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 4, STEP, cut)
        await session.finish()
        assert min(session.resumed.values()) >= 4


@BY_BOTH
async def test_the_agents_carriers_are_cut(here: World, client: str) -> None:
    async def cut() -> None:
        # The control carrier and those of both links.
        assert here.agent_line.cut() >= 3

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 3, STEP, cut)
        await session.finish()
        assert min(session.resumed.values()) >= 3


@BY_BOTH_IN_SOAK
async def test_the_carriers_of_both_are_cut(here: World, client: str) -> None:
    async def cut() -> None:
        here.client_line.cut()
        here.agent_line.cut()

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 3, STEP, cut)
        await session.finish()


@BY_BOTH_IN_SOAK
async def test_nothing_passes_for_a_while(here: World, client: str) -> None:
    ways = iter(((Way.UP,), (Way.DOWN,), (Way.UP, Way.DOWN)))

    async def stop() -> None:
        here.client_line.stop(*next(ways))
        # What is under way fills what there is in between.
        await asyncio.sleep(1)
        here.client_line.heal()

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 3, STEP, stop)
        await session.finish()
        assert session.outages == []


@BY_BOTH_IN_SOAK
async def test_nothing_passes_for_a_while_and_the_connections_are_forgotten(here: World, client: str) -> None:
    async def forget() -> None:
        here.client_line.stop()
        here.client_line.heal(forgets=True)
        # What finds that out within 30 s in a real network, by silence, is told here: the gateway is gone.
        await here.gateway.kill()
        await here.gateway.start()
        here.client_line.cut()

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 1, STEP, forget)
        await session.finish()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 without set-up")
@BY_BOTH_IN_SOAK
async def test_the_clients_address_changes(here: World, client: str) -> None:
    addresses = iter(("127.0.0.2", "127.0.0.3", "127.0.0.4"))

    async def move() -> None:
        here.client_line.source = next(addresses)
        here.client_line.cut()

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        await break_often(session, 3, STEP, move)
        await session.finish()


@BY_BOTH_IN_SOAK
async def test_a_slow_path_breaks_again_and_again(here: World, client: str) -> None:
    async def slow_down() -> None:
        here.client_line.set_delay(0.1)
        # The way that is ahead may have nothing left that could break.
        behind = Way.UP if session.server.sink.received <= session.came else Way.DOWN
        here.client_line.reset_at_random(MIB, 6 * MIB, seed=4, way=behind)
        here.client_line.cut()

    async with begin(here, client=client, ceiling_s=CEILING_S) as session:
        # What goes before is quick, for the sake of whoever waits for this test.
        await break_often(session, 1, 36 * MIB, slow_down)
        await session.finish()
        assert session.resumed["tunnel"] >= 2


@BY_BOTH
async def test_the_laptop_sleeps(here: World, client: str) -> None:
    async with begin(here, client=client, ceiling_s=CEILING_S) as session:

        async def sleep() -> None:
            session.signal_all(signal.SIGSTOP)
            # Meanwhile its connections end, as the gateway ends those that are silent.
            assert here.client_line.cut() >= 2
            await asyncio.sleep(1)
            session.signal_all(signal.SIGCONT)

        await break_often(session, 2, STEP, sleep)
        await session.finish()


@BY_BOTH
async def test_a_stopped_workspace_ends_the_session_and_says_so(here: World, client: str) -> None:
    async with another_workspace(here, "stopped", client), begin(here, client=client, ceiling_s=CEILING_S) as session:
        await session.moves(STEP)
        await here.gateway.build(here.workspace["id"], "stop")
        await session.until(lambda: len(session.over) == 2)
        for said in session.over.values():
            if client == LINKS:
                assert said == "The workspace stopped was stopped. `genba start stopped` starts it."
            else:
                # The agent says so over SSH before it ends.
                assert "The workspace is stopping" in said


@BY_BOTH
async def test_a_revoked_session_ends_and_says_so(here: World, client: str) -> None:
    owner = here.gateway.token
    key = (await here.gateway.fetch("POST", "/api/v2/users/me/keys"))["key"]
    here.gateway.token = key
    try:
        async with begin(here, client=client, ceiling_s=CEILING_S) as session:
            await session.moves(STEP)
            here.gateway.token = owner
            await here.gateway.request("DELETE", f"/api/v2/users/me/keys/{key.split('-')[0]}")
            await session.until(lambda: len(session.over) == 2)
            for said in session.over.values():
                assert "not signed in" in said
                assert "genba login" in said
    finally:
        here.gateway.token = owner


@BY_BOTH
async def test_a_session_that_is_away_for_too_long_ends_and_says_so(here: World, client: str) -> None:
    await here.gateway.stop()
    here.gateway.environment["GENBA_AGENT_KEEP"] = str(KEEP_S / 3600)
    await here.gateway.start()
    async with another_workspace(here, "kept", client), begin(here, client=client, ceiling_s=CEILING_S) as session:
        await session.moves(STEP)
        here.client_line.stop(refuses=True)
        here.client_line.cut()
        if client == LINKS:
            await session.until(lambda: len(session.ended) == 2)
            for code, reason in session.ended.values():
                assert (code, reason) == (CloseCode.EXPIRED, f"there was no connection for {KEEP_S} s")
            here.client_line.heal()
        await session.until(lambda: len(session.over) == 2)
        for said in session.over.values():
            assert f"there was no connection for {KEEP_S} s" in said
