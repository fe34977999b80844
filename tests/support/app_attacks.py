"""What attacks of one workspace app on others have at hand: a browser's secrets, another user, bytes of any shape."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from playwright.async_api import BrowserContext

from tests.support.app_browser import AppBrowser
from tests.support.chromium import open_profile

GATEWAYS_COOKIES: Final = ("coder_", "genba_", "csrf_")

BOBS_PASSWORD: Final = secrets.token_urlsafe(20)
BOBS_EMAIL: Final = "bob@example.com"


@dataclass(frozen=True, slots=True)
class Attack:
    """The owner's browser, and what is done to it."""

    browser: AppBrowser

    async def list_secrets(self) -> list[tuple[str, str]]:
        """Name and value of each cookie that is the gateway's, on whatever host."""
        return [
            (str(each.get("name")), str(each.get("value")))
            for each in await self.browser.context.cookies()
            if str(each.get("name")).removeprefix("__Host-").startswith(GATEWAYS_COOKIES) and each.get("value")
        ]

    async def cookies_for(self, url: str) -> str:
        """The Cookie header that the owner's browser sends to an address."""
        return "; ".join(f"{each.get('name')}={each.get('value')}" for each in await self.browser.context.cookies(url))

    async def expect_unharmed(self, secret: str) -> None:
        """The owner is signed in as before, on the dashboard and in the victim's app."""
        for url, text in (
            (f"{self.browser.gateway.url}/workspaces", "demo"),
            (self.browser.subdomain_url("victim"), secret),
            (self.browser.path_url("victim"), secret),
        ):
            page = await self.browser.context.new_page()
            answer = await page.goto(url)
            assert answer is not None
            assert page.url == url
            assert text in await answer.text()
            await page.close()

    @asynccontextmanager
    async def other_browser(self) -> AsyncGenerator[BrowserContext]:
        """A fresh profile."""
        browser = self.browser.context.browser
        assert browser is not None
        async with open_profile(browser) as context:
            yield context

    @asynccontextmanager
    async def bobs_browser(self) -> AsyncGenerator[BrowserContext]:
        """Another user, signed in on the dashboard."""
        await self._make_bob()
        async with self.other_browser() as context:
            page = await context.new_page()
            await page.goto(f"{self.browser.gateway.url}/login")
            await page.get_by_label("Email").fill(BOBS_EMAIL)
            await page.get_by_label("Password").fill(BOBS_PASSWORD)
            await page.get_by_role("button", name="Sign in").click()
            await page.wait_for_url("**/workspaces")
            yield context

    async def make_bobs_link(self, url: str) -> str:
        """The address, with a key in it, by which bob's browser would come back to an app; nobody has used it."""
        await self._make_bob()
        navigating = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
        credentials = {"email": BOBS_EMAIL, "password": BOBS_PASSWORD}
        # A client of its own, since it keeps cookies.
        async with httpx.AsyncClient(base_url=self.browser.gateway.url, headers=navigating) as client:
            said = (await client.post("/api/v2/users/login", json=credentials)).json()
            client.cookies.clear()
            away = await client.get("/", headers={"Host": url.split("/")[2]})
            cookie = f"coder_session_token={said['session_token']}"
            back = await client.get(away.headers["Location"], headers={"Cookie": cookie})
        return back.headers["Location"]

    async def send_raw(self, head: str) -> bytes:
        """Send bytes to the gateway's port and read all that it answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.browser.gateway.port)
        writer.write(head.encode("latin-1"))
        try:
            async with asyncio.timeout(30):
                return await reader.read()
        finally:
            writer.transport.abort()

    async def _make_bob(self) -> None:
        gateway = self.browser.gateway
        if (await gateway.send("GET", "/api/v2/users/bob")).status_code == 200:
            return
        organization = (await gateway.fetch("GET", "/api/v2/organizations"))[0]["id"]
        user = {"email": BOBS_EMAIL, "username": "bob", "password": BOBS_PASSWORD, "organization_ids": [organization]}
        await gateway.fetch("POST", "/api/v2/users", user)
