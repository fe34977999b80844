from __future__ import annotations

import re

from tests.support.dashboard_app import Browser, Dashboard


async def read_key(browser: Browser) -> str:
    (key,) = re.findall(r"ssh-ed25519 \S+", await browser.read("/settings/ssh-keys"))
    return str(key).partition("<")[0]


async def test_the_public_key_is_shown_and_stays(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    assert await read_key(browser) == await read_key(browser)
    assert "PRIVATE" not in await browser.read("/settings/ssh-keys")
    assert await read_key(dashboard.browser(dashboard.workshop.member)) != await read_key(browser)


async def test_another_key_is_asked_for_first(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    before = await read_key(browser)
    assert "Replace your SSH key?" in await browser.read("/settings/ssh-keys/regenerate")
    assert await read_key(browser) == before
    done = await browser.send("/settings/ssh-keys/regenerate", {})
    assert done.headers["Location"] == "/settings/ssh-keys"
    assert "Here is the new key" in await browser.read("/settings/ssh-keys")
    assert await read_key(browser) != before


async def test_a_form_of_another_origin_replaces_no_key(dashboard: Dashboard) -> None:
    before = await read_key(dashboard.browser())
    assert (await dashboard.browser().send("/settings/ssh-keys/regenerate", {})).status_code == 400
    assert await read_key(dashboard.browser()) == before
