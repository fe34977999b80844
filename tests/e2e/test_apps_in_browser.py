"""Apps of a host workspace in real Chromium, by path on the second origin and under names of their own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.app_browser import AppBrowser, app_addition, app_browser, wait_for_text
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

SHOTS: Final = "apps"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[AppBrowser]:
    """One workspace for the module: code-server and a small app."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        additions = {"small": app_addition("small")}
        async with app_browser(Path(folder), SHOTS, additions, code_server=True) as made:
            yield made


@pytest.mark.parametrize("kind", ["subdomain", "path"])
async def test_a_file_is_edited_in_code_server_over_a_restart_of_the_gateway(browser: AppBrowser, kind: str) -> None:
    home = browser.home
    name = f"{kind}.txt"
    await asyncio.to_thread((home / name).write_text, "first line\n")
    url = browser.subdomain_url("code-server") if kind == "subdomain" else browser.path_url("code-server")
    page = await (follow_link(browser) if kind == "subdomain" else browser.open_signed_in(url))
    try:
        await use_workbench(browser, page, name, kind)
        assert page.url.startswith(url)
    except BaseException:
        await browser.shoot(page, f"{kind}-failed")
        raise
    finally:
        await page.close()


async def test_a_press_opens_an_app_although_its_link_is_replaced_meanwhile(browser: AppBrowser) -> None:
    page = await browser.open_signed_in(f"{browser.gateway.url}/@admin/demo")
    try:
        link = page.get_by_role("link", name="VS Code in the browser")
        await link.hover()
        await link.evaluate("(link) => { link.dataset.before = ''; }")
        note = "({ detail }) => { document.body.dataset.came += detail.data.slice(0, 30); }"
        await page.evaluate(f"window.addEventListener('htmx:sseBeforeMessage', {note}, true)")
        await page.mouse.down()
        await expect(page.locator("body[data-came*='<!--live-agents ']")).to_be_attached()
        async with browser.context.expect_page() as opened:
            await page.mouse.up()
        await (await opened.value).close()
        await expect(page.locator("[data-before]")).to_have_count(0)  # what waited was put in
    finally:
        await page.close()


async def follow_link(browser: AppBrowser) -> Page:
    """Open code-server as most people do: from the workspace's page."""
    page = await browser.open_signed_in(f"{browser.gateway.url}/@admin/demo")
    async with browser.context.expect_page() as opened:
        await page.get_by_role("link", name="VS Code in the browser").click()
    return await opened.value


async def use_workbench(browser: AppBrowser, page: Page, name: str, kind: str) -> None:
    home, code = browser.home, Workbench(page)
    await code.expect_ready()
    await code.open_file(name)
    await code.expect_line("first line")
    await code.type_at_end("second line")
    await wait_for_text(home / name, "second line")
    await browser.shoot(page, f"{kind}-1-edited")

    await code.run_command("Terminal: Create New Terminal")
    await code.expect_prompt()
    await code.type_in_terminal(f"echo the-answer-is-$((40+2)) | tee {name}.ran")
    await code.expect_terminal("the-answer-is-42")
    await wait_for_text(home / f"{name}.ran", "the-answer-is-42")
    # The home folder is the user's own: nothing asks whether it can be trusted.
    await expect(page.locator(".monaco-dialog-box")).to_have_count(0)
    await expect(page.get_by_text("Restricted Mode")).to_have_count(0)
    await browser.shoot(page, f"{kind}-2-terminal")

    await page.evaluate("window.stillTheSamePage = true")
    await browser.gateway.kill()
    await browser.gateway.start()
    await code.type_in_terminal("echo still-$((40+3))")
    await code.expect_terminal("still-43")
    await code.type_at_end(" and third")
    await wait_for_text(home / name, "second line and third")
    assert await page.evaluate("window.stillTheSamePage")
    await browser.shoot(page, f"{kind}-3-gateway-back")
