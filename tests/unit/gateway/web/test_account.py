from __future__ import annotations

import re

import pytest

from tests.support.dashboard_app import Dashboard

PAGES = [
    "/settings/account",
    "/settings/tokens",
    "/settings/tokens/create",
    "/settings/ssh-keys",
    "/settings/ssh-keys/regenerate",
    "/settings/appearance",
    "/help",
    "/logout",
    "/users",
    "/users/create",
    "/deployment",
]


async def test_settings_begin_with_the_account(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    assert (await browser.get("/settings")).headers["Location"] == "/settings/account"
    text = await browser.read("/settings/account")
    for shown in ("olga", "olga@example.com", "Owner", "With a password"):
        assert shown in text
    assert 'href="/settings/account" aria-current="page"' in text


async def test_chosen_looks_hold_and_lead_back(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    text = await browser.read("/settings/appearance")
    assert re.search(r'value="system" checked', text)
    answer = await browser.send("/preferences", {"theme": "dark", "language": "ja", "back": "/settings/appearance"})
    assert answer.headers["Location"] == "/settings/appearance"
    text = await browser.read("/settings/appearance")
    assert 'data-theme="dark"' in text
    assert "ここでの選択" in text
    assert re.search(r'value="dark" checked', text)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_strict_headers_no_inline_code_and_asks_who_is_there(dashboard: Dashboard, path: str) -> None:
    assert (await dashboard.anybody().get(path)).headers["Location"] == f"/login?redirect={path}"
    for language in ("en", "ja"):
        answer = await dashboard.browser().get(path, Accept_Language=language)
        text = await answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|<style", text)
        assert f'<html lang="{language}"' in text
        assert len(re.findall("<h1", text)) == 1
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))


async def test_signing_out_is_asked_for_and_its_button_does_it(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    assert "You are olga here" in await browser.read("/logout")
    assert (await browser.send("/logout", {})).headers["Location"] == "/login"
    assert (await browser.get("/settings/account")).status_code == 303
