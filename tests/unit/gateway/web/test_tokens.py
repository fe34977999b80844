from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from genba_gateway.domain.users import KeyScope, LoginType
from genba_gateway.services.api_keys import make_api_key
from genba_gateway.store import api_keys as key_store
from genba_gateway.web.tokens import LIFETIMES, view_token
from tests.support.dashboard_app import Browser, Dashboard
from tests.support.gateway_app import TOKEN_HEADER
from tests.support.workshop import UNKNOWN_ID

SECRET = re.compile(r'id="token"[^>]*value="([A-Za-z0-9]{10}-[A-Za-z0-9]{22})"')


async def make_token(browser: Browser, **fields: str) -> str:
    await browser.read("/settings/tokens/create")
    answer = await browser.send("/settings/tokens/create", {"token_name": "backup", "days": "30", **fields})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (token,) = SECRET.findall(await answer.get_data(as_text=True))
    return str(token)


async def test_who_has_none_is_told_what_tokens_are_for(dashboard: Dashboard) -> None:
    text = await dashboard.browser().read("/settings/tokens")
    assert "You have no tokens yet" in text
    assert 'href="/settings/tokens/create"' in text


async def test_a_token_is_shown_once_works_and_is_listed(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    dashboard.workshop.clock.time = datetime.now(UTC)  # the gate's clock is real
    token = await make_token(browser)
    text = await browser.read("/settings/tokens")
    assert "backup" in text
    assert "not yet" in text
    assert token not in text
    assert token.partition("-")[2] not in text
    used = await dashboard.anybody().client.get("/settings/account", headers={TOKEN_HEADER: token})
    assert used.status_code == 200


@pytest.mark.parametrize("days", list(LIFETIMES))
async def test_a_token_lives_as_long_as_was_chosen(dashboard: Dashboard, days: str) -> None:
    token = await make_token(dashboard.browser(), days=days)
    owner, keys = dashboard.workshop.owner, dashboard.workshop.services.api_keys
    key = await keys.get_key(owner.actor, owner.user, token.partition("-")[0])
    assert key.expires_at - key.created_at == timedelta(days=int(days))


async def test_how_long_a_token_lives_is_said_in_the_language_of_the_page(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await browser.read("/settings/tokens/create")
    await browser.send("/preferences", {"language": "ja", "back": "/settings/tokens/create"})
    text = await browser.read("/settings/tokens/create")
    assert "30 日間" in text
    assert " days" not in text


async def test_a_token_without_a_name_gets_one(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await make_token(browser, token_name="")
    assert re.search(r"token-[0-9a-f]{8}", await browser.read("/settings/tokens"))


async def test_what_is_wrong_with_a_token_is_said_at_its_field(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await make_token(browser)
    for changed, status, field, said in (
        ({"token_name": "backup"}, 409, "token_name", "Is taken."),
        ({"token_name": "a b"}, 400, "token_name", "Must be letters and digits"),
        ({"days": "100000000"}, 400, "days", "Choose one of these."),
        ({"days": ""}, 400, "days", "Choose one of these."),
    ):
        answer = await browser.send("/settings/tokens/create", {"token_name": "other", "days": "7", **changed})
        text = await answer.get_data(as_text=True)
        assert answer.status_code == status
        assert said in text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true" aria-describedby="{field}-problem', text)


async def test_deleting_is_asked_for_first_and_ends_the_token(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    token = await make_token(browser)
    path = f"/settings/tokens/{token.partition('-')[0]}/delete"
    assert path in await browser.read("/settings/tokens")
    asked = await browser.read(path)
    assert "Delete the token backup?" in asked
    done = await browser.send(path, {})
    assert (done.status_code, done.headers["Location"]) == (303, "/settings/tokens")
    assert "The token backup is deleted." in await browser.read("/settings/tokens")
    refused = await dashboard.anybody().client.get("/settings/account", headers={TOKEN_HEADER: token})
    assert refused.status_code == 303


async def test_nobody_deletes_anothers_token_nor_a_session(dashboard: Dashboard) -> None:
    owners, members = dashboard.browser(), dashboard.browser(dashboard.workshop.member)
    token = await make_token(owners)
    await members.read("/settings/tokens")
    session = dashboard.workshop.member.token.partition("-")[0]
    for key_id in (token.partition("-")[0], session, UNKNOWN_ID):
        path = f"/settings/tokens/{key_id}/delete"
        assert (await members.get(path)).status_code == 404
        assert (await members.send(path, {})).status_code == 404
    assert "backup" in await owners.read("/settings/tokens")
    assert "backup" not in await members.read("/settings/tokens")


async def test_a_form_of_another_origin_neither_makes_nor_deletes(dashboard: Dashboard) -> None:
    token = await make_token(dashboard.browser())
    stranger = dashboard.browser()
    for path in ("/settings/tokens/create", f"/settings/tokens/{token.partition('-')[0]}/delete"):
        assert (await stranger.send(path, {"token_name": "x", "days": "7"})).status_code == 400
    text = await stranger.read("/settings/tokens")
    assert text.count('<th scope="row">') == 1


async def test_a_token_that_a_start_made_leads_to_its_workspace(dashboard: Dashboard) -> None:
    workshop = dashboard.workshop
    owner_id, workspace_id, name = workshop.owner.user.id, UNKNOWN_ID, "mine_session_token"
    for token_name in (f"{owner_id}_{workspace_id}_session_token", name):
        key, _ = make_api_key(
            owner_id,
            now=workshop.clock(),
            lifetime=timedelta(days=1),
            login_type=LoginType.TOKEN,
            token_name=token_name,
        )
        async with workshop.database.write() as connection:
            await key_store.insert_api_key(connection, key)
    text = await dashboard.browser().read("/settings/tokens")
    assert f'<a href="/workspaces?q=id:{workspace_id}">Session of a workspace</a>' in text
    assert f'<th scope="row">{name}</th>' in text


async def test_a_token_is_viewed_with_its_use_and_its_end(dashboard: Dashboard) -> None:
    now = dashboard.workshop.clock()
    key, _ = make_api_key(
        "someone",
        now=now,
        lifetime=timedelta(days=1),
        login_type=LoginType.TOKEN,
        scope=KeyScope.APPLICATION_CONNECT,
        token_name="x",
    )
    fresh, over = view_token(key, now), view_token(key, now + timedelta(days=1))
    assert (fresh.used_at, fresh.is_expired, over.is_expired, fresh.is_for_apps) == (None, False, True, True)
