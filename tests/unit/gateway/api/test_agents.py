from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agent_reports import LogLevel, MetadataValue, NewLogLine
from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.provisioning import AgentMetadataSpec, AppSpec, ScriptSpec
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.store import agent_metadata as metadata_store
from tests.support.agent_app import AgentApp, open_agent_app
from tests.support.agent_rows import make_agent_spec

CEILING_S = 30.0
SOURCE = "22222222-2222-4222-8222-222222222222"
AGENTS = "/api/v2/workspaceagents"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AgentApp]:
    async with open_agent_app(tmp_path) as opened:
        yield opened


async def append(world: AgentApp, actor: AgentActor, *outputs: str) -> None:
    lines = [NewLogLine(output, LogLevel.INFO) for output in outputs]
    logs = AgentLogs(world.rows.database, world.rows.pubsub, now=world.rows.clock)
    await logs.append(actor, SOURCE, lines, None)


def outputs_of(frame: Any) -> list[str]:
    lines: list[dict[str, str]] = json.loads(frame)
    assert isinstance(lines, list)
    return [line["output"] for line in lines]


async def test_an_agent_has_every_key_that_clients_rely_on(world: AgentApp) -> None:
    spec = replace(make_agent_spec(), scripts=(ScriptSpec("S", "x", timeout_s=2),), apps=(AppSpec("docs", "Docs"),))
    actor = await world.rows.add_running_agent(spec)

    response = await world.client.get(f"{AGENTS}/{actor.agent_id}", headers=world.user)

    body = await response.get_json()
    assert response.status_code == 200
    assert (body["id"], body["status"], body["lifecycle_state"]) == (actor.agent_id, "connecting", "created")
    assert body["health"] == {"healthy": True}
    assert body["scripts"][0]["timeout"] == 2_000_000_000
    assert body["log_sources"][0]["workspace_agent_id"] == actor.agent_id
    assert body["apps"][0]["health"] == "disabled"
    assert body["status_reason"].startswith("It has not connected yet")
    for key in ("display_apps", "subsystems", "logs_length", "logs_overflowed", "connection_timeout_seconds"):
        assert key in body


@pytest.mark.parametrize("path", ["", "/logs", "/startup-logs", "/watch-metadata", "/connection"])
async def test_what_one_may_not_see_is_not_found(world: AgentApp, path: str) -> None:
    actor = await world.rows.add_running_agent()

    hidden = await world.client.get(f"{AGENTS}/{actor.agent_id}{path}", headers=world.stranger)
    absent = await world.client.get(f"{AGENTS}/{uuid.uuid4()}{path}", headers=world.user)
    wrong = await world.client.get(f"{AGENTS}/main{path}", headers=world.user)
    unknown = await world.client.get(f"{AGENTS}/{actor.agent_id}{path}")

    assert [each.status_code for each in (hidden, absent, wrong, unknown)] == [404, 404, 400, 401]
    assert await hidden.get_json() == await absent.get_json()


@pytest.mark.parametrize("path", ["/logs?follow", "/startup-logs?follow", "/watch-metadata-ws"])
async def test_a_websocket_to_a_hidden_agent_is_refused_before_the_handshake(world: AgentApp, path: str) -> None:
    actor = await world.rows.add_running_agent()
    async with world.websocket(f"{AGENTS}/{actor.agent_id}{path}", headers=world.stranger) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()

    assert refused.value.response.status_code == 404


@pytest.mark.parametrize("name", ["logs", "startup-logs"])
async def test_logs_are_an_array_from_after_an_id(world: AgentApp, name: str) -> None:
    actor = await world.rows.add_running_agent()
    await append(world, actor, "a", "b", "c")

    response = await world.client.get(f"{AGENTS}/{actor.agent_id}/{name}?after=1", headers=world.user)

    assert await response.get_json() == [
        {"id": 2, "created_at": "2026-01-02T03:04:05Z", "output": "b", "level": "info", "source_id": SOURCE},
        {"id": 3, "created_at": "2026-01-02T03:04:05Z", "output": "c", "level": "info", "source_id": SOURCE},
    ]


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "%D9%A3", "1" * 19])
async def test_a_bad_after_is_refused(world: AgentApp, after: str) -> None:
    actor = await world.rows.add_running_agent()
    url = f"{AGENTS}/{actor.agent_id}/logs?after={after}"

    plain = await world.client.get(url, headers=world.user)
    async with world.websocket(f"{url}&follow", headers=world.user) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()

    assert plain.status_code == refused.value.response.status_code == 400
    assert (await plain.get_json())["validations"][0]["field"] == "after"


