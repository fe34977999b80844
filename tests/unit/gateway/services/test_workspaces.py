from __future__ import annotations

import asyncio

import pytest

from genba_gateway.domain import channels
from genba_gateway.domain.provisioning import TemplateParameter
from genba_gateway.errors import BadRequest, NotFound
from genba_wire.api.workspaces import BuildParameter, CreateWorkspaceRequest
from tests.support.workshop import CEILING_S, Workshop


async def test_a_watch_misses_no_change_that_comes_while_it_is_read(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    service, actor = workshop.services.workspaces, workshop.member.actor
    names: list[str] = []
    async with asyncio.timeout(CEILING_S):
        watch = service.watch(actor, workspace["id"])
        async for seen in watch:
            names.append(seen.name)
            if len(names) == 3:
                break
            await service.rename(actor, workspace["id"], f"n{len(names)}")
        await watch.aclose()
    assert names == ["dev", "n1", "n2"]


async def test_a_workspace_whose_first_build_is_refused_is_not_made_and_frees_its_name(workshop: Workshop) -> None:
    template = await workshop.add_template("docker", TemplateParameter("size", required=True))
    create = workshop.services.workspaces.create
    request = CreateWorkspaceRequest(name="dev", template_id=template["id"])
    with workshop.pubsub.subscribe(channels.JOBS) as queue:
        with pytest.raises(BadRequest) as refused:
            await create(workshop.member.actor, workshop.member.user, request)
        assert not await queue.changed(0)
    assert [problem.field for problem in refused.value.validations] == ["size"]
    values = [BuildParameter(name="size", value="1")]
    request = CreateWorkspaceRequest(name="dev", template_id=template["id"], rich_parameter_values=values)
    assert (await create(workshop.member.actor, workshop.member.user, request)).name == "dev"


async def test_where_the_template_decides_when_workspaces_stop_nobody_else_does(workshop: Workshop) -> None:
    template = await workshop.add_template("fixed", default_ttl_ms=60_000, allow_user_autostop=False)
    create, mia = workshop.services.workspaces.create, workshop.member
    with pytest.raises(BadRequest) as refused:
        await create(mia.actor, mia.user, CreateWorkspaceRequest(name="a", template_id=template["id"], ttl_ms=120_000))
    assert [problem.field for problem in refused.value.validations] == ["ttl_ms"]
    made = await create(mia.actor, mia.user, CreateWorkspaceRequest(name="a", template_id=template["id"]))
    assert made.ttl_ms == 60_000


async def test_a_user_who_was_deleted_meanwhile_gets_no_workspace(workshop: Workshop) -> None:
    template = await workshop.add_template()
    olga, mia = workshop.owner.actor, workshop.member.user
    await workshop.services.user_changes.delete(olga, mia)
    # `mia` was found before.
    wanted = CreateWorkspaceRequest(name="dev", template_id=template["id"])
    with pytest.raises(NotFound):
        await workshop.services.workspaces.create(olga, mia, wanted)
