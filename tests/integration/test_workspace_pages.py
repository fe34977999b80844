"""The pages of one workspace over HTTP: what they show, what they do, and who may."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from genba_gateway.domain.provisioning import (
    AppSpec,
    BuildResult,
    ImportResult,
    ResourceMetadataItem,
    ResourceSpec,
    TemplateParameter,
)
from genba_gateway.web.workspace import builds
from tests.support.agent_rows import make_agent_spec
from tests.support.dashboard_app import Browser, Dashboard, open_dashboard
from tests.support.workshop import CEILING_S

PAGES = [
    "/@mia/dev",
    "/@mia/dev/builds",
    "/@mia/dev/builds/1",
    "/@mia/dev/settings",
    "/@mia/dev.main/terminal",
]
FILES = ["/@mia/dev/builds/1/log.txt", "/@mia/dev.main/log.txt", "/@mia/dev.main/terminal/state", "/@mia/dev/events"]
APP = AppSpec("top", "Top <b>", command="htop")


def resources(*apps: AppSpec) -> tuple[ResourceSpec, ...]:
    agent = replace(make_agent_spec(), apps=apps)
    secret = (ResourceMetadataItem("ip", "10.0.0.1"), ResourceMetadataItem("password", "hunter2", sensitive=True))
    return (ResourceSpec("host", "box", agents=(agent,), metadata=secret), ResourceSpec("hid", "den", hide=True))


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    async with open_dashboard(tmp_path) as made:
        yield made


async def own(
    dashboard: Dashboard, *parameters: TemplateParameter, run: bool = True, answer: BuildResult | None = None
) -> dict[str, Any]:
    """A workspace `dev` of mia's with an agent."""
    workshop = dashboard.workshop
    template = await workshop.add_template("docker", *parameters)
    if run:
        workshop.provisioner.answers.append(answer or BuildResult(b"{}", resources(APP)))
    return await workshop.add_workspace(template, run=run)


def mia(dashboard: Dashboard) -> Browser:
    return dashboard.browser(dashboard.workshop.member)


async def latest(dashboard: Dashboard, workspace: dict[str, Any]) -> dict[str, Any]:
    found = await dashboard.workshop.get(dashboard.workshop.member, f"/workspaces/{workspace['id']}")
    build: dict[str, Any] = found.body["latest_build"]
    return build


async def test_what_one_may_not_see_is_not_there(dashboard: Dashboard) -> None:
    await own(dashboard)
    stranger = dashboard.browser(dashboard.workshop.stranger)
    for path in (*PAGES, *FILES):
        assert (await stranger.get(path)).status_code == 404, path
        anybody = await dashboard.anybody().get(path)
        assert anybody.headers["Location"] == f"/login?redirect={quote(path)}", path
    await stranger.read("/workspaces")
    for path, form in (
        ("/@mia/dev/actions/stop", {}),
        ("/@mia/dev/delete", {"name": "dev"}),
        ("/@mia/dev/settings/name", {"name": "mine"}),
        ("/@mia/dev/settings/stop", {"hours": "1"}),
        ("/@mia/dev/settings/start", {"time": ""}),
        ("/@mia/dev/settings/extend", {"more": "1"}),
    ):
        assert (await stranger.send(path, form)).status_code == 404, path


async def test_an_owner_of_the_deployment_sees_all(dashboard: Dashboard) -> None:
    await own(dashboard)
    for path in PAGES[:4]:
        assert (await dashboard.browser().get(path)).status_code == 200, path


async def test_pages_have_strict_headers_and_no_inline_code(dashboard: Dashboard) -> None:
    await own(dashboard)
    for path in PAGES:
        response = await mia(dashboard).get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        assert "script-src 'self';" in policy, path
        text = await response.get_data(as_text=True)
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|<style", text), path


