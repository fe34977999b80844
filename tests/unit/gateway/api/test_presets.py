"""Presets of template versions, and workspaces that are made with one (contract 4.2)."""

from __future__ import annotations

from typing import Any

from genba_gateway.domain.provisioning import ImportResult, TemplateParameter, TemplatePreset
from tests.support.workshop import UNKNOWN_ID, Workshop

PARAMETERS = (
    TemplateParameter("cpu", type="number", mutable=True, default_value="1"),
    TemplateParameter("region", mutable=True, required=True),
)
LARGE = TemplatePreset("Large", {"cpu": "8", "region": "eu"}, "Much", "/l.svg", is_default=True)
SMALL = TemplatePreset("Small", {"cpu": "1"})


async def add_template(workshop: Workshop) -> dict[str, Any]:
    workshop.provisioner.imported = ImportResult(PARAMETERS, (), (), (), presets=(LARGE, SMALL))
    return await workshop.add_template()


async def list_presets(workshop: Workshop, template: dict[str, Any]) -> list[dict[str, Any]]:
    reply = await workshop.get(workshop.member, f"/templateversions/{template['active_version_id']}/presets")
    assert reply.status == 200
    found: list[dict[str, Any]] = reply.body
    return found


async def read_values(workshop: Workshop, build: dict[str, Any]) -> dict[str, str]:
    reply = await workshop.get(workshop.member, f"/workspacebuilds/{build['id']}/parameters")
    return {each["name"]: each["value"] for each in reply.body}


async def test_presets_of_a_version_are_listed(workshop: Workshop) -> None:
    template = await add_template(workshop)
    large, small = await list_presets(workshop, template)
    assert {**large, "ID": ""} == {
        "ID": "",
        "Name": "Large",
        "Parameters": [{"Name": "cpu", "Value": "8"}, {"Name": "region", "Value": "eu"}],
        "Default": True,
        "Description": "Much",
        "Icon": "/l.svg",
    }
    assert (small["Name"], small["Default"]) == ("Small", False)
    unfinished = await workshop.add_version(run=False)
    assert (await workshop.get(workshop.member, f"/templateversions/{unfinished['id']}/presets")).body == []
    assert (await workshop.get(workshop.member, f"/templateversions/{UNKNOWN_ID}/presets")).status == 404
    assert (await workshop.get(None, f"/templateversions/{UNKNOWN_ID}/presets")).status == 401


async def test_a_workspace_takes_a_presets_values_and_tells_which_it_was(workshop: Workshop) -> None:
    template = await add_template(workshop)
    large, small = await list_presets(workshop, template)
    request: dict[str, Any] = {"name": "dev", "template_id": template["id"], "template_version_preset_id": large["ID"]}
    given = {**request, "rich_parameter_values": [{"name": "cpu", "value": "8"}]}
    made = await workshop.call(workshop.member, "POST", "/users/me/workspaces", given)
    assert made.status == 201
    build = made.body["latest_build"]
    assert build["template_version_preset_id"] == large["ID"]
    assert await read_values(workshop, build) == {"cpu": "8", "region": "eu"}
    await workshop.run_next()
    stop = await workshop.add_build(made.body, "stop")
    assert stop.get("template_version_preset_id") is None
    start = await workshop.add_build(made.body, "start", template_version_preset_id=small["ID"])
    assert await read_values(workshop, start) == {"cpu": "1", "region": "eu"}
    assert start["template_version_preset_id"] == small["ID"]


async def test_what_contradicts_a_preset_or_is_none_is_refused(workshop: Workshop) -> None:
    template = await add_template(workshop)
    large, small = await list_presets(workshop, template)

    async def create(preset_id: str, **values: str) -> tuple[int, list[str]]:
        body = {
            "name": "dev",
            "template_id": template["id"],
            "template_version_preset_id": preset_id,
            "rich_parameter_values": [{"name": name, "value": value} for name, value in values.items()],
        }
        reply = await workshop.call(workshop.member, "POST", "/users/me/workspaces", body)
        return reply.status, reply.fields

    assert await create(UNKNOWN_ID) == (400, ["template_version_preset_id"])
    assert await create("nonsense") == (400, ["template_version_preset_id"])
    assert await create(large["ID"], cpu="2") == (400, ["cpu"])
    assert await create(small["ID"]) == (400, ["region"])
    assert await create(small["ID"].upper(), region="eu") == (201, [])
