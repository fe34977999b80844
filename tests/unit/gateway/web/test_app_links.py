"""The ways from the dashboard to apps, over HTTP."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from quart import Quart

from genba_gateway.api import applications
from genba_gateway.domain.app_entry import CONNECT_PARAMETER
from genba_gateway.domain.app_hosts import AppHosts, make_app_hosts
from genba_gateway.services.app_sessions import AUTH_REDIRECT, make_state
from genba_gateway.store import tables
from genba_gateway.web import app_links
from tests.support.app_world import LOCAL, AppWorld, open_app_world
from tests.support.gateway_app import TOKEN_HEADER, make_app

NONE = make_app_hosts("https://genba.example.com")
OFF = make_app_hosts("http://127.0.0.1:3000", disable_path_apps=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


async def make_links(world: AppWorld, hosts: AppHosts = LOCAL) -> Quart:
    blueprints = app_links.make_blueprint(world.sessions, world.gate, hosts), applications.make_blueprint(hosts)
    return await asyncio.to_thread(make_app, world.rows.database, *blueprints)


async def get(app: Quart, path: str, token: str = "") -> Any:
    client: Any = app.test_client()
    raw = {"raw_path": path.partition("?")[0].encode()}  # Quart's client makes one of what it has decoded
    return await client.get(path, headers={TOKEN_HEADER: token} if token else {}, scope_base=raw)


async def test_who_is_signed_in_is_sent_back_with_a_key(world: AppWorld) -> None:
    app, token = await make_links(world), await world.rows.add_session(world.rows.user)
    url = world.path_url("code", "?x=1")
    answer = await get(app, f"{AUTH_REDIRECT}?redirect_uri={quote(url)}&state={make_state()}", token)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{url}&{CONNECT_PARAMETER}=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers


async def test_who_is_not_is_sent_to_sign_in_and_comes_back_to_it(world: AppWorld) -> None:
    app = await make_links(world)
    query = f"redirect_uri={quote(world.path_url('code', '?x=1&y=2'), safe='')}&state={make_state()}"
    answer = await get(app, f"{AUTH_REDIRECT}?{query}")
    assert answer.status_code == 303
    location = urlsplit(str(answer.headers["Location"]))
    assert (location.netloc, location.path) == ("", "/login")
    (target,) = parse_qs(location.query)["redirect"]
    # A page between them: no redirect from the sign-in's form may lead to another origin.
    page = await get(app, target)
    assert page.status_code == 200
    text = html.unescape(await page.get_data(as_text=True))
    assert f'content="0; url={AUTH_REDIRECT}?{query}"' in text


async def test_what_is_in_the_address_stays_within_the_page_s_link(world: AppWorld) -> None:
    page = await (await get(await make_links(world), '/open-app?x="><script>alert(1)</script>')).get_data(as_text=True)
    assert "<script" not in page
    assert page.count('"') == 10


async def test_an_address_that_is_no_app_s_is_refused(world: AppWorld) -> None:
    app, token = await make_links(world), await world.rows.add_session(world.rows.user)
    for query in ("", "?redirect_uri=https%3A%2F%2Fevil.example%2F", "?redirect_uri=/workspaces"):
        answer = await get(app, AUTH_REDIRECT + query, token)
        assert answer.status_code == 400
        assert (await answer.get_json())["validations"][0]["field"] == "redirect_uri"


@pytest.mark.parametrize("rest", ["", "/", "/a/b%2Fc%20d?x=%26&y", "/?folder=/home/ana"])
@pytest.mark.parametrize("at", ["@", "%40"])
async def test_apps_by_path_are_served_from_the_second_origin(world: AppWorld, at: str, rest: str) -> None:
    path = f"/{at}ana/dev.main/apps/code{rest}"
    app, token = await make_links(world), await world.rows.add_session(world.rows.user)
    for shown in ("", token):
        answer = await get(app, path, shown)
        assert (answer.status_code, answer.headers["Location"]) == (307, f"http://apps.localhost:3000{path}")
        assert await answer.get_data() == b""


async def test_an_app_that_is_to_have_a_name_of_its_own_is_opened_under_it_by_who_may_use_it(world: AppWorld) -> None:
    await world.execute(tables.workspace_apps.update().values(subdomain=True))
    app, token = await make_links(world), await world.rows.add_session(world.rows.user)
    for rest, at in (("", ""), ("/", ""), ("/a%2Fb?x=1", "a%2Fb?x=1")):
        answer = await get(app, f"/@ana/dev/apps/code{rest}", token)
        assert (answer.status_code, answer.headers["Location"]) == (307, world.subdomain_url("code", at))
    stranger = await world.rows.add_session(world.rows.stranger)
    assert (await get(app, "/@ana/dev/apps/team/", stranger)).headers["Location"] == world.subdomain_url("team")
    for path, shown in (
        ("/@ana/dev/apps/code/", stranger),
        ("/@ana/dev/apps/none/", token),
        ("/@ana/dev/apps/code/", ""),
    ):
        assert (await get(app, path, shown)).headers["Location"] == f"http://apps.localhost:3000{path}"


@pytest.mark.parametrize("path", ["/@me/dev/apps/code/", "/@ana/dev/apps/8080/", "/@ana/dev/apps/code/..%2f../x"])
async def test_what_is_no_app_s_address_leads_nowhere(world: AppWorld, path: str) -> None:
    assert (await get(await make_links(world), path)).status_code == 404


async def test_a_gateway_without_a_second_origin_names_the_setting(world: AppWorld) -> None:
    answer = await get(await make_links(world, NONE), "/@ana/dev/apps/code/")
    assert answer.status_code == 404
    assert "--apps-url" in await answer.get_data(as_text=True)


async def test_apps_by_path_can_be_switched_off(world: AppWorld) -> None:
    assert (await get(await make_links(world, OFF), "/@ana/dev/apps/code/")).status_code == 403


async def test_clients_are_told_the_pattern_of_apps_hosts(world: AppWorld) -> None:
    token = await world.rows.add_session(world.rows.user)
    for hosts, host in ((LOCAL, "*.localhost:3000"), (NONE, "")):
        answer = await get(await make_links(world, hosts), "/api/v2/applications/host", token)
        assert await answer.get_json() == {"host": host}
    assert (await get(await make_links(world), "/api/v2/applications/host")).status_code == 401
