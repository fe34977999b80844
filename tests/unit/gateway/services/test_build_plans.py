"""Which versions may be started (contract 2.6)."""

from __future__ import annotations

from typing import Any

from tests.support.workshop import Workshop


async def add_second_version(workshop: Workshop, template: dict[str, Any]) -> str:
    """A version that is the active one from now on."""
    version: str = (await workshop.add_version(template_id=template["id"]))["id"]
    await workshop.call(workshop.owner, "PATCH", f"/templates/{template['id']}/versions", {"id": version})
    return version


async def test_only_those_who_change_templates_start_another_version_than_the_required(workshop: Workshop) -> None:
    template = await workshop.add_template(require_active_version=True)
    workspace = await workshop.add_workspace(template)
    active = await add_second_version(workshop, template)
    old = template["active_version_id"]
    builds = f"/workspaces/{workspace['id']}/builds"
    refused = await workshop.call(workshop.member, "POST", builds, {"transition": "start"})
    assert (refused.status, refused.fields) == (403, ["template_version_id"])
    other = {"name": "other", "template_version_id": old}
    assert (await workshop.call(workshop.member, "POST", "/users/me/workspaces", other)).status == 403
    await workshop.add_build(workspace, "stop")
    await workshop.add_build(workspace, "start", template_version_id=active)
    await workshop.add_build(workspace, "start", template_version_id=old, who=workshop.owner)
    await workshop.add_build(workspace, "delete")


async def test_an_archived_version_is_not_started_but_ended(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template)
    active = await add_second_version(workshop, template)
    old = template["active_version_id"]
    await workshop.call(workshop.owner, "POST", f"/templateversions/{old}/archive")
    builds = f"/workspaces/{workspace['id']}/builds"
    refused = await workshop.call(workshop.owner, "POST", builds, {"transition": "start"})
    assert (refused.status, "is archived" in refused.body["message"]) == (400, True)
    other = {"name": "other", "template_version_id": old}
    assert (await workshop.call(workshop.member, "POST", "/users/me/workspaces", other)).status == 400
    await workshop.add_build(workspace, "start", template_version_id=active)
    await workshop.add_build(workspace, "delete", template_version_id=old)


async def test_a_workspace_that_updates_by_itself_starts_the_active_version(workshop: Workshop) -> None:
    template = await workshop.add_template()
    request = {"name": "dev", "template_id": template["id"], "automatic_updates": "always"}
    workspace = (await workshop.call(workshop.member, "POST", "/users/me/workspaces", request)).body
    await workshop.run_next()
    active = await add_second_version(workshop, template)
    stopped = await workshop.add_build(workspace, "stop")
    assert stopped["template_version_id"] == template["active_version_id"]
    assert (await workshop.add_build(workspace, "start"))["template_version_id"] == active
