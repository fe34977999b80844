from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError

from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.provisioning import AgentMetadataSpec, AppHealthcheck, AppSpec, ScriptSpec
from genba_gateway.store import tables
from genba_wire.api.agent_protocol import CONTROL_PATH, LOG_BATCH_HEADER, MAX_LOGS_BYTES
from genba_wire.tunnel.frames import Hello, encode
from tests.support.agent_app import AgentApp, as_agent, open_agent_app
from tests.support.agent_rows import make_agent_spec

CEILING_S = 30.0
ME = "/api/v2/workspaceagents/me"
SOURCE = "22222222-2222-4222-8222-222222222222"
SPOOL = "33333333-3333-4333-8333-333333333333"
NOW = "2026-01-02T03:04:05Z"

SPEC = replace(
    make_agent_spec("main", token="44444444-4444-4444-8444-444444444444"),
    environment={"A": "1"},
    directory="~/src",
    motd_file="/etc/motd",
    scripts=(ScriptSpec("Startup Script", "echo hi", run_on_start=True, timeout_s=3),),
    apps=(AppSpec("code", "Code", healthcheck=AppHealthcheck("http://localhost:1", 5, 6)),),
    metadata=(AgentMetadataSpec("cpu/load", "CPU", "cpu.sh", 10, 2),),
)
HEADERS = as_agent(SPEC.token)
HELLO = encode(Hello(boot_id=uuid.UUID(SOURCE).bytes))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AgentApp]:
    async with open_agent_app(tmp_path) as opened:
        yield opened


async def send(
    world: AgentApp, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    response = await world.send(method, f"{ME}{path}", body, HEADERS if headers is None else headers)
    data = await response.get_data()
    return response.status_code, await response.get_json() if data else None


@pytest.mark.parametrize("path", ["/manifest", "/metadata"])
async def test_the_manifest_tells_all_that_an_agent_has_to_know(world: AgentApp, path: str) -> None:
    actor = await world.rows.add_running_agent(SPEC)

    status, body = await send(world, "GET", path)

    assert status == 200
    [script] = body.pop("scripts")
    [app] = body.pop("apps")
    agent = await world.rows.get_agent(actor.agent_id)
    assert (script["log_source_id"], script["timeout"], script["run_on_start"]) == (
        agent.scripts[0].log_source_id,
        3_000_000_000,
        True,
    )
    assert app["healthcheck"] == {"url": "http://localhost:1", "interval": 5, "threshold": 6}
    assert list(body.pop("derpmap")["Regions"]) == ["999"]
    assert body == {
        "agent_id": actor.agent_id,
        "agent_name": "main",
        "owner_name": "ana",
        "workspace_id": actor.workspace_id,
        "workspace_name": actor.workspace_name,
        "git_auth_configs": 0,
        "vscode_port_proxy_uri": f"http://{{{{port}}}}--main--{actor.workspace_name}--ana.apps.test:3000",
        "derp_force_websockets": False,
        "environment_variables": {"A": "1"},
        "directory": "~/src",
        "motd_file": "/etc/motd",
        "disable_direct_connections": False,
        "metadata": [{"display_name": "CPU", "key": "cpu/load", "script": "cpu.sh", "interval": 10, "timeout": 2}],
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/manifest"),
        ("POST", "/startup"),
        ("POST", "/report-lifecycle"),
        ("POST", "/report-stats"),
        ("POST", "/metadata"),
        ("POST", "/metadata/cpu"),
        ("PATCH", "/logs"),
        ("PATCH", "/startup-logs"),
        ("POST", "/log-source"),
        ("POST", "/app-health"),
        ("GET", "/gitsshkey"),
        ("GET", "/rpc"),
    ],
)
async def test_only_agents_of_a_current_build_may_ask(world: AgentApp, method: str, path: str) -> None:
    actor = await world.rows.add_running_agent(SPEC)
    await world.rows.add_build(actor.workspace_id, number=2)

    for headers in (HEADERS, {}, world.user, as_agent(str(uuid.uuid4())), as_agent("no-uuid")):
        assert (await send(world, method, path, {}, headers))[0] == 401


