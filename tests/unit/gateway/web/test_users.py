from __future__ import annotations

import re

import pytest

from genba_gateway.domain.users import UserStatus
from genba_gateway.web import users as user_pages
from tests.support.dashboard_app import Dashboard
from tests.support.gateway_app import TOKEN_HEADER, make_user

GOOD = {"username": "bob", "email": "bob@example.com", "name": "Bob B.", "login_type": "password"}
PASSWORD = "correct horse battery staple"


async def test_owners_see_everybody_with_status_roles_and_last_visit(dashboard: Dashboard) -> None:
    await make_user(dashboard.workshop.database, "suse", status=UserStatus.SUSPENDED)
    text = await dashboard.browser().read("/users")
    for shown in ("olga", "suse@example.com", "Suspended", "Owner", "Member", "(you)", "4 users"):
        assert shown in text
    assert 'href="/users" aria-current="page"' in text


async def test_a_search_narrows_the_list_and_stays_in_its_field(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await make_user(dashboard.workshop.database, "suse", status=UserStatus.SUSPENDED)
    found = await browser.read("/users?q=status:suspended")
    assert "suse@example.com" in found
    assert "olga@example.com" not in found
    assert 'value="status:suspended"' in found
    assert "Nobody matches" in await browser.read("/users?q=nobody-at-all")


async def test_a_wrong_search_is_explained_at_its_field(dashboard: Dashboard) -> None:
    answer = await dashboard.browser().get("/users?q=colour:<b>")
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in text
    assert "colour is no search key" in text
    assert "<b>" not in text
    assert "Nobody matches" not in text


async def test_long_lists_have_pages_whose_links_keep_the_search(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_pages, "USERS_PER_PAGE", 1)
    browser = dashboard.browser()
    first = await browser.read("/users?q=example")
    assert "Page 1 of 3" in first
    assert 'rel="prev"' not in first
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert following == "/users?q=example&amp;page=2"
    assert 'rel="next"' not in await browser.read("/users?q=example&page=3")
    for page in ("0", "-1", "x", "9" * 40):
        assert (await browser.get(f"/users?page={page}")).status_code == 200


async def test_who_may_not_see_others_finds_no_such_page(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    text = await browser.read("/settings/account")
    assert 'href="/users"' not in text
    for path in ("/users", "/users/create"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "Nothing here" in await answer.get_data(as_text=True)
    assert (await browser.send("/users/create", {**GOOD, "password": PASSWORD})).status_code == 404
    assert (await dashboard.anybody().get("/users")).headers["Location"] == "/login?redirect=/users"


async def test_a_user_is_made_and_can_sign_in(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await browser.read("/users/create")
    made = await browser.send("/users/create", {**GOOD, "password": PASSWORD})
    assert (made.status_code, made.headers["Location"]) == (303, "/users")
    text = await browser.read("/users")
    assert "bob is a user now." in text
    assert "bob@example.com" in text
    visitor = dashboard.anybody()
    await visitor.read("/login")
    entered = await visitor.send("/login", {"email": "bob@example.com", "password": PASSWORD})
    assert entered.status_code == 303


async def test_a_user_for_programs_has_no_password(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await browser.read("/users/create")
    refused = await browser.send("/users/create", {**GOOD, "login_type": "none", "password": PASSWORD})
    assert "Must be empty for a user" in await refused.get_data(as_text=True)
    assert (await browser.send("/users/create", {**GOOD, "login_type": "none"})).status_code == 303


async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await browser.read("/users/create")
    for changed, status, field, said in (
        ({"username": "not ok"}, 400, "username", "Must be letters and digits"),
        ({"email": "nowhere"}, 400, "email", "Must be an e-mail address."),
        ({"password": "hunter22"}, 400, "password", "Is too easy to guess"),
        ({"username": "olga"}, 409, "username", "Is taken."),
        ({"login_type": "oidc"}, 400, "login_type", "is not supported"),
    ):
        answer = await browser.send("/users/create", {**GOOD, "password": PASSWORD, **changed})
        text = await answer.get_data(as_text=True)
        assert answer.status_code == status
        assert said in text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true" aria-describedby="{field}-problem', text)
        assert text.count('aria-invalid="true"') == 1
        assert 'value="Bob B."' in text
        assert PASSWORD not in text
        assert "hunter22" not in text


async def test_a_form_of_another_origin_makes_nobody(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    answer = await browser.send("/users/create", {**GOOD, "password": PASSWORD})
    assert answer.status_code == 400
    assert "bob@example.com" not in await browser.read("/users")


async def test_the_pages_need_a_session_not_a_header_alone(dashboard: Dashboard) -> None:
    client = dashboard.anybody()
    header = {TOKEN_HEADER: dashboard.workshop.owner.token}
    answer = await client.client.post("/users/create", form=GOOD, headers=header)
    assert answer.status_code == 400
