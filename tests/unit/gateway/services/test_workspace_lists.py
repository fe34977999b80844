from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.services.workspace_lists import WorkspaceLists
from tests.support.workshop import CEILING_S, Workshop, open_workshop


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with open_workshop(tmp_path) as made:
        yield made


async def test_a_list_is_told_of_what_comes_and_of_what_changes_in_it(workshop: Workshop) -> None:
    template = await workshop.add_template()
    lists = workshop.services.workspace_lists
    pages = lists.watch_matching(workshop.member.actor, "owner:me", limit=10, offset=0)
    async with asyncio.timeout(CEILING_S):
        assert (await anext(pages)).count == 0
        await workshop.add_workspace(template)
        while (page := await anext(pages)).count == 0:
            pass
        assert [workspace.name for workspace in page.workspaces] == ["dev"]
        while page.workspaces[0].latest_build.status != "running":
            page = await anext(pages)
        await workshop.services.workspaces.rename(workshop.member.actor, page.workspaces[0].id, "other")
        while page.workspaces[0].name != "other":
            page = await anext(pages)
        await pages.aclose()


async def test_a_change_between_two_readings_is_not_missed(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    lists = workshop.services.workspace_lists
    pages = lists.watch_matching(workshop.member.actor, "", limit=10, offset=0)
    await anext(pages)  # whoever watches has not asked for more: nothing waits for the workspace itself
    await workshop.services.workspaces.rename(workshop.member.actor, workspace["id"], "other")
    async with asyncio.timeout(CEILING_S):
        assert (await anext(pages)).workspaces[0].name == "other"
    await pages.aclose()


async def test_between_two_readings_is_a_pause(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    services = workshop.services
    lists = WorkspaceLists(services.workspaces, workshop.pubsub, pause_s=3600)
    pages = lists.watch_matching(workshop.member.actor, "", limit=10, offset=0)
    await anext(pages)
    await services.workspaces.rename(workshop.member.actor, workspace["id"], "other")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(pages)
