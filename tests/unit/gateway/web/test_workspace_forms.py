from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import ImportResult, ParameterOption, TemplateParameter, TemplatePreset
from tests.support.dashboard_app import Dashboard, open_dashboard

CPU = TemplateParameter(
    "cpu", type="number", display_name="Cores", default_value="2", mutable=True, validation_min=1, validation_max=8
)
ZONE = TemplateParameter("zone", required=True, options=(ParameterOption("North", "n"), ParameterOption("South", "s")))
FORM = "/templates/docker/workspace"


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    async with open_dashboard(tmp_path) as made:
        await made.workshop.add_template("docker", CPU, ZONE)
        yield made


async def test_a_form_shows_the_parameters_with_their_defaults_and_a_free_name(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    text = await browser.read(FORM)
    for shown in ("Cores", 'name="p:cpu" value="2"', 'min="1" max="8"', "North", 'name="name" value="docker"'):
        assert shown in text
    await browser.send(FORM, {"name": "docker", "p:cpu": "2", "p:zone": "n"})
    assert 'name="name" value="docker-2"' in await browser.read(FORM)


async def test_a_link_fills_the_form_in(dashboard: Dashboard) -> None:
    text = await dashboard.browser().read(f"{FORM}?name=mine&param.cpu=4")
    assert 'name="name" value="mine"' in text
    assert 'name="p:cpu" value="4"' in text


async def test_a_workspace_is_made_and_its_page_opened(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    await browser.read(FORM)
    answer = await browser.send(FORM, {"name": "blue", "p:cpu": "4", "p:zone": "s"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/@mia/blue")
    (workspace,) = (await dashboard.workshop.get(dashboard.workshop.member, "/workspaces")).body["workspaces"]
    build = workspace["latest_build"]["id"]
    values = (await dashboard.workshop.get(dashboard.workshop.member, f"/workspacebuilds/{build}/parameters")).body
    assert {each["name"]: each["value"] for each in values} == {"cpu": "4", "zone": "s"}


async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    await browser.read(FORM)
    answer = await browser.send(FORM, {"name": "not ok", "p:cpu": "4", "p:zone": "s"})
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'value="not ok"' in text
    assert 'aria-invalid="true"' in text
    answer = await browser.send(FORM, {"name": "blue", "p:cpu": "9"})
    text = await answer.get_data(as_text=True)
    assert "Must be between 1 and 8." in text
    assert "A value is needed, since it has no default." in text
    assert 'name="p:cpu" value="9"' in text
    for _ in range(2):
        answer = await browser.send(FORM, {"name": "blue", "p:cpu": "4", "p:zone": "s"})
    assert answer.status_code == 409
    assert "You have a workspace of this name already" in await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"field": "p:cpu", "p:cpu": "4"}, ""),
        ({"field": "p:cpu", "p:cpu": "9"}, "Must be between 1 and 8."),
        ({"field": "p:cpu", "p:cpu": "x"}, "is not a number"),
        ({"field": "p:zone", "p:cpu": "9", "p:zone": "n"}, ""),
        ({"field": "name", "name": "fine"}, ""),
        ({"field": "name", "name": "not ok"}, "The name"),
        ({"field": "p:none", "p:none": "1"}, ""),
    ],
)
async def test_a_field_is_checked_as_one_types(dashboard: Dashboard, form: dict[str, str], problem: str) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    await browser.read(FORM)
    answer = await browser.send(f"{FORM}/check", form, htmx=True)
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert problem in text
    assert bool(text.strip()) is bool(problem)


