"""The pages of people and of the deployment in real Chromium, with a real gateway: each in both themes and at phone
width without a violation that axe finds, and what is done on them.

Screenshots are kept below artefacts/people, to be looked at.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from genba_gateway.web.languages import LANGUAGES, speaking
from genba_gateway.web.times import say_relative
from tests.support.chromium import keep_screenshot
from tests.support.dashboard_browser import browse, look
from tests.support.real_gateway import CEILING_S, RealGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse battery staple"
PAGES = {
    "account": "/settings/account",
    "security": "/settings/security",
    "tokens-none": "/settings/tokens",
    "token-new": "/settings/tokens/create",
    "ssh-key": "/settings/ssh-keys",
    "ssh-key-replace": "/settings/ssh-keys/regenerate",
    "appearance": "/settings/appearance",
    "users": "/users",
    "users-no-match": "/users?q=nobody-at-all",
    "users-wrong-search": "/users?q=colour:red",
    "user-new": "/users/create",
    "user": "/users/mina",
    "user-suspend": "/users/mina/suspend",
    "health": "/health",
    "deployment": "/deployment",
    "audit": "/audit",
    "audit-no-match": "/audit?q=nothing-at-all",
    "help": "/help",
    "logout": "/logout",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncGenerator[RealGateway]:
    """A gateway with its owner, a member and a user for programs."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with RealGateway(Path(folder) / "gateway") as made:
            await made.sign_in()
            for user in (
                {"username": "mina", "email": "mina@example.com", "name": "森 美奈", "password": PASSWORD},
                {"username": "pipeline", "email": "pipeline@example.com", "login_type": "none"},
            ):
                await made.fetch("POST", "/api/v2/users", user)
            yield made


async def _make_token(page: Page, url: str, name: str) -> str:
    await page.goto(f"{url}/settings/tokens/create")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Good for").select_option("90 days")
    await page.get_by_role("button", name="Make the token").click()
    token = await page.get_by_label("Token", exact=True).input_value()
    assert re.fullmatch(r"[A-Za-z0-9]{10}-[A-Za-z0-9]{22}", token)
    return token


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owners_page(gateway: RealGateway, chromium: Browser) -> AsyncGenerator[Page]:
    """One page for all that is only looked at."""
    async with browse(chromium, gateway) as page:
        yield page


@pytest.mark.parametrize("name", list(PAGES))
async def test_every_page_is_fit_to_be_seen(gateway: RealGateway, owners_page: Page, name: str) -> None:
    await owners_page.goto(f"{gateway.url}{PAGES[name]}")
    await look(owners_page, "people", name)