async def test_only_the_terminal_takes_style_sheets_of_its_own_by_a_nonce_used_once(dashboard: Dashboard) -> None:
    await own(dashboard)
    nonces: set[str] = set()
    for _ in range(2):
        response = await mia(dashboard).get("/@mia/dev.main/terminal")
        (nonce,) = re.findall(r"style-src 'self' 'nonce-([\w-]{22})'", response.headers["Content-Security-Policy"])
        assert f'data-nonce="{nonce}"' in await response.get_data(as_text=True)
        nonces.add(nonce)
    assert len(nonces) == 2
    page = await mia(dashboard).get("/@mia/dev")
    assert "style-src 'self';" in page.headers["Content-Security-Policy"]


async def test_a_workspace_is_shown_with_state_agents_resources_and_builds(dashboard: Dashboard) -> None:
    await own(dashboard, TemplateParameter("size", display_name="Size", default_value="big", mutable=True))
    text = await mia(dashboard).read("/@mia/dev")
    for shown in (
        "Running",
        "by mia",
        "Connecting",
        "Top &lt;b&gt;",
        "host.box",
        "10.0.0.1",
        "Size",
        "big",
        "1: Start",
    ):
        assert shown in text
    for hidden in ("hunter2", "hid.den"):
        assert hidden not in text
    assert 'action="/@mia/dev/actions/stop"' in text
    assert 'action="/@mia/dev/actions/start"' not in text
    japanese = await mia(dashboard).read("/@mia/dev", Accept_Language="ja")
    assert "実行中" in japanese


async def test_a_failed_build_says_why(dashboard: Dashboard) -> None:
    await own(dashboard, answer=BuildResult(None, error="no <image>"))
    for path in ("/@mia/dev", "/@mia/dev/builds/1"):
        text = await mia(dashboard).read(path)
        assert "Failed" in text
        assert "no &lt;image&gt;" in text
        assert "Working" in text


async def test_buttons_do_what_they_say(dashboard: Dashboard) -> None:
    workspace = await own(dashboard)
    browser = mia(dashboard)
    for action, transition, reason in (
        ("stop", "stop", "dashboard"),
        ("start", "start", "dashboard"),
        ("restart", "stop", "restart"),
    ):
        await browser.read("/@mia/dev")
        answer = await browser.send(f"/@mia/dev/actions/{action}", {})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/@mia/dev")
        build = await latest(dashboard, workspace)
        assert (build["transition"], build["reason"]) == (transition, reason)
        await dashboard.workshop.run_next()
    await browser.read("/@mia/dev")
    await browser.send("/@mia/dev/actions/start", {})
    await browser.read("/@mia/dev")
    await browser.send("/@mia/dev/actions/cancel", {})
    assert (await latest(dashboard, workspace))["status"] == "canceled"
    assert (await browser.send("/@mia/dev/actions/explode", {})).status_code == 404
    assert (await browser.send("/@mia/dev/actions/start", {"csrf_token": "x"})).status_code == 400


async def test_what_can_not_be_done_is_said_on_the_page(dashboard: Dashboard) -> None:
    await own(dashboard, run=False)
    browser = mia(dashboard)
    await browser.read("/@mia/dev")
    await browser.send("/@mia/dev/actions/start", {})
    assert "has a build in progress" in await browser.read("/@mia/dev")


async def test_a_workspace_is_deleted_only_by_its_name(dashboard: Dashboard) -> None:
    workspace = await own(dashboard)
    browser = mia(dashboard)
    await browser.read("/@mia/dev/settings")
    for wrong in ("", "Dev", "dev "):
        await browser.send("/@mia/dev/delete", {"name": wrong})
        assert "Nothing was deleted" in await browser.read("/@mia/dev/settings")
    assert (await latest(dashboard, workspace))["transition"] == "start"
    await browser.send("/@mia/dev/delete", {"name": "dev"})
    assert (await latest(dashboard, workspace))["transition"] == "delete"
    await dashboard.workshop.run_next()
    assert "Deleted" in await browser.read("/@mia/dev")
    assert (await browser.get("/@mia/dev/settings")).status_code == 404
    assert (await browser.get("/@mia/dev.main/terminal")).status_code == 404


