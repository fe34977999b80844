"""The bridge as an editor uses it: a real process over each transport, a real gateway, Terraform and agent."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from genba_wire.version import VERSION
from tests.support.bridge_desk import Shared, desk, read_state, see, status_with
from tests.support.bridge_editor import TRANSPORTS, EditorTransport, open_stream, read_log_stream

pytestmark = pytest.mark.asyncio(loop_scope="module")

over_each_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@over_each_transport
async def test_signing_in_keeps_a_key_of_its_own_and_signing_out_ends_it(
    shared: Shared, short_dir: Path, transport: EditorTransport
) -> None:
    async with desk(shared, short_dir, transport, signed_in=False) as here:
        editor, gateway = here.editor, here.gateway
        assert await editor.ask("genba/session") == {"signedIn": False, "version": VERSION}
        for method in ("genba/watchWorkspaces", "genba/startWorkspace", "genba/openTerminal"):
            parameters = {"id": "x", "agentId": "x", "height": 24, "width": 80}
            refusal = await editor.refusal_of(method, parameters)
            assert (refusal.code, refusal.data["kind"]) == (-32001, "notSignedIn")
        refusal = await editor.refusal_of("genba/signIn", {"url": gateway.url, "token": "wrong-token"})
        assert (refusal.code, refusal.data["kind"]) == (-32001, "notSignedIn")
        assert "cli-auth" in refusal.data["hint"]
        refusal = await editor.refusal_of("genba/signIn", {"url": "ftp://x", "token": "t"})
        assert (refusal.code, refusal.data["kind"]) == (-32602, "invalidParams")
        refusal = await editor.refusal_of("genba/signIn", {"url": gateway.url})
        assert (refusal.code, refusal.data["kind"]) == (-32602, "invalidParams")
        assert "token" in refusal.data["detail"]

        typed = gateway.url.removeprefix("http://") + "/"
        result = await editor.ask("genba/signIn", {"url": typed, "token": f" {gateway.token}\n"})
        me = await gateway.fetch("GET", "/api/v2/users/me")
        assert result == {"url": gateway.url, "user": {"id": me["id"], "username": "admin"}}
        kept = (short_dir / "config" / "session").read_text()
        assert kept != gateway.token
        assert await editor.ask("genba/session") == {
            "signedIn": True,
            "url": gateway.url,
            "username": "admin",
            "version": VERSION,
        }
        await editor.ask("genba/signOut")
        assert await editor.ask("genba/session") == {"signedIn": False, "version": VERSION}
        assert not (short_dir / "config" / "session").exists()
        assert await status_with(gateway, kept, "GET", "/api/v2/users/me") == 401
        assert (await gateway.send("GET", "/api/v2/users/me")).status_code == 200
        log = editor.errors.decode()
        assert gateway.token not in log
        assert kept not in log


@over_each_transport
async def test_the_main_job_in_an_editor(shared: Shared, short_dir: Path, transport: EditorTransport) -> None:
    async with desk(shared, short_dir, transport) as here:
        editor, gateway = here.editor, here.gateway
        assert await editor.ask("genba/watchWorkspaces") == {"workspaces": []}
        created = await gateway.create_workspace("demo", here.template_id)
        await editor.wait_until(lambda: here.is_ready("demo"))
        demo = here.workspace("demo")
        agent = demo["agents"][0]
        assert demo["id"] == created["id"]
        assert (demo["status"], demo["ownerName"], demo["templateName"]) == ("running", "admin", "host")
        assert (demo["buildNumber"], demo["transition"]) == (1, "start")
        assert await asyncio.to_thread(Path(agent["directory"]).is_dir)

        opened = await editor.ask("genba/openBuildLog", {"buildId": demo["buildId"]})
        async with open_stream(opened) as stream:
            build_lines, last = await read_log_stream(stream)
        assert any(line["text"].startswith("==> ") for line in build_lines)
        assert any("Apply complete" in line["text"] for line in build_lines)
        assert set(build_lines[0]) == {"time", "level", "text"}
        assert last == {"ended": True, "reason": "Build 1 (start) succeeded."}

        opened = await editor.ask("genba/openAgentLog", {"agentId": agent["id"]})
        async with open_stream(opened) as stream, asyncio.TaskGroup() as group:
            reading = group.create_task(read_log_stream(stream))
            stopped = await editor.ask("genba/stopWorkspace", {"id": demo["id"]})
            assert stopped["buildNumber"] == 2
            await editor.wait_until(lambda: here.workspace("demo")["status"] == "stopped")
            again = await editor.ask("genba/stopWorkspace", {"id": demo["id"]})
            assert again == stopped
        agent_lines, last = reading.result()
        said = [line["text"] for line in agent_lines if line["text"].startswith("line ")]
        assert said == ["line 1", "line 2", "line 3"]
        assert last["ended"] is True
        assert here.workspace("demo")["agents"] == []
        refusal = await editor.refusal_of("genba/openTerminal", {"agentId": agent["id"], "height": 24, "width": 80})
        assert (refusal.code, refusal.data["status"]) == (-32003, 404)

        started = await editor.ask("genba/startWorkspace", {"id": demo["id"]})
        assert started["buildNumber"] == 3
        await editor.wait_until(lambda: here.is_ready("demo"))
        assert await editor.ask("genba/startWorkspace", {"id": demo["id"]}) == started
        await gateway.build(demo["id"], "delete")
        await editor.wait_until(lambda: here.workspace("demo") == {})
        refusal = await editor.refusal_of("genba/openBuildLog", {"buildId": "99999999-9999-4999-8999-999999999999"})
        assert (refusal.code, refusal.data["kind"], refusal.data["status"]) == (-32003, "refused", 404)


@over_each_transport
async def test_a_terminal_carries_bytes_sizes_and_the_exit_code(
    shared: Shared, short_dir: Path, transport: EditorTransport
) -> None:
    async with desk(shared, short_dir, transport) as here:
        editor, gateway = here.editor, here.gateway
        workspace = await gateway.create_workspace("demo", here.template_id)
        agent = await gateway.wait_for_agent(workspace["id"])
        size = {"height": 24, "width": 80}
        opened = await editor.ask(
            "genba/openTerminal", {"agentId": agent["id"], **size, "command": "cat; stty size; exit 7"}
        )
        async with open_stream(opened) as terminal:
            assert await read_state(terminal) == {"state": "connected"}
            await terminal.send("héllo\n".encode())
            await see(terminal, "héllo\r\nhéllo\r\n".encode())
            await terminal.send(json.dumps({"resize": {"height": 33, "width": 101}}))
            await terminal.send(b"\x04")
            await see(terminal, b"33 101")
            ended = await read_state(terminal)
            assert (ended["state"], ended["exitCode"]) == ("ended", 7)
            with pytest.raises(ConnectionClosed):
                await terminal.recv()
            assert terminal.close_code == 1000

        first = await editor.ask("genba/openTerminal", {"agentId": agent["id"], **size})
        async with open_stream(first) as terminal:
            assert await read_state(terminal) == {"state": "connected"}
            await terminal.send(b"echo one-$((40 + 2))\n")
            await see(terminal, b"one-42")
        again = await editor.ask(
            "genba/openTerminal", {"agentId": agent["id"], **size, "reconnect": first["reconnect"]}
        )
        assert again["reconnect"] == first["reconnect"]
        async with open_stream(again) as terminal:
            await see(terminal, b"one-42")
            await editor.ask("genba/closeStream", {"id": again["id"]})
            with pytest.raises(ConnectionClosed):
                while True:
                    await terminal.recv()
            assert terminal.close_code == 1001
        for parameters in ({"height": 0, "width": 80}, {**size, "reconnect": "not-an-id"}):
            refusal = await editor.refusal_of("genba/openTerminal", {"agentId": agent["id"], **parameters})
            assert refusal.data["kind"] == "invalidParams"
        await gateway.build(workspace["id"], "delete")


@over_each_transport
async def test_a_gateway_that_goes_away_is_waited_for(
    shared: Shared, short_dir: Path, transport: EditorTransport
) -> None:
    async with desk(shared, short_dir, transport) as here:
        editor, gateway = here.editor, here.gateway
        workspace = await gateway.create_workspace("demo", here.template_id)
        agent = await gateway.wait_for_agent(workspace["id"])
        assert [each["name"] for each in (await editor.ask("genba/watchWorkspaces"))["workspaces"]] == ["demo"]
        opened = await editor.ask("genba/openTerminal", {"agentId": agent["id"], "height": 24, "width": 80})
        log_opened = await editor.ask("genba/openAgentLog", {"agentId": agent["id"]})
        async with open_stream(opened) as terminal, open_stream(log_opened) as agent_log:
            assert await read_state(terminal) == {"state": "connected"}
            await gateway.kill()
            await editor.wait_until(lambda: editor.told("genba/connection"))
            assert editor.told("genba/connection")[-1]["state"] == "reconnecting"
            assert editor.told("genba/connection")[-1]["reason"]
            assert (await read_state(terminal))["state"] == "reconnecting"
            for method, parameters in (
                ("genba/session", {}),
                ("genba/watchWorkspaces", {}),
                ("genba/startWorkspace", {"id": workspace["id"]}),
                ("genba/openAgentLog", {"agentId": agent["id"]}),
            ):
                refusal = await editor.refusal_of(method, parameters)
                assert (refusal.code, refusal.data["kind"]) == (-32002, "gatewayUnreachable")
            await gateway.start()
            await editor.wait_until(lambda: len(editor.told("genba/connection")) == 2)
            assert editor.told("genba/connection")[-1] == {"state": "connected", "reason": ""}
            while (state := await read_state(terminal))["state"] == "reconnecting":
                assert state["reason"]
            assert state == {"state": "connected"}
            await terminal.send(b"echo after-$((40 + 2))\n")
            await see(terminal, b"after-42")
            await gateway.create_workspace("second", here.template_id)
            await editor.wait_until(lambda: here.is_ready("second"))
            for name in ("demo", "second"):
                found = await gateway.fetch("GET", f"/api/v2/users/me/workspace/{name}")
                await gateway.build(found["id"], "delete")
            assert (await read_state(terminal))["state"] == "ended"
            assert (await read_log_stream(agent_log))[1]["ended"] is True


@over_each_transport
async def test_a_session_that_is_revoked_ends_the_watch(
    shared: Shared, short_dir: Path, transport: EditorTransport
) -> None:
    async with desk(shared, short_dir, transport) as here:
        editor, gateway = here.editor, here.gateway
        await editor.ask("genba/watchWorkspaces")
        kept = (short_dir / "config" / "session").read_text()
        assert await status_with(gateway, kept, "POST", "/api/v2/users/logout") == 200
        await editor.wait_until(lambda: editor.told("genba/signedOut"))
        assert editor.told("genba/signedOut")[0]["reason"]
        described = await editor.ask("genba/session")
        assert (described["signedIn"], described["url"]) == (False, gateway.url)
        await editor.ask("genba/signIn", {"url": gateway.url, "token": gateway.token})
        assert await editor.ask("genba/watchWorkspaces") == {"workspaces": []}
