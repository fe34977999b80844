from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.support.dashboard_app import Dashboard, open_dashboard
from tests.support.workshop import CEILING_S, UNKNOWN_ID


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    async with open_dashboard(tmp_path) as made:
        yield made


async def _own(dashboard: Dashboard, name: str = "blue", *, run: bool = True) -> dict[str, Any]:
    """A workspace of the owner."""
    workshop = dashboard.workshop
    template = await workshop.add_template(f"of-{name}")
    return await workshop.add_workspace(template, name, who=workshop.owner, run=run)


async def test_who_has_none_is_told_how_to_get_the_first(dashboard: Dashboard) -> None:
    text = await dashboard.browser(dashboard.workshop.member).read("/workspaces")
    assert "You have no workspaces yet" in text
    assert 'href="/templates"' in text
    assert (await dashboard.anybody().get("/workspaces")).headers["Location"] == "/login?redirect=/workspaces"


async def test_a_workspace_is_listed_with_its_state_and_why(dashboard: Dashboard) -> None:
    await _own(dashboard)
    await _own(dashboard, "green", run=False)
    text = await dashboard.browser().read("/workspaces")
    for shown in (
        "blue",
        "of-blue",
        "Running",
        "Started ·",
        'href="/@olga/blue"',
        "green",
        "Waiting",
        "next in the queue",
    ):
        assert shown in text
    japanese = await dashboard.browser().read("/workspaces", Accept_Language="ja")
    assert "実行中" in japanese


async def test_a_page_lists_only_what_its_reader_may_see(dashboard: Dashboard) -> None:
    await _own(dashboard)
    text = await dashboard.browser(dashboard.workshop.stranger).read("/workspaces?q=")
    assert "blue" not in text
    assert "No workspace matches" in text


async def test_a_search_is_in_the_address_and_a_wrong_one_is_explained(dashboard: Dashboard) -> None:
    await _own(dashboard)
    browser = dashboard.browser()
    assert "/@olga/blue" in await browser.read("/workspaces?q=blu")
    assert "/@olga/blue" not in await browser.read("/workspaces?q=status:stopped")
    wrong = await browser.get("/workspaces?q=colour:<b>")
    text = await wrong.get_data(as_text=True)
    assert wrong.status_code == 400
    assert 'aria-invalid="true"' in text
    assert 'value="colour:&lt;b&gt;"' in text
    assert (await browser.get("/workspaces/stream?q=colour:x")).status_code == 400


async def test_a_page_that_is_none_is_the_first(dashboard: Dashboard) -> None:
    await _own(dashboard)
    for page in ("0", "-1", "x", "", "%EF%BC%91"):
        assert "/@olga/blue" in await dashboard.browser().read(f"/workspaces?page={page}")
    assert "/@olga/blue" not in await dashboard.browser().read("/workspaces?page=2")


async def test_what_changes_is_sent_as_the_row_that_changed(dashboard: Dashboard) -> None:
    workspace = await _own(dashboard)
    await _own(dashboard, "green")
    browser = dashboard.browser()
    text = await browser.read("/workspaces")
    (stream,) = re.findall(r'sse-connect="([^"]+)"', text)
    async with asyncio.timeout(CEILING_S), browser.client.request(stream.replace("&amp;", "&")) as connection:
        await connection.send_complete()
        assert await connection.receive() == b"event: ping\n\n"
        build = await dashboard.workshop.add_build(workspace, "stop", who=dashboard.workshop.owner, run=False)
        piece = (await connection.receive()).decode()
        assert piece.startswith(
            f'event: piece\ndata: <li class="row" id="w-{workspace["id"]}" hx-swap-oob="innerHTML">'
        )
        assert "Waiting" in piece
        assert "green" not in piece
        await dashboard.workshop.services.builds.cancel(dashboard.workshop.owner.actor, build["id"])
        while "Canceled" not in piece:
            piece = (await connection.receive()).decode()
        await _own(dashboard, "red")
        while "outerHTML:#list" not in piece:
            piece = (await connection.receive()).decode()
        assert "green" in piece
        assert "red" in piece
        await connection.disconnect()


async def test_a_stream_begins_with_what_its_page_does_not_show(dashboard: Dashboard) -> None:
    await _own(dashboard)
    browser = dashboard.browser()
    async with asyncio.timeout(CEILING_S), browser.client.request("/workspaces/stream?known=older") as connection:
        await connection.send_complete()
        assert await connection.receive() == b"event: ping\n\n"
        assert b"outerHTML:#list" in await connection.receive()
        await connection.disconnect()


