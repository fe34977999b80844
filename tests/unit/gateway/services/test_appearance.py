from __future__ import annotations

import pytest
import sqlalchemy as sa

from genba_gateway.domain.appearance import Appearance, Banner
from genba_gateway.errors import BadRequest, Forbidden
from genba_gateway.services.appearance import Appearances
from genba_gateway.store import tables
from tests.support.workshop import Workshop

ON = Banner(enabled=True, message="Maintenance at noon", background_color="#004852")
OFF = Banner(enabled=False, message="Some day")


async def test_every_process_reads_what_an_owner_chose(workshop: Workshop) -> None:
    here, elsewhere = (Appearances(workshop.database, workshop.clock) for _ in range(2))
    assert await elsewhere.get() == Appearance()
    chosen = Appearance("Workshop", "https://example.com/logo.png", (OFF, ON))

    await here.change(workshop.owner.actor, chosen)

    assert await elsewhere.get() == chosen
    assert await elsewhere.list_shown_banners() == [ON]
    async with workshop.database.read() as connection:
        rows = (
            await connection.execute(sa.select(tables.audit_logs.c.user_id, tables.audit_logs.c.resource_type))
        ).all()
    assert (workshop.owner.user.id, "appearance") in [tuple(row) for row in rows]


async def test_only_owners_change_it_and_only_to_what_can_be_shown(workshop: Workshop) -> None:
    appearances = Appearances(workshop.database, workshop.clock)
    with pytest.raises(Forbidden):
        await appearances.change(workshop.member.actor, Appearance("mine"))
    with pytest.raises(BadRequest):
        await appearances.change(workshop.owner.actor, Appearance(logo_url="logo"))
    assert await appearances.get() == Appearance()