async def test_a_startup_report_is_answered_with_null(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent(SPEC)

    assert await send(
        world, "POST", "/startup", {"version": "v2.20.0", "expanded_directory": "/h", "subsystems": ["envbox"]}
    ) == (200, None)
    wrong, body = await send(world, "POST", "/startup", {"version": "2.20", "expanded_directory": ""})

    assert (wrong, body["validations"][0]["field"]) == (400, "version")
    assert (await world.rows.get_agent(actor.agent_id)).version == "v2.20.0"


async def test_a_lifecycle_report_is_stored(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent(SPEC)
    report = {"state": "starting", "changed_at": "2026-01-02T03:04:06.123456789+01:00"}

    assert await send(world, "POST", "/report-lifecycle", report) == (204, None)
    assert (await send(world, "POST", "/report-lifecycle", {**report, "state": "x"}))[0] == 400
    assert (await world.rows.get_agent(actor.agent_id)).lifecycle_state == "starting"


async def count_stats(world: AgentApp) -> int:
    async with world.rows.database.read() as connection:
        query = sa.select(sa.func.count()).select_from(tables.workspace_agent_stats)
        return (await connection.execute(query)).scalar_one()


async def test_a_stats_report_without_counts_only_asks_for_the_interval(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)
    answer = (200, {"report_interval": 30_000_000_000})

    assert await send(world, "POST", "/report-stats", {"connections_by_proto": None}) == answer
    assert await count_stats(world) == 0
    assert await send(world, "POST", "/report-stats", {"connections_by_proto": {"TCP": 1}, "rx_bytes": 3}) == answer
    assert await count_stats(world) == 1


@pytest.mark.parametrize(
    ("key", "used"),
    [
        ("session_count_vscode", True),
        ("session_count_jetbrains", True),
        ("session_count_reconnecting_pty", True),
        ("session_count_ssh", True),
        ("connection_count", False),
    ],
)
async def test_any_session_counts_as_use(world: AgentApp, key: str, used: bool) -> None:
    await world.rows.add_running_agent(SPEC)
    world.rows.clock.move(60)
    await send(world, "POST", "/report-stats", {"connections_by_proto": {}, key: 1})

    async with world.rows.database.read() as connection:
        used_at = (await connection.execute(sa.select(tables.workspaces.c.last_used_at))).scalar_one()
    assert (used_at == world.rows.clock()) is used


async def test_metadata_comes_in_batches_and_one_by_one(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)
    result = {"collected_at": NOW, "age": 0, "value": "5%", "error": ""}

    assert await send(world, "POST", "/metadata", {"metadata": [{"key": "cpu/load", **result}]}) == (204, None)
    assert await send(world, "POST", "/metadata", {"metadata": []}) == (204, None)
    assert await send(world, "POST", "/metadata/cpu/load", result) == (204, None)
    assert (await send(world, "POST", "/metadata/gpu", result))[0] == 404
    assert (await send(world, "POST", "/metadata", {"metadata": 1}))[0] == 400


def batch(*outputs: str, level: str = "info", source: str = SOURCE) -> dict[str, object]:
    logs = [{"created_at": NOW, "output": output, "level": level} for output in outputs]
    return {"log_source_id": source, "logs": logs}


async def stored(world: AgentApp) -> list[tuple[str, str]]:
    table = tables.workspace_agent_logs
    async with world.rows.database.read() as connection:
        rows = (await connection.execute(sa.select(table.c.output, table.c.level).order_by(table.c.id))).all()
    return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize("path", ["/logs", "/startup-logs"])
async def test_log_lines_are_stored_and_an_empty_level_is_info(world: AgentApp, path: str) -> None:
    await world.rows.add_running_agent(SPEC)

    assert await send(world, "PATCH", path, batch("a", level="")) == (200, None)
    assert await send(world, "PATCH", path, batch("b", level="trace")) == (200, None)
    assert await stored(world) == [("a", "info"), ("b", "trace")]


async def test_wrong_log_lines_name_what_is_wrong(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)
    wrong = {
        "logs": batch(),
        "logs[0].level": batch("a", level="fatal"),
        "log_source_id": batch("a", source="startup"),
    }
    for field, body in wrong.items():
        status, answer = await send(world, "PATCH", "/logs", body)
        assert (status, answer["validations"][0]["field"]) == (400, field)

    assert await stored(world) == []


async def test_logs_that_overflow_are_told_by_413(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)

    assert (await send(world, "PATCH", "/logs", batch("x" * MAX_LOGS_BYTES)))[0] == 200
    assert (await send(world, "PATCH", "/logs", batch("y")))[0] == 413


async def test_a_repeated_batch_is_acknowledged_and_stored_once(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)
    for first, outputs in ((0, "ab"), (0, "ab"), (1, "bcd"), (0, "abcd")):
        headers = {**HEADERS, LOG_BATCH_HEADER: f"{SPOOL}/{first}"}
        assert await send(world, "PATCH", "/logs", batch(*outputs), headers) == (200, None)

    assert [output for output, _ in await stored(world)] == list("abcd")


@pytest.mark.parametrize(
    "header", ["", "x/0", f"{SPOOL}", f"{SPOOL}/", f"{SPOOL}/-1", f"{SPOOL}/x", f"{SPOOL}/{'9' * 19}"]
)
async def test_a_wrong_batch_header_is_refused(world: AgentApp, header: str) -> None:
    await world.rows.add_running_agent(SPEC)

    status, body = await send(world, "PATCH", "/logs", batch("a"), {**HEADERS, LOG_BATCH_HEADER: header})

    assert (status, body["validations"][0]["field"]) == (400, LOG_BATCH_HEADER)
    assert await stored(world) == []


async def test_a_log_source_is_answered_with_201_each_time(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent(SPEC)
    expected = {
        "workspace_agent_id": actor.agent_id,
        "id": SOURCE,
        "created_at": NOW,
        "display_name": "Build",
        "icon": "/b.png",
    }
    for _ in range(2):
        source = {"id": SOURCE, "display_name": "Build", "icon": "/b.png"}
        assert await send(world, "POST", "/log-source", source) == (201, expected)


async def test_app_health_is_answered_with_null(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent(SPEC)
    app_id = (await world.rows.get_agent(actor.agent_id)).apps[0].id

    assert await send(world, "POST", "/app-health", {"Healths": {app_id: "healthy"}}) == (200, None)
    assert (await send(world, "POST", "/app-health", {"Healths": {}}))[0] == 400
    assert (await send(world, "POST", "/app-health", {"Healths": {str(uuid.uuid4()): "healthy"}}))[0] == 404


async def test_the_git_key_has_both_halves(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)

    status, body = await send(world, "GET", "/gitsshkey")

    assert status == 200
    assert sorted(body) == ["private_key", "public_key"]


async def test_agents_that_want_rpc_are_told_the_field(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)

    status, body = await send(world, "GET", "/rpc?version=2.0")
    async with world.websocket(f"{ME}/rpc?version=2.0", headers=HEADERS) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()

    assert (status, body["validations"][0]["field"]) == (400, "version")
    assert refused.value.response.status_code == 400


async def agent_status_of(world: AgentApp, agent_id: str) -> str:
    response = await world.client.get(f"/api/v2/workspaceagents/{agent_id}", headers=world.user)
    status: str = (await response.get_json())["status"]
    return status


async def test_the_control_websocket_is_the_agents_status(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent(SPEC)
    with world.rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher:
        async with asyncio.timeout(CEILING_S), world.websocket(CONTROL_PATH, headers=HEADERS) as socket:
            await socket.send(HELLO)
            assert await watcher.changed(timeout_s=CEILING_S)
            assert await agent_status_of(world, actor.agent_id) == "connected"
        assert await watcher.changed(timeout_s=CEILING_S)

    assert await agent_status_of(world, actor.agent_id) == "disconnected"


async def test_a_superseded_agents_control_websocket_closes_normally(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent(SPEC)
    with world.rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher:
        async with asyncio.timeout(CEILING_S), world.websocket(CONTROL_PATH, headers=HEADERS) as socket:
            await socket.send(HELLO)
            await watcher.changed(timeout_s=CEILING_S)
            await world.rows.add_build(actor.workspace_id, number=2)
            world.rows.pubsub.publish(of_workspace(actor.workspace_id))
            with pytest.raises(WebsocketDisconnectError) as closed:
                while True:
                    await socket.receive()

    assert closed.value.args == (1000,)


async def test_a_control_websocket_without_a_current_agent_is_refused_before_the_handshake(world: AgentApp) -> None:
    async with world.websocket(CONTROL_PATH, headers=as_agent(str(uuid.uuid4()))) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()

    assert refused.value.response.status_code == 401
