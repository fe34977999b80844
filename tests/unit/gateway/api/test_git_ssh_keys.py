"""Git SSH keys: real key pairs, made on demand, with a sealed private half."""

from __future__ import annotations

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from genba_gateway.store import tables
from tests.support.gateway_app import make_user
from tests.support.identity_app import Identity

PATH = "/api/v2/users/me/gitsshkey"


async def test_a_key_pair_is_made_once_and_its_halves_fit(identity: Identity) -> None:
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    first = await (await client.get(PATH, headers=alice.headers)).get_json()
    assert await (await client.get(PATH, headers=alice.headers)).get_json() == first
    assert set(first) == {"user_id", "created_at", "updated_at", "public_key"}
    public, private = await identity.git_ssh_keys.get_private_key(alice.user.id)
    assert public == first["public_key"]
    key = load_ssh_private_key(private.encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    assert key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == public.strip()


async def test_the_private_half_is_sealed_in_the_database_and_absent_from_reprs(identity: Identity) -> None:
    alice = await make_user(identity.database)
    _, private = await identity.git_ssh_keys.get_private_key(alice.user.id)
    async with identity.database.read() as connection:
        (row,) = (await connection.execute(sa.select(tables.git_ssh_keys))).mappings().all()
    assert row["private_key_sealed"].startswith(b"v1:k:")
    assert private.encode()[40:80] not in row["private_key_sealed"]
    assert "v1:k:" not in repr(await identity.git_ssh_keys.get(alice.actor, alice.user))


async def test_a_key_pair_is_replaced_on_demand(identity: Identity) -> None:
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    first = await (await client.get(PATH, headers=alice.headers)).get_json()
    response = await client.put(PATH, headers=alice.headers)
    assert response.status_code == 200
    second = await response.get_json()
    assert second["public_key"] != first["public_key"]
    assert second["created_at"] == first["created_at"]
    assert await (await client.get(PATH, headers=alice.headers)).get_json() == second


async def test_a_key_pair_may_be_replaced_before_it_was_read(identity: Identity) -> None:
    alice = await make_user(identity.database)
    assert (await identity.app.test_client().put(PATH, headers=alice.headers)).status_code == 200


async def test_another_users_key_looks_like_none(identity: Identity) -> None:
    alice = await make_user(identity.database)
    await make_user(identity.database, "bob")
    client = identity.app.test_client()
    path = "/api/v2/users/bob/gitsshkey"
    assert (await client.get(path, headers=alice.headers)).status_code == 404
    assert (await client.put(path, headers=alice.headers)).status_code == 404
