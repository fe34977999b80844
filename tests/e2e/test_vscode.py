"""The extension in real VS Code (code-server, in Chromium) with a real gateway, bridge, agent and Terraform."""

from __future__ import annotations

import asyncio
import json
import secrets
import shlex
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from scripts.build_vsix import build_vsix
from scripts.extension_tools import NodeMissing
from tests.support.chromium import find_chromium, keep_screenshot, open_browser
from tests.support.code_server import CodeServer, install_code_server
from tests.support.debian_packages import MissingPart
from tests.support.host_template import host_template, script
from tests.support.real_gateway import RealGateway, free_port
from tests.support.vscode_page import VsCodePage

NAME: Final = "vscode"
EMAIL: Final = "admin@example.com"
PASSWORD: Final = secrets.token_urlsafe(20)

SETTINGS: Final = {
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "terminal.integrated.gpuAcceleration": "off",  # the screen's text is then in the page, where it can be read
}

SET_UP_S: Final = 900
"""code-server is compiled once for each version; nothing of it is done again in later runs."""


@pytest.fixture(scope="module")
def code_server_folder() -> Path:
    try:
        return install_code_server()
    except MissingPart as missing:
        pytest.skip(f"no code-server: {missing}")


@pytest.fixture(scope="module")
def chromium() -> str:
    try:
        return find_chromium()
    except MissingPart as missing:
        pytest.skip(f"no Chromium: {missing}")


@pytest.fixture(scope="module")
def vsix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build_vsix(tmp_path_factory.mktemp("vsix") / "genba.vsix")
    except NodeMissing as missing:
        pytest.skip(str(missing))


def install_genba(home: Path) -> None:
    """Put the program `genba` where `uv tool install genba` puts it."""
    program = home / ".local" / "bin" / "genba"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m genba_ide_bridge.cli.main "$@"\n')
    program.chmod(0o755)


@asynccontextmanager
async def opened_vscode(
    installed: Path, chromium: str, vsix: Path, folder: Path, **settings: object
) -> AsyncGenerator[tuple[VsCodePage, BrowserContext, CodeServer]]:
    """VS Code with the extension, in a browser; when the test fails, what they said is printed."""
    environment = {"GENBA_CONFIG_DIR": str(folder / "config")}
    server = CodeServer(
        installed, folder / "code", settings=json.dumps({**SETTINGS, **settings}), environment=environment
    )
    async with server:
        install_genba(server.home)
        await server.install_extension(vsix)
        await server.start()
        async with open_browser(chromium) as context:
            page = await context.new_page()
            try:
                await page.goto(server.url)
                yield VsCodePage(page), context, server
            except BaseException:
                await keep_screenshot(page, NAME, "failed")
                print(server.read_log()[-8000:])
                raise


def make_gateway(folder: Path) -> RealGateway:
    """A gateway on 127.0.0.2: links to 127.0.0.1 and localhost code-server leads through itself."""
    port = free_port()
    gateway = RealGateway(folder, "--listen", f"127.0.0.2:{port}", port=port)
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


@pytest.mark.timeout(SET_UP_S + 300)
async def test_main_job_is_done_in_vscode(code_server_folder: Path, chromium: str, vsix: Path, short_dir: Path) -> None:
    gate = short_dir / "gate"
    waiting = script("waiting", f"echo waits; until [ -e {gate} ]; do sleep 0.05; done; echo has-come")
    async with make_gateway(short_dir / "gateway") as gateway:
        await make_owner(gateway)
        template = await gateway.push_template("host", host_template(waiting=waiting))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        async with opened_vscode(code_server_folder, chromium, vsix, short_dir) as (vscode, context, server):
            page = vscode.page

            async def shoot(name: str) -> None:
                await keep_screenshot(page, NAME, name)

            await vscode.open_genba_view()
            await vscode.expect_status("sign in")
            await shoot("01-signed-out")

            await page.get_by_role("button", name="Sign In").click()
            await vscode.answer_input("The address of your Genba gateway", gateway.url)
            async with context.expect_page() as popup:
                await vscode.answer_dialog("Open")
            token = await fetch_token(await popup.value)
            await vscode.answer_input("Paste the token", token)

            await vscode.expect_row("Workspace demo, running")
            await vscode.expect_status("1 running")
            await shoot("03-signed-in")

            await vscode.press_row_button("Agent main, ", "Show Agent Log")
            await vscode.expect_output("waits")
            gate.touch()
            await vscode.expect_output("has-come")
            await vscode.expect_row("Agent main, ready")
            await shoot("04-agent-log")

            await vscode.press_row_button("Agent main, ready", "Open Terminal")
            await vscode.type_in_terminal("echo the-answer-is-$((40+2))")
            await vscode.expect_terminal("the-answer-is-42")
            await shoot("05-terminal")

            await gateway.kill()
            await vscode.expect_status("reconnecting")
            await vscode.expect_terminal("reconnecting")
            await shoot("06-gateway-killed")
            await gateway.start()
            await vscode.expect_status("1 running")
            await vscode.expect_terminal("reconnecting", is_there=False)
            await vscode.type_in_terminal("echo still-$((40+3))")
            await vscode.expect_terminal("still-43")
            await shoot("07-gateway-back")

            await server.kill_descendant("bridge --stdio")
            await vscode.type_in_terminal("echo and-$((40+4))")
            await vscode.expect_terminal("and-44")
            await vscode.expect_terminal("still-43")
            await vscode.expect_status("1 running")
            await shoot("07-bridge-back")

            await vscode.press_row_button("Workspace demo, running", "Stop Workspace")
            await shoot("08-stop-dialog")
            await vscode.answer_dialog("Stop")
            await vscode.expect_row("Workspace demo, stopped")
            await vscode.expect_terminal("The workspace was stopped")
            await vscode.expect_status("0 running")
            await shoot("09-stopped")
            build = (await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}"))["latest_build"]
            assert (build["transition"], build["job"]["status"]) == ("stop", "succeeded")

            await vscode.press_row_button("Workspace demo, stopped", "Show Build Log")
            await vscode.expect_output("Build 2 (stop) succeeded.")
            await vscode.press_row_button("Workspace demo, stopped", "Start Workspace")
            await vscode.expect_row("Agent main, ready")
            await vscode.expect_output("Build 3 (start) succeeded.")
            await shoot("10-started-again")

            await vscode.run_command("Genba: Sign Out")
            await vscode.expect_status("sign in")
            await shoot("11-signed-out-again")
        await gateway.build(workspace["id"], "delete")


@pytest.mark.timeout(SET_UP_S + 120)
async def test_editor_without_a_bridge_says_what_to_do(
    code_server_folder: Path, chromium: str, vsix: Path, short_dir: Path
) -> None:
    setting = {"genba.bridgePath": str(short_dir / "absent")}
    async with opened_vscode(code_server_folder, chromium, vsix, short_dir, **setting) as (vscode, _, server):
        await vscode.open_genba_view()
        notification = vscode.page.locator(".notification-list-item").filter(has_text="There is no program at")
        await expect(notification).to_be_visible()
        await expect(vscode.page.get_by_role("button", name="Try Again")).to_be_visible()
        await keep_screenshot(vscode.page, NAME, "20-no-bridge")

        await asyncio.to_thread((short_dir / "absent").symlink_to, server.home / ".local" / "bin" / "genba")
        await vscode.page.get_by_role("button", name="Try Again").click()
        await vscode.expect_status("sign in")
