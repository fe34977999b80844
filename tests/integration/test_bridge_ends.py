"""How the bridge is entered, by its editor only, and how it ends: a real process over each transport."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.support.bridge_desk import Shared, bridge_environment, desk, read_state
from tests.support.bridge_editor import (
    BRIDGE,
    CEILING_S,
    TRANSPORTS,
    EditorTransport,
    bridge_editor,
    open_stream,
    read_announcement,
    read_log_stream,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

over_each_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@over_each_transport
async def test_a_stream_is_opened_once_by_its_editor_only(
    shared: Shared, short_dir: Path, transport: EditorTransport
) -> None:
    async with desk(shared, short_dir, transport) as here:
        editor, gateway = here.editor, here.gateway
        workspace = await gateway.create_workspace("demo", here.template_id)
        build_id = workspace["latest_build"]["id"]
        await gateway.wait_for_build(build_id)
        opened = await editor.ask("genba/openBuildLog", {"buildId": build_id})
        strangers: list[dict[str, Any]] = [
            {"origin": "https://evil.example"},
            {"origin": "vscode-webview://abc"},
            {"additional_headers": {"Host": "evil.example"}},
        ]
        for options in strangers:
            with pytest.raises(InvalidStatus) as refused:
                await connect(opened["url"], **options)
            assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as refused:
            await connect(opened["url"][:-1])
        assert refused.value.response.status_code == 404
        async with open_stream(opened) as stream:
            await read_log_stream(stream)
        with pytest.raises(InvalidStatus) as refused:
            await connect(opened["url"])
        assert refused.value.response.status_code == 404

        opened = await editor.ask("genba/openBuildLog", {"buildId": build_id})
        async with open_stream({**opened, "token": "wrong"}) as stream:
            with pytest.raises(ConnectionClosed):
                await stream.recv()
            assert stream.close_code == 4001
        with pytest.raises(InvalidStatus) as refused:
            await connect(opened["url"])
        assert refused.value.response.status_code == 404
        assert opened["token"] not in editor.errors.decode()
        await gateway.build(workspace["id"], "delete")


@over_each_transport
async def test_shutdown_and_exit_end_the_bridge(short_dir: Path, transport: EditorTransport) -> None:
    async with bridge_editor(transport, bridge_environment(short_dir)) as editor:
        assert await editor.ask("shutdown") is None
        await editor.tell("exit")
        assert await editor.end() == 0
    async with bridge_editor(transport, bridge_environment(short_dir)) as editor:
        await editor.tell("exit")
        assert await editor.end() == 1


@over_each_transport
async def test_an_editor_that_goes_ends_the_bridge(short_dir: Path, transport: EditorTransport) -> None:
    async with bridge_editor(transport, bridge_environment(short_dir)) as editor:
        await editor.way.hang_up()
        assert await editor.end() == 0


@over_each_transport
async def test_sigterm_ends_the_bridge_with_all_its_streams(
    shared: Shared, short_dir: Path, transport: EditorTransport
) -> None:
    async with desk(shared, short_dir, transport) as here:
        workspace = await here.gateway.create_workspace("demo", here.template_id)
        agent = await here.gateway.wait_for_agent(workspace["id"])
        await here.editor.ask("genba/watchWorkspaces")
        opened = await here.editor.ask("genba/openAgentLog", {"agentId": agent["id"]})
        terminal_opened = await here.editor.ask(
            "genba/openTerminal", {"agentId": agent["id"], "height": 24, "width": 80}
        )
        async with open_stream(opened) as agent_log, open_stream(terminal_opened) as terminal:
            assert await read_state(terminal) == {"state": "connected"}
            here.editor.process.send_signal(signal.SIGTERM)
            assert await here.editor.end() == 0
            for stream in (agent_log, terminal):
                with pytest.raises(ConnectionClosed):
                    while True:
                        await stream.recv()
                assert stream.close_code == 1001
        assert "Traceback" not in here.editor.errors.decode()
        await here.gateway.build(workspace["id"], "delete")


@over_each_transport
async def test_what_can_not_be_read_is_answered_and_the_bridge_goes_on(
    short_dir: Path, transport: EditorTransport
) -> None:
    async with bridge_editor(transport, bridge_environment(short_dir)) as editor:
        await editor.way.send(b"this is not JSON, secret-in-it")
        await editor.way.send(b'{"jsonrpc": "2.0"}')
        await editor.way.send(b"[]")
        refusal = await editor.refusal_of("genba/doesNotExist", {})
        assert refusal.code == -32601
        refusal = await editor.refusal_of("genba/closeStream", {"id": 7})
        assert (refusal.code, refusal.data["kind"]) == (-32602, "invalidParams")
        assert await editor.ask("genba/closeStream", {"id": "unknown", "more": True}) == {}
        assert "secret-in-it" not in editor.errors.decode()


async def test_the_websocket_takes_one_editor_with_the_token(short_dir: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *BRIDGE,
        *("--ws", "localhost:0"),
        env=bridge_environment(short_dir),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        announced = await read_announcement(process)
        url = announced["url"]
        offer = [Subprotocol("genba-bridge"), Subprotocol(f"genba-token.{announced['token']}")]
        strangers: list[tuple[dict[str, Any], int]] = [
            ({}, 401),
            ({"subprotocols": ["genba-bridge", "genba-token.wrong"]}, 401),
            ({"subprotocols": offer, "origin": "https://evil.example"}, 403),
            ({"subprotocols": offer, "additional_headers": {"Host": "evil.example"}}, 403),
        ]
        for options, status in strangers:
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, **options)
            assert refused.value.response.status_code == status
        async with connect(url, subprotocols=offer, origin=Origin("vscode-webview://abc")) as editor:
            assert editor.subprotocol == "genba-bridge"
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, subprotocols=offer)
            assert refused.value.response.status_code == 401
        async with asyncio.timeout(CEILING_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("arguments", [[], ["--stdio", "--ws", "127.0.0.1:0"], ["--ws", "0.0.0.0:1"], ["--ws", "x"]])
async def test_wrong_usage_is_said_on_standard_error(short_dir: Path, arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*BRIDGE, *arguments),
        env=bridge_environment(short_dir),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(CEILING_S):
        out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert b"--ws" in err
