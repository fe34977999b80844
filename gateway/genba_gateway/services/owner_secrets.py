"""The keys of a workspace's owner that a build's templates may use (contract 4.5)."""

from __future__ import annotations

from typing import Final, Protocol

from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.users import LoginType, User
from genba_gateway.domain.workspaces import Build
from genba_gateway.services.api_keys import KEY_LIFETIME, make_api_key
from genba_gateway.services.build_environment import OwnerSecrets
from genba_gateway.services.visibility import Clock
from genba_gateway.store import api_keys as key_store
from genba_gateway.store.engine import Database

_SUFFIX: Final = "_session_token"


class PrivateKeys(Protocol):
    """Where git SSH keys come from (services.git_ssh_keys.GitSSHKeys)."""

    async def get_private_key(self, owner_id: str) -> tuple[str, str]:
        """Public and private half."""
        ...


class OwnerSecretsMaker:
    """Makes an owner's keys for a build; a workspace's session token lives from its start to its stop."""

    def __init__(self, database: Database, keys: PrivateKeys, now: Clock) -> None:
        self._database = database
        self._keys = keys
        self._now = now

    async def make_owner_secrets(self, owner: User, build: Build) -> OwnerSecrets:
        """Keys for a build: a start gets a fresh session token, a stop or delete ends the one there is."""
        public_key, private_key = await self._keys.get_private_key(owner.id)
        name, token = _token_name(owner, build), ""
        async with self._database.write() as connection:
            await key_store.delete_token_by_name(connection, owner.id, name)
            if build.transition is Transition.START:
                key, token = make_api_key(
                    owner.id, now=self._now(), lifetime=KEY_LIFETIME, login_type=LoginType.TOKEN, token_name=name
                )
                await key_store.insert_api_key(connection, key)
        return OwnerSecrets(ssh_public_key=public_key, ssh_private_key=private_key, session_token=token)

    async def end_session_token(self, owner: User, build: Build) -> None:
        """End the workspace's session token if there is one."""
        async with self._database.write() as connection:
            await key_store.delete_token_by_name(connection, owner.id, _token_name(owner, build))


def _token_name(owner: User, build: Build) -> str:
    return f"{owner.id}_{build.workspace_id}{_SUFFIX}"


def find_workspace_of(token_name: str, owner_id: str) -> str:
    """The id of the workspace whose start made the token of this name; empty for any other token.

    Names that people give are shorter.
    """
    prefix = f"{owner_id}_"
    if token_name.startswith(prefix) and token_name.endswith(_SUFFIX):
        return token_name[len(prefix) : -len(_SUFFIX)]
    return ""
