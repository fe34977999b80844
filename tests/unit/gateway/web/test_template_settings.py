from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.dashboard_app import Dashboard, open_dashboard

PAGE = "/templates/docker/settings"


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    async with open_dashboard(tmp_path) as made:
        await made.workshop.add_template()
        yield made


async def test_the_maximum_of_shared_ports_is_shown_and_changed(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    assert '<option value="public" selected>' in await browser.read(PAGE)
    answer = await browser.send(f"{PAGE}/ports", {"level": "authenticated"})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    text = await browser.read(PAGE)
    assert '<option value="authenticated" selected>' in text
    assert "Saved." in text
    workshop = dashboard.workshop
    (template,) = (await workshop.get(workshop.owner, "/templates")).body
    assert template["max_port_share_level"] == "authenticated"


async def test_a_level_that_is_none_is_named(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    await browser.read(PAGE)
    await browser.send(f"{PAGE}/ports", {"level": "organization"})
    text = await browser.read(PAGE)
    assert "max_port_share_level must be one of owner, authenticated, public" in text
    assert '<option value="public" selected>' in text


async def test_who_may_not_change_a_template_sees_no_settings(dashboard: Dashboard) -> None:
    member = dashboard.browser(dashboard.workshop.member)
    assert PAGE not in await member.read("/templates/docker")
    assert (await member.get(PAGE)).status_code in (403, 404)
    assert (await member.send(f"{PAGE}/ports", {"level": "owner"})).status_code in (403, 404)
    assert PAGE in await dashboard.browser().read("/templates/docker")
