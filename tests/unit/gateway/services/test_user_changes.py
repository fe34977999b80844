"""What only a database with workspaces, or two requests at once, show of changes of users."""

from __future__ import annotations

import pytest

from genba_gateway.domain.actors import OWNER
from genba_gateway.domain.channels import of_key
from genba_gateway.errors import Conflict, Forbidden, PreconditionFailed
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