async def test_settings_rename_and_say_when_it_stops(dashboard: Dashboard) -> None:
    workspace = await own(dashboard)
    browser = mia(dashboard)
    await browser.read("/@mia/dev/settings")
    await browser.send("/@mia/dev/settings/stop", {"hours": "1.5"})
    found = await dashboard.workshop.get(dashboard.workshop.member, f"/workspaces/{workspace['id']}")
    assert found.body["ttl_ms"] == 5_400_000
    assert 'value="1.5"' in await browser.read("/@mia/dev/settings")
    for wrong in ("-1", "x", "inf", "nan", "1" * 9):
        await browser.send("/@mia/dev/settings/stop", {"hours": wrong})
        assert "Write the hours as a number" in await browser.read("/@mia/dev/settings")
    answer = await browser.send("/@mia/dev/settings/name", {"name": "no way"})
    assert "can&#39;t be used" in await browser.read("/@mia/dev/settings")
    answer = await browser.send("/@mia/dev/settings/name", {"name": "green"})
    assert answer.headers["Location"] == "/@mia/green/settings"
    assert (await browser.get("/@mia/dev")).status_code == 404


async def test_settings_say_when_it_starts(dashboard: Dashboard) -> None:
    workspace = await own(dashboard)
    browser = mia(dashboard)
    await browser.read("/@mia/dev/settings")
    form = {"time": "09:30", "day": ["1", "5"], "zone": "Asia/Tokyo"}
    await browser.send("/@mia/dev/settings/start", form)
    found = await dashboard.workshop.get(dashboard.workshop.member, f"/workspaces/{workspace['id']}")
    assert found.body["autostart_schedule"] == "CRON_TZ=Asia/Tokyo 30 9 * * 1,5"
    text = await browser.read("/@mia/dev/settings")
    assert 'value="09:30"' in text
    assert 'value="Asia/Tokyo"' in text
    await browser.send("/@mia/dev/settings/start", {**form, "zone": "Nowhere/Land"})
    assert "unknown" in await browser.read("/@mia/dev/settings")
    await browser.send("/@mia/dev/settings/start", {"time": ""})
    found = await dashboard.workshop.get(dashboard.workshop.member, f"/workspaces/{workspace['id']}")
    assert not found.body.get("autostart_schedule")


async def test_an_update_asks_for_what_the_newer_version_wants(dashboard: Dashboard) -> None:
    workshop = dashboard.workshop
    workspace = await own(dashboard)
    workshop.provisioner.imported = ImportResult((TemplateParameter("zone", required=True),), (), (), ())
    version = await workshop.add_version(template_id=workspace["template_id"])
    await workshop.call(
        workshop.owner, "PATCH", f"/templates/{workspace['template_id']}/versions", {"id": version["id"]}
    )
    browser = mia(dashboard)
    assert "newer version" in await browser.read("/@mia/dev")
    answer = await browser.send("/@mia/dev/actions/update", {})
    assert answer.headers["Location"] == "/@mia/dev/settings/parameters?update=true"


async def test_builds_are_listed_in_pages(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "PAGE_BUILDS", 2)
    workspace = await own(dashboard)
    first = await mia(dashboard).read("/@mia/dev/builds")
    assert 'rel="next"' not in first
    for transition in ("stop", "start"):
        await dashboard.workshop.add_build(workspace, transition)
    first = await mia(dashboard).read("/@mia/dev/builds")
    assert 'href="/@mia/dev/builds/3"' in first
    assert 'href="/@mia/dev/builds/1"' not in first
    assert 'href="?page=2"' in first
    second = await mia(dashboard).read("/@mia/dev/builds?page=2")
    assert 'href="/@mia/dev/builds/1"' in second
    assert 'rel="next"' not in second
    for wrong in ("0", "x", "-1", "1" * 10):
        assert (await mia(dashboard).get(f"/@mia/dev/builds/{wrong}")).status_code == 404
        assert 'href="/@mia/dev/builds/3"' in await mia(dashboard).read(f"/@mia/dev/builds?page={wrong}")


async def test_logs_are_files(dashboard: Dashboard) -> None:
    await own(dashboard)
    response = await mia(dashboard).get("/@mia/dev/builds/1/log.txt")
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="dev-build-1.txt"'
    assert "working" in await response.get_data(as_text=True)
    agent = await mia(dashboard).get("/@mia/dev.main/log.txt")
    assert agent.headers["Content-Disposition"] == 'attachment; filename="dev-main.txt"'
    assert (await mia(dashboard).get("/@mia/dev.other/log.txt")).status_code == 404


