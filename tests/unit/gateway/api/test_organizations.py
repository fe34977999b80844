"""The routes of organizations."""

from __future__ import annotations

import uuid

import pytest

from genba_wire.api.message import NIL_UUID
from tests.support.gateway_app import make_user
from tests.support.identity_app import Identity

API = "/api/v2"


@pytest.mark.parametrize("text", ["coder", "default", NIL_UUID, "<id>", "<ID>"])
async def test_the_default_organization_has_many_names(identity: Identity, text: str) -> None:
    alice = await make_user(identity.database)
    text = text.replace("<id>", alice.organization_id).replace("<ID>", alice.organization_id.upper())
    client = identity.app.test_client()
    for path in (f"organizations/{text}", f"users/me/organizations/{text}"):
        response = await client.get(f"{API}/{path}", headers=alice.headers)
        assert response.status_code == 200
        assert (await response.get_json())["id"] == alice.organization_id


async def test_an_organization_that_is_none_is_not_found(identity: Identity) -> None:
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    for text in ("acme", str(uuid.uuid4())):
        for path in (f"organizations/{text}", f"organizations/{text}/members", f"users/me/organizations/{text}"):
            assert (await client.get(f"{API}/{path}", headers=alice.headers)).status_code == 404


async def test_organizations_and_members_are_listed(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    for path in ("organizations", "users/me/organizations"):
        listed = await (await client.get(f"{API}/{path}", headers=alice.headers)).get_json()
        assert [each["name"] for each in listed] == ["coder"]
    members = await (await client.get(f"{API}/organizations/coder/members", headers=alice.headers)).get_json()
    assert [(each["username"], each["user_id"]) for each in members] == [
        ("alice", alice.user.id),
        ("olga", owner.user.id),
    ]
    assert members[1]["global_roles"] == [{"name": "owner", "display_name": "Owner"}]
    assert members[0]["roles"] == []
    assert "password" not in repr(members)
