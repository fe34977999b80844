"""What apps do beside pages, in real Chromium: websockets, server-sent events, large bodies; JupyterLab does it all."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.app_browser import AppBrowser, app_addition, app_browser
from tests.support.app_in_workspace import CHUNK
from tests.support.debian_packages import MissingPart
from tests.support.host_template import script
from tests.support.jupyter import install_jupyter

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

SHOTS: Final = "apps"
MIB: Final = 1 << 20
LARGE_CHUNKS: Final = 64 * MIB // len(CHUNK)
HUGE_CHUNKS: Final = 1024 * MIB // len(CHUNK)
MAX_GROWTH_BYTES: Final = 150 * MIB
"""What the gateway's memory may grow by while a gigabyte passes: far less than that, and more than its buffers."""

DOWNLOAD: Final = """async (chunks) => {
  const answer = await fetch(`download?chunks=${chunks}`);
  const body = await answer.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  return [answer.status, body.byteLength, Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')];
}"""

UPLOAD: Final = """async ([chunks, size]) => {
  const chunk = new Uint8Array(size).map((_, index) => index % 256);
  const answer = await fetch('upload', {method: 'POST', body: new Blob(Array(chunks).fill(chunk))});
  return [answer.status, await answer.text()];
}"""

ECHO: Final = """(size) => new Promise((resolve, reject) => {
  const address = new URL('echo', location.href);
  address.protocol = 'ws:';
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  const heard = [];
  socket.onerror = () => reject(new Error('the websocket failed'));
  socket.onopen = () => { socket.send('héllo'); socket.send(new Uint8Array(size).fill(7)); };
  socket.onmessage = (event) => {
    heard.push(event.data);
    if (heard.length === 2) {
      socket.close(4001, 'enough');
      resolve([heard[0], heard[1].byteLength, new Uint8Array(heard[1]).every((byte) => byte === 7)]);
    }
  };
})"""

LISTEN: Final = """() => {
  window.heard = [];
  window.source = new EventSource('events');
  window.source.onmessage = (event) => window.heard.push(event.data);
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[AppBrowser]:
    """One workspace for the module."""
    try:
        python = await asyncio.to_thread(install_jupyter)
    except MissingPart as missing:
        pytest.skip(str(missing))
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        additions = {"small": app_addition("small"), "jupyter": jupyter_addition(python)}
        async with app_browser(Path(folder), SHOTS, additions) as made:
            await asyncio.to_thread(made.put_page, "small", "index.html", "<title>small</title>")
            yield made


def jupyter_addition(python: Path) -> str:
    """Terraform for JupyterLab, as its own documentation has it behind a proxy that knows who is there."""
    options = (
        "--ServerApp.ip='' --ServerApp.sock=$HOME/jupyter/socket --ServerApp.sock_mode=0600 "
        "--ServerApp.open_browser=False --IdentityProvider.token='' --ServerApp.allow_root=True --LabApp.news_url=None"
    )
    start = (
        'mkdir -p "$HOME/jupyter" && cd "$HOME/jupyter" && '
        f"{shlex.quote(str(python))} -m jupyterlab {options} >log 2>&1 </dev/null &"
    )
    return (
        script("jupyter", start)
        + """
resource "coder_app" "jupyter" {
  agent_id  = coder_agent.main.id
  slug      = "jupyter"
  url       = "http+unix://jupyter%2Fsocket/"
  subdomain = true
  share     = "owner"

  healthcheck {
    url       = "http+unix://jupyter%2Fsocket/api"
    interval  = 1
    threshold = 1
  }
}
"""
    )


@pytest.fixture(params=["subdomain", "path"])
def small_url(browser: AppBrowser, request: pytest.FixtureRequest) -> str:
    return browser.subdomain_url("small") if request.param == "subdomain" else browser.path_url("small")


async def test_websocket_echoes_text_and_a_mebibyte(browser: AppBrowser, small_url: str) -> None:
    page = await browser.open_signed_in(small_url)
    assert await page.evaluate(ECHO, MIB) == ["héllo", MIB, True]
    await page.close()


async def test_each_server_sent_event_arrives_while_the_answer_goes_on(browser: AppBrowser, small_url: str) -> None:
    for stale in await asyncio.to_thread(lambda: list((browser.home / "small").glob("go-*"))):
        await asyncio.to_thread(stale.unlink)
    page = await browser.open_signed_in(small_url)
    await page.evaluate(LISTEN)
    for number in range(3):
        await page.wait_for_function("(number) => window.heard.at(-1) === String(number)", arg=number)
        await asyncio.to_thread((browser.home / "small" / f"go-{number + 1}").touch)
    await page.close()


async def test_large_upload_and_download_are_whole(browser: AppBrowser, small_url: str) -> None:
    expected = digest_of(LARGE_CHUNKS)
    page = await browser.open_signed_in(small_url)
    status, said = await page.evaluate(UPLOAD, [LARGE_CHUNKS, len(CHUNK)])
    assert (status, said) == (200, f"{expected} {64 * MIB}")
    assert await page.evaluate(DOWNLOAD, LARGE_CHUNKS) == [200, 64 * MIB, expected]
    await page.close()


async def test_a_notebook_runs_in_jupyterlab(browser: AppBrowser) -> None:
    page = await browser.open_signed_in(browser.subdomain_url("jupyter", "lab"))
    try:
        await run_notebook(page)
    finally:
        await browser.shoot(page, "jupyterlab")
        await page.close()


async def run_notebook(page: Page) -> None:
    card = page.locator(".jp-LauncherCard[data-category='Notebook']").first
    await expect(card).to_be_visible()
    await card.click()
    # What is run before the kernel is there is lost.
    await expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").first
    await cell.click()
    await page.keyboard.type("print('the-answer-is', 40 + 2)")
    await page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output").filter(has_text="the-answer-is 42")
    await expect(output).to_be_visible()


@pytest.mark.soak
async def test_a_gibibyte_goes_up_and_down_without_being_kept(browser: AppBrowser) -> None:
    expected = digest_of(HUGE_CHUNKS)
    process = psutil.Process(browser.gateway.process.pid) if browser.gateway.process else None
    assert process is not None
    before = process.memory_info().rss
    host = browser.subdomain_url("small").split("/")[2]
    headers = {**browser.gateway.headers, "Host": host}
    async with httpx.AsyncClient(base_url=browser.gateway.url, headers=headers, timeout=600) as client:
        answer = await client.post("/upload", content=chunks())
        assert answer.text == f"{expected} {1024 * MIB}"
        digest = hashlib.sha256()
        async with client.stream("GET", f"/download?chunks={HUGE_CHUNKS}") as down:
            async for part in down.aiter_raw():
                digest.update(part)
        assert digest.hexdigest() == expected
    assert process.memory_info().rss - before < MAX_GROWTH_BYTES


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(HUGE_CHUNKS):
        yield CHUNK


def digest_of(count: int) -> str:
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(CHUNK)
    return digest.hexdigest()