async def test_what_is_wrong_with_a_field_is_said_in_the_language_of_the_page(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    await browser.read(FORM)
    await browser.send("/preferences", {"language": "ja", "back": FORM})
    for form, problem in (
        ({"field": "p:cpu", "p:cpu": "9"}, "1 から 8 までの値"),
        ({"field": "p:cpu", "p:cpu": "x"}, "数値ではありません"),
        ({"field": "name", "name": "not ok"}, "英数字で入力してください"),
    ):
        answer = await browser.send(f"{FORM}/check", form, htmx=True)
        assert problem in await answer.get_data(as_text=True)


async def test_parameters_of_a_workspace_are_changed_by_a_start(dashboard: Dashboard) -> None:
    workshop = dashboard.workshop
    browser = dashboard.browser(workshop.member)
    await browser.read(FORM)
    await browser.send(FORM, {"name": "blue", "p:cpu": "4", "p:zone": "s"})
    path = "/@mia/blue/settings/parameters"
    assert 'name="p:cpu" value="4"' in (text := await browser.read(path))
    assert "It can't be changed" in text
    busy = await browser.send(path, {"p:cpu": "6"})
    assert busy.status_code == 409
    assert "has a build in progress" in await busy.get_data(as_text=True)
    await workshop.run_next()
    await browser.read(path)
    wrong = await browser.send(path, {"p:cpu": "9"})
    assert wrong.status_code == 400
    assert "Must be between 1 and 8." in await wrong.get_data(as_text=True)
    checked = await browser.send(f"{path}/check", {"field": "p:cpu", "p:cpu": "9"}, htmx=True)
    assert "Must be between 1 and 8." in await checked.get_data(as_text=True)
    assert (await browser.send(path, {"p:cpu": "6"})).headers["Location"] == "/@mia/blue"
    stranger = dashboard.browser(workshop.stranger)
    assert (await stranger.get(path)).status_code == 404


async def test_forms_need_their_token(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    for path in (FORM, f"{FORM}/check"):
        assert (await browser.send(path, {"csrf_token": "x", "name": "blue"})).status_code == 400


async def test_a_preset_fills_the_form_in(dashboard: Dashboard) -> None:
    workshop = dashboard.workshop
    presets = (
        TemplatePreset("Small", {"cpu": "1", "zone": "n"}, is_default=True),
        TemplatePreset("Large", {"cpu": "8"}),
    )
    workshop.provisioner.imported = ImportResult((CPU, ZONE), (), (), (), presets=presets)
    version = await workshop.add_version()
    made = {"name": "preset", "template_version_id": version["id"]}
    assert (await workshop.call(workshop.owner, "POST", "/organizations/default/templates", made)).status == 201
    browser = dashboard.browser()
    text = await browser.read("/templates/preset/workspace")
    assert 'name="p:cpu" value="1"' in text
    found = re.findall(r'href="([^"]*preset=[^"]*)"[^>]*>([^<]+)</a>', text)
    links = {name: address.replace("&amp;", "&") for address, name in found}
    assert 'name="p:cpu" value="8"' in await browser.read(links["Large"])
    assert 'name="p:cpu" value="2"' in await browser.read(links["No preset"])
    assert 'name="p:cpu" value="3"' in await browser.read(f"{links['Large']}&param.cpu=3")


async def test_a_masked_value_is_shown_nowhere_and_kept_by_an_empty_field(dashboard: Dashboard) -> None:
    workshop = dashboard.workshop
    masked = TemplateParameter("token", mutable=True, required=True, styling='{"mask_input": true}')
    text = TemplateParameter("key", mutable=True, form_type="textarea", styling='{"mask_input": true}')
    await workshop.add_template("secret", masked, text)
    browser = dashboard.browser(workshop.member)
    form = "/templates/secret/workspace"
    await browser.read(form)
    await browser.send(form, {"name": "blue", "p:token": "hunter2", "p:key": "hunter3"})
    await workshop.run_next()
    path = "/@mia/blue/settings/parameters"
    for page in ("/@mia/blue", "/@mia/blue/builds/1"):
        shown = await browser.read(page)
        assert "hunter" not in shown
        assert shown.count("hidden</dd>") == 2
    shown = await browser.read(path)
    assert "hunter" not in shown
    assert "leave the field empty to keep it" in shown
    assert " required" not in shown
    checked = await browser.send(f"{path}/check", {"field": "p:token", "p:token": ""}, htmx=True)
    assert not (await checked.get_data(as_text=True)).strip()
    sent = await browser.send(path, {"p:token": "", "p:key": "other"})
    assert sent.headers["Location"] == "/@mia/blue"
    found = await workshop.services.workspaces.list_matching(workshop.member.actor, "", limit=None, offset=0)
    build = found.workspaces[0].latest_build
    held = await workshop.services.builds.list_parameters(workshop.member.actor, build.id)
    assert held == {"token": "hunter2", "key": "other"}
