"""What end-to-end tests of a module share: a gateway, template, build and agent are more work than most of them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from tests.support.chromium import run_chromium
from tests.support.demo_workspace import demo_workspace
from tests.support.real_gateway import RealGateway

Demo = tuple[RealGateway, dict[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncGenerator[Browser]:
    """One browser for the module: its start is more work than most tests; each has a profile of its own in it."""
    async with run_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_demo() -> AsyncGenerator[Demo]:
    """One for the module."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with demo_workspace(Path(folder)) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def demo(shared_demo: Demo) -> AsyncGenerator[Demo]:
    """A running workspace `demo`, and what signs the command line in; needs `asyncio(loop_scope="module")`.

    Tests leave it as it was; a gateway that a failed one left dead is started.
    """
    yield shared_demo
    gateway, _ = shared_demo
    assert gateway.process is not None
    if gateway.process.returncode is not None:
        await gateway.start()
