"""Headless Chromium from Debian, driven by Playwright, with screenshots kept as artefacts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from scripts.clone import ROOT
from tests.support.debian_packages import MissingPart, require_program

ARTEFACTS: Final = ROOT / "artefacts"
"""Kept after the tests, git-ignored."""

ARGUMENTS: Final = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

SIZE: Final = (1280, 800)

LIMIT_MS: Final = 120_000
"""How long anything may take to show on a page before a test gives up, unless it says otherwise."""


def find_chromium() -> str:
    """Return Debian's Chromium; raises `MissingPart` when it can't be had."""
    return require_program("chromium", "chromium")


@asynccontextmanager
async def run_chromium() -> AsyncGenerator[Browser]:
    """A headless Chromium, for many profiles; skips the test, with the reason, where it can't be had."""
    try:
        executable = await asyncio.to_thread(find_chromium)
    except MissingPart as missing:
        pytest.skip(str(missing))
    async with start_chromium(executable) as browser:
        yield browser


@asynccontextmanager
async def start_chromium(executable: str) -> AsyncGenerator[Browser]:
    """A headless Chromium."""
    expect.set_options(timeout=LIMIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_profile(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """A fresh profile of a Chromium, which shares nothing with its others."""
    width, height = SIZE
    context = await browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(LIMIT_MS)
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def open_browser(executable: str) -> AsyncGenerator[BrowserContext]:
    """A fresh profile of a headless Chromium of its own."""
    async with start_chromium(executable) as browser, open_profile(browser) as context:
        yield context


async def keep_screenshot(
    page: Page, test: str, name: str, *, hide: Sequence[Locator] = (), full: bool = False
) -> None:
    """Save what the page shows as `artefacts/<test>/<name>.png`, but for what is to be hidden; or all of it."""
    await page.screenshot(path=ARTEFACTS / test / f"{name}.png", mask=hide, full_page=full)
