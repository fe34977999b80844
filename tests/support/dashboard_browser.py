"""The dashboard in Chromium: a session in it, and a look at a page as people with other screens and eyes have it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Literal

import pytest
from playwright.async_api import ConsoleMessage, Page, expect

from genba_gateway.api.gate import SESSION_COOKIE
from tests.support.axe import find_violations, read_axe
from tests.support.chromium import find_chromium, keep_screenshot, open_browser
from tests.support.debian_packages import MissingPart

LIMIT_MS: Final = 30_000
SCREENS: Final = {"desktop": (1280, 800), "phone": (375, 740)}
_THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@asynccontextmanager
async def browse(url: str, token: str) -> AsyncGenerator[Page]:
    """A page of a fresh browser that has a session; what the console or the policy complains of fails."""
    try:
        chromium = await asyncio.to_thread(find_chromium)
    except MissingPart as missing:
        pytest.skip(str(missing))
    async with open_browser(chromium) as context:
        context.set_default_timeout(LIMIT_MS)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert complaints == []


async def look(page: Page, folder: str, name: str) -> None:
    """See the page that is shown in both themes, wide and narrow: nothing that axe finds, nothing that sticks out.

    Screenshots are kept in `artefacts/<folder>`, to be looked at.
    """
    axe = await asyncio.to_thread(_axe)
    for theme in _THEMES:
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for screen, (width, height) in SCREENS.items():
            await page.set_viewport_size({"width": width, "height": height})
            await expect(page.locator("main")).to_be_visible()
            if (theme, screen) != ("dark", "phone"):  # its colours and its layout were each looked at
                assert await find_violations(page, axe) == [], f"{name}, {theme}, {screen}"
            beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, f"{name} is {beyond} px wider than a {screen}"
            await keep_screenshot(page, folder, f"{name}-{theme}-{screen}")
    width, height = SCREENS["desktop"]
    await page.set_viewport_size({"width": width, "height": height})


@functools.cache
def _axe() -> str:
    return read_axe()


def _is_complaint(said: ConsoleMessage) -> bool:
    """Whether the console says what must not be; a page that is an answer of 400 is said there too."""
    return said.type == "error" and not said.text.startswith("Failed to load resource: the server responded")