async def test_pages_speak_japanese(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.set_extra_http_headers({"Accept-Language": "ja"})
        for name in (
            "account",
            "security",
            "token-new",
            "users",
            "user",
            "user-new",
            "health",
            "deployment",
            "audit",
            "help",
        ):
            await page.goto(f"{gateway.url}{PAGES[name]}")
            await expect(page.locator("html")).to_have_attribute("lang", "ja")
            await keep_screenshot(page, "people", f"{name}-japanese")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_browser_says_moments_as_the_gateway_did(
    gateway: RealGateway, chromium: Browser, language: str
) -> None:
    now = datetime(2026, 11, 28, 21, tzinfo=UTC)
    steps = (
        0,
        0.2,
        1,
        1.6,
        59.4,
        60,
        119,
        3_599,
        5_400,
        86_399,
        129_600,
        604_800,
        2_629_800,
        7_767_360,
        31_557_600,
        1e8,
    )
    moments = [now + timedelta(seconds=sign * each) for each in steps for sign in (-1, 1)]
    async with browse(chromium, gateway) as page:
        await page.set_extra_http_headers({"Accept-Language": language})
        await page.goto(f"{gateway.url}/users")
        said = await page.evaluate(
            """async ([now, moments]) => {
              const { sayRelative } = await import(document.querySelector("link[rel=modulepreload]").href);
              return moments.map((each) => sayRelative(each, now));
            }""",
            [now.timestamp() * 1000, [each.timestamp() * 1000 for each in moments]],
        )
    with speaking(language):
        assert said == [say_relative(each, now) for each in moments]


async def test_what_is_said_of_a_moment_goes_on_with_time(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.clock.install()
        await page.goto(f"{gateway.url}/users")
        since = page.locator("tbody tr").first.locator("time").last
        assert "second" in (said := await since.inner_text()) or "minute" in said or said == "now"
        await page.clock.fast_forward("02:00:00")
        await expect(since).to_have_text("2 hours ago")


async def test_a_token_is_made_copied_used_and_deleted(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        token = await _make_token(page, gateway.url, "backup-script")
        await page.get_by_role("button", name="Copy").click()
        await expect(page.get_by_role("button", name="Copied.")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == token
        await look(page, "people", "token-made")
        async with httpx.AsyncClient(base_url=gateway.url, timeout=CEILING_S) as program:
            headers = {"Coder-Session-Token": token}
            assert (await program.get("/api/v2/users/me", headers=headers)).json()["username"] == "admin"
            await page.get_by_role("link", name="To your tokens").click()
            await expect(page.get_by_role("row", name="backup-script")).to_be_visible()
            await look(page, "people", "tokens")
            await page.get_by_role("link", name="Delete the token backup-script").click()
            await expect(page.get_by_role("link", name="Keep it")).to_be_focused()
            await look(page, "people", "token-delete")
            await page.get_by_role("button", name="Delete").click()
            await expect(page.locator("#flash")).to_have_text("The token backup-script is deleted.")
            assert (await program.get("/api/v2/users/me", headers=headers)).status_code == 401


async def test_a_user_is_made_whose_mistakes_are_shown_where_they_are(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/users")
        await page.get_by_role("link", name="New user").click()
        await expect(page.get_by_label("Username")).to_be_focused()
        await page.keyboard.type("mina")
        await page.get_by_label("Email").fill("ken@example.com")
        await page.get_by_label("Full name").fill("Ken")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Username")).to_have_accessible_description(re.compile("Is taken"))
        await expect(page.get_by_label("Username")).to_be_focused()
        await expect(page.get_by_label("Full name")).to_have_value("Ken")
        await look(page, "people", "user-new-wrong")
        await page.get_by_label("Username").fill("ken")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#flash")).to_contain_text("ken is a user now.")
        await page.get_by_role("searchbox").fill("ken")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("1 user", exact=True)).to_be_visible()
        await expect(page.get_by_role("row", name="ken@example.com")).to_contain_text("never")


async def test_a_user_is_suspended_let_in_again_and_deleted(gateway: RealGateway, chromium: Browser) -> None:
    user = {"username": "tom", "email": "tom@example.com", "password": PASSWORD}
    await gateway.fetch("POST", "/api/v2/users", user)
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/users")
        await page.get_by_role("link", name="tom", exact=True).click()
        await page.get_by_role("link", name="Suspend").click()
        await expect(page.get_by_role("link", name="Leave it")).to_be_focused()
        await page.get_by_role("button", name="Suspend").click()
        await expect(page.locator("#flash")).to_contain_text("tom is suspended")
        await expect(page.get_by_text("Suspended", exact=True)).to_be_visible()
        await look(page, "people", "user-suspended")
        await page.get_by_role("button", name="Let them in again").click()
        await expect(page.get_by_text("Active", exact=True)).to_be_visible()
        await page.get_by_label("Owner").check()
        await page.get_by_role("button", name="Save").nth(1).click()
        await expect(page.locator("#flash")).to_have_text("The roles of tom are saved.")
        await page.get_by_role("link", name="Delete").click()
        await page.get_by_role("button", name="Delete").click()
        await expect(page.locator("#flash")).to_have_text("tom is deleted.")
        await expect(page.get_by_role("link", name="tom", exact=True)).to_have_count(0)


async def test_a_password_is_changed_and_the_session_goes_on(gateway: RealGateway, chromium: Browser) -> None:
    user = {"username": "pia", "email": "pia@example.com", "password": PASSWORD}
    await gateway.fetch("POST", "/api/v2/users", user)
    said = await gateway.client.post("/api/v2/users/login", json={"email": "pia@example.com", "password": PASSWORD})
    async with browse(chromium, gateway, said.json()["session_token"]) as page:
        await page.goto(f"{gateway.url}/settings/security")
        await page.get_by_label("Present password").fill("something else")
        await page.get_by_label("New password").fill(f"another {PASSWORD}")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Present password")).to_have_accessible_description("Is not the password.")
        await look(page, "people", "security-wrong")
        await page.get_by_label("Present password").fill(PASSWORD)
        await page.get_by_label("New password").fill(f"another {PASSWORD}")
        await page.keyboard.press("Enter")
        await expect(page.locator("#flash")).to_contain_text("The new password holds.")


async def test_another_key_takes_the_place_of_the_former(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/settings/ssh-keys")
        before = await page.locator("#public-key").text_content()
        await page.get_by_role("link", name="Make another key").click()
        await page.get_by_role("button", name="Replace it").click()
        await expect(page.locator("#flash")).to_contain_text("Here is the new key")
        assert await page.locator("#public-key").text_content() != before


async def test_chosen_looks_hold_at_once(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/settings/appearance")
        await page.get_by_role("radio", name="Dark").check()
        await page.get_by_role("radio", name="日本語").check()
        await page.get_by_role("main").get_by_role("button", name="Apply").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.get_by_role("heading", name="表示")).to_be_visible()
        await keep_screenshot(page, "people", "appearance-japanese")


async def test_health_is_looked_at_again_and_the_menu_leads_everywhere(gateway: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/health")
        await page.get_by_role("button", name="Look again").click()
        await expect(page.locator("#flash")).to_have_text("This is how it is now.")
        await expect(page.locator("#database")).to_contain_text("Database")
        await page.locator("summary").click()
        await keep_screenshot(page, "people", "menu")
        await page.get_by_role("link", name="Set up your tools").click()
        await expect(page.get_by_role("heading", name="The command line")).to_be_visible()


async def test_a_member_finds_only_what_is_theirs(gateway: RealGateway, chromium: Browser) -> None:
    said = await gateway.client.post("/api/v2/users/login", json={"email": "mina@example.com", "password": PASSWORD})
    async with browse(chromium, gateway, said.json()["session_token"]) as page:
        for path in ("/users", "/health", "/deployment"):
            await page.goto(f"{gateway.url}{path}")
            await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
        await page.goto(f"{gateway.url}/settings/account")
        navigation = page.get_by_role("navigation", name="Main")
        await expect(navigation.get_by_role("link", name="Workspaces")).to_be_visible()
        for name in ("Users", "Health", "Deployment"):
            await expect(navigation.get_by_role("link", name=name)).to_have_count(0)
        await keep_screenshot(page, "people", "account-of-a-member")
