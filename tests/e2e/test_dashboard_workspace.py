"""The pages of one workspace in real Chromium, with a real gateway, build, agent and shell.

Screenshots are kept below artefacts/dashboard-workspace, to be looked at.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support.chromium import open_profile
from tests.support.dashboard_browser import PHONE, look, note_complaints, sign_in
from tests.support.host_template import busy_resource, host_template, script
from tests.support.real_gateway import RealGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLDER: Final = "dashboard-workspace"
LINES: Final = 20_000
NOISE: Final = f"seq -f 'line %g' 1 {LINES}; printf '\\033[31mred\\033[0m <b>bold</b>\\n'; echo careful >&2"
APP: Final = """
resource "coder_app" "web" {
  agent_id     = coder_agent.main.id
  slug         = "web"
  display_name = "Web"
  url          = "http://localhost:3999"
}
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway with a workspace `dev`, whose build waits until `gate` is there, and a browser that is signed in."""

    gateway: RealGateway
    context: BrowserContext
    workspace_id: str
    gate: Path

    async def open(self, path: str) -> Page:
        """A page."""
        page = await self.context.new_page()
        await page.goto(f"{self.gateway.url}{path}")
        return page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> AsyncGenerator[Stage]:
    """One for the module: its tests follow the workspace from its first build on."""
    folder = tmp_path_factory.mktemp("g")
    async with open_stage(folder, chromium) as made:
        yield made


@asynccontextmanager
async def open_stage(folder: Path, chromium: Browser) -> AsyncGenerator[Stage]:
    gate = folder / "gate"
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        # The noise waits too: axe takes its time over each of a thousand lines.
        noise = f"until [ -e '{gate}' ]; do sleep 0.05; done; {NOISE}"
        files = host_template(busy=busy_resource(gate), app=APP, noise=script("noise", noise))
        template = await gateway.push_template("host", files)
        made = await gateway.create_workspace("dev", template["id"])
        async with open_profile(chromium) as context:
            await sign_in(context, gateway.url, gateway.token)
            yield Stage(gateway, context, made["id"], gate)
        gate.touch()
        deleted = await gateway.build(made["id"], "delete")
        assert deleted["job"]["status"] == "succeeded"


async def test_a_build_is_watched_live_until_its_agent_is_ready(stage: Stage) -> None:
    page = await stage.open("/@admin/dev")
    complaints = note_complaints(page)
    steps = page.locator("#live-build")
    await expect(steps.locator("tr", has_text="genba_host_home.home")).to_contain_text("Done")
    await expect(steps.locator("tr", has_text="terraform_data.busy[0]")).to_contain_text("Under way")
    await expect(steps.locator("[aria-current=step]")).to_contain_text("Starting the workspace")
    await expect(page.locator("genba-log").first.locator(".log-line").last).to_be_visible()
    await page.evaluate("window.wasNotReloaded = true")
    await look(page, FOLDER, "building", full=True)
    stage.gate.touch()
    await expect(page.locator("#workspace-status")).to_have_text("Running")
    await expect(page.locator(".agent-card .status")).to_have_text("Connected")
    await expect(page.locator(".agent-card")).to_contain_text("Its start scripts are done.")
    await expect(page.locator(".metadata dd").first).not_to_have_text("not measured yet")
    await expect(page.locator(".ports")).to_contain_text("Ports")
    await expect(page.get_by_role("link", name="Web")).to_have_attribute("href", re.compile("/apps/web/$|web--main"))
    assert await page.evaluate("window.wasNotReloaded")
    # Anew, the logs are folded away.
    await page.reload()
    await expect(page.locator(".ports")).to_contain_text("Ports")
    await look(page, FOLDER, "running", full=True)
    await share_a_port(page)
    assert complaints == []
    await page.close()


async def share_a_port(page: Page) -> None:
    """Share a port in the page's dialog, and share it no longer."""
    ports, dialog = page.locator(".ports"), page.get_by_role("dialog")
    await ports.get_by_role("link", name="Share another port").click()
    await dialog.get_by_label("Port").fill("99999")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_label("Port")).to_have_attribute("aria-invalid", "true")
    await look(page, FOLDER, "share", full=False)
    await dialog.get_by_label("Port").fill("5173")
    await dialog.get_by_label("With whom").select_option("Everybody who is signed in")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()
    await expect(ports.locator("li", has_text="5173")).to_contain_text("Everybody who is signed in")
    await look(page, FOLDER, "shared", full=True)
    await ports.get_by_role("link", name="Share port 5173").click()
    await dialog.get_by_label("With whom").select_option("Not shared")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator("#flash")).to_have_text("Port 5173 is not shared.")
    await expect(ports).not_to_contain_text("5173")


