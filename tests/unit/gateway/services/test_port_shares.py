from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from genba_gateway.domain.app_access import AppGranted, AppRefusal
from genba_gateway.domain.port_shares import MAX_SHARES, PortShare
from genba_gateway.errors import BadRequest, NotFound
from genba_gateway.services.port_shares import PortShares
from genba_gateway.services.templates import Templates
from genba_gateway.store import port_shares as share_store
from genba_gateway.store import tables
from genba_wire.api.templates import UpdateTemplateRequest
from tests.support.app_world import AppWorld, open_app_world

CEILING_S = 30.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


def make_shares(world: AppWorld) -> PortShares:
    return PortShares(world.rows.database, world.rows.sealer, world.rows.pubsub, world.rows.clock)


def make_share(world: AppWorld, port: int = 8080, level: str = "authenticated", **fields: Any) -> PortShare:
    share = PortShare(world.agent.workspace_id, "main", port, level, "http")
    return replace(share, **fields)


async def open_port(world: AppWorld, who: str, port: str = "8080") -> object:
    people = {"ana": world.rows.user, "bob": world.rows.stranger}
    decision = await world.browser(people.get(who)).open(world.subdomain_url(port))
    return decision.status if isinstance(decision, AppRefusal) else type(decision).__name__


async def test_a_shared_port_serves_whom_it_is_shared_with(world: AppWorld) -> None:
    shares, ana = make_shares(world), world.rows.user
    await shares.share(ana, make_share(world))
    seen = [await open_port(world, who) for who in ("ana", "bob", "")]
    assert seen == ["AppGranted", "AppGranted", "str"]
    assert await open_port(world, "bob", "8081") == 404
    await shares.share(ana, make_share(world, level="public"))
    assert await open_port(world, "") == "AppGranted"
    assert await open_port(world, "", "8080s") == "AppGranted"
    assert await shares.list_shares(ana, world.agent.workspace_id) == [make_share(world, level="public")]
    await shares.unshare(ana, world.agent.workspace_id, "main", 8080)
    assert await shares.list_shares(ana, world.agent.workspace_id) == []
    assert [await open_port(world, who) for who in ("ana", "bob", "")] == ["AppGranted", 404, "str"]


async def test_what_others_have_open_ends_with_the_share(world: AppWorld) -> None:
    shares, ana = make_shares(world), world.rows.user
    await shares.share(ana, make_share(world, level="public"))
    decision = await world.browser().open(world.subdomain_url("8080"))
    assert isinstance(decision, AppGranted)
    assert decision.target.sharing_level == "public"
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(world.gate.wait_for_end(decision.target))
        await asyncio.sleep(0)
        assert not waiting.done()
        await shares.unshare(ana, world.agent.workspace_id, "main", 8080)
        assert await waiting == "You may not use this app any more."


async def test_a_share_stays_over_builds(world: AppWorld) -> None:
    await make_shares(world).share(world.rows.user, make_share(world))
    await world.set_agent(name="Main")
    assert await open_port(world, "bob") == "AppGranted"


async def test_what_cannot_be_shared_is_named(world: AppWorld) -> None:
    shares, ana = make_shares(world), world.rows.user
    with pytest.raises(BadRequest) as refused:
        await shares.share(ana, make_share(world, 8, "owner", agent_name="other", protocol="ftp"))
    assert [problem.field for problem in refused.value.validations] == ["port", "share_level", "protocol", "agent_name"]
    for port in (9, 65535):
        await shares.share(ana, make_share(world, port))
    with pytest.raises(BadRequest):
        await shares.share(ana, make_share(world, 65536))


async def test_a_workspace_shares_so_many_ports_and_no_more(world: AppWorld) -> None:
    shares, ana = make_shares(world), world.rows.user
    table = tables.workspace_agent_port_shares
    row = {"workspace_id": world.agent.workspace_id, "agent_name": "main", "share_level": "public", "protocol": "http"}
    await world.execute(sa.insert(table).values([{**row, "port": 2000 + number} for number in range(MAX_SHARES - 1)]))
    await shares.share(ana, make_share(world))
    with pytest.raises(BadRequest, match="can't be shared so"):
        await shares.share(ana, make_share(world, 9000))
    await shares.share(ana, make_share(world, level="public"))


