from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.agent_app import AgentApp, as_agent, open_agent_app
from tests.support.agent_rows import make_agent_spec

PATH = "/api/v2/appearance"
BANNERS = "/api/v2/workspaceagents/me/announcement-banners"
ON = {"enabled": True, "message": "Maintenance at noon", "background_color": "#004852"}
SPEC = make_agent_spec("main", token=str(uuid.uuid4()))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AgentApp]:
    async with open_agent_app(tmp_path) as opened:
        yield opened


async def as_owner(world: AgentApp) -> dict[str, str]:
    return {"Coder-Session-Token": await world.rows.add_session(world.rows.admin)}


async def test_nothing_is_announced_at_first(world: AgentApp) -> None:
    response = await world.client.get(PATH, headers=world.user)

    assert await response.get_json() == {
        "application_name": "",
        "logo_url": "",
        "docs_url": "",
        "service_banner": {"enabled": False},
        "announcement_banners": [],
    }
    assert (await world.client.get(PATH)).status_code == 401


async def test_users_and_agents_read_what_an_owner_announces(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)
    body = {"application_name": "Ours", "announcement_banners": [{"enabled": False, "message": "later"}, ON]}

    changed = await world.send("PUT", PATH, body, await as_owner(world))

    assert changed.status_code == 200
    assert (await changed.get_json())["service_banner"] == ON
    read = await (await world.client.get(PATH, headers=world.stranger)).get_json()
    assert (read["application_name"], read["service_banner"]) == ("Ours", ON)
    assert read["announcement_banners"] == [{"enabled": False, "message": "later"}, ON]
    banners = await world.client.get(BANNERS, headers=as_agent(SPEC.token))
    assert await banners.get_json() == {"announcement_banners": [ON]}


async def test_the_one_banner_of_older_clients_counts(world: AgentApp) -> None:
    changed = await world.send("PUT", PATH, {"service_banner": ON}, await as_owner(world))

    assert (await changed.get_json())["announcement_banners"] == [ON]


async def test_others_may_not_change_it_and_what_is_wrong_is_named(world: AgentApp) -> None:
    assert (await world.send("PUT", PATH, {}, world.user)).status_code == 403
    refused = await world.send("PUT", PATH, {"logo_url": "logo"}, await as_owner(world))
    assert refused.status_code == 400
    assert [each["field"] for each in (await refused.get_json())["validations"]] == ["logo_url"]
