"""How long code-server's workbench takes to show a first file in Chromium: through the gateway, and direct."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import BrowserContext, expect

from bench.figures import Benchmark, Figure, median
from tests.support.app_browser import EDITOR_SETTINGS_TEXT, AppBrowser, app_browser
from tests.support.code_server import CodeServer, install_code_server

RUNS: Final = 7
FIRST_FILE: Final = "first-file.txt"
FIRST_LINE: Final = "the-first-line-of-the-first-file"


async def measure(folder: Path) -> Sequence[Figure]:
    """Open the same file in both, in turns, each time in a new tab of a browser whose cache is warm."""
    installed = await asyncio.to_thread(install_code_server)
    async with (
        app_browser(folder / "w", "bench", {}, code_server=True) as world,
        CodeServer(installed, folder / "direct", settings=EDITOR_SETTINGS_TEXT, environment={}) as direct,
    ):
        await direct.start()
        through_url, direct_url = await asyncio.to_thread(_put_files, world, direct)
        await (await world.open_signed_in(world.subdomain_url("code-server"))).close()
        through: list[float] = []
        baseline: list[float] = []
        for number in range(RUNS + 1):
            for url, figures in ((direct_url, baseline), (through_url, through)):
                took_s = await _show(world.context, url)
                if number:
                    figures.append(took_s)
    ratio, direct_s = median(through) / median(baseline), median(baseline)
    return [
        Figure("browser.workbench_ratio", ratio, "x", RUNS, direct_s, "s"),
        Figure("browser.workbench_s", median(through), "s", RUNS, direct_s, "s"),
    ]


def _put_files(world: AppBrowser, direct: CodeServer) -> tuple[str, str]:
    """The addresses that open the file, through the gateway and direct."""
    urls: list[str] = []
    for project, base in (
        (world.home / "project", world.subdomain_url("code-server")),
        (direct.folder / "project", f"http://127.0.0.1:{direct.port}/"),
    ):
        project.mkdir(exist_ok=True)
        (project / FIRST_FILE).write_text(f"{FIRST_LINE}\n")
        remote = f"vscode-remote://{base.split('/')[2]}{project / FIRST_FILE}"
        urls.append(f'{base}?folder={project}&payload=[["openFile","{remote}"]]')
    return urls[0], urls[1]


async def _show(context: BrowserContext, url: str) -> float:
    """Seconds until the file's text is shown."""
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(url, wait_until="commit")
    line = page.locator(".editor-container .view-line").filter(has_text=FIRST_LINE)
    await expect(line).to_be_visible()
    took_s = time.perf_counter() - began
    await page.close()
    return took_s


BENCHMARK = Benchmark(("browser.workbench_ratio", "browser.workbench_s"), measure)
