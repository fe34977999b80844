from __future__ import annotations

import re

import pytest

from genba_gateway.domain.users import LoginType
from tests.support.dashboard_app import Browser, Dashboard
from tests.support.gateway_app import cheap_passwords, make_user

PASSWORD, OTHER = "correct horse battery staple", "some other battery staple"
PAGES = [
    "/settings/account",
    "/settings/security",
    "/settings/tokens",
    "/settings/tokens/create",
    "/settings/ssh-keys",
    "/settings/ssh-keys/regenerate",
    "/settings/appearance",
    "/help",
    "/logout",
    "/users",
    "/users/create",
    "/users/olga",
    "/users/mia",
    "/users/mia/suspend",
    "/deployment",
]


async def test_settings_begin_with_the_account(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    assert (await browser.get("/settings")).headers["Location"] == "/settings/account"
    text = await browser.read("/settings/account")
    for shown in ("olga", "olga@example.com", "Owner", "With a password"):
        assert shown in text
    assert 'href="/settings/account" aria-current="page"' in text


async def test_a_page_that_answers_a_form_is_where_the_form_was(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    for path, form, place in (
        ("/settings/account", {"username": "not ok"}, "/settings/account"),
        ("/users/create", {"username": "not ok"}, "/users"),
    ):
        await browser.read(path)
        answer = await browser.send(path, form)
        assert answer.status_code == 400
        text = await answer.get_data(as_text=True)
        assert f'href="{place}" aria-current="page"' in text
        # A form of the page's frame leads to no address that only forms are sent to.
        assert 'name="back" value="/"' in text


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


async def _with_password(dashboard: Dashboard) -> Browser:
    user = await make_user(dashboard.workshop.database, "ann", password_hash=await cheap_passwords().hash(PASSWORD))
    return dashboard.browser(user)


async def test_a_profile_is_changed_and_what_is_wrong_is_said_at_its_field(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await browser.read("/settings/account")
    for username, status, said in (
        ("a b", 400, "Must be letters"),
        (dashboard.workshop.member.user.username, 409, "Is taken."),
    ):
        answer = await browser.send("/settings/account", {"username": username, "name": "Olga O."})
        text = await answer.get_data(as_text=True)
        assert (answer.status_code, said in text, 'value="Olga O."' in text) == (status, True, True)
        assert re.search(r'id="username"[^>]*aria-invalid="true"', text)
    done = await browser.send("/settings/account", {"username": "olga2", "name": "Olga O."})
    assert done.headers["Location"] == "/settings/account"
    text = await browser.read("/settings/account")
    assert "Saved." in text
    assert 'value="olga2"' in text


async def test_a_password_is_changed_by_who_knows_the_present_one(dashboard: Dashboard) -> None:
    browser = await _with_password(dashboard)
    await browser.read("/settings/security")
    for old, new, field, said in (
        ("wrong", OTHER, "old_password", "Is not the password."),
        (PASSWORD, "weak", "password", "Is too easy to guess"),
        (PASSWORD, PASSWORD, "password", "Is the old one"),
    ):
        answer = await browser.send("/settings/security", {"old_password": old, "password": new})
        text = await answer.get_data(as_text=True)
        assert (answer.status_code, said in text) == (400, True)
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', text)
        assert new not in text.replace("password", "").replace("Password", "")
    done = await browser.send("/settings/security", {"old_password": PASSWORD, "password": OTHER})
    assert done.headers["Location"] == "/settings/security"
    assert "The new password holds." in await browser.read("/settings/security")
    visitor = dashboard.anybody()
    await visitor.read("/login")
    assert (await visitor.send("/login", {"email": "ann@example.com", "password": PASSWORD})).status_code == 401
    assert (await visitor.send("/login", {"email": "ann@example.com", "password": OTHER})).status_code == 303


async def test_who_has_no_password_is_offered_no_form(dashboard: Dashboard) -> None:
    user = await make_user(dashboard.workshop.database, "robot", login_type=LoginType.NONE)
    browser = dashboard.browser(user)
    text = await browser.read("/settings/security")
    assert "You have no password" in text
    assert 'name="old_password"' not in text
    assert (await browser.send("/settings/security", {"old_password": "", "password": OTHER})).status_code == 400


@pytest.mark.parametrize("path", ["/settings/account", "/settings/security"])
async def test_a_form_of_another_origin_changes_nothing(dashboard: Dashboard, path: str) -> None:
    browser = dashboard.browser()
    assert (await browser.send(path, {"username": "eve", "name": "", "password": OTHER})).status_code == 400
    assert "eve" not in await browser.read("/settings/account")
