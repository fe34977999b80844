from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genba_gateway import services
from genba_gateway.domain.audit_logs import AuditEntry
from genba_gateway.web import audit_logs as audit_pages
from genba_gateway.web.languages import speaking
from tests.support.dashboard_app import Dashboard

ENTRY = AuditEntry(
    id="1",
    time=datetime(2026, 1, 31, tzinfo=UTC),
    user=None,
    organization=None,
    action="write",
    resource_type="user",
    resource_id="2",
    resource_target="mina/+",
    ip_address="",
    user_agent="",
    status_code=0,
    additional_fields={"status": "suspended"},
    is_deleted=False,
)
RECORDED = re.compile(r'resource_type="(\w+)"|\(\s*"(\w+)",\s*(?:[\w.]+id|""),\s*(?:[\w.]+|"[\w ]+")\s*\)')


async def _busy(dashboard: Dashboard) -> Dashboard:
    template = await dashboard.workshop.add_template()
    await dashboard.workshop.add_workspace(template, "blue", who=dashboard.workshop.owner)
    return dashboard


async def test_owners_read_who_did_what_when_and_where_from(dashboard: Dashboard) -> None:
    browser = (await _busy(dashboard)).browser()
    text = await browser.read("/audit")
    for shown in ("Build of a workspace", "blue", "created", 'href="/users/olga"', " data-absolute>", "entries"):
        assert shown in text
    assert 'href="/deployment" aria-current="page"' in text
    assert 'href="/audit"' in await browser.read("/deployment")
    japanese = await browser.read("/audit", Accept_Language="ja")
    assert "監査ログ" in japanese


async def test_a_search_narrows_the_log_and_stays_in_its_field(dashboard: Dashboard) -> None:
    browser = (await _busy(dashboard)).browser()
    found = await browser.read("/audit?q=resource_type:template")
    assert 'href="/templates/' in found
    assert "Build of a workspace" not in found
    assert 'value="resource_type:template"' in found
    assert "No entry matches" in await browser.read("/audit?q=username:nobody")


async def test_a_wrong_search_is_explained_at_its_field(dashboard: Dashboard) -> None:
    answer = await dashboard.browser().get("/audit?q=colour:<b>")
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in text
    assert "colour is no search key" in text
    assert "<b>" not in text


async def test_a_long_log_has_pages_whose_links_keep_the_search(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_pages, "ENTRIES_PER_PAGE", 1)
    browser = (await _busy(dashboard)).browser()
    first = await browser.read("/audit?q=username:olga")
    assert "Page 1 of " in first
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert following == "/audit?q=username%3Aolga&amp;page=2"
    assert "There are no more entries" in await browser.read("/audit?page=100000")


async def test_others_find_no_such_page_and_no_way_to_it(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    assert (await browser.get("/audit")).status_code == 404
    assert "/audit" not in await browser.read("/workspaces")
    assert (await dashboard.anybody().get("/audit")).headers["Location"] == "/login?redirect=/audit"


def test_an_entry_is_shown_in_words_with_what_was_changed() -> None:
    shown = audit_pages.view_entry(ENTRY)
    assert (shown.who, shown.thing, shown.action, shown.link) == ("", "User", "changed", "/users/mina%2F%2B")
    assert shown.changes == [("status", "suspended")]
    assert not shown.is_refused
    assert audit_pages.view_entry(replace(ENTRY, status_code=400)).is_refused
    assert not audit_pages.view_entry(replace(ENTRY, status_code=399)).is_refused
    assert audit_pages.view_entry(replace(ENTRY, is_deleted=True)).link == ""
    unnamed = audit_pages.view_entry(replace(ENTRY, resource_type="idp_sync", action="lock"))
    assert (unnamed.thing, unnamed.action, unnamed.link) == ("idp sync", "lock", "")
    with speaking("ja"):
        assert audit_pages.view_entry(ENTRY).action == "変更"


def test_every_kind_of_thing_that_is_recorded_has_its_word() -> None:
    folder = Path(services.__file__).parent
    found = {
        kind
        for file in folder.glob("*.py")
        for match in RECORDED.findall(file.read_text("utf-8"))
        for kind in match
        if kind
    }
    assert {"workspace_build", "user", "appearance", "file"} <= found
    assert found <= audit_pages.THINGS.keys()
