"""axe-core, which finds what keeps people with a disability from using a page."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from scripts.environment import cache_folder
from scripts.vendor_assets import Library, fetch_tarball, unpack_files

AXE: Final = Library(
    "axe-core",
    "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    {"axe.js": "axe.min.js"},
)
"""A test's peer only: nothing of it is shipped."""


@functools.cache
def read_axe() -> str:
    """Its source, from the cache or the registry."""
    cache = cache_folder() / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        unpack_files(AXE, fetch_tarball(AXE, cache), Path(folder))
        return (Path(folder) / "axe.js").read_text(encoding="utf-8")


async def find_violations(page: Page) -> list[str]:
    """What axe finds on the page: each rule with the elements that break it."""
    if not await page.evaluate("'axe' in window"):
        # Past the page's policy, which the browser's own tools are not bound by.
        await page.evaluate(await asyncio.to_thread(read_axe))
    found: dict[str, Any] = await page.evaluate("axe.run()")
    return [f"{each['id']}: {each['help']}: {_say(each['nodes'])}" for each in found["violations"]]


def _say(nodes: list[dict[str, Any]]) -> list[str]:
    return [f"{node['html'][:160]} {node['failureSummary']}" for node in nodes[:3]]
