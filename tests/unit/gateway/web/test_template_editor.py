from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from genba_gateway.domain.provisioning import ImportResult, ParameterOption, TemplateParameter
from tests.support.dashboard_app import Browser, Dashboard, open_dashboard
from tests.support.workshop import CEILING_S

EDIT = "/templates/docker/edit"


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    async with open_dashboard(tmp_path) as made:
        await made.workshop.add_template()
        yield made


async def _versions(dashboard: Dashboard) -> list[dict[str, Any]]:
    workshop = dashboard.workshop
    (template,) = (await workshop.get(workshop.owner, "/templates")).body
    found: list[dict[str, Any]] = (await workshop.get(workshop.owner, f"/templates/{template['id']}/versions")).body
    return found


async def _push(browser: Browser, dashboard: Dashboard, text: str = "# other\n") -> str:
    """Push main.tf with another text; returns the page of the new version."""
    await browser.read(f"{EDIT}?path=main.tf")
    form = {"version": (await _versions(dashboard))[0]["name"], "path": "main.tf", "text": text, "message": "Say more"}
    answer = await browser.send(EDIT, form)
    assert answer.status_code == 303
    return answer.headers["Location"]


async def test_a_file_is_edited_pushed_imported_and_made_active(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    assert "# nothing" in await browser.read(f"{EDIT}?path=main.tf")
    page = await _push(browser, dashboard, "# other\r\n")
    text = await browser.read(page)
    assert "Waiting" in text
    assert f'sse-connect="{page}/log"' in text
    await dashboard.workshop.run_next()
    text = await browser.read(page)
    assert "working" in text
    assert "Say more" in text
    assert '<span class="status good">Ready</span>' in text
    assert "# other" in await browser.read(f"/templates/docker/files?version={page.rpartition('/')[2]}&path=main.tf")
    assert "# nothing" in await browser.read("/templates/docker/files?path=main.tf")
    answer = await browser.send(f"{page}/promote", {})
    assert answer.headers["Location"] == "/templates/docker/versions"
    assert "is the active version" in await browser.read("/templates/docker/versions")
    assert "# other" in await browser.read("/templates/docker/files?path=main.tf")


async def test_an_import_is_followed_to_its_end(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    page = await _push(browser, dashboard)
    async with asyncio.timeout(CEILING_S), browser.client.request(f"{page}/log") as connection:
        await connection.send_complete()
        said = (await connection.receive()).decode()
        await dashboard.workshop.run_next()
        while "data-over" not in said:
            said += (await connection.receive()).decode()
        await connection.disconnect()
    assert "working" in said


async def test_a_plan_is_previewed_with_values_for_what_has_no_default(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    zone = TemplateParameter("zone", required=True, options=(ParameterOption("North", "n"),))
    cores = TemplateParameter("cores", type="number", required=True, validation_min=2)
    dashboard.workshop.provisioner.imported = ImportResult((zone, cores), (), (), ())
    page = await _push(browser, dashboard)
    await dashboard.workshop.run_next()
    assert "Preview the plan" in await browser.read(page)
    plan = (await browser.send(f"{page}/plan", {})).headers["Location"]
    assert plan.startswith(f"{page}/plan/")
    assert "Waiting" in await browser.read(plan)
    await dashboard.workshop.run_next()
    assert "Done" in await browser.read(plan)


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("main.tf", "# nothing\n", "Nothing was changed"),
        ("../evil", "x", "leaves the archive"),
        ("/etc/passwd", "x", ""),
        ("", "x", ""),
    ],
)
async def test_what_can_not_be_pushed_is_said_and_stays(
    dashboard: Dashboard, path: str, text: str, problem: str
) -> None:
    browser = dashboard.browser()
    await browser.read(EDIT)
    version = (await _versions(dashboard))[0]["name"]
    answer = await browser.send(EDIT, {"version": version, "path": path, "text": text})
    shown = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert problem in shown
    assert len(await _versions(dashboard)) == 1


async def test_only_who_may_changes_a_template(dashboard: Dashboard) -> None:
    member = dashboard.browser(dashboard.workshop.member)
    version = (await _versions(dashboard))[0]["name"]
    files = await member.read("/templates/docker/files")
    assert "/edit" not in files
    page = await member.read(f"/templates/docker/versions/{version}")
    assert "Preview the plan" not in page
    assert (await member.get(EDIT)).status_code == 403
    for path in (EDIT, f"/templates/docker/versions/{version}/promote", f"/templates/docker/versions/{version}/plan"):
        assert (await member.send(path, {"version": version, "path": "main.tf", "text": "x"})).status_code == 403
