"""Logs from a gateway over HTTP to an editor over a websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.lsp.bulk import BulkServer
from genba_ide_bridge.lsp.logs import MAX_LINES, Follow, follow_agent, follow_build, stream_log
from tests.support.bridge_session import session_in
from tests.support.cli_builders import make_agent, make_build, make_job, make_resource, make_workspace
from tests.support.cli_gateway import CEILING_S, TOKEN, CliGateway, running_cli_gateway


@asynccontextmanager
async def client_in(folder: Path) -> AsyncGenerator[tuple[CliGateway, GatewayClient]]:
    async with running_cli_gateway() as gateway, session_in(folder, gateway.url, TOKEN) as session:
        build = make_build(
            id="build",
            job=make_job(status="running"),
            status="starting",
            transition="start",
            resources=[make_resource([make_agent(id="agent")])],
        )
        gateway.add_workspace(make_workspace(id="one", latest_build=build))
        yield gateway, await session.get_client()


@asynccontextmanager
async def editor_of(follow: Follow) -> AsyncGenerator[ClientConnection]:
    async with BulkServer() as bulk:
        opened = bulk.open(stream_log(follow))
        async with connect(opened.url) as editor:
            await editor.send(json.dumps({"token": opened.token}))
            yield editor


async def next_texts(editor: ClientConnection, count: int) -> list[str]:
    texts: list[str] = []
    async with asyncio.timeout(CEILING_S):
        while len(texts) < count:
            texts += [line["text"] for line in json.loads(await editor.recv())["lines"]]
    return texts


async def next_message(editor: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(CEILING_S):
        message: dict[str, Any] = json.loads(await editor.recv())
    return message


async def test_a_build_is_followed_to_its_end_with_headlines(tmp_path: Path) -> None:
    async with client_in(tmp_path) as (gateway, client), editor_of(follow_build(client, "build")) as editor:
        gateway.say("build", "", stage="Planning")
        gateway.say("build", "to add: 1", stage="Planning")
        assert await next_texts(editor, 2) == ["==> Planning", "to add: 1"]
        gateway.say("build", "done", stage="Applying")
        assert await next_texts(editor, 2) == ["==> Applying", "done"]
        gateway.set_job("build", "failed", error="no such image")
        assert await next_message(editor) == {
            "ended": True,
            "reason": f"Build {gateway.builds['build'].build_number} (start) failed: no such image",
        }


async def test_a_log_goes_on_after_the_gateway_was_away(tmp_path: Path) -> None:
    async with client_in(tmp_path) as (gateway, client), editor_of(follow_build(client, "build")) as editor:
        gateway.say("build", "before", stage="S")
        assert await next_texts(editor, 2) == ["==> S", "before"]
        await gateway.stop()
        gateway.say("build", "meanwhile", stage="S")
        await gateway.start()
        gateway.say("build", "after", stage="S")
        assert await next_texts(editor, 2) == ["meanwhile", "after"]


async def test_an_agents_log_ends_with_the_next_build(tmp_path: Path) -> None:
    async with client_in(tmp_path) as (gateway, client), editor_of(follow_agent(client, "agent")) as editor:
        gateway.say_as_agent("agent", "one\r\n")
        assert await next_texts(editor, 1) == ["one"]
        gateway.add_build("one", transition="stop", status="stopping", resources=[])
        # The small gateway never ends an agent's log by itself, so that its streams are ended for it.
        await gateway.stop()
        await gateway.start()
        ended = await next_message(editor)
        assert ended == {"ended": True, "reason": "The workspace was stopped, restarted or deleted."}


async def test_many_lines_come_in_messages_of_a_limited_size(tmp_path: Path) -> None:
    async with client_in(tmp_path) as (gateway, client):
        for number in range(2 * MAX_LINES + 1):
            gateway.say_as_agent("agent", str(number))
        async with editor_of(follow_agent(client, "agent")) as editor:
            sizes = [len((await next_message(editor))["lines"]) for _ in range(3)]
            assert sizes == [MAX_LINES, MAX_LINES, 1]


async def test_a_refusal_ends_the_log_with_its_reason(tmp_path: Path) -> None:
    async with client_in(tmp_path) as (gateway, client):
        gateway.token = "another-one"
        # The small gateway checks requests only: what follows its stream is the question whether the build is over.
        gateway.set_job("build", "succeeded")
        async with editor_of(follow_build(client, "build")) as editor:
            ended = await next_message(editor)
        assert ended == {"ended": True, "reason": "The session is not valid."}


async def test_an_editor_that_goes_ends_the_gateways_stream(tmp_path: Path) -> None:
    async with client_in(tmp_path) as (gateway, client):
        async with editor_of(follow_build(client, "build")):
            await gateway.wait_for(lambda: gateway.open_streams == 1)
        await gateway.wait_for(lambda: gateway.open_streams == 0)