async def test_ports_are_shared_by_who_may_change_the_workspace(world: AppWorld) -> None:
    shares, workspace_id = make_shares(world), world.agent.workspace_id
    for attempt in (
        shares.share(world.rows.stranger, make_share(world)),
        shares.unshare(world.rows.stranger, workspace_id, "main", 8080),
        shares.list_shares(world.rows.stranger, workspace_id),
        shares.unshare(world.rows.user, workspace_id, "main", 8080),
    ):
        with pytest.raises(NotFound):
            await attempt
    await shares.share(world.rows.admin, make_share(world))
    await world.execute(sa.update(tables.workspaces).values(deleted=True))
    with pytest.raises(NotFound):
        await shares.list_shares(world.rows.user, workspace_id)


async def set_maximum(world: AppWorld, maximum: str) -> None:
    await world.execute(sa.update(tables.templates).values(max_port_share_level=maximum))


@pytest.mark.parametrize(
    ("maximum", "refused"),
    [("owner", ["authenticated", "public"]), ("authenticated", ["public"]), ("public", [])],
)
async def test_no_port_is_shared_above_the_templates_maximum(world: AppWorld, maximum: str, refused: list[str]) -> None:
    shares, ana = make_shares(world), world.rows.user
    await set_maximum(world, maximum)
    for level in ("authenticated", "public"):
        if level not in refused:
            await shares.share(ana, make_share(world, level=level))
            continue
        # Whoever administrates changes the template first: else what it says would hold for some only.
        for who in (ana, world.rows.admin):
            with pytest.raises(BadRequest, match=r"maximum of the template 'docker'.*whoever may change") as error:
                await shares.share(who, make_share(world, level=level))
            assert [problem.field for problem in error.value.validations] == ["share_level"]


@pytest.mark.parametrize(
    ("maximum", "seen"),
    [
        ("public", ["AppGranted", "AppGranted", "AppGranted"]),
        ("authenticated", ["AppGranted", "AppGranted", "str"]),
        ("owner", ["AppGranted", 404, "str"]),
        ("unknown", ["AppGranted", 404, "str"]),
    ],
)
async def test_a_share_from_before_a_lower_maximum_is_held_to_it(
    world: AppWorld, maximum: str, seen: list[object]
) -> None:
    await make_shares(world).share(world.rows.user, make_share(world, level="public"))
    await set_maximum(world, maximum)
    assert [await open_port(world, who) for who in ("ana", "bob", "")] == seen


async def test_a_lower_maximum_lowers_shares_and_ends_what_is_open(world: AppWorld) -> None:
    shares, ana, admin = make_shares(world), world.rows.user, world.rows.admin
    templates = Templates(world.rows.database, world.rows.pubsub, world.rows.clock)
    await shares.share(ana, make_share(world, 8080, "public"))
    await shares.share(ana, make_share(world, 8081, "authenticated"))
    decision = await world.browser().open(world.subdomain_url("8080"))
    assert isinstance(decision, AppGranted)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(world.gate.wait_for_end(decision.target))
        await asyncio.sleep(0)
        await templates.update(
            admin, world.rows.template_id, UpdateTemplateRequest(max_port_share_level="authenticated")
        )
        assert await waiting == "You may not use this app any more."
    listed = await shares.list_shares(ana, world.agent.workspace_id)
    assert [(share.port, share.share_level) for share in listed] == [(8080, "authenticated"), (8081, "authenticated")]
    await templates.update(admin, world.rows.template_id, UpdateTemplateRequest(max_port_share_level="owner"))
    assert await shares.list_shares(ana, world.agent.workspace_id) == []


async def test_a_lower_maximum_leaves_other_templates_shares_alone(world: AppWorld) -> None:
    await make_shares(world).share(world.rows.user, make_share(world, level="public"))
    async with world.rows.database.write() as connection:
        assert await share_store.lower_port_shares(connection, "another", "owner") == set()
        assert await share_store.lower_port_shares(connection, world.rows.template_id, "public") == set()
    assert await open_port(world, "") == "AppGranted"


async def test_sharing_is_audited(world: AppWorld) -> None:
    shares, ana = make_shares(world), world.rows.user
    await shares.share(ana, make_share(world))
    await shares.unshare(ana, world.agent.workspace_id, "main", 8080)
    logs = tables.audit_logs
    async with world.rows.database.read() as connection:
        rows = (await connection.execute(sa.select(logs.c.user_id, logs.c.additional_fields))).all()
    assert [(row[0], row[1]["port"], row[1]["share_level"]) for row in rows] == [
        (ana.user_id, "8080", "authenticated"),
        (ana.user_id, "8080", "owner"),
    ]
