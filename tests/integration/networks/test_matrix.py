"""Everything that a developer does, through each thing that may stand before a gateway (docs/networks.md)."""

from __future__ import annotations

import asyncio
import re
import ssl
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from genba_gateway.api.streams import HEARTBEAT_S
from genba_gateway.serving import WEBSOCKET_PING_S
from genba_wire.tunnel.frames import PING_AFTER_S
from tests.support.cli_process import run_genba
from tests.support.debian_packages import MissingPart
from tests.support.network_rows import CLIENT_CERTIFICATE_ROW, PLAIN_ROWS, TLS_ROWS, Row, Way, nginx_site
from tests.support.network_world import NetworkWorld, network_world, pass_all, sign_in
from tests.support.real_gateway import RealGateway, free_port
from tests.support.real_proxies import PAGE, read_snippet, replace_all, running_nginx
from tests.support.tls import make_authority

pytestmark = pytest.mark.asyncio(loop_scope="module")


NGINX_READ_S = 60
"""nginx's `proxy_read_timeout` where none is set."""

ROWS = (*PLAIN_ROWS, CLIENT_CERTIFICATE_ROW, *TLS_ROWS)
"""Client certificates at the gateway are in tests/e2e/test_tls.py."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plain() -> AsyncGenerator[NetworkWorld]:
    """Without TLS; one for all rows."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as name:
        folder = Path(name)
        authority = await asyncio.to_thread(make_authority, folder / "tls")
        async with network_world(folder, RealGateway(folder / "gateway"), authority) as world:
            yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure() -> AsyncGenerator[NetworkWorld]:
    """With TLS; one for all rows."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as name:
        folder = Path(name)
        authority = await asyncio.to_thread(make_authority, folder / "tls")
        cert, key = await asyncio.to_thread(authority.issue, "gateway")
        gateway = RealGateway(
            folder / "gateway",
            *("--tls-cert", str(cert), "--tls-key", str(key)),
            environment={"GENBA_CA_FILE": str(authority.file)},
            tls=await asyncio.to_thread(ssl.create_default_context, cafile=str(authority.file)),
        )
        async with network_world(folder, gateway, authority) as world:
            yield world


@pytest.mark.parametrize("row", PLAIN_ROWS, ids=lambda row: row.name)
async def test_row_before_a_plain_gateway_passes_all(plain: NetworkWorld, row: Row) -> None:
    await pass_or_skip(plain, row)


@pytest.mark.parametrize("row", TLS_ROWS, ids=lambda row: row.name)
async def test_row_before_a_gateway_with_tls_passes_all(secure: NetworkWorld, row: Row) -> None:
    await pass_or_skip(secure, row)


async def test_ping_and_netcheck_say_what_a_proxy_does(plain: NetworkWorld) -> None:
    site = await asyncio.to_thread(plain.make_site, "named")
    port, impatient = free_port(), free_port()
    stripped = replace_all(nginx_site(site, port), {"proxy_set_header Upgrade $http_upgrade;": ""})
    hasty = replace_all(nginx_site(site, impatient), {"location / {": "location / {\nproxy_read_timeout 1s;"})
    try:
        async with running_nginx(site.folder, f"{stripped}\nserver {{{hasty.partition('server {')[2]}", port):
            session = await sign_in(plain, site.folder, Way(f"http://127.0.0.1:{port}", {}))
            for command in (("netcheck",), ("ping", "demo", "-n", "1")):
                done = await run_genba(*command, folder=site.folder, env=session)
                assert "They reach the gateway as plain requests" in done.err, done
            session |= {"GENBA_URL": f"http://127.0.0.1:{impatient}", "GENBA_SESSION_TOKEN": plain.gateway.token}
            done = await run_genba("ping", "demo", "-n", "2", "--wait", "3s", folder=site.folder, env=session)
            assert "2 sent, 2 answered" in done.err, done
            assert "The way was lost while nothing was sent (" in done.err, done
            done = await run_genba("netcheck", "--idle", "20s", folder=site.folder, env=session)
            assert "ends connections in which nothing is said after 1 s" in done.err, done
    except MissingPart as missing:
        pytest.skip(str(missing))


async def pass_or_skip(here: NetworkWorld, row: Row) -> None:
    try:
        await pass_all(here, row)
    except MissingPart as missing:
        pytest.skip(str(missing))


async def test_published_time_outs_leave_room_for_a_ping_that_comes_late() -> None:
    spans = [int(seconds) for seconds in re.findall(r"timeout (?:client|server) +(\d+)s", read_snippet("HAProxy"))]
    assert len(spans) == 2
    assert 2 * max(PING_AFTER_S, HEARTBEAT_S, WEBSOCKET_PING_S) < min(*spans, NGINX_READ_S)


async def test_page_lists_the_rows() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## What passes")[1].split("\n## ")[0]
    assert re.findall(r"^\| ([^|]+?) \| `http", table, re.MULTILINE) == [row.name for row in ROWS]