async def test_a_terminal_waits_for_its_agent_and_says_so(dashboard: Dashboard) -> None:
    workspace = await own(dashboard)
    response = await mia(dashboard).get("/@mia/dev/terminal")
    text = await response.get_data(as_text=True)
    assert response.status_code == 502
    assert "It has not connected yet" in text
    (address,) = re.findall(r'data-stateurl="([^"]+)"', text)
    state = json.loads(await (await mia(dashboard).get(address)).get_data())
    assert state["reload"] is False
    assert "<" not in state["message"]
    assert (await mia(dashboard).get("/@mia/dev.other/terminal")).status_code == 404
    await dashboard.workshop.add_build(workspace, "stop")
    stopped = await mia(dashboard).get("/@mia/dev.main/terminal")
    assert stopped.status_code == 400
    assert "not running" in await stopped.get_data(as_text=True)
    assert json.loads(await (await mia(dashboard).get(address)).get_data())["reload"] is True


async def test_a_terminal_waits_for_a_build_that_has_no_agent_yet(dashboard: Dashboard) -> None:
    await own(dashboard, run=False)
    response = await mia(dashboard).get("/@mia/dev.main/terminal")
    text = await response.get_data(as_text=True)
    assert response.status_code == 502
    assert 'data-url=""' in text
    assert "next in the queue" in text


async def test_a_command_of_the_address_is_asked_for_and_one_of_an_app_is_not(dashboard: Dashboard) -> None:
    await own(dashboard)
    asked = await mia(dashboard).read("/@mia/dev.main/terminal?command=rm+%3Cb%3E")
    assert 'data-command="rm &lt;b&gt;" data-asks="yes"' in asked
    assert 'id="terminal-run"' in asked
    of_app = await mia(dashboard).read("/@mia/dev.main/terminal?app=top&command=rm")
    assert 'data-command="htop" data-asks=""' in of_app
    assert (await mia(dashboard).get("/@mia/dev.main/terminal?app=none")).status_code == 404
    for length, status in ((8192, 502), (8193, 400)):
        assert (await mia(dashboard).get(f"/@mia/dev.main/terminal?command={'x' * length}")).status_code == status


async def test_ports_of_an_agent_that_is_away_are_no_failure(dashboard: Dashboard) -> None:
    await own(dashboard)
    response = await mia(dashboard).get("/@mia/dev.main/ports")
    assert response.status_code == 200
    assert "can't be listed" in await response.get_data(as_text=True)


async def test_the_stream_sends_what_changed(dashboard: Dashboard) -> None:
    workspace = await own(dashboard)
    headers = dashboard.workshop.member.headers
    seen = b""
    async with asyncio.timeout(CEILING_S):
        client: Any = dashboard.app.test_client()
        async with client.request("/@mia/dev/events", headers=headers) as connection:
            await connection.send_complete()
            while b"live-facts" not in seen or b"live-logs" not in seen:
                seen += await connection.receive()
            assert b"event: piece\ndata: <!--live-head" in seen
            await dashboard.workshop.add_build(workspace, "stop", run=False)
            seen = b""
            while b'id="workspace-status">Waiting<' not in seen:
                seen += await connection.receive()
            await connection.disconnect()


async def test_the_stream_speaks_the_readers_language(dashboard: Dashboard) -> None:
    await own(dashboard)
    headers = {**dashboard.workshop.member.headers, "Accept-Language": "ja"}
    seen = b""
    async with asyncio.timeout(CEILING_S):
        client: Any = dashboard.app.test_client()
        async with client.request("/@mia/dev/events", headers=headers) as connection:
            await connection.send_complete()
            while b"live-facts" not in seen or b"live-logs" not in seen:
                seen += await connection.receive()
            await connection.disconnect()
    text = seen.decode()
    assert "誰かが停止するまで動き続けます。" in text
    assert "It runs until" not in text