async def test_following_without_a_websocket_is_refused_in_words(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent()

    response = await world.client.get(f"{AGENTS}/{actor.agent_id}/logs?follow=false", headers=world.user)

    assert response.status_code == 426
    assert "websocket" in (await response.get_json())["message"]


async def test_a_follower_gets_arrays_the_backlog_first_and_a_normal_close(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent()
    await append(world, actor, "a", "b")
    url = f"{AGENTS}/{actor.agent_id}/logs?follow&no_compression&after=1"
    async with asyncio.timeout(CEILING_S), world.websocket(url, headers=world.user) as socket:
        assert outputs_of(await socket.receive()) == ["b"]
        await append(world, actor, "c", "d")
        assert outputs_of(await socket.receive()) == ["c", "d"]
        await world.rows.add_build(actor.workspace_id, number=2)
        world.rows.pubsub.publish(of_workspace(actor.workspace_id))
        with pytest.raises(WebsocketDisconnectError) as closed:
            await socket.receive()

    assert closed.value.args == (1000,)


async def make_metadata_agent(world: AgentApp) -> AgentActor:
    items = (AgentMetadataSpec("cpu", "CPU", "cpu.sh", 10, 2, 1), AgentMetadataSpec("ram", "RAM", "ram.sh", 5, 1))
    actor = await world.rows.add_running_agent(replace(make_agent_spec(), metadata=items))
    async with world.rows.database.write() as connection:
        await metadata_store.update_metadata(
            connection, actor.agent_id, [MetadataValue("cpu", "5%", "")], world.rows.clock()
        )
    world.rows.clock.move(3.9)
    return actor


SNAPSHOT = [
    {
        "result": {"collected_at": "0001-01-01T00:00:00Z", "age": 0, "value": "", "error": ""},
        "description": {"display_name": "RAM", "key": "ram", "script": "ram.sh", "interval": 5, "timeout": 1},
    },
    {
        "result": {"collected_at": "2026-01-02T03:04:05Z", "age": 3, "value": "5%", "error": ""},
        "description": {"display_name": "CPU", "key": "cpu", "script": "cpu.sh", "interval": 10, "timeout": 2},
    },
]


async def test_watched_metadata_has_every_field_and_no_ping_message(world: AgentApp) -> None:
    actor = await make_metadata_agent(world)
    url = f"{AGENTS}/{actor.agent_id}/watch-metadata-ws"
    async with asyncio.timeout(CEILING_S), world.websocket(url, headers=world.user) as socket:
        first = json.loads(str(await socket.receive()))

    assert first == {"type": "data", "data": SNAPSHOT}


async def test_metadata_is_watched_by_server_sent_events_too(world: AgentApp) -> None:
    actor = await make_metadata_agent(world)
    async with asyncio.timeout(CEILING_S):
        connection = world.request(f"{AGENTS}/{actor.agent_id}/watch-metadata", headers=world.user)
        async with connection:
            await connection.send_complete()
            assert await connection.receive() == b"event: ping\n\n"
            event, _, data = (await connection.receive()).partition(b"\n")
            await connection.disconnect()

    assert event == b"event: data"
    assert json.loads(data.removeprefix(b"data: ")) == SNAPSHOT


async def test_the_relay_map_is_told_to_all_who_ask(world: AgentApp) -> None:
    actor = await world.rows.add_running_agent()
    async with asyncio.timeout(CEILING_S), world.websocket("/api/v2/derp-map") as socket:
        frame = await socket.receive()
    mine = await world.client.get(f"{AGENTS}/{actor.agent_id}/connection", headers=world.user)
    anyones = await world.client.get(f"{AGENTS}/connection", headers=world.user)

    assert isinstance(frame, bytes)
    assert list(json.loads(frame)["Regions"]) == ["999"]
    assert await mine.get_json() == await anyones.get_json()
    assert await mine.get_json() == {
        "derp_map": json.loads(frame),
        "derp_force_websockets": False,
        "disable_direct_connections": False,
        "hostname_suffix": "genba",
    }


async def test_the_relay_itself_is_refused_in_words(world: AgentApp) -> None:
    plain = await world.client.get("/derp", headers={"Upgrade": "DERP"})
    assert (await world.client.get("/derp/")).status_code == plain.status_code
    async with world.websocket("/derp", subprotocols=["derp"]) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()

    assert plain.status_code == refused.value.response.status_code == 426
    assert "no DERP relay" in (await plain.get_json())["message"]


@pytest.mark.parametrize("path", ["/derp/latency-check", "/latency-check"])
async def test_latency_can_be_measured(world: AgentApp, path: str) -> None:
    response = await world.client.get(path)

    assert (response.status_code, await response.get_data()) == (200, b"")
