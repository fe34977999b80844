"""The extension in real VS Code (code-server, in Chromium) with a real gateway, bridge, agent and Terraform."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from scripts.build_agent import OUTPUT, machine_arch
from scripts.clone import ROOT
from tests.support.host_template import host_template, script
from tests.support.real_gateway import clean_environment
from tests.support.vscode_editor import EditorParts, make_gateway, make_owner, make_parts, opened_editor

SET_UP_S: Final = 900
"""code-server is compiled once for each version; nothing of it is done again in later runs."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> EditorParts:
    return make_parts(tmp_path_factory.mktemp("vsix"))


@pytest.fixture(scope="module")
def executables() -> Path:
    if shutil.which("apt-get") is None:
        pytest.skip("the executable is assembled from Debian's packages, and there is no apt-get here")
    subprocess.run([sys.executable, "-m", "scripts.build_agent"], cwd=ROOT, check=True, timeout=SET_UP_S)
    return OUTPUT


@pytest.mark.timeout(SET_UP_S + 300)
async def test_main_job_is_done_in_vscode(parts: EditorParts, short_dir: Path) -> None:
    gate = short_dir / "gate"
    waiting = script("waiting", f"echo waits; until [ -e {gate} ]; do sleep 0.05; done; echo has-come")
    async with make_gateway(short_dir / "gateway") as gateway:
        await make_owner(gateway)
        template = await gateway.push_template("host", host_template(waiting=waiting))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        async with opened_editor(parts, short_dir) as editor:
            vscode = editor.vscode
            await vscode.open_genba_view()
            await vscode.expect_status("sign in")
            await editor.shoot("01-signed-out")

            token = await editor.sign_in(gateway, wrong_token="not-a-token")  # wrong on purpose
            await vscode.expect_row("Workspace demo, running")
            await vscode.expect_status("1 running")
            await editor.shoot("04-signed-in")

            await vscode.press_row_button("Agent main, ", "Show Agent Log")
            await vscode.expect_output("waits")
            gate.touch()
            await vscode.expect_output("has-come")
            await vscode.expect_row("Agent main, ready")
            await editor.shoot("05-agent-log")

            await vscode.press_row_button("Agent main, ready", "Open Terminal")
            await vscode.type_in_terminal("echo the-answer-is-$((40+2))")
            await vscode.expect_terminal("the-answer-is-42")
            await editor.shoot("06-terminal")

            await gateway.kill()
            await vscode.expect_status("reconnecting")
            await vscode.expect_terminal("reconnecting")
            await editor.shoot("07-gateway-killed")
            await gateway.start()
            await vscode.expect_status("1 running")
            await vscode.expect_terminal("reconnecting", is_there=False)
            await vscode.type_in_terminal("echo still-$((40+3))")
            await vscode.expect_terminal("still-43")
            await editor.shoot("08-gateway-back")

            await editor.server.kill_descendant("bridge --stdio")
            await vscode.type_in_terminal("echo and-$((40+4))")
            await vscode.expect_terminal("and-44")
            await vscode.expect_terminal("still-43")
            await vscode.expect_status("1 running")
            await editor.shoot("09-bridge-back")

            await vscode.press_row_button("Workspace demo, running", "Stop Workspace")
            await vscode.expect_dialog("Stop demo?")
            await editor.shoot("10-stop-dialog")
            await vscode.answer_dialog("Stop")
            await vscode.expect_row("Workspace demo, stopped")
            await vscode.expect_terminal("The workspace was stopped")
            await vscode.expect_status("0 running")
            await editor.shoot("11-stopped")
            build = (await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}"))["latest_build"]
            assert (build["transition"], build["job"]["status"]) == ("stop", "succeeded")

            await vscode.press_row_button("Workspace demo, stopped", "Show Build Log")
            await vscode.expect_output("Build 2 (stop) succeeded.")
            await vscode.press_row_button("Workspace demo, stopped", "Start Workspace")
            await vscode.expect_row("Agent main, ready")
            await vscode.expect_output("Build 3 (start) succeeded.")
            await editor.shoot("12-started-again")

            await vscode.run_command("Genba: Sign Out")
            await vscode.expect_status("sign in")
            await editor.shoot("13-signed-out-again")
            assert await asyncio.to_thread(editor.server.find_files_with, token) == []
        await gateway.build(workspace["id"], "delete")


@pytest.mark.timeout(SET_UP_S + 120)
async def test_setting_that_names_no_program_says_what_to_do(parts: EditorParts, short_dir: Path) -> None:
    program = short_dir / "absent"
    async with opened_editor(parts, short_dir, settings={"genba.bridgePath": str(program)}) as editor:
        await editor.vscode.open_genba_view()
        await editor.vscode.expect_notification("There is no program at")
        again = editor.page.get_by_role("button", name="Try Again")
        await expect(again).to_be_visible()
        await editor.shoot("20-no-bridge")

        await asyncio.to_thread(program.symlink_to, editor.server.home / ".local" / "bin" / "genba")
        await again.click()
        await editor.vscode.expect_status("sign in")


@pytest.mark.timeout(SET_UP_S + 120)
async def test_machine_without_genba_runs_the_executable_of_the_gateway(
    parts: EditorParts, executables: Path, short_dir: Path
) -> None:
    served = short_dir / "served"
    async with make_gateway(short_dir / "gateway", "--bin-dir", str(served)) as gateway:
        await make_owner(gateway)
        template = await gateway.push_template("host", host_template())
        workspace = await gateway.create_workspace("demo", template["id"])
        async with opened_editor(parts, short_dir, has_genba=False) as editor:
            vscode = editor.vscode
            await vscode.open_genba_view()
            await vscode.expect_status("sign in")
            await editor.shoot("30-no-genba-here")

            await editor.page.get_by_role("button", name="Sign In", exact=True).click()
            await vscode.answer_input("The bridge is downloaded from it", gateway.url)
            notification = await vscode.expect_notification("This gateway has no program for linux-")
            await expect(editor.page.get_by_text("is not on this machine")).to_be_visible()
            await editor.shoot("31-nothing-served")
            await asyncio.to_thread(shutil.copytree, executables, served)
            await notification.get_by_role("button", name="Sign In", exact=True).click()
            # The address is kept: Enter takes it.
            await vscode.answer_input("The bridge is downloaded from it", gateway.url)
            async with editor.context.expect_page() as popup:
                await vscode.answer_dialog("Open")
            await editor.give_token(await popup.value)
            await gateway.wait_for_agent(workspace["id"])
            await vscode.press_row_button("Agent main, ready", "Open Terminal")
            await vscode.type_in_terminal("echo the-answer-is-$((40+2))")
            await vscode.expect_terminal("the-answer-is-42")
            await editor.shoot("32-bridge-of-the-gateway")

            name = f"genba-linux-{machine_arch()}"
            downloaded = editor.server.storage_of("genba.genba") / name
            assert await asyncio.to_thread(downloaded.read_bytes) == await asyncio.to_thread(
                (executables / name).read_bytes
            )
            assert downloaded.stat().st_mode & 0o777 == 0o755

            environment = {**clean_environment(), "HOME": str(editor.server.home), **editor.server.environment}
            logout = [str(downloaded), "logout", "--yes"]
            await asyncio.to_thread(subprocess.run, logout, env=environment, check=True, timeout=60)
            await vscode.expect_notification("You are signed out")
            await vscode.expect_status("sign in")
            await editor.shoot("33-signed-out-elsewhere")
        await gateway.build(workspace["id"], "delete")