async def test_a_long_log_is_followed_searched_and_held_where_one_reads(stage: Stage) -> None:
    page = await stage.open("/@admin/dev")
    complaints = note_complaints(page)
    box = page.locator("details.log-box", has=page.locator("h2", has_text="Log of agent main"))
    if not await box.evaluate("box => box.open"):
        await box.locator("summary").click()
    log = box.locator("genba-log")
    lines = log.locator("[data-log=list]")
    await expect(lines).to_contain_text(f"line {LINES}")
    await expect(lines).to_contain_text("careful")
    # No text of a log is HTML, and colours are classes.
    await expect(lines.locator(".ansi-red")).to_have_text("red")
    await expect(lines).to_contain_text("red <b>bold</b>")
    assert await lines.locator("b").count() == 0
    # A part of it is elements, and its end is in sight.
    assert 1000 <= await lines.locator(".log-line").count() <= 1600
    assert await lines.evaluate("list => list.scrollHeight - list.scrollTop - list.clientHeight") < 24
    await lines.evaluate("list => { list.scrollTop = 100; }")
    await expect(log.get_by_role("button", name="To the end")).to_be_visible()
    await log.get_by_role("button", name="Show earlier lines").click()
    assert await lines.locator(".log-line").count() >= 2000
    assert await lines.evaluate("list => list.scrollTop") > 1000
    await log.get_by_role("button", name="To the end").click()
    await expect(log.get_by_role("button", name="To the end")).to_be_hidden()
    await log.get_by_role("searchbox").fill("LINE 1999")
    await expect(log.locator("[data-log=count]")).to_have_text(re.compile(r"^11 of 20,0\d\d lines$"))
    await expect(lines.locator("mark").first).to_have_text("line 1999")
    await look(page, FOLDER, "log", full=True)
    await log.get_by_role("searchbox").fill("")
    await log.get_by_label("Source").select_option(label="noise")
    await expect(log.locator("[data-log=count]")).to_have_text(re.compile(r"^20,00\d of"))
    async with page.expect_download() as download:
        await log.get_by_role("link", name="Download").click()
    text = await asyncio.to_thread((await (await download.value).path()).read_text)
    assert f"[noise] line {LINES}\n" in text
    assert "\x1b" not in text
    assert complaints == []
    await page.close()


async def test_the_other_pages_are_fit_to_be_seen(stage: Stage) -> None:
    page = await stage.context.new_page()
    complaints = note_complaints(page)
    for name, path in (("build", "builds/1"), ("builds", "builds"), ("settings", "settings")):
        await page.goto(f"{stage.gateway.url}/@admin/dev/{path}")
        if name == "build":
            await expect(page.locator(".log-line").last).to_be_visible()
            await expect(page.locator("#agent-steps")).to_contain_text("noise")
        await look(page, FOLDER, name, full=True)
    assert complaints == []
    await page.close()


async def test_a_restart_goes_on_when_its_page_is_closed(stage: Stage) -> None:
    page = await stage.open("/@admin/dev")
    await page.get_by_role("button", name="Restart").click()
    await expect(page.locator("#live-facts .builds")).to_contain_text("2: Stop")
    await page.close()
    page = await stage.open("/@admin/dev")
    await expect(page.locator("#live-facts .builds")).to_contain_text("3: Start")
    await expect(page.locator("#workspace-status")).to_have_text("Running")
    await expect(page.locator(".agent-card .status")).to_have_text("Connected")
    await page.close()


async def run(page: Page, command: str, output: str) -> None:
    """Type a command into the terminal, and wait for what it prints."""
    await page.keyboard.type(f"{command}\n")
    await expect(page.locator(".xterm-rows")).to_contain_text(output)


async def connected(page: Page) -> None:
    """Wait until the terminal is connected."""
    await expect(page.locator("[data-terminal][data-state=connected]")).to_be_visible()


