"""The route of the audit log (contract 2.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from genba_gateway.config import Config
from genba_gateway.routes import make_quart_app
from genba_gateway.services import audit_logs
from tests.support.workshop import Workshop


@pytest.fixture
async def busy(workshop: Workshop) -> Workshop:
    """A deployment in which something was done."""
    workshop.app = await asyncio.to_thread(make_quart_app, Config(), workshop.services, asyncio.Event())
    workspace = await workshop.add_workspace(await workshop.add_template())
    await workshop.add_build(workspace, "delete")
    return workshop


async def search(workshop: Workshop, query: str, page: str = "") -> tuple[list[dict[str, Any]], int]:
    reply = await workshop.get(workshop.owner, f"/audit?q={query}{page}")
    assert reply.status == 200, reply
    return reply.body["audit_logs"], reply.body["count"]


async def test_entries_come_newest_first_in_pages(busy: Workshop) -> None:
    entries, count = await search(busy, "")
    assert len(entries) == count
    assert [entry["time"] for entry in entries] == sorted((entry["time"] for entry in entries), reverse=True)
    first, total = await search(busy, "", "&limit=1&offset=1")
    assert (first, total) == ([entries[1]], count)


async def test_an_entry_says_who_did_what(busy: Workshop) -> None:
    ((entry,), _) = await search(busy, "resource_type:workspace%20action:create")
    assert (entry["description"], entry["is_deleted"]) == ("mia created workspace dev", True)
    assert entry["user"]["username"] == "mia"
    assert entry["organization"]["name"] == "coder"
    assert entry["organization_id"] == entry["organization"]["id"]


async def test_searches_find_what_fits(busy: Workshop) -> None:
    today = f"{busy.clock():%Y-%m-%d}"
    everything = (await search(busy, ""))[1]
    assert (await search(busy, f"date_from:{today}%20date_to:{today}"))[1] == everything
    assert (await search(busy, "date_to:2001-01-01"))[1] == 0
    assert {entry["user"]["username"] for entry in (await search(busy, "username:mia"))[0]} == {"mia"}
    assert {entry["resource_type"] for entry in (await search(busy, "build_reason:initiator"))[0]} == {
        "workspace_build"
    }
    assert {entry["resource_target"] for entry in (await search(busy, "DEV"))[0]} == {"dev"}
    found, _ = await search(busy, "action:delete%20organization:coder")
    assert [entry["resource_type"] for entry in found] == ["workspace_build"]


async def test_a_page_has_an_end_also_where_all_is_asked_for(busy: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_logs, "MAX_PAGE", 2)
    for page in ("", "&limit=0", "&limit=3"):
        entries, count = await search(busy, "", page)
        assert (len(entries), count > 2) == (2, True)


async def test_who_may_not_read_it_and_what_is_no_search(busy: Workshop) -> None:
    assert (await busy.get(busy.member, "/audit")).status == 403
    assert (await busy.get(None, "/audit")).status == 401
    refused = await busy.get(busy.owner, "/audit?q=colour:red")
    assert (refused.status, refused.fields) == (400, ["colour"])
