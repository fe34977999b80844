"""The dashboard in Chromium: a session in it, and a look at a page as people with other screens and eyes have it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Literal

from playwright.async_api import Browser, BrowserContext, Page, expect

from genba_gateway.api.gate import SESSION_COOKIE
from tests.support.axe import find_violations
from tests.support.chromium import SIZE, keep_screenshot, open_profile
from tests.support.real_gateway import RealGateway

PHONE: Final = (375, 740)

ANSWER: Final = "Failed to load resource: the server responded"
"""How the console begins to say that a page, or what it loads, is an answer that refuses."""

Theme = Literal["light", "dark"]

LOOKS: Final[tuple[tuple[Theme, str, tuple[int, int]], ...]] = (
    ("light", "desktop", SIZE),
    ("light", "phone", PHONE),
    ("dark", "desktop", SIZE),
)
"""Colours don't depend on the width, nor the layout on the colours: each is seen with both values of the other once."""


@asynccontextmanager
async def browse(browser: Browser, gateway: RealGateway, token: str | None = None) -> AsyncGenerator[Page]:
    """A page of a fresh profile with a session: the gateway's user's, or another's, or none for an empty token.

    What the console or the policy complains of fails, but for pages that are an answer of 400 or 404.
    """
    async with open_profile(browser) as context:
        await sign_in(context, gateway.url, gateway.token if token is None else token)
        page = await context.new_page()
        complaints = note_complaints(page)
        yield page
        assert [each for each in complaints if not each.startswith(ANSWER)] == []


async def sign_in(context: BrowserContext, url: str, token: str) -> None:
    """Give a profile a session; none where the token is empty."""
    if token:
        await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])


def note_complaints(page: Page) -> list[str]:
    """What the page's console complains of from now on: a policy that was broken, a script that failed."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


FINGER_PX: Final = 40
BOX_PX: Final = 24
"""What a finger hits: a control, and a box to tick whose label is elsewhere."""

_MISFITS: Final = """([finger, box]) => {
    const name = (each) => `${each.tagName} ${each.id || each.className} ${each.textContent.trim().slice(0, 40)}`;
    const seen = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
    const controls = seen("button, .button, select, summary, .places a, .tabs a, .filters a, .presets a, input");
    const boxes = "[type=checkbox], [type=radio]";
    const height = (each) => ((each.matches(boxes) && each.closest("label")) || each).getBoundingClientRect().height;
    const least = (each) => (each.matches(boxes) && !each.closest("label") ? box : finger);
    const wraps = (each) => {
      const texts = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
      const range = document.createRange();
      const lines = [];
      while (texts.nextNode()) {
        range.selectNode(texts.currentNode);
        lines.push(...[...range.getClientRects()].filter(({ width }) => width > 1).map(({ bottom }) => bottom));
      }
      return Math.max(...lines) - Math.min(...lines) > 10;
    };
    return [
      ...controls.filter((each) => height(each) < least(each)).map((each) => `too small to touch: ${name(each)}`),
      ...seen(".button, button").filter(wraps).map((each) => `wraps: ${name(each)}`),
      ...seen(".table").filter((each) => each.scrollWidth > each.clientWidth).map((each) => `cut off: ${name(each)}`),
    ];
}"""


async def find_misfits(page: Page) -> list[str]:
    """What does not fit a phone: controls that a finger misses, labels that wrap, tables whose columns are cut off."""
    found: list[str] = await page.evaluate(_MISFITS, [FINGER_PX, BOX_PX])
    return found


async def look(page: Page, folder: str, name: str, *, full: bool = False) -> None:
    """See the page that is shown in both themes, wide and narrow: nothing that axe finds, nothing that sticks out.

    Screenshots, of the whole page if wanted, are kept in `artefacts/<folder>`, to be looked at.
    """
    for theme, screen, (width, height) in LOOKS:
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await page.set_viewport_size({"width": width, "height": height})
        await expect(page.locator("main")).to_be_visible()
        assert await find_violations(page) == [], f"{name}, {theme}, {screen}"
        beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{name} is {beyond} px wider than a {screen}"
        if screen == "phone":
            misfits = await find_misfits(page)
            assert misfits == [], f"{name} on a phone: {misfits}"
        await keep_screenshot(page, folder, f"{name}-{theme}-{screen}", full=full)
