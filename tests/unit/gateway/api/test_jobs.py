"""The logs of jobs, plain and followed (contract 2.4)."""

from __future__ import annotations

import asyncio
import json

import pytest
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError

from genba_gateway.services import jobs as jobs_module
from tests.support.workshop import CEILING_S, Workshop


async def make_path(workshop: Workshop, kind: str, *, run: bool) -> str:
    if kind == "version":
        return f"/templateversions/{(await workshop.add_version(run=run))['id']}/logs"
    workspace = await workshop.add_workspace(await workshop.add_template(), run=run)
    return f"/workspacebuilds/{workspace['latest_build']['id']}/logs"


@pytest.mark.parametrize("kind", ["version", "build"])
async def test_a_log_is_an_array_between_two_ids(
    workshop: Workshop, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "PAGE_LINES", 2)
    workshop.provisioner.lines = tuple("abcd")
    path = await make_path(workshop, kind, run=True)
    lines = (await workshop.get(workshop.owner, path)).body
    assert lines[0].keys() == {"id", "created_at", "log_source", "log_level", "stage", "output"}
    assert [(line["id"], line["output"]) for line in lines] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    between = (await workshop.get(workshop.owner, f"{path}?after=1&before=4")).body
    assert [line["output"] for line in between] == ["b", "c"]
    assert (await workshop.get(workshop.owner, f"{path}?after=4")).body == []


@pytest.mark.parametrize("kind", ["version", "build"])
async def test_a_follower_gets_one_object_a_message_and_a_normal_close(workshop: Workshop, kind: str) -> None:
    path = await make_path(workshop, kind, run=False)
    workshop.provisioner.lines = tuple("abc")
    outputs: list[str] = []
    async with (
        asyncio.timeout(CEILING_S),
        workshop.websocket(f"{path}?follow&after=1", workshop.owner.headers) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(workshop.run_next())
        with pytest.raises(WebsocketDisconnectError) as closed:
            while True:
                outputs.append(json.loads(await socket.receive())["output"])
    assert (outputs, closed.value.args) == (["b", "c"], (1000,))


@pytest.mark.parametrize("after", ["-1", "x", "9" * 19, "9" * 5000, "%C2%B2"])
async def test_a_bad_after_is_refused_with_and_without_a_websocket(workshop: Workshop, after: str) -> None:
    path = f"{await make_path(workshop, 'version', run=True)}?after={after}"
    plain = await workshop.get(workshop.owner, path)
    assert (plain.status, plain.fields) == (400, ["after"])
    async with workshop.websocket(f"{path}&follow", workshop.owner.headers) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()
    assert refused.value.response.status_code == 400


async def test_following_needs_a_websocket(workshop: Workshop) -> None:
    reply = await workshop.get(workshop.owner, f"{await make_path(workshop, 'version', run=True)}?follow=false")
    assert (reply.status, "websocket" in reply.body["message"]) == (426, True)


async def test_a_hidden_log_is_refused_before_the_handshake(workshop: Workshop) -> None:
    path = await make_path(workshop, "build", run=True)
    async with workshop.websocket(f"{path}?follow", workshop.stranger.headers) as socket:
        with pytest.raises(WebsocketResponseError) as refused:
            await socket.receive()
    assert refused.value.response.status_code == 404
