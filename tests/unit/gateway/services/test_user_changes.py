"""What only a database with workspaces, or two requests at once, show of changes of users."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genba_gateway.domain.actors import OWNER
from genba_gateway.domain.channels import of_key
from genba_gateway.domain.users import LoginType
from genba_gateway.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from genba_gateway.services.user_changes import UserChanges
from tests.support.gateway_app import cheap_passwords, make_user
from tests.support.workshop import Workshop


@pytest.fixture
def changes(workshop: Workshop) -> UserChanges:
    return UserChanges(workshop.database, cheap_passwords(), workshop.pubsub, workshop.clock)


async def test_a_user_with_workspaces_stays_until_they_are_deleted(workshop: Workshop, changes: UserChanges) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    olga, mia = workshop.owner.actor, workshop.member.user
    with pytest.raises(PreconditionFailed, match="1 workspace:"):
        await changes.delete(olga, mia)
    await workshop.add_build(workspace, "delete")
    await changes.delete(olga, mia)
    assert (await workshop.get(workshop.member, "/workspaces")).status == 401


async def test_two_owners_can_not_remove_each_other_at_the_same_moment(
    workshop: Workshop, changes: UserChanges
) -> None:
    otto = await make_user(workshop.database, "otto", roles=(OWNER,))
    await changes.set_roles(workshop.owner.actor, otto.user, [])
    # Otto's request was let in before that, by the roles that he had.
    with pytest.raises(Conflict, match="last owner"):
        await changes.set_roles(otto.actor, workshop.owner.user, [])
    with pytest.raises(Conflict, match="last owner"):
        await changes.delete(otto.actor, workshop.owner.user)


async def test_open_streams_hear_of_the_end_at_once(workshop: Workshop, changes: UserChanges) -> None:
    key_id = workshop.member.actor.key_id
    with workshop.pubsub.subscribe(of_key(key_id)) as subscription:
        await changes.suspend(workshop.owner.actor, workshop.member.user)
        await subscription.changed(30)
        await changes.delete(workshop.owner.actor, workshop.member.user)
        await subscription.changed(30)


async def test_members_administer_nobody(workshop: Workshop, changes: UserChanges) -> None:
    mia, sven = workshop.member.actor, workshop.stranger.user
    for change in (changes.suspend(mia, sven), changes.activate(mia, sven), changes.set_roles(mia, sven, [OWNER])):
        with pytest.raises(Forbidden):
            await change
    with pytest.raises(Forbidden):
        await changes.delete(mia, sven)


async def test_rules_on_owners_ask_who_is_one_now(workshop: Workshop, changes: UserChanges) -> None:
    otto = await make_user(workshop.database, "otto")
    await changes.set_roles(workshop.owner.actor, otto.user, [OWNER])
    # `otto.user` was read while Otto was no owner, as by a request that waits behind the one that made him one.
    with pytest.raises(BadRequest, match="is an owner"):
        await changes.suspend(workshop.owner.actor, otto.user)
    await changes.set_roles(replace(otto.actor, roles=(OWNER,)), workshop.owner.user, [])
    with pytest.raises(Conflict, match="last owner"):
        await changes.set_roles(workshop.owner.actor, otto.user, [])
    with pytest.raises(Conflict, match="last owner"):
        await changes.delete(workshop.owner.actor, otto.user)


async def test_an_owner_who_can_not_sign_in_does_not_count(workshop: Workshop, changes: UserChanges) -> None:
    bot = await make_user(workshop.database, "bot", roles=(OWNER,), login_type=LoginType.NONE)
    with pytest.raises(Conflict, match="last owner"):
        await changes.delete(bot.actor, workshop.owner.user)


async def test_of_two_changes_of_a_password_at_once_the_second_is_refused(
    workshop: Workshop, changes: UserChanges
) -> None:
    first, second = "correct horse battery staple", "some other battery staple"
    await changes.set_password(workshop.owner.actor, workshop.member.user, old="", new=first)
    with pytest.raises(Conflict, match="changed just now"):
        await changes.set_password(workshop.owner.actor, workshop.member.user, old="", new=second)


async def test_a_user_who_was_deleted_meanwhile_is_not_changed(workshop: Workshop, changes: UserChanges) -> None:
    sven = workshop.stranger.user
    await changes.delete(workshop.owner.actor, sven)
    with pytest.raises(NotFound):
        await changes.set_roles(workshop.owner.actor, sven, [OWNER])
    with pytest.raises(NotFound):
        await changes.suspend(workshop.owner.actor, sven)
