"""A real gateway, a host workspace full of apps, and a browser: for tests of apps as users see them.

Every app of a test is `app_in_workspace.py` on a unix socket, in a folder of its own below the workspace's home.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from scripts.clone import ROOT
from tests.support.chromium import find_chromium, keep_screenshot, open_browser
from tests.support.code_server import install_code_server, put_on_path
from tests.support.debian_packages import MissingPart
from tests.support.host_template import script
from tests.support.real_gateway import CEILING_S, Condition, RealGateway, agents_of, read_starter
from tests.support.vscode_editor import EMAIL, PASSWORD, make_owner
from tests.support.waiting import eventually

EDITOR_SETTINGS: Final = {
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "security.workspace.trust.enabled": False,
    "terminal.integrated.gpuAcceleration": "off",  # the screen's text is then in the page, where it can be read
}

EDITOR_SETTINGS_TEXT: Final = json.dumps(EDITOR_SETTINGS)


@dataclass(frozen=True, slots=True)
class AppBrowser:
    """The workspace `demo` of the user `admin`, and a browser."""

    gateway: RealGateway
    workspace_id: str
    context: BrowserContext
    shots: str
    """The folder of the screenshots."""

    @property
    def home(self) -> Path:
        return self.gateway.folder / "data" / "hosts" / self.workspace_id / "home"

    def path_url(self, slug: str, rest: str = "", *, workspace: str = "admin/demo") -> str:
        """An app by path, on the origin of path apps."""
        return f"http://apps.localhost:{self.gateway.port}/@{workspace}.main/apps/{slug}/{rest}"

    def subdomain_url(self, slug: str, rest: str = "", *, workspace: str = "demo--admin") -> str:
        """An app under a name of its own."""
        return f"http://{slug}--main--{workspace}.localhost:{self.gateway.port}/{rest}"

    def put_page(self, app: str, name: str, text: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Give an app a page."""
        pages = self.home / app / "pages"
        pages.mkdir(parents=True, exist_ok=True)
        (pages / name).write_text(text)
        (pages / f"{name}.headers").write_text(json.dumps(list(headers)))

    def read_requests(self, app: str) -> list[dict[str, Any]]:
        """What an app was asked so far, through the gateway: not for its health."""
        noted = self.home / app / "requests"
        lines = noted.read_text().splitlines() if noted.exists() else []
        return [json.loads(line) for line in lines if "x-forwarded-host" in line.lower()]

    async def open_signed_in(self, url: str) -> Page:
        """Open an address in a new tab, and sign in on the way when asked to."""
        page = await self.context.new_page()
        await page.goto(url)
        if await page.get_by_label("Password").count():
            await fill_sign_in(page)
        return page

    async def shoot(self, page: Page, name: str) -> None:
        """Keep a screenshot."""
        await keep_screenshot(page, self.shots, name)

    async def wait_for_app(self, slug: str, ceiling_s: float = CEILING_S) -> None:
        """Wait until an app is healthy."""
        is_healthy = app_health(slug, "healthy")
        await self.gateway.wait_for(f"/api/v2/workspaces/{self.workspace_id}", is_healthy, ceiling_s)


def app_health(slug: str, health: str) -> Condition:
    """Whether an app of a workspace has this health."""

    def is_so(workspace: dict[str, Any]) -> bool:
        apps = [app for agent in agents_of(workspace) for app in agent["apps"]]
        return any(app["slug"] == slug and app["health"] == health for app in apps)

    return is_so


async def fill_sign_in(page: Page) -> None:
    """Sign in as the owner on the page that is shown."""
    await page.get_by_label("Email").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Password")).to_have_count(0)


def app_addition(name: str, *, share: str = "owner", subdomain: bool = True) -> str:
    """Terraform for an app of the test."""
    python = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -P -m tests.support.app_in_workspace"
    start = (
        f'mkdir -p "$HOME/{name}/pages" && rm -f "$HOME/{name}/socket" && cd "$HOME/{name}" && '
        f'{python} unix:"$HOME/{name}/socket" "$HOME/{name}" >>log 2>&1 </dev/null &'
    )
    return (
        script(name, start)
        + f"""
resource "coder_app" "{name}" {{
  agent_id  = coder_agent.main.id
  slug      = "{name}"
  url       = "http+unix://{name}%2Fsocket/"
  subdomain = {str(subdomain).lower()}
  share     = "{share}"

  healthcheck {{
    url       = "http+unix://{name}%2Fsocket/"
    interval  = 1
    threshold = 1
  }}
}}
"""
    )


@asynccontextmanager
async def app_browser(
    folder: Path, shots: str, additions: Mapping[str, str], *, code_server: bool = False
) -> AsyncGenerator[AppBrowser]:
    """A running workspace with apps, and a browser; skips the test, with the reason, where a part can't be had."""
    try:
        chromium = await asyncio.to_thread(find_chromium)
        path = await asyncio.to_thread(_path_with_code_server, folder) if code_server else os.environ["PATH"]
    except MissingPart as missing:
        pytest.skip(f"no apps in a browser here: {missing}")
    async with RealGateway(folder / "gateway", environment={"PATH": path}) as gateway:
        await make_owner(gateway)
        files = read_starter("host", code_server=code_server)
        template = await gateway.push_template("host", {**files, **_as_files(additions)})
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "succeeded", build["job"]
        async with open_browser(chromium) as context:
            world = AppBrowser(gateway, workspace["id"], context, shots)
            await asyncio.to_thread(_write_settings, world.home)
            await gateway.wait_for_agent(workspace["id"])
            for slug in (*additions, *(["code-server"] if code_server else [])):
                await world.wait_for_app(slug)
            yield world
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]


def _path_with_code_server(folder: Path) -> str:
    programs = folder / "bin"
    programs.mkdir(parents=True)
    put_on_path(install_code_server(), programs)
    return f"{programs}:{os.environ['PATH']}"


def _write_settings(home: Path) -> None:
    user = home / ".local" / "share" / "code-server" / "User"
    user.mkdir(parents=True, exist_ok=True)
    (user / "settings.json").write_text(EDITOR_SETTINGS_TEXT)


def _as_files(additions: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}.tf": text for name, text in additions.items()}


async def wait_for_text(path: Path, text: str) -> None:
    """Wait until a file has a text in it."""
    await eventually(lambda: path.exists() and text in path.read_text())
