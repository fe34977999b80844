"""How soon the page of workspaces is there and what it weighs, and how soon it shows a change: in Chromium."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from bench.figures import Benchmark, Figure, median
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.real_gateway import RealGateway

ROWS = 100
LOADS = 9
CHANGES = 11
BYTES_OF_KIB = 1024
TEMPLATE = {"main.tf": 'terraform {}\n\nresource "terraform_data" "machine" {}\n'}

INTERACTIVE = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
"""When all scripts have run, which are deferred: what shows can be used."""

WATCH = """
(id) => {
  const list = document.getElementById("list");
  const read = () => document.querySelector(`#w-${id} .status`).textContent;
  let last = read();
  window.changes = [];
  new MutationObserver(() => {
    if (read() === last) return;
    last = read();
    requestAnimationFrame(() => window.changes.push(performance.timeOrigin + performance.now()));
  }).observe(list, { childList: true, subtree: true, characterData: true });
}
"""


FIRST_CHANGE = """
() => new Promise((done) => {
  const look = () => (window.changes.length > 0 ? done(window.changes[0]) : setTimeout(look, 10));
  look();
})
"""

PATIENCE_S = 20


async def measure(folder: Path) -> Sequence[Figure]:
    """Load the page of 100 workspaces with an empty cache, again and again; then start and stop one of them."""
    chromium = await asyncio.to_thread(find_chromium)
    async with RealGateway(folder / "gateway") as gateway, async_playwright() as playwright:
        await gateway.sign_in()
        template = await gateway.push_template("bench", TEMPLATE)
        made = [await gateway.create_workspace(f"bench-{number:03}", template["id"]) for number in range(ROWS)]
        for workspace in made:
            await gateway.wait_for_build(workspace["latest_build"]["id"])
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            loads = [await _load(browser, gateway) for _ in range(LOADS + 1)][1:]
            changes = await _change(browser, gateway, made[0]["id"])
        finally:
            await browser.close()
    return [
        Figure("pages.first_ms", median([ms for ms, _ in loads]), "ms", LOADS),
        Figure("pages.first_kib", median([kib for _, kib in loads]), "KiB", LOADS),
        Figure("pages.change_ms", median(changes), "ms", CHANGES),
    ]


async def _open(browser: Browser, gateway: RealGateway) -> Page:
    context = await browser.new_context()
    await context.add_cookies([{"name": "coder_session_token", "value": gateway.token, "url": gateway.url}])
    return await context.new_page()


async def _load(browser: Browser, gateway: RealGateway) -> tuple[float, float]:
    """Milliseconds until the page can be used, and KiB over the wire for it, headers included."""
    page = await _open(browser, gateway)
    protocol = await page.context.new_cdp_session(page)
    sizes: list[float] = []

    def note_size(event: dict[str, float]) -> None:
        sizes.append(event["encodedDataLength"])

    protocol.on("Network.loadingFinished", note_size)
    await protocol.send("Network.enable")  # pyright: ignore[reportUnknownMemberType]  # Playwright leaves it bare
    await page.goto(f"{gateway.url}/workspaces")
    if await page.locator(".row").count() != ROWS:
        raise RuntimeError(f"the page does not show {ROWS} workspaces")
    interactive = float(await page.evaluate(INTERACTIVE))
    await page.context.close()
    return interactive, sum(sizes) / BYTES_OF_KIB


async def _change(browser: Browser, gateway: RealGateway, workspace_id: str) -> list[float]:
    """Milliseconds from asking for a build until the row says so."""
    page = await _open(browser, gateway)
    async with page.expect_response(lambda response: "/workspaces/stream" in response.url):
        await page.goto(f"{gateway.url}/workspaces")
    await page.evaluate(WATCH, workspace_id)
    took: list[float] = []
    for number in range(CHANGES):
        await page.evaluate("window.changes = []")
        asked = time.time() * 1000
        transition, ends_as = ("stop", "Stopped") if number % 2 == 0 else ("start", "Running")
        build = await gateway.fetch("POST", f"/api/v2/workspaces/{workspace_id}/builds", {"transition": transition})
        async with asyncio.timeout(PATIENCE_S):
            took.append(float(await page.evaluate(FIRST_CHANGE)) - asked)
        await gateway.wait_for_build(build["id"])
        # Not one more change: what follows quickly may be shown as one.
        await expect(page.locator(f"#w-{workspace_id} .status")).to_have_text(ends_as)
    await page.context.close()
    return took


BENCHMARK = Benchmark(("pages.first_ms", "pages.first_kib", "pages.change_ms"), measure)
