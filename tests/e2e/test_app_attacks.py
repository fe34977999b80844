"""A workspace's app as an attacker, in real Chromium: what it tries on the dashboard and on other apps has to fail.

`evil` is the attacker, `victim` another app of the same workspace, both shared with nobody; `shared` is for everybody
who is signed in. Two path apps of one owner share an origin and are not isolated from each other (docs/apps.md): what a
script can do there is tried between names of their own, and on the path origin what an app can do by its answers.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final, cast

import pytest
import pytest_asyncio
from playwright.async_api import Cookie, Page

from tests.support.app_attacks import Attack
from tests.support.app_browser import AppBrowser, app_addition, app_browser

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

SECRET: Final = "what-only-the-victim-shows"
TOSSED: Final = "tossed"

TRY: Final = "async (act) => { try { return String(await eval(act)()); } catch (error) { return error.name; } }"
"""The outcome of an attempt, or the name of the error that it ends with."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[AppBrowser]:
    """One workspace for the module."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        additions = {
            "evil": app_addition("evil"),
            "victim": app_addition("victim"),
            "shared": app_addition("shared", share="authenticated"),
        }
        async with app_browser(Path(folder), "attacks", additions) as made:
            for name, text in (("evil", "evil"), ("victim", SECRET), ("shared", "shared")):
                await asyncio.to_thread(made.put_page, name, "index.html", f"<title>{name}</title><p>{text}</p>")
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cookies(browser: AppBrowser) -> list[Cookie]:
    """The owner's, who has signed in on the dashboard and opened the attacker and its victim in each of their forms."""
    page = await browser.open_signed_in(f"{browser.gateway.url}/workspaces")
    await page.close()
    for slug in ("evil", "victim"):
        for url in (browser.subdomain_url(slug), browser.path_url(slug)):
            page = await browser.open_signed_in(url)
            assert slug in await page.title()
            await page.close()
    return await browser.context.cookies()


@pytest_asyncio.fixture(loop_scope="module")
async def attack(browser: AppBrowser, cookies: list[Cookie]) -> AsyncGenerator[Attack]:
    """The owner's browser as it was when everything had been opened once."""
    await browser.context.clear_cookies()
    await browser.context.add_cookies(cast("Any", cookies))  # the types of what is read and set differ
    yield Attack(browser)
    for page in browser.context.pages:
        await page.close()


async def open_evil(browser: AppBrowser, name: str = "index.html") -> Page:
    return await browser.open_signed_in(browser.subdomain_url("evil", name))


async def attempt(page: Page, script: str) -> str:
    """What a script of the attacker comes to."""
    outcome: str = await page.evaluate(TRY, script)
    return outcome


async def test_neither_scripts_nor_headers_show_an_app_a_credential(browser: AppBrowser, attack: Attack) -> None:
    secrets = await attack.list_secrets()
    assert len(secrets) >= 5
    for url in (browser.subdomain_url("evil"), browser.path_url("evil")):
        page = await browser.open_signed_in(url)
        readable = await attempt(page, "() => document.cookie")
        assert not [name for name, value in secrets if name in readable or value in readable]
    seen = str(await asyncio.to_thread(browser.read_requests, "evil"))
    assert not [name for name, value in secrets if value in seen or f"{name}=" in seen]
    assert "x-coder" not in seen.lower()


async def test_cookies_that_an_app_sets_reach_itself_alone(browser: AppBrowser, attack: Attack) -> None:
    names = ("coder_session_token", "coder_subdomain_app_session_token", "coder_path_app_session_token", "other")
    headers = [("Set-Cookie", f"{name}={TOSSED}; Path=/; Domain={domain}") for name in names for domain in DOMAINS]
    headers += [("Set-Cookie", f"{name}={TOSSED}; Path=/") for name in names]
    await asyncio.to_thread(browser.put_page, "evil", "toss.html", "tossing", headers)
    for url in (browser.subdomain_url("evil", "toss.html"), browser.path_url("evil", "toss.html")):
        await browser.open_signed_in(url)
    page = await open_evil(browser)
    for name in names:
        for rest in ("", *(f"; domain={domain}" for domain in DOMAINS)):
            await attempt(page, f"() => document.cookie = '{name}={TOSSED}; path=/{rest}'")
    own = browser.subdomain_url("evil").split("/")[2].partition(":")[0]
    for cookie in await browser.context.cookies():
        if cookie.get("value") == TOSSED and cookie.get("domain") != own:
            assert cookie.get("domain") == "apps.localhost"
            assert cookie.get("path") == "/@admin/demo.main/apps/evil/"
            assert cookie.get("name") == "other"
    await attack.expect_unharmed(SECRET)
    assert TOSSED not in str(await asyncio.to_thread(browser.read_requests, "victim"))


DOMAINS: Final = ("localhost", ".localhost", "127.0.0.1", "apps.localhost", "victim--main--demo--admin.localhost")


async def test_a_session_cookie_planted_on_the_path_origin_signs_nobody_in(browser: AppBrowser, attack: Attack) -> None:
    page = await browser.open_signed_in(browser.path_url("evil"))
    for name in ("coder_path_app_session_token", "coder_signed_app_token", "genba_app_state"):
        await attempt(page, f"() => document.cookie = '{name}={TOSSED}; path=/'")
        await attempt(page, f"() => document.cookie = '{name}={TOSSED}; path=/@admin/demo.main/apps/victim/'")
    await attack.expect_unharmed(SECRET)


