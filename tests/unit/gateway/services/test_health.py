from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from genba_gateway.config import Config
from genba_gateway.errors import NotFound
from genba_gateway.services.deployment import Deployment
from genba_gateway.services.health import REFRESH, Health, connect_as_client
from genba_gateway.services.health_checks import check_access_url, check_websocket
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.broken_servers import broken_server, http_answer
from tests.support.real_gateway import free_port
from tests.support.tls import make_authority
from tests.support.workshop import Workshop


class Looks:
    """Counts how often the gateway is looked at from outside, where nobody answers."""

    def __init__(self, workshop: Workshop) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.count = 0
        self.health = Health(
            workshop.database,
            Deployment(workshop.database),
            access_url=self.url,
            now=workshop.clock,
            connect=self._connect,
        )

    def _connect(self) -> Transport:
        self.count += 1
        return Transport(TransportOptions(self.url))


async def test_the_report_is_as_bad_as_its_worst_section(workshop: Workshop) -> None:
    looks = Looks(workshop)
    report = await looks.health.get(workshop.owner.actor)
    assert (report.healthy, report.severity) == (False, "error")
    assert (report.database.healthy, report.database.reachable) == (True, True)
    assert (report.access_url.access_url, report.access_url.reachable) == (looks.url, False)
    assert not report.websocket.healthy
    assert set(report.derp.regions) == {"999"}
    (proxy,) = report.workspace_proxy.workspace_proxies.regions
    (daemon,) = report.provisioner_daemons.items
    assert proxy.id == daemon.provisioner_daemon.id
    assert daemon.provisioner_daemon.organization_id == workshop.owner.organization_id


async def test_others_are_told_that_there_is_nothing_and_nobody_looks_for_them(workshop: Workshop) -> None:
    looks = Looks(workshop)
    with pytest.raises(NotFound):
        await looks.health.get(workshop.member.actor)
    assert looks.count == 0


async def test_a_report_is_shown_again_until_it_is_old_or_another_is_asked_for(workshop: Workshop) -> None:
    looks, owner = Looks(workshop), workshop.owner.actor
    first = await looks.health.get(owner)
    workshop.clock.move((REFRESH - timedelta(seconds=1)).total_seconds())
    assert await looks.health.get(owner) is first
    forced = await looks.health.get(owner, force=True)
    assert forced.time > first.time
    workshop.clock.move(REFRESH.total_seconds())
    assert await looks.health.get(owner) is not forced


async def test_those_who_ask_at_once_share_one_look(workshop: Workshop) -> None:
    looks, owner = Looks(workshop), workshop.owner.actor
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(looks.health.get(owner, force=True)) for _ in range(3)]
    assert len({id(each.result()) for each in asked}) == 1
    # One for the address, one for the websocket.
    assert looks.count == 2


async def test_a_private_authority_and_a_certificate_for_clients_are_used(tmp_path: Path) -> None:
    authority = await asyncio.to_thread(make_authority, tmp_path)
    cert, key = await asyncio.to_thread(authority.issue, "gateway")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    tls.load_cert_chain(cert, key)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with broken_server(tls) as gateway:
        gateway.answers["/healthz"] = http_answer(200, b"OK")
        url, ca_file = gateway.url, str(authority.file)
        known = connect_as_client(Config(access_url=url, ca_file=ca_file, client_cert=str(cert), client_key=str(key)))
        assert (await check_access_url(url, known)).error is None
        assert (await check_websocket(known)).error is None
        for config in (Config(access_url=url), Config(access_url=url, ca_file=ca_file)):
            assert not (await check_access_url(url, connect_as_client(config))).healthy
