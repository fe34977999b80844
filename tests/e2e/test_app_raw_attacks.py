"""What no browser would send, to the hosts of apps: paths that climb, hosts that are two, addresses that lead away."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.support.app_attacks import Attack
from tests.support.app_browser import app_addition, app_browser

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

SECRET: Final = "what-only-the-victim-shows"
BASE: Final = "/@admin/demo.main/apps/"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attack() -> AsyncGenerator[Attack]:
    """The owner, signed in on the dashboard and in the attacker's app in both of its forms."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        additions = {"evil": app_addition("evil"), "victim": app_addition("victim")}
        async with app_browser(Path(folder), "attacks", additions) as browser:
            for name, text in (("evil", "evil"), ("victim", SECRET)):
                await asyncio.to_thread(browser.put_page, name, "index.html", f"<title>{name}</title><p>{text}</p>")
            cached = [("Cache-Control", "public, max-age=600, s-maxage=600")]
            await asyncio.to_thread(browser.put_page, "evil", "cached.html", "cached", cached)
            for url in (browser.subdomain_url("evil"), browser.path_url("evil")):
                await browser.open_signed_in(url)
            yield Attack(browser)


@pytest.mark.parametrize(
    "path",
    [
        "evil/../victim/",
        "evil/%2e%2e/victim/",
        "evil/.%2e/victim/",
        "evil/..%2fvictim/",
        "evil/..%5cvictim/",
        "evil/..\\victim/",
        "evil/..;/victim/",
        "evil//../victim/",
        "evil/./../victim/",
        "evil/%252e%252e/victim/",
        "evil%2f..%2fvictim/",
        "./victim/",
        "victim/",
        "evil/../../../../../api/v2/users/me",
    ],
)
async def test_no_path_leads_from_one_app_to_another(attack: Attack, path: str) -> None:
    browser = attack.browser
    cookies = await attack.cookies_for(browser.path_url("evil"))
    assert cookies
    answer = await attack.send_raw(
        f"GET {BASE}{path} HTTP/1.1\r\nHost: apps.localhost:{browser.gateway.port}\r\n"
        f"Cookie: {cookies}\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 ")
    assert SECRET.encode() not in answer
    assert b'"username"' not in answer
    assert await asyncio.to_thread(browser.read_requests, "victim") == []


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {evil}\r\n",
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {dotted}\r\n",
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {upper}\r\n",
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {dashboard}\r\nHost: {evil}\r\n",
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {evil}\r\nHost: {dashboard}\r\n",
        "GET http://{dashboard}/api/v2/users/me HTTP/1.1\r\nHost: {evil}\r\n",
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {evil}\r\nX-Forwarded-Host: {dashboard}\r\n",
        "GET /api/v2/users/me HTTP/1.1\r\nHost: {evil}\r\nX-Original-URL: http://{dashboard}/api/v2/users/me\r\n",
    ],
)
async def test_an_apps_host_never_answers_as_the_dashboard_nor_gets_its_cookie(attack: Attack, head: str) -> None:
    browser = attack.browser
    hosts = {
        "dashboard": f"127.0.0.1:{browser.gateway.port}",
        "evil": browser.subdomain_url("evil").split("/")[2],
        "dotted": browser.subdomain_url("evil").split("/")[2].replace(":", ".:"),
        "upper": browser.subdomain_url("evil").split("/")[2].upper(),
    }
    session = await attack.cookies_for(browser.gateway.url)
    app = await attack.cookies_for(browser.subdomain_url("evil"))
    answer = await attack.send_raw(f"{head.format(**hosts)}Cookie: {session}; {app}\r\nConnection: close\r\n\r\n")
    assert b'"username"' not in answer
    assert browser.gateway.token not in str(await asyncio.to_thread(browser.read_requests, "evil"))
    token = session.partition("coder_session_token=")[2].partition(";")[0]
    assert token
    assert token not in str(await asyncio.to_thread(browser.read_requests, "evil"))


@pytest.mark.parametrize(
    "head",
    [
        "Host: {dashboard}\r\nX-Forwarded-Host: {evil}\r\n",
        "Host: {dashboard}@{evil}\r\n",
        "Host: {evil}@{dashboard}\r\n",
        "Host: {evil}.\r\n",
        "Host: {evil},{dashboard}\r\n",
    ],
)
async def test_no_app_answers_for_another_host(attack: Attack, head: str) -> None:
    browser = attack.browser
    cookies = [await attack.cookies_for(url) for url in (browser.gateway.url, browser.subdomain_url("evil"))]
    named = head.format(dashboard=f"127.0.0.1:{browser.gateway.port}", evil=browser.subdomain_url("evil").split("/")[2])
    answer = await attack.send_raw(
        f"GET / HTTP/1.1\r\n{named}Cookie: {'; '.join(cookies)}\r\nConnection: close\r\n\r\n"
    )
    assert b"<p>evil</p>" not in answer


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "http://evil.example:{port}/",
        "http://{app}@evil.example/",
        "http://{app}.evil.example/",
        "http://evil.example/{app}",
        "http://evil.example\\@{app}/",
        "http://{dashboard}/workspaces",
        "http://user:password@{app}/",
        "http://other.{app}/",
        "javascript:alert(1)//{app}",
        "http://{app}\r\n.evil.example/",
        "http://localhost:{port}/",
    ],
)
async def test_a_key_is_sent_to_no_other_address(attack: Attack, address: str) -> None:
    browser = attack.browser
    app = browser.subdomain_url("evil").split("/")[2]
    url = address.format(app=app, port=browser.gateway.port, dashboard=f"127.0.0.1:{browser.gateway.port}")
    state = "A" * 43
    answer = await browser.gateway.client.get(
        f"/api/v2/applications/auth-redirect?redirect_uri={quote(url, safe='')}&state={state}",
        headers={"Cookie": await attack.cookies_for(browser.gateway.url)},
    )
    assert answer.status_code == 400
    assert "Location" not in answer.headers


async def test_no_shared_cache_keeps_what_only_some_may_see(attack: Attack) -> None:
    browser = attack.browser
    for url in (browser.subdomain_url("evil", "cached.html"), browser.path_url("evil", "cached.html")):
        cookies = await attack.cookies_for(url)
        host, _, path = url.removeprefix("http://").partition("/")
        for cookie in (f"Cookie: {cookies}\r\n", ""):
            answer = await attack.send_raw(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n{cookie}Connection: close\r\n\r\n")
            (control,) = [
                line.partition(b":")[2].strip().lower()
                for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
                if line.lower().startswith(b"cache-control:")
            ]
            assert b"public" not in control
            assert b"s-maxage" not in control
            assert b"private" in control or b"no-store" in control