async def test_a_window_of_the_dashboard_is_out_of_reach(browser: AppBrowser, attack: Attack) -> None:
    page = await open_evil(browser)
    async with page.expect_popup() as opened:
        await page.evaluate("(url) => { window.opened = window.open(url); }", f"{browser.gateway.url}/workspaces")
    popup = await opened.value
    await popup.wait_for_load_state()
    assert await popup.evaluate("window.opener === null")
    assert await attempt(page, "() => window.opened.closed") == "true"
    assert await attempt(page, "() => window.opened.document.cookie") in {"SecurityError", "TypeError"}
    dashboard = await browser.open_signed_in(f"{browser.gateway.url}/workspaces")
    async with dashboard.expect_popup() as opened:
        await dashboard.evaluate("(url) => { window.open(url); }", browser.subdomain_url("evil"))
    popup = await opened.value
    await popup.wait_for_load_state()
    assert await popup.evaluate("window.opener === null")


@pytest.mark.parametrize("target", ["dashboard", "subdomain", "path"])
async def test_no_page_is_framed(browser: AppBrowser, attack: Attack, target: str) -> None:
    urls = {
        "dashboard": f"{browser.gateway.url}/workspaces",
        "subdomain": browser.subdomain_url("victim"),
        "path": browser.path_url("victim"),
    }
    page = await open_evil(browser)
    await page.evaluate(
        """(url) => new Promise((resolve) => {
          const frame = document.createElement('iframe');
          frame.onload = resolve;
          frame.src = url;
          document.body.append(frame);
        })""",
        urls[target],
    )
    (frame,) = [each for each in page.frames if each is not page.main_frame]
    shown = await frame.content()
    assert SECRET not in shown
    assert "demo" not in shown.replace("--demo--", "").replace("/demo.main", "")


async def test_nothing_is_asked_in_the_users_name(browser: AppBrowser, attack: Attack) -> None:
    api = f"{browser.gateway.url}/api/v2/users/me"
    asked = len(await asyncio.to_thread(browser.read_requests, "victim"))
    keys = await browser.gateway.fetch("GET", "/api/v2/users/me/keys/tokens")
    page = await open_evil(browser)
    read = "() => fetch('{}', {{credentials: 'include'}}).then((answer) => answer.text())"
    send = "() => fetch('{}', {{credentials: 'include', mode: 'no-cors', method: 'POST', body: '{{}}'}})"
    for url in (api, browser.subdomain_url("victim"), browser.path_url("victim")):
        assert await attempt(page, read.format(url)) == "TypeError"
    for url in (f"{api}/keys/tokens", f"{api}/keys", browser.subdomain_url("victim", "upload")):
        await attempt(page, send.format(url))
    listen = (
        "() => new Promise((resolve) => {{ const socket = new WebSocket('{}');"
        " socket.onopen = () => resolve('open'); socket.onerror = () => resolve('refused'); }})"
    )
    for url in (browser.subdomain_url("victim", "echo"), browser.path_url("victim", "echo")):
        assert await attempt(page, listen.format(url.replace("http:", "ws:"))) == "refused"
    assert await browser.gateway.fetch("GET", "/api/v2/users/me/keys/tokens") == keys
    assert len(await asyncio.to_thread(browser.read_requests, "victim")) == asked


async def test_a_service_worker_keeps_to_its_own_app(browser: AppBrowser, attack: Attack) -> None:
    await asyncio.to_thread(browser.put_page, "evil", "sw.js", "", [("Service-Worker-Allowed", "/")])
    page = await browser.open_signed_in(browser.path_url("evil"))
    register = "() => navigator.serviceWorker.register('sw.js', {{scope: '{}'}}).then((made) => made.scope)"
    for scope in ("/", "/@admin/", "/@admin/demo.main/apps/victim/", "../victim/"):
        assert await attempt(page, register.format(scope)) == "SecurityError"
    assert await attempt(page, register.format("./")) == browser.path_url("evil")


async def test_a_link_with_a_key_works_once_and_in_its_own_browser(browser: AppBrowser, attack: Attack) -> None:
    await browser.context.clear_cookies(domain="evil--main--demo--admin.localhost")
    page = await browser.context.new_page()
    links: list[str] = []
    page.on("request", lambda request: links.append(request.url) if "connect_api_key" in request.url else None)
    await page.goto(browser.subdomain_url("evil"))
    (link,) = links
    async with attack.other_browser() as other:
        replayed = await other.new_page()
        answer = await replayed.goto(link)
        assert answer is not None
        assert "<p>evil</p>" not in await answer.text()
        assert not [each for each in await other.cookies() if "session_token" in str(each.get("name"))]


async def test_an_attackers_link_signs_nobody_in_as_the_attacker(browser: AppBrowser, attack: Attack) -> None:
    link = await attack.make_bobs_link(browser.subdomain_url("shared"))
    page = await browser.context.new_page()
    await page.goto(link)
    key_id = link.partition("connect_api_key_35e783=")[2].partition("-")[0]
    assert key_id
    assert not [each for each in await browser.context.cookies() if str(each.get("value")).startswith(key_id)]


async def test_somebody_elses_app_is_not_there(browser: AppBrowser, attack: Attack) -> None:
    asked = len(await asyncio.to_thread(browser.read_requests, "victim"))
    async with attack.bobs_browser() as bobs:
        for url in (browser.subdomain_url("victim"), browser.path_url("victim"), browser.path_url("shared")):
            page = await bobs.new_page()
            answer = await page.goto(url)
            assert answer is not None
            assert (answer.status, SECRET in await answer.text()) == (404, False)
    assert len(await asyncio.to_thread(browser.read_requests, "victim")) == asked
