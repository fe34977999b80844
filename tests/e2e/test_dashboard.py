"""The dashboard in real Chromium, with a real gateway and a running workspace: every page in both themes and at phone
width, without a violation that axe finds; what changes by itself, and the way by keyboard.

Screenshots are kept below artefacts/dashboard, to be looked at.
"""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.conftest import Demo
from tests.support.axe import find_violations
from tests.support.chromium import keep_screenshot
from tests.support.dashboard_browser import browse, look
from tests.support.real_gateway import RealGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLDER = "dashboard"

SHOWCASE = """
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_parameter" "zone" {
  name         = "zone"
  display_name = "Zone"
  description  = "Where the machine stands."
  option {
    name        = "North"
    value       = "north"
    description = "Cool and quiet"
  }
  option {
    name  = "South"
    value = "south"
  }
}

data "coder_parameter" "cores" {
  name         = "cores"
  display_name = "Cores"
  description  = "Between one and eight."
  type         = "number"
  default      = 2
  mutable      = true
  validation {
    min = 1
    max = 8
  }
}

data "coder_parameter" "gpu" {
  name         = "gpu"
  display_name = "With a graphics card"
  type         = "bool"
  default      = false
}

data "coder_parameter" "packages" {
  name         = "packages"
  display_name = "Packages"
  type         = "list(string)"
  default      = jsonencode(["git", "vim"])
}

data "coder_workspace_preset" "large" {
  name        = "Large, in the south"
  description = "For builds that take long"
  parameters = {
    (data.coder_parameter.zone.name)  = "south"
    (data.coder_parameter.cores.name) = "8"
  }
}

resource "terraform_data" "machine" {
  input = data.coder_parameter.zone.value
}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def showcase(shared_demo: Demo) -> RealGateway:
    """The gateway, with a template that asks for a parameter of each kind."""
    gateway, _ = shared_demo
    template = await gateway.push_template("showcase", {"main.tf": SHOWCASE, "README.md": "# Showcase"})
    assert template["name"] == "showcase"
    return gateway


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("workspaces", "/workspaces"),
        ("workspaces-wrong-search", "/workspaces?q=colour:red"),
        ("workspaces-no-match", "/workspaces?q=nothing"),
        ("templates", "/templates"),
        ("template", "/templates/host"),
        ("template-versions", "/templates/host/versions"),
        ("template-files", "/templates/host/files"),
        ("template-settings", "/templates/host/settings"),
        ("template-edit", "/templates/showcase/edit?path=main.tf"),
        ("create", "/templates/showcase/workspace"),
        ("parameters", "/@admin/demo/settings/parameters"),
        ("cli-auth", "/cli-auth"),
        ("nowhere", "/nowhere"),
    ],
)
async def test_every_page_is_fit_to_be_seen(showcase: RealGateway, chromium: Browser, name: str, path: str) -> None:
    async with browse(chromium, showcase) as page:
        await page.goto(f"{showcase.url}{path}")
        await look(page, FOLDER, name)


@pytest.mark.parametrize("name", ["login", "sign-in"])
async def test_whoever_is_not_signed_in_finds_the_way(demo: Demo, chromium: Browser, name: str) -> None:
    gateway, _ = demo
    async with browse(chromium, gateway, token="") as page:
        await page.goto(f"{gateway.url}/{name}")
        await look(page, FOLDER, name)


async def test_a_change_is_seen_without_a_reload_and_choices_stay(demo: Demo, chromium: Browser) -> None:
    gateway, _ = demo
    (workspace,) = (await gateway.fetch("GET", "/api/v2/workspaces"))["workspaces"]
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/workspaces")
        row = page.locator(f"#w-{workspace['id']}")
        await expect(row.locator(".status")).to_have_text("Running")
        await row.get_by_role("checkbox").check()
        await expect(page.locator("#chosen")).to_have_text("Chosen: 1")
        build = await gateway.build(workspace["id"], "stop")
        assert build["job"]["status"] == "succeeded"
        await expect(row.locator(".status")).to_have_text("Stopped")
        await expect(row.get_by_role("checkbox")).to_be_checked()
        await expect(page.locator("#announce")).to_contain_text("demo: Stopped")
        await row.get_by_role("button", name="Start demo").click()
        await expect(page.locator("#flash")).to_have_text("1 workspace starts.")
        await expect(row.locator(".status")).to_have_text("Running")
        await expect(row.get_by_role("link", name="Terminal")).to_be_visible(timeout=60_000)


async def test_what_ends_work_is_asked_for_by_a_dialog_that_the_keyboard_leaves(demo: Demo, chromium: Browser) -> None:
    gateway, _ = demo
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/workspaces")
        await page.get_by_label("All", exact=True).press("Space")
        await page.get_by_role("button", name="Delete", exact=True).press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("admin/demo")
        assert await find_violations(page) == []
        await keep_screenshot(page, FOLDER, "dialog")
        await expect(dialog.get_by_role("link")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()


async def test_the_keyboard_reaches_everything_in_order(demo: Demo, chromium: Browser) -> None:
    gateway, _ = demo
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/workspaces")
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="New workspace")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await page.keyboard.press("End")
        await page.keyboard.type(" status:stopped")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{gateway.url}/workspaces?q=owner%3Ame+status%3Astopped")
        await page.go_back()
        await expect(page.get_by_role("link", name="admin/demo")).to_be_visible()
        await page.locator("summary").press("Enter")
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


async def test_colours_and_language_are_chosen_at_once_and_stay(demo: Demo, chromium: Browser) -> None:
    gateway, _ = demo
    async with browse(chromium, gateway) as page:
        await page.goto(f"{gateway.url}/workspaces?q=owner:me")
        await page.get_by_label("Colours").select_option("dark")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await page.get_by_label("Language").select_option("ja")
        await expect(page.get_by_role("heading", name="ワークスペース")).to_be_visible()
        await expect(page).to_have_url(f"{gateway.url}/workspaces?q=owner:me")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 19, 23)"
        await keep_screenshot(page, FOLDER, "workspaces-japanese")


async def test_a_workspace_is_made_from_a_form_that_is_checked_as_one_types(
    showcase: RealGateway, chromium: Browser
) -> None:
    async with browse(chromium, showcase) as page:
        await page.goto(f"{showcase.url}/templates")
        await page.get_by_role("link", name="Make a workspace of showcase").click()
        await expect(page.get_by_label("Name")).to_have_value("showcase")
        cores = page.get_by_label("Cores")
        await cores.fill("9")
        await expect(page.get_by_text("must be between 1 and 8")).to_be_visible()
        await expect(cores).to_have_attribute("aria-invalid", "true")
        await keep_screenshot(page, FOLDER, "create-problem")
        await cores.fill("4")
        await expect(page.get_by_text("must be between 1 and 8")).to_be_hidden()
        await page.get_by_label("North").check()
        await page.get_by_role("button", name="Make the workspace").click()
        await expect(page).to_have_url(f"{showcase.url}/@admin/showcase")
    (made,) = (await showcase.fetch("GET", "/api/v2/workspaces?q=name:showcase"))["workspaces"]
    build = await showcase.wait_for_build(made["latest_build"]["id"])
    assert build["job"]["status"] == "succeeded"
    values = await showcase.fetch("GET", f"/api/v2/workspacebuilds/{build['id']}/parameters")
    assert {each["name"]: each["value"] for each in values} == {
        "zone": "north",
        "cores": "4",
        "gpu": "false",
        "packages": '["git", "vim"]',
    }
    await showcase.build(made["id"], "delete")


async def test_a_template_is_edited_pushed_and_its_plan_seen(showcase: RealGateway, chromium: Browser) -> None:
    async with browse(chromium, showcase) as page:
        await page.goto(f"{showcase.url}/templates/showcase/files")
        await page.get_by_role("link", name="Edit").click()
        text = page.get_by_label("Content")
        await text.fill((await text.input_value()).replace("Between one and eight.", "How many."))
        await keep_screenshot(page, FOLDER, "edit")
        assert await find_violations(page) == []
        await page.get_by_role("button", name="Push as a new version").click()
        await expect(page.locator(".status")).to_have_text("Ready")
        await expect(page.get_by_role("log")).not_to_be_empty()
        await look(page, FOLDER, "version")
        await page.get_by_role("button", name="Preview the plan").click()
        await expect(page.locator(".status")).to_have_text("Done")
        await expect(page.get_by_text("terraform_data.machine").first).to_be_visible()
        await look(page, FOLDER, "plan")
