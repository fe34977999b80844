"""Sessions in which nothing happens for longer than the time-outs of what stands between."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from tests.support.cli_process import environment_for, started_genba
from tests.support.debian_packages import MissingPart
from tests.support.network_rows import PLAIN_ROWS, Row
from tests.support.network_world import NetworkWorld, network_world, sign_in
from tests.support.real_gateway import RealGateway
from tests.support.tls import make_authority

IDLE_S = 75
"""nginx waits for 60 s, HAProxy for 50 s."""


@pytest.mark.soak
async def test_idle_session_is_not_even_interrupted() -> None:
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as name:
        folder = Path(name)
        authority = await asyncio.to_thread(make_authority, folder / "tls")
        async with (
            network_world(folder, RealGateway(folder / "gateway"), authority) as world,
            asyncio.TaskGroup() as group,
        ):
            for row in PLAIN_ROWS:
                group.create_task(stay_idle(world, row), name=row.name)


async def stay_idle(here: NetworkWorld, row: Row) -> None:
    site = await asyncio.to_thread(here.make_site, row.open.__name__)
    try:
        async with row.open(site) as way:
            session = await sign_in(here, site.folder, way)
            environment = environment_for(site.folder, **session)
            logs = site.folder / "logs"
            call = ("ssh", "--log-dir", str(logs), "demo", "--", "cat")
            async with started_genba(call, site.folder, environment) as (_, ends):
                ends.stdin.write(b"before\n")
                assert await ends.out.readline() == b"before\n"
                # The time is the matter here: what the proxies' clocks make of it.
                await asyncio.sleep(IDLE_S)
                ends.stdin.write(b"after\n")
                assert await ends.out.readline() == b"after\n"
                ends.stdin.write_eof()
                assert await ends.out.read() == b""
            log = await asyncio.to_thread(lambda: "".join(file.read_text() for file in logs.iterdir()))
            # It would go on after a loss, too, which is not the same.
            assert log, row.name
            assert "is lost" not in log, f"{row.name}: {log}"
    except MissingPart as missing:
        pytest.skip(str(missing))
