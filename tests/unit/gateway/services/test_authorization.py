"""What authcheck answers (contract 5.2)."""

from __future__ import annotations

import msgspec
import pytest

from genba_gateway.domain.actors import UserActor
from genba_gateway.errors import BadRequest
from genba_gateway.services.authorization import MAX_CHECKS, Authorization
from genba_wire.api.authorization import AuthorizationCheck
from tests.support.workshop import UNKNOWN_ID, Workshop


def check(action: str, kind: str, **more: str) -> AuthorizationCheck:
    raw = {"action": action, "object": {"resource_type": kind, **more}}
    return msgspec.convert(raw, AuthorizationCheck)


async def ask(workshop: Workshop, actor: UserActor, one: AuthorizationCheck) -> bool:
    return (await Authorization(workshop.database).check(actor, {"one": one}))["one"]


async def test_owners_may_all_and_members_what_is_theirs(workshop: Workshop) -> None:
    mia, olga = workshop.member.actor, workshop.owner.actor
    mine = await workshop.add_workspace(await workshop.add_template())
    for one, member_may in (
        (check("read", "template"), True),
        (check("update", "template"), False),
        (check("create", "workspace", owner_id="me"), True),
        (check("create", "workspace", owner_id=mia.user_id), True),
        (check("create", "workspace", owner_id=olga.user_id), False),
        (check("create", "workspace"), False),
        (check("ssh", "workspace", resource_id=mine["id"]), True),
        (check("ssh", "workspace", resource_id=UNKNOWN_ID, owner_id="me"), False),
        (check("update", "user", resource_id=mia.user_id), True),
        (check("read", "audit_log"), False),
        (check("view_insights", "template"), False),
        (check("assign", "assign_role"), False),
    ):
        assert await ask(workshop, olga, one), one
        assert await ask(workshop, mia, one) is member_may, one
    theirs = check("read", "workspace", resource_id=mine["id"], owner_id=workshop.stranger.actor.user_id)
    assert not await ask(workshop, workshop.stranger.actor, theirs), "an owner's id that is given counts for nothing"


async def test_what_there_is_not_and_too_much_is_refused(workshop: Workshop) -> None:
    with pytest.raises(BadRequest) as refused:
        await ask(workshop, workshop.owner.actor, check("read", "spaceship"))
    assert [problem.field for problem in refused.value.validations] == ["checks.one.object.resource_type"]
    asks = {str(number): check("read", "template") for number in range(MAX_CHECKS)}
    authorization = Authorization(workshop.database)
    assert set((await authorization.check(workshop.member.actor, asks)).values()) == {True}
    with pytest.raises(BadRequest, match="too many"):
        await authorization.check(workshop.member.actor, {**asks, "more": check("read", "template")})
