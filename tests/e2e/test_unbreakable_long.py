"""As `test_unbreakable`, with 1 GiB each way and real waits: `make soak`."""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.chaos_proxy import chaos_proxy
from tests.support.network_namespace import PROGRAM, private_network, why_not
from tests.support.unbreakable_world import LINKS, MIB, SSH, World, begin, break_often, world

pytestmark = [pytest.mark.soak, pytest.mark.timeout(2400), pytest.mark.asyncio(loop_scope="module")]

CEILING_S = 2000.0
SIZE = 1024 * MIB
RATE = 64 * MIB

BY_BOTH = pytest.mark.parametrize("client", [LINKS, SSH])
"""With links of the test's own, and with the user's OpenSSH."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here() -> AsyncGenerator[World]:
    """One world for all: each leaves it as it was."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with world(Path(folder)) as started:
            yield started


@BY_BOTH
async def test_the_gateway_is_killed_ten_times(here: World, client: str) -> None:
    async def kill() -> None:
        await here.gateway.kill()
        await here.gateway.start()

    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:
        await break_often(session, 10, 80 * MIB, kill)
        await session.finish()


@BY_BOTH
async def test_connections_are_cut_a_hundred_times(here: World, client: str) -> None:
    generator = random.Random(4)

    async def cut() -> None:
        lines = [here.client_line, here.agent_line]
        for line in generator.choice([lines[:1], lines[1:], lines]):
            line.cut()

    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:
        await break_often(session, 100, 8 * MIB, cut)
        await session.finish()


@BY_BOTH
async def test_nothing_passes_for_20_seconds_and_everything_arrives_late(here: World, client: str) -> None:
    async def stop() -> None:
        here.client_line.stop()
        await asyncio.sleep(20)
        here.client_line.heal()

    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:
        await break_often(session, 1, 80 * MIB, stop)
        await session.finish()
        assert session.outages == []


@BY_BOTH
@pytest.mark.parametrize("seconds", [35, 90])
async def test_nothing_passes_for_long_and_the_connections_are_forgotten(
    here: World, client: str, seconds: int
) -> None:
    async def stop() -> None:
        here.client_line.stop()
        await asyncio.sleep(seconds)
        here.client_line.heal(forgets=True)

    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:
        await break_often(session, 1, 80 * MIB, stop)
        await session.finish()


@BY_BOTH
async def test_the_agents_line_is_silent_and_the_connections_are_forgotten(here: World, client: str) -> None:
    async def stop() -> None:
        here.agent_line.stop()
        await asyncio.sleep(35)
        here.agent_line.heal(forgets=True)

    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:
        await break_often(session, 1, 80 * MIB, stop)
        await session.finish()


@BY_BOTH
async def test_the_laptop_sleeps_for_90_seconds(here: World, client: str) -> None:
    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:

        async def sleep() -> None:
            session.signal_all(signal.SIGSTOP)
            await asyncio.sleep(90)
            session.signal_all(signal.SIGCONT)

        await break_often(session, 1, 80 * MIB, sleep)
        await session.finish()


@BY_BOTH
async def test_a_slow_path_breaks_every_few_seconds(here: World, client: str) -> None:
    async with begin(here, client=client, size=SIZE, rate=RATE, ceiling_s=CEILING_S) as session:

        async def cut() -> None:
            while True:
                await asyncio.sleep(5)
                here.client_line.cut()

        async with asyncio.TaskGroup() as group:
            here.client_line.set_delay(0.1)
            cutting = group.create_task(cut())
            session.press()
            await session.finish()
            cutting.cancel()
        assert session.resumed["tunnel"] >= 3


@pytest.mark.skipif(why_not() != "", reason=why_not())
async def test_the_clients_own_address_is_taken_away(here: World) -> None:
    async with private_network() as network, chaos_proxy(here.gateway.port, host=network.host) as line:

        async def move() -> None:
            await network.move(3)

        async with begin(
            here, size=SIZE, rate=RATE, ceiling_s=CEILING_S, line=line, program=PROGRAM, prepare=network.admit
        ) as session:
            await break_often(session, 1, 80 * MIB, move)
            await session.finish()
            assert min(session.resumed.values()) >= 1
