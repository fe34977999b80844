from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from genba_agent.api import AgentApi
from genba_agent.ssh.host_certificate import REFUSED_WAIT_S, RENEWED_AFTER_S, HostCertificate
from genba_agent.ssh.host_key import HostIdentity
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, AgentGateway, Fault, running_gateway
from tests.support.waiting import eventually

PATH = "/api/v2/workspaceagents/me/ssh-host-certificate"
KEY = HostIdentity(private_key=b"private", public_key="ssh-ed25519 AAAA")


def answer(gateway: AgentGateway, certificate: str) -> None:
    gateway.answers[PATH] = {
        "certificate": certificate,
        "valid_before": datetime(2027, 1, 1, tzinfo=UTC).isoformat(),
    }


async def test_certificate_is_asked_for_daily_and_after_failures() -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        keeper = HostCertificate(AgentApi(transport), FakeClock(), KEY)
        assert await keeper.step() == REFUSED_WAIT_S  # 404: a gateway of an earlier version
        assert keeper.identity == KEY
        answer(gateway, "first")
        assert await keeper.step() == RENEWED_AFTER_S
        assert keeper.identity.certificate == "first"
        assert gateway.requests[-1].body == b'{"public_key":"ssh-ed25519 AAAA"}'
        gateway.faults.append(Fault(PATH, times=1, status=500))
        assert await keeper.step() == REFUSED_WAIT_S
        assert keeper.identity.certificate == "first"
        gateway.faults.append(Fault(PATH, times=2, aborts_after_storing=True))
        assert await keeper.step() == 0
        assert 0 < await keeper.step() < 1
        answer(gateway, "second")
        assert await keeper.step() == RENEWED_AFTER_S
        assert keeper.identity.certificate == "second"
        assert keeper.identity.private_key == b"private"


async def test_connections_of_a_fresh_agent_wait_for_the_certificate() -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        keeper = HostCertificate(AgentApi(transport), FakeClock(), KEY)
        answer(gateway, "first")
        gateway.faults.append(Fault(PATH, times=1, aborts_after_storing=True))
        waiting = group.create_task(keeper.get_identity())
        await keeper.step()
        assert not waiting.done()
        await keeper.step()
        assert (await waiting).certificate == "first"


async def test_a_gateway_that_certifies_nothing_keeps_nobody_waiting() -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        keeper = HostCertificate(AgentApi(transport), FakeClock(), KEY)
        await keeper.step()
        assert await keeper.get_identity() == KEY


async def test_another_connection_to_the_gateway_renews_the_certificate() -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        keeper = HostCertificate(AgentApi(transport), FakeClock(), KEY)
        answer(gateway, "first")
        running = group.create_task(keeper.run())
        assert (await keeper.get_identity()).certificate == "first"
        answer(gateway, "second")
        keeper.renew()
        await eventually(lambda: keeper.identity.certificate == "second")
        running.cancel()
