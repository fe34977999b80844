"""The `docker` starter where its own script installs code-server: from npm, in the container, used in real Chromium."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.support.app_browser import AppBrowser, app_health
from tests.support.chromium import find_chromium, open_browser
from tests.support.connect_proxy import running_connect_proxy
from tests.support.debian_packages import MissingPart
from tests.support.docker_engine import COMPILERS, DockerEngine, compilers_image
from tests.support.docker_workspaces import engine_with, gateway_for, home_with_provider
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.soak, pytest.mark.timeout(2400)]

BEHIND_PROXY: Final = "genba-test/debian-npm:behind-proxy"

REGISTRY: Final = "https://registry.npmjs.org/code-server"

CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""This machine's, since the network's owner may sign what comes from the registry."""

INSTALL_LIMIT_S: Final = 1500
STEP_LIMIT_S: Final = 180
"""What anything may take in the editor: a crashed host of extensions, which this shall find, is not waited for long."""

DEATH_LIMIT_S: Final = 60
"""Half a minute is what is promised; the machine may be busy."""

BREAK_IT: Final = """
for entry in ~/.cache/genba/code-server-*/code-server/node_modules/code-server/out/node/entry.js; do
    echo 'process.exit(3)' >"$entry"
done
for process in /proc/[0-9]*; do
    [ "$process" != /proc/$$ ] || continue
    ! tr '\\0' ' ' <$process/cmdline | grep -q 'out/node/entry' || kill -KILL ${process#/proc/}
done
"""
"""Every code-server that is started from here on ends at once. This shell's own command has the name, too."""


@pytest.fixture(scope="module")
def engine() -> Generator[DockerEngine]:
    try:
        httpx.head(REGISTRY, verify=ssl.create_default_context()).raise_for_status()
    except httpx.HTTPError as error:
        pytest.skip(f"npm's registry can't be reached: {error!r}")
    with engine_with(COMPILERS, compilers_image) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_provider(tmp_path_factory.mktemp("home"))


@asynccontextmanager
async def browser_for(engine: DockerEngine, home: Path, folder: Path) -> AsyncGenerator[AppBrowser]:
    """A workspace that has just been started, in a container that reaches the world by a proxy, and a browser."""
    try:
        chromium = await asyncio.to_thread(find_chromium)
    except MissingPart as missing:
        pytest.skip(str(missing))
    async with running_connect_proxy(engine.gateway_ip) as proxy:
        variables = {"HTTPS_PROXY": proxy.url, "npm_config_cafile": CERTIFICATES, "NODE_EXTRA_CA_CERTS": CERTIFICATES}
        files = {CERTIFICATES: Path(CERTIFICATES)}
        await asyncio.to_thread(engine.extend_image, COMPILERS, BEHIND_PROXY, files, variables)
        starter = gateway_for(engine, home, folder, code_server=True, image=BEHIND_PROXY, code_server_installer="")
        async with starter as (gateway, template), open_browser(chromium) as context:
            workspace = await gateway.create_workspace("demo", template["id"])
            await gateway.wait_for_agent(workspace["id"])
            context.set_default_timeout(STEP_LIMIT_S * 1000)
            expect.set_options(timeout=STEP_LIMIT_S * 1000)
            yield AppBrowser(gateway, workspace["id"], context, "docker-code-server")
            deleted = await gateway.build(workspace["id"], "delete")
            assert deleted["job"]["status"] == "succeeded", deleted["job"]


async def test_it_is_installed_used_by_both_addresses_and_found_dead(
    engine: DockerEngine, home: Path, short_dir: Path
) -> None:
    async with browser_for(engine, home, short_dir / "gateway") as browser:
        page = await browser.open_signed_in(f"{browser.gateway.url}/@admin/demo")
        await expect(page.get_by_text("Installing code-server: 30 s so far")).to_be_visible(timeout=300_000)
        await expect(page.get_by_text("It has not answered yet")).to_be_visible()
        await browser.shoot(page, "1-installing")

        # Whoever is too early waits on a page that goes on by itself.
        by_path = await browser.open_signed_in(browser.path_url("code-server"))
        by_name = await browser.open_signed_in(browser.subdomain_url("code-server"))
        await expect(by_name.get_by_text("is not ready yet")).to_be_visible()
        await browser.shoot(by_name, "2-too-early")
        await browser.wait_for_app("code-server", INSTALL_LIMIT_S)
        await browser.shoot(page, "3-installed")
        await use_workbench(engine, browser, by_path, "path")
        await use_workbench(engine, browser, by_name, "subdomain")
        # Modules that were compiled for another Node end the processes that load them, which are started again.
        said = await asyncio.to_thread(run_inside, engine, "cat ~/.code-server/log")
        assert not [line for line in said.splitlines() if "SIG" in line], said

        await asyncio.to_thread(run_inside, engine, BREAK_IT)
        is_dead = app_health("code-server", "unhealthy")
        await browser.gateway.wait_for(f"/api/v2/workspaces/{browser.workspace_id}", is_dead, DEATH_LIMIT_S)
        await expect(page.get_by_text("It does not answer")).to_be_visible()
        await expect(page.get_by_text("code-server ended with status 3").first).to_be_visible()
        await browser.shoot(page, "6-dead")


async def use_workbench(engine: DockerEngine, browser: AppBrowser, page: Page, kind: str) -> None:
    """Make a file in the terminal, open it, edit and save it."""
    code, name = Workbench(page), f"{kind}.txt"
    try:
        await code.expect_ready()
        await code.run_command("Terminal: Create New Terminal")
        await code.type_in_terminal(f"hostname >{name}")
        await wait_for_file(engine, name, "demo\n")
        await browser.shoot(page, f"4-{kind}-terminal")
        await code.open_file(name)
        await code.expect_line("demo")
        await code.type_at_end("second line")
        await wait_for_file(engine, name, "demo\nsecond line")
    finally:
        await browser.shoot(page, f"5-{kind}-end")
    await page.close()


async def wait_for_file(engine: DockerEngine, name: str, text: str) -> None:
    """Wait until a file of the home folder is this."""
    async with asyncio.timeout(STEP_LIMIT_S):
        while await asyncio.to_thread(run_inside, engine, f"cat ~/{name}") != text:  # noqa: ASYNC110  # no file tells
            await asyncio.sleep(0.5)


def run_inside(engine: DockerEngine, command: str) -> str:
    """Run a command of the shell in the one container."""
    (container,) = engine.run("ps", "-q").split()
    return engine.run("exec", container, "sh", "-c", command, check=False)
