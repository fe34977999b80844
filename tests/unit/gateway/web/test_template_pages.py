from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.dashboard_app import Dashboard, open_dashboard


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    async with open_dashboard(tmp_path) as made:
        yield made


async def test_without_templates_it_is_said_how_to_get_one(dashboard: Dashboard) -> None:
    assert "genba templates push" in await dashboard.browser().read("/templates")
    member = await dashboard.browser(dashboard.workshop.member).read("/templates")
    assert "genba templates push" not in member
    assert "Ask an owner" in member


async def test_templates_are_listed_with_the_way_to_a_workspace(dashboard: Dashboard) -> None:
    await dashboard.workshop.add_template("docker", display_name="Docker <b>", description="Containers")
    text = await dashboard.browser(dashboard.workshop.member).read("/templates")
    for shown in ("Docker &lt;b&gt;", "Containers", 'href="/templates/docker"', 'href="/templates/docker/workspace"'):
        assert shown in text


async def test_a_template_shows_its_read_me_versions_and_files(dashboard: Dashboard) -> None:
    template = await dashboard.workshop.add_template()
    browser = dashboard.browser(dashboard.workshop.member)
    assert "This template has no read-me" in await browser.read("/templates/docker")
    version = (await dashboard.workshop.get(dashboard.workshop.owner, f"/templates/{template['id']}/versions")).body[0]
    versions = await browser.read("/templates/docker/versions")
    assert version["name"] in versions
    assert "active" in versions
    files = await browser.read("/templates/docker/files")
    assert "main.tf" in files
    assert "# nothing" in files


async def test_what_is_not_there_is_said(dashboard: Dashboard) -> None:
    await dashboard.workshop.add_template()
    browser = dashboard.browser()
    for path in ("none", "none/workspace", "docker/files?path=none", "docker/files?version=none", "none/versions"):
        assert (await browser.get(f"/templates/{path}")).status_code == 404
    assert "This version has no file &lt;b&gt;." in await browser.read("/templates/docker/files?path=<b>")
