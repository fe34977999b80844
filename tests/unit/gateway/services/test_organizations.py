from __future__ import annotations

import pytest
import sqlalchemy as sa

from genba_gateway.errors import NotFound
from genba_gateway.services.organizations import ensure_default_organization
from genba_gateway.store import tables
from genba_wire.api.message import NIL_UUID
from tests.support.workshop import UNKNOWN_ID, Workshop

OTHER_ID = "33333333-3333-4333-8333-333333333333"


async def add_other(workshop: Workshop) -> None:
    """An organization to which nobody belongs."""
    now = workshop.clock()
    async with workshop.database.write() as connection:
        await connection.execute(
            tables.organizations.insert().values(
                id=OTHER_ID, name="Other", is_default=False, created_at=now, updated_at=now
            )
        )


async def test_the_default_organization_is_made_once(workshop: Workshop) -> None:
    async with workshop.database.write() as connection:
        found = await ensure_default_organization(connection, workshop.clock())
        assert (await ensure_default_organization(connection, workshop.clock())).id == found.id
        count = sa.select(sa.func.count()).select_from(tables.organizations)
        assert (await connection.execute(count)).scalar_one() == 1
    assert found.id == workshop.member.organization_id


@pytest.mark.parametrize("text", ["default", NIL_UUID, "id", "ID"])
async def test_an_organization_is_known_by_each_of_its_names(workshop: Workshop, text: str) -> None:
    organization_id = workshop.member.organization_id
    named = {"id": organization_id, "ID": organization_id.upper()}.get(text, text)
    found = await workshop.services.organizations.resolve_organization(named)
    assert (found.id, found.is_default) == (organization_id, True)


async def test_others_are_found_by_name_and_what_is_not_there_is_not(workshop: Workshop) -> None:
    organizations = workshop.services.organizations
    await add_other(workshop)
    assert (await organizations.resolve_organization("Other")).id == OTHER_ID
    for text in (UNKNOWN_ID, "nobody", ""):
        with pytest.raises(NotFound):
            await organizations.resolve_organization(text)


async def test_a_users_organizations_are_those_they_belong_to(workshop: Workshop) -> None:
    organizations, member = workshop.services.organizations, workshop.member
    await add_other(workshop)
    assert len(await organizations.list_all(member.actor)) == 2
    assert [each.id for each in await organizations.list_of_user(member.actor, member.user)] == [member.organization_id]
    assert (await organizations.get_of_user(member.actor, member.user, "default")).id == member.organization_id
    with pytest.raises(NotFound):
        await organizations.get_of_user(member.actor, member.user, "Other")
    default = await organizations.resolve_organization("default")
    names = {each.user.username for each in await organizations.list_members(member.actor, default)}
    assert names == {"olga", "mia", "sven"}