async def test_a_terminal_goes_on_after_a_reload_and_a_restarted_gateway(stage: Stage) -> None:
    await stage.gateway.wait_for_agent(stage.workspace_id)
    page = await stage.open("/@admin/dev.main/terminal")
    await page.emulate_media(color_scheme="dark")
    await page.reload()
    complaints = note_complaints(page)
    await connected(page)
    await run(page, "printf '\\033[38;2;10;200;30mgr''een\\033[0m 日本語 😀\\n'; KEPT=$((6*7))", "green 日本語 😀")
    colour = await page.evaluate(
        """() => getComputedStyle([...document.querySelectorAll(".xterm-rows span")]
           .find((each) => each.textContent === "green")).color"""
    )
    assert colour == "rgb(10, 200, 30)"
    assert complaints == []
    await page.reload()
    await connected(page)
    await run(page, "echo kept=$KEPT", "kept=42")
    await stage.gateway.kill()
    await expect(page.locator("#terminal-notice")).to_contain_text("connects again by itself")
    await stage.gateway.start()
    await connected(page)
    await run(page, "echo still=$KEPT", "still=42")
    await look(page, FOLDER, "terminal")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await run(page, "exit", "exit")
    await expect(page.locator("#terminal-notice")).to_contain_text("The terminal has ended.")
    await page.get_by_role("button", name="New terminal").click()
    await connected(page)
    await page.close()


async def test_a_command_of_a_link_is_run_when_one_says_so(stage: Stage, short_dir: Path) -> None:
    mark = short_dir / "mark"
    page = await stage.open(f"/@admin/dev.main/terminal?command=touch%20{mark}%3Bcat")
    await expect(page.locator("#terminal-question")).to_contain_text(f"touch {mark}")
    await look(page, FOLDER, "terminal-question")
    assert await page.locator("[data-terminal]").get_attribute("data-state") == "asking"
    assert not mark.exists()
    await page.get_by_role("button", name="Run it").click()
    await connected(page)
    await run(page, "typed", "typed")
    assert mark.exists()
    await page.close()


@asynccontextmanager
async def open_terminal(stage: Stage) -> AsyncGenerator[Page]:
    """A terminal with a shell of its own, which may use the clipboard."""
    await stage.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stage.gateway.url)
    await stage.gateway.wait_for_agent(stage.workspace_id)
    page = await stage.open("/@admin/dev.main/terminal")
    await connected(page)
    yield page
    await page.close()


async def place_of(page: Page, beginning: str) -> tuple[float, float]:
    """Where a line of the terminal begins; its screen lies above its lines, and takes what the mouse does."""
    line = page.locator(".xterm-rows > div").filter(has_text=re.compile(f"^{re.escape(beginning)}"))
    box = await line.last.bounding_box()
    assert box is not None
    return box["x"] + 12, box["y"] + box["height"] / 2


async def test_what_is_chosen_in_a_terminal_is_copied_and_text_is_pasted(stage: Stage) -> None:
    async with open_terminal(stage) as page:
        await run(page, "echo co''pied", "copied")
        await page.mouse.dblclick(*await place_of(page, "copied"))
        await page.keyboard.press("Control+Shift+C")
        assert await page.evaluate("navigator.clipboard.readText()") == "copied"
        for number, keys in enumerate(("Control+Shift+V", "Shift+Insert")):
            await page.evaluate(f"navigator.clipboard.writeText(\"echo pas''ted-{number}-日本\")")
            await page.keyboard.press(keys)
            await page.keyboard.press("Enter")
            await expect(page.locator(".xterm-rows")).to_contain_text(f"pasted-{number}-日本")


async def test_a_program_names_the_window_of_its_terminal(stage: Stage) -> None:
    async with open_terminal(stage) as page:
        await expect(page).to_have_title(re.compile("dev: Terminal · Genba$"))
        await page.keyboard.type("printf '\\033]0;make te''st\\007'; cat\n")
        await expect(page).to_have_title("make test · dev: Terminal · Genba")


async def test_an_address_in_a_terminal_is_a_link(stage: Stage) -> None:
    async with open_terminal(stage) as page:
        address = f"{stage.gateway.url}/help"
        await run(page, f"echo http''{address.removeprefix('http')}", address)
        place = await place_of(page, address)
        await page.mouse.move(*place)
        await expect(page.locator(".xterm-cursor-pointer")).to_be_visible()
        async with stage.context.expect_page() as opened:
            await page.mouse.click(*place)
        other = await opened.value
        await expect(other).to_have_url(address)
        assert await other.evaluate("window.opener") is None
        await other.close()


async def test_a_terminal_says_what_it_waits_for_and_opens_by_itself(stage: Stage) -> None:
    await stage.gateway.build(stage.workspace_id, "stop")
    page = await stage.open("/@admin/dev.main/terminal")
    await expect(page.get_by_role("heading", name="The workspace is not running")).to_be_visible()
    await look(page, FOLDER, "not-running", full=True)
    body: dict[str, Any] = {"transition": "start"}
    await stage.gateway.fetch("POST", f"/api/v2/workspaces/{stage.workspace_id}/builds", body)
    await page.reload()
    await connected(page)
    await run(page, "echo he''re", "here")
    await page.close()
