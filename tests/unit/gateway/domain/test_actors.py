from __future__ import annotations

import pytest

from genba_gateway.domain.actors import OWNER, Action, Permission, Resource, UserActor

MIA = UserActor("mia-id", "mia", (), "k")
OLGA = UserActor("olga-id", "olga", (OWNER,), "k")
ALL = [Permission(resource, action) for resource in Resource for action in Action]


def test_owners_may_everything() -> None:
    assert all(OLGA.may(each, "mia-id") and OLGA.may(each) and OLGA.may_ever(each) for each in ALL)


@pytest.mark.parametrize("resource", [Resource.WORKSPACE, Resource.API_KEY, Resource.FILE, Resource.USER])
def test_what_is_theirs_users_read_and_nobody_elses(resource: Resource) -> None:
    read = Permission(resource, Action.READ)
    assert MIA.may(read, "mia-id")
    assert not MIA.may(read, "olga-id")
    assert not MIA.may(read)
    assert MIA.may_ever(read)


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_users_only_use_templates(action: Action) -> None:
    assert not MIA.may_ever(Permission(Resource.TEMPLATE, action))
    assert MIA.may(Permission(Resource.TEMPLATE, Action.USE))
    assert MIA.may(Permission(Resource.TEMPLATE, Action.READ))


def test_what_users_may_do_the_gate_lets_pass() -> None:
    assert all(MIA.may_ever(each) for each in ALL if MIA.may(each, "mia-id"))
