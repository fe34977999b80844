"""The routes, against a gateway on real sockets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genba_agent.api import ME, AgentApi
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.agent_protocol import LOG_BATCH_HEADER, LifecycleRequest, LogLine, PatchLogsRequest, StartupRequest
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.agent_builders import make_manifest
from tests.support.agent_gateway import TOKEN, running_gateway

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_calls_reach_their_routes_with_the_token() -> None:
    manifest = make_manifest()
    async with (
        running_gateway(manifest) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        api = AgentApi(transport)
        assert (await api.fetch_manifest()).agent_id == manifest.agent_id
        await api.post_startup(StartupRequest(version="v1", expanded_directory="/", subsystems=[]))
        await api.post_lifecycle(LifecycleRequest(state="ready", changed_at=NOW))
        await api.post_app_health({"id": "healthy"})
        logs = PatchLogsRequest(log_source_id="s", logs=[LogLine(created_at=NOW, output="x", level="info")])
        await api.patch_logs(logs, "boot", 0)
        assert [(request.method, request.path.removeprefix(ME)) for request in gateway.requests] == [
            ("GET", "/manifest"),
            ("POST", "/startup"),
            ("POST", "/report-lifecycle"),
            ("POST", "/app-health"),
            ("PATCH", "/logs"),
        ]
        assert {request.headers["coder-session-token"] for request in gateway.requests} == {TOKEN}
        assert gateway.requests[-1].headers[LOG_BATCH_HEADER.lower()] == "boot/0"


async def test_refusal_and_silence_are_told_apart() -> None:
    async with running_gateway(make_manifest()) as gateway:
        async with Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport:
            gateway.fail_next("manifest", 400)
            with pytest.raises(GatewayRefused):
                await AgentApi(transport).fetch_manifest()
        options = TransportOptions(base_url=gateway.url, token=TOKEN)
    async with Transport(options) as transport:
        with pytest.raises(GatewayUnreachable):
            await AgentApi(transport).fetch_manifest()
