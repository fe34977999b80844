"""VS Code with the extension, opened in a browser: for tests of the whole way from the editor to a workspace."""

from __future__ import annotations

import json
import secrets
import shlex
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from scripts.build_vsix import build_vsix
from scripts.extension_tools import NodeMissing
from tests.support.chromium import find_chromium, keep_screenshot, open_browser
from tests.support.code_server import CodeServer, install_code_server
from tests.support.debian_packages import MissingPart
from tests.support.real_gateway import RealGateway, free_port
from tests.support.vscode_page import VsCodePage

NAME: Final = "vscode"
"""The folder of the screenshots."""

EMAIL: Final = "admin@example.com"
PASSWORD: Final = secrets.token_urlsafe(20)

SETTINGS: Final = {
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "terminal.integrated.gpuAcceleration": "off",  # the screen's text is then in the page, where it can be read
    "genba.trace.server": "verbose",  # messages hold tokens, and no setting may bring those into a log
}


@dataclass(frozen=True, slots=True)
class EditorParts:
    """What an editor is made of; takes minutes the first time, and little later."""

    code_server: Path
    chromium: str
    vsix: Path


def make_parts(folder: Path) -> EditorParts:
    """Find or make them; skips the test, with the reason, where one can't be had."""
    try:
        return EditorParts(install_code_server(), find_chromium(), build_vsix(folder / "genba.vsix"))
    except MissingPart as missing:
        pytest.skip(f"no VS Code in a browser here: {missing}")
    except NodeMissing as missing:
        pytest.skip(str(missing))


def install_genba(home: Path) -> None:
    """Put the program `genba` where `uv tool install genba` puts it."""
    program = home / ".local" / "bin" / "genba"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m genba_ide_bridge.cli.main "$@"\n')
    program.chmod(0o755)


@dataclass(frozen=True, slots=True)
class Editor:
    """An opened VS Code."""

    vscode: VsCodePage
    context: BrowserContext
    server: CodeServer

    @property
    def page(self) -> Page:
        """The browser's page."""
        return self.vscode.page

    async def shoot(self, name: str) -> None:
        """Keep a screenshot."""
        await keep_screenshot(self.page, NAME, name)

    async def sign_in(self, gateway: RealGateway, *, wrong_token: str = "") -> str:
        """Sign in as a new user does, from the view's button to the token; returns that."""
        await self.page.get_by_role("button", name="Sign In", exact=True).click()
        await self.vscode.answer_input("The address of your Genba gateway", gateway.url)
        async with self.context.expect_page() as popup:
            await self.vscode.answer_dialog("Open")
        return await self.give_token(await popup.value, wrong_token=wrong_token)

    async def give_token(self, popup: Page, *, wrong_token: str = "") -> str:
        """Fetch a token on the gateway's page and paste it, a wrong one first where there is one; returns the right."""
        token = await fetch_token(popup)
        if wrong_token:
            await self.vscode.answer_input("Paste the token", wrong_token)
            notification = await self.vscode.expect_notification("does not take this token")
            await expect(notification).to_contain_text("/cli-auth shows a token that works")
            await self.shoot("03-wrong-token")
            await notification.get_by_role("button", name="Try Again").click()
        await self.vscode.answer_input("Paste the token", token)
        return token


@asynccontextmanager
async def opened_editor(
    parts: EditorParts, folder: Path, *, has_genba: bool = True, settings: Mapping[str, object] | None = None
) -> AsyncGenerator[Editor]:
    """VS Code with the extension, in a browser; when the test fails, what they said is printed."""
    environment = {"GENBA_CONFIG_DIR": str(folder / "config")}
    text = json.dumps({**SETTINGS, **(settings or {})})
    async with CodeServer(parts.code_server, folder / "code", settings=text, environment=environment) as server:
        if has_genba:
            install_genba(server.home)
        await server.install_extension(parts.vsix)
        await server.start()
        async with open_browser(parts.chromium) as context:
            page = await context.new_page()
            try:
                await page.goto(server.url)
                yield Editor(VsCodePage(page), context, server)
            except BaseException:
                await keep_screenshot(page, NAME, "failed")
                print(server.read_log()[-8000:])
                raise


def make_gateway(folder: Path, *arguments: str) -> RealGateway:
    """A gateway on 127.0.0.2: links to 127.0.0.1 and localhost code-server leads through itself."""
    port = free_port()
    gateway = RealGateway(folder, "--listen", f"127.0.0.2:{port}", *arguments, port=port)
    gateway.url = f"http://127.0.0.2:{port}"
    gateway.client.base_url = gateway.url
    return gateway


async def make_owner(gateway: RealGateway) -> None:
    """Make the first user, with the password that is typed into the gateway's page later."""
    await gateway.fetch("POST", "/api/v2/users/first", {"email": EMAIL, "username": "admin", "password": PASSWORD})
    said = await gateway.fetch("POST", "/api/v2/users/login", {"email": EMAIL, "password": PASSWORD})
    gateway.token = said["session_token"]


async def fetch_token(page: Page) -> str:
    """Sign in on the gateway's page, as a user who was sent there by the editor, and copy the token."""
    await page.get_by_label("Email").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Show token").click()
    token = page.get_by_label("Token", exact=True)
    await expect(token).to_be_visible()
    await keep_screenshot(page, NAME, "02-token", hide=[token])
    return await token.input_value()