async def test_a_row_is_stopped_and_started_by_its_button(dashboard: Dashboard) -> None:
    workspace = await _own(dashboard)
    browser = dashboard.browser()
    await browser.read("/workspaces")
    form = {"one": f"start {workspace['id']}", "id": UNKNOWN_ID, "back": "/workspaces?q=x"}
    answer = await browser.send("/workspaces/actions", form)
    assert answer.headers["Location"] == "/workspaces?q=x"
    assert "1 workspace starts." in await browser.read("/workspaces")
    assert "1 workspace starts." not in await browser.read("/workspaces")
    assert (await dashboard.workshop.get(dashboard.workshop.owner, f"/workspaces/{workspace['id']}")).body[
        "latest_build"
    ]["build_number"] == 2


async def test_what_ends_work_is_asked_for_first(dashboard: Dashboard) -> None:
    workspaces = [await _own(dashboard, name) for name in ("blue", "green")]
    browser, ids = dashboard.browser(), [each["id"] for each in workspaces]
    await browser.read("/workspaces")
    for htmx in (False, True):
        asked = await browser.send("/workspaces/actions", {"do": "delete", "id": ids}, htmx=htmx)
        text = await asked.get_data(as_text=True)
        assert asked.status_code == 200
        assert "Delete these workspaces" in text
        assert all(each in text for each in (*ids, "olga/blue", "olga/green"))
        assert asked.headers.get("HX-Retarget") == ("#dialog" if htmx else None)
    done = await browser.send("/workspaces/actions", {"do": "delete", "id": ids, "confirmed": "yes"}, htmx=True)
    assert done.headers["HX-Retarget"] == "#flash"
    assert "2 workspaces are being deleted." in await done.get_data(as_text=True)


async def test_one_that_can_not_be_does_not_hold_up_the_others(dashboard: Dashboard) -> None:
    ready, busy = await _own(dashboard), await _own(dashboard, "green", run=False)
    browser = dashboard.browser()
    await browser.read("/workspaces")
    answer = await browser.send("/workspaces/actions", {"do": "start", "id": [ready["id"], busy["id"]]}, htmx=True)
    text = await answer.get_data(as_text=True)
    assert "1 workspace starts." in text
    assert "olga/green: Workspace" in text
    assert "has a build in progress" in text


async def test_what_can_not_be_done_is_said(dashboard: Dashboard) -> None:
    workspace = await _own(dashboard)
    browser = dashboard.browser()
    await browser.read("/workspaces")
    for form, status in (
        ({"do": "start"}, 400),
        ({"do": "explode", "id": workspace["id"]}, 400),
        ({"do": "start", "id": "no-id"}, 400),
        ({"do": "start", "id": UNKNOWN_ID}, 404),
    ):
        answer = await browser.send("/workspaces/actions", form, htmx=True)
        assert (answer.status_code, answer.headers["HX-Retarget"]) == (status, "#flash")
    stranger = dashboard.browser(dashboard.workshop.stranger)
    await stranger.read("/workspaces")
    refused = await stranger.send("/workspaces/actions", {"one": f"start {workspace['id']}"})
    assert refused.status_code == 404
    assert (await browser.send("/workspaces/actions", {"csrf_token": "x", "do": "start"})).status_code == 400


@pytest.mark.parametrize(("count", "status"), [(100, 404), (101, 400)])
async def test_as_many_are_chosen_at_once_as_a_page_lists(dashboard: Dashboard, count: int, status: int) -> None:
    browser = dashboard.browser()
    await browser.read("/workspaces")
    answer = await browser.send("/workspaces/actions", {"do": "start", "id": [UNKNOWN_ID] * count})
    assert answer.status_code == status


async def test_the_list_has_strict_headers_and_no_inline_code(dashboard: Dashboard) -> None:
    await _own(dashboard)
    answer = await dashboard.browser().get("/workspaces")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|<style", await answer.get_data(as_text=True))


async def test_a_wrong_search_is_explained_in_the_readers_language_on_the_page_alone(dashboard: Dashboard) -> None:
    page = await dashboard.browser().read("/workspaces?q=colour:red", Accept_Language="ja")
    assert "検索条件が正しくありません" in page
    assert "は検索に使えません" in page
    assert "Invalid" not in page
    asked = dashboard.workshop.call(
        dashboard.workshop.owner, "GET", "/workspaces?q=colour:red", headers={"Accept-Language": "ja"}
    )
    assert "Invalid workspace search query" in (await asked).body["message"]
