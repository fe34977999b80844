"""How a browser comes from the dashboard to an app, and that nobody comes there as somebody else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from genba_gateway.domain.app_access import AppGranted, AppRedirect, AppRefusal
from genba_gateway.domain.app_entry import CONNECT_PARAMETER, MAX_RETURN_CHARS
from genba_gateway.domain.users import SESSION_LIFETIME
from genba_gateway.errors import BadRequest
from genba_gateway.services.app_sessions import AUTH_REDIRECT, CONNECT_LIFE, make_state
from genba_gateway.services.app_tokens import TOKEN_LIFE
from genba_gateway.services.sessions import Sessions
from genba_gateway.store import tables
from tests.support.app_world import AppWorld, Browser, open_app_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


async def begin(browser: Browser, url: str) -> str:
    """Ask for an app without a session; the address with a key that the dashboard sends its user back to."""
    first = await browser.ask(url)
    assert isinstance(first, AppRedirect)
    assert browser.user is not None
    query = parse_qs(urlsplit(first.location).query)
    return await browser.world.sessions.connect(browser.user, query["redirect_uri"][0], query["state"][0])


async def list_keys(world: AppWorld) -> list[tuple[str, timedelta]]:
    keys = tables.api_keys
    async with world.rows.database.read() as connection:
        rows = (await connection.execute(sa.select(keys.c.scope, keys.c.expires_at))).all()
    return [(row[0], row[1] - world.rows.clock()) for row in rows]


def is_granted(decision: object) -> bool:
    return isinstance(decision, AppGranted)


async def test_a_browser_goes_by_the_dashboard_and_comes_to_the_clean_address(world: AppWorld) -> None:
    ana, url = world.browser(world.rows.user), world.subdomain_url("code", "deep/er?x=1&y=%26")
    assert is_granted(await ana.open(url))
    first, dashboard, back, clean = ana.hops
    assert (first, clean) == (url, url)
    assert dashboard.startswith(f"http://127.0.0.1:3000{AUTH_REDIRECT}?redirect_uri=http%3A%2F%2Fcode--main--dev--ana.")
    assert back.startswith(f"{url}&{CONNECT_PARAMETER}=")
    assert await list_keys(world) == [("application_connect", SESSION_LIFETIME)]
    world.rows.clock.move(TOKEN_LIFE.total_seconds())
    await world.set_agent(last_connected_at=world.rows.clock())
    assert is_granted(await ana.ask(url)), "the session outlives the token"


async def test_a_key_lives_a_minute_and_works_once(world: AppWorld) -> None:
    ana, url = world.browser(world.rows.user), world.path_url("code")
    back = await begin(ana, url)
    assert await list_keys(world) == [("application_connect", CONNECT_LIFE)]
    twin = Browser(world, world.rows.user, jar={key: dict(kept) for key, kept in ana.jar.items()})
    taken = await ana.ask(back)
    assert isinstance(taken, AppRedirect)
    assert taken.location == url
    again = await twin.ask(back)
    assert isinstance(again, AppRedirect)
    assert AUTH_REDIRECT in again.location
    late = await begin(twin, url)
    world.rows.clock.move(CONNECT_LIFE.total_seconds())
    refused = await twin.ask(late)
    assert isinstance(refused, AppRedirect)
    assert AUTH_REDIRECT in refused.location


async def test_nobody_signs_another_browser_in_as_themselves(world: AppWorld) -> None:
    bob, ana = world.browser(world.rows.stranger), world.browser(world.rows.user)
    url = world.subdomain_url("team")
    link = await begin(bob, url)
    lured = await ana.open(link)
    assert isinstance(lured, AppRefusal)
    assert lured.status == 400
    assert not any("session_token" in cookie for cookie in ana.set_cookies)
    await ana.ask(url)  # she was on her way to that app herself
    lured = await ana.open(link)
    assert is_granted(lured)
    assert isinstance(lured, AppGranted)
    assert lured.target.user_id == world.rows.user.user_id, "she came there as herself"


async def test_a_key_is_of_no_use_at_another_app(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    for made_for, tried_at in (
        (world.subdomain_url("code"), world.subdomain_url("team")),
        (world.path_url("code"), world.path_url("team")),
        (world.path_url("code"), world.subdomain_url("code")),
    ):
        await ana.ask(tried_at)
        query = urlsplit(await begin(ana, made_for)).query
        decision = await ana.ask(f"{tried_at}?{query}")
        assert isinstance(decision, AppRedirect)
        assert AUTH_REDIRECT in decision.location


async def test_a_page_that_is_loaded_again_goes_on(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    await ana.open(world.subdomain_url("code"))
    again = await ana.ask(ana.hops[-2])
    assert again == AppRedirect(303, world.subdomain_url("code"))


async def test_several_tabs_come_back_each(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    first = await begin(ana, world.path_url("code"))
    second = await begin(ana, world.path_url("team"))
    for back in (first, second):
        assert is_granted(await ana.open(back))


async def test_a_browser_that_keeps_no_cookies_is_told_and_not_sent_round(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    ana.is_keeping = False
    decision = await ana.open(world.subdomain_url("code"))
    assert isinstance(decision, AppRefusal)
    assert decision.status == 400
    assert "cookies" in decision.message


async def test_what_is_no_key_does_not_hold_the_one_writer_up(world: AppWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, url = world.browser(world.rows.user), world.subdomain_url("code")
    await ana.ask(url)
    monkeypatch.setattr(world.rows.database, "write", None)
    for token in ("x", "-", "aaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbb"):
        decision = await ana.ask(f"{url}?{CONNECT_PARAMETER}={token}")
        assert isinstance(decision, AppRedirect)
        assert AUTH_REDIRECT in decision.location


async def test_two_keys_at_once_are_none(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    back = await begin(ana, world.subdomain_url("code"))
    decision = await ana.ask(f"{back}&{CONNECT_PARAMETER}=x")
    assert isinstance(decision, AppRedirect)
    assert AUTH_REDIRECT in decision.location
    assert CONNECT_PARAMETER not in decision.location


async def test_a_key_is_used_up_by_showing_a_page_alone(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    back = await begin(ana, world.subdomain_url("code"))
    others: list[dict[str, Any]] = [{"method": "POST"}, {"is_websocket": True}, {"sec_fetch_mode": "cors"}]
    for other in others:
        decision = await ana.ask(back, **other)
        assert isinstance(decision, AppRefusal)
        assert decision.status == 401
    assert is_granted(await ana.open(back))


async def test_a_long_address_leads_back_to_the_app_itself(world: AppWorld) -> None:
    nobody = world.browser()
    room = MAX_RETURN_CHARS - len(world.path_url("code"))
    for chars, kept in ((room, True), (room + 1, False)):
        url = world.path_url("code", "x" * chars)
        decision = await nobody.ask(url)
        assert isinstance(decision, AppRedirect)
        (back,) = parse_qs(urlsplit(decision.location).query)["redirect_uri"]
        assert back == (url if kept else world.path_url("code"))


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        "https://evil.example/",
        "http://127.0.0.1:3000/workspaces",
        "http://apps.localhost:3000/",
        "http://apps.localhost:3000/@me/dev/apps/code/",
        "http://apps.localhost:3000@evil.example/@ana/dev/apps/code/",
        "http://apps.localhost:3000.evil.example/@ana/dev/apps/code/",
        "/@ana/dev/apps/code/",
    ],
)
async def test_keys_are_sent_to_apps_alone(world: AppWorld, redirect_uri: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await world.sessions.connect(world.rows.user, redirect_uri, make_state())
    assert [problem.field for problem in refused.value.validations] == ["redirect_uri"]
    assert await list_keys(world) == []


@pytest.mark.parametrize("state", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "&"])
async def test_without_a_browser_s_value_the_way_begins_at_the_app(world: AppWorld, state: str) -> None:
    url = world.path_url("code")
    assert await world.sessions.connect(world.rows.user, url, state) == url
    assert await list_keys(world) == []


async def test_keys_that_nobody_used_are_removed(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    await begin(ana, world.path_url("code"))
    world.rows.clock.move(CONNECT_LIFE.total_seconds() + 1)
    await begin(ana, world.path_url("code"))
    assert len(await list_keys(world)) == 1


async def test_a_session_of_an_app_opens_nothing_else(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    await ana.open(world.subdomain_url("code"))
    host = urlsplit(world.subdomain_url("code")).netloc
    token = dict(ana.cookies_for(host, "/"))["coder_subdomain_app_session_token"]
    with pytest.raises(Exception, match="not known"):
        await Sessions(world.rows.database, now=world.rows.clock).authenticate_user(token, "", "")
    assert await world.sessions.find_user_of_key(token) is None


@pytest.mark.parametrize("change", ["suspended", "signed out", "expired"])
async def test_a_session_ends(world: AppWorld, change: str) -> None:
    ana, url = world.browser(world.rows.user), world.subdomain_url("code")
    await ana.open(url)
    world.rows.clock.move(TOKEN_LIFE.total_seconds())
    match change:
        case "suspended":
            await world.execute(sa.update(tables.users).values(status="suspended"))
        case "signed out":
            await world.execute(sa.delete(tables.api_keys))
        case _:
            world.rows.clock.move(SESSION_LIFETIME.total_seconds())
    decision = await ana.ask(url)
    assert isinstance(decision, AppRedirect)
    assert AUTH_REDIRECT in decision.location


async def test_a_session_that_is_used_lasts(world: AppWorld) -> None:
    ana, url = world.browser(world.rows.user), world.subdomain_url("code")
    await ana.open(url)
    for _ in range(3):
        world.rows.clock.move(SESSION_LIFETIME.total_seconds() - 60)
        await world.set_agent(last_connected_at=world.rows.clock())
        assert is_granted(await ana.ask(url))
