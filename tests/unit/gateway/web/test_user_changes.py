from __future__ import annotations

import re

import pytest

from genba_gateway.domain.users import LoginType, UserStatus
from genba_gateway.store import users as user_store
from tests.support.dashboard_app import Browser, Dashboard
from tests.support.gateway_app import SignedIn, make_user

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def ann(dashboard: Dashboard) -> SignedIn:
    return await make_user(dashboard.workshop.database, "ann")


@pytest.fixture
async def olga(dashboard: Dashboard) -> Browser:
    browser = dashboard.browser()
    await browser.read("/users")
    return browser


async def _status(dashboard: Dashboard, who: SignedIn) -> tuple[str, tuple[str, ...]] | None:
    async with dashboard.workshop.database.read() as connection:
        found = await user_store.find_user(connection, who.user.id)
    return (found.status, found.roles) if found else None


async def test_one_user_is_shown_with_what_can_be_done(olga: Browser, ann: SignedIn) -> None:
    text = await olga.read(f"/users/{ann.user.username}")
    for shown in ("ann@example.com", "Active", "With a password", "/users/ann/suspend", "/users/ann/delete"):
        assert shown in text
    assert "/users/ann" in await olga.read("/users")


async def test_oneself_can_be_neither_suspended_nor_made_less(olga: Browser, dashboard: Dashboard) -> None:
    text = await olga.read("/users/olga")
    assert "This is you." in text
    for absent in ("/users/olga/suspend", "/users/olga/delete", "/users/olga/roles", "/users/olga/password"):
        assert absent not in text
    for change in ("suspend", "roles", "delete"):
        answer = await olga.send(f"/users/olga/{change}", {})
        assert answer.status_code in {400, 403}
    assert await _status(dashboard, dashboard.workshop.owner) == ("active", ("owner",))


async def test_a_profile_is_changed_and_leads_to_the_new_name(olga: Browser, ann: SignedIn) -> None:
    wrong = await olga.send("/users/ann/profile", {"username": "a b", "name": "Ann A."})
    text = await wrong.get_data(as_text=True)
    assert wrong.status_code == 400
    assert re.search(r'id="username"[^>]*value="a b"[^>]*aria-invalid="true"', text)
    assert 'value="Ann A."' in text
    done = await olga.send("/users/ann/profile", {"username": "anna", "name": "Ann A."})
    assert done.headers["Location"] == "/users/anna"
    assert "The profile of anna is saved." in await olga.read("/users/anna")


async def test_a_role_is_given_and_taken(olga: Browser, ann: SignedIn, dashboard: Dashboard) -> None:
    await olga.send("/users/ann/roles", {"roles": "owner"})
    assert await _status(dashboard, ann) == ("active", ("owner",))
    text = await olga.read("/users/ann")
    assert "Nobody can suspend an owner" in text
    refused = await olga.send("/users/ann/suspend", {})
    assert refused.status_code == 400
    assert 'role="alert"' in await refused.get_data(as_text=True)
    await olga.send("/users/ann/roles", {})
    assert await _status(dashboard, ann) == ("active", ())


async def test_suspending_is_asked_for_ends_sessions_and_is_undone(
    olga: Browser, ann: SignedIn, dashboard: Dashboard
) -> None:
    anns = dashboard.browser(ann)
    assert (await anns.get("/settings/account")).status_code == 200
    assert "Suspend ann?" in await olga.read("/users/ann/suspend")
    assert await _status(dashboard, ann) == ("active", ())
    await olga.send("/users/ann/suspend", {})
    assert await _status(dashboard, ann) == (UserStatus.SUSPENDED, ())
    assert (await anns.get("/settings/account")).status_code == 303
    assert "Let them in again" in await olga.read("/users/ann")
    await olga.send("/users/ann/activate", {})
    assert await _status(dashboard, ann) == ("active", ())


async def test_a_password_is_set_for_who_has_one(olga: Browser, ann: SignedIn, dashboard: Dashboard) -> None:
    weak = await olga.send("/users/ann/password", {"password": "hunter22"})
    text = await weak.get_data(as_text=True)
    assert weak.status_code == 400
    assert "Is too easy to guess" in text
    assert "hunter22" not in text
    done = await olga.send("/users/ann/password", {"password": PASSWORD})
    assert done.headers["Location"] == "/users/ann"
    assert "ann has the new password" in await olga.read("/users/ann")
    await make_user(dashboard.workshop.database, "robot", login_type=LoginType.NONE)
    assert "/users/robot/password" not in await olga.read("/users/robot")


async def test_deleting_is_asked_for_and_waits_for_workspaces(
    olga: Browser, dashboard: Dashboard, ann: SignedIn
) -> None:
    workshop = dashboard.workshop
    await workshop.add_workspace(await workshop.add_template(), "blue", who=ann)
    assert "Delete ann?" in await olga.read("/users/ann/delete")
    refused = await olga.send("/users/ann/delete", {})
    assert refused.status_code == 417
    assert "ann has workspaces: delete them first." in await refused.get_data(as_text=True)
    member = workshop.member.user.username
    done = await olga.send(f"/users/{member}/delete", {})
    assert done.headers["Location"] == "/users"
    assert f"{member} is deleted." in await olga.read("/users")
    assert await _status(dashboard, workshop.member) is None


async def test_what_there_is_not_is_not_found(olga: Browser, ann: SignedIn, dashboard: Dashboard) -> None:
    assert (await olga.get("/users/nobody")).status_code == 404
    assert (await olga.get("/users/ann/explode")).status_code == 404
    assert (await olga.get("/users/ann/roles")).status_code == 404
    assert (await olga.send("/users/ann/explode", {})).status_code == 404
    assert (await olga.send("/users/nobody/suspend", {})).status_code == 404
    members = dashboard.browser(dashboard.workshop.member)
    await members.read("/settings/account")
    for path in ("/users/ann", "/users/ann/suspend", f"/users/{dashboard.workshop.member.user.username}"):
        assert (await members.get(path)).status_code == 404
    for change in ("profile", "password", "roles", "suspend", "activate", "delete"):
        assert (await members.send(f"/users/ann/{change}", {"roles": "owner"})).status_code == 404
    assert await _status(dashboard, ann) == ("active", ())


async def test_a_form_of_another_origin_changes_nobody(dashboard: Dashboard, ann: SignedIn) -> None:
    for change in ("profile", "password", "roles", "suspend", "delete"):
        answer = await dashboard.browser().send(f"/users/ann/{change}", {"roles": "owner", "username": "eve"})
        assert answer.status_code == 400
    assert await _status(dashboard, ann) == ("active", ())
