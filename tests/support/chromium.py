"""Headless Chromium from Debian, driven by Playwright, with screenshots kept as artefacts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import BrowserContext, Locator, Page, async_playwright

from scripts.clone import ROOT
from tests.support.debian_packages import require_program

ARTEFACTS: Final = ROOT / "artefacts"
"""Kept after the tests, git-ignored."""

ARGUMENTS: Final = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

SIZE: Final = (1280, 800)


def find_chromium() -> str:
    """Return Debian's Chromium; raises `MissingPart` when it can't be had."""
    return require_program("chromium", "chromium")


@asynccontextmanager
async def open_browser(executable: str) -> AsyncGenerator[BrowserContext]:
    """A fresh profile of a headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            width, height = SIZE
            context = await browser.new_context(viewport={"width": width, "height": height})
            yield context
        finally:
            await browser.close()


async def keep_screenshot(page: Page, test: str, name: str, *, hide: Sequence[Locator] = ()) -> None:
    """Save what the page shows as `artefacts/<test>/<name>.png`, but for what is to be hidden."""
    await page.screenshot(path=ARTEFACTS / test / f"{name}.png", mask=hide)
