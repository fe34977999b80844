"""The SSH key pair that a user's workspaces use for git: made on demand, its private half sealed."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.git_ssh_keys import GitSSHKey
from genba_gateway.domain.users import User
from genba_gateway.services.visibility import Clock, require
from genba_gateway.store import git_ssh_keys as key_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.sealing import Sealer


class GitSSHKeys:
    """Use cases on git SSH keys."""

    def __init__(self, database: Database, sealer: Sealer, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._now = now

    async def get(self, actor: UserActor, owner: User) -> GitSSHKey:
        """A user's key pair."""
        require(actor, Resource.GIT_SSH_KEY, Action.READ, owner.id)
        return await self._ensure(owner.id)

    async def regenerate(self, actor: UserActor, owner: User) -> GitSSHKey:
        """Replace a user's key pair; the former one is forgotten."""
        require(actor, Resource.GIT_SSH_KEY, Action.UPDATE, owner.id)
        key = self._make(owner.id)
        async with self._database.write() as connection:
            former = await key_store.find_git_ssh_key(connection, owner.id)
            if former is None:
                await key_store.insert_git_ssh_key(connection, key)
            else:
                await key_store.replace_git_ssh_key(connection, key)
            await insert_audit_log(
                connection,
                now=key.updated_at,
                user_id=actor.user_id,
                organization_id=None,
                action="write",
                resource_type="git_ssh_key",
                resource_id=owner.id,
                resource_target=owner.username,
                ip_address=actor.ip_address,
                user_agent=actor.user_agent,
            )
        return await self._ensure(owner.id)

    async def get_private_key(self, owner_id: str) -> tuple[str, str]:
        """The public and the private half in OpenSSH's formats, for the agents of a user's workspaces.

        No actor: the caller has checked that the agent is of a current build of the owner's.
        """
        key = await self._ensure(owner_id)
        return key.public_key, self._sealer.open_text(key.private_key_sealed)

    async def _ensure(self, owner_id: str) -> GitSSHKey:
        async with self._database.read() as connection:
            found = await key_store.find_git_ssh_key(connection, owner_id)
        if found is not None:
            return found
        async with self._database.write() as connection:
            found = await key_store.find_git_ssh_key(connection, owner_id)
            if found is None:
                found = self._make(owner_id)
                await key_store.insert_git_ssh_key(connection, found)
        return found

    def _make(self, owner_id: str) -> GitSSHKey:
        private_key = Ed25519PrivateKey.generate()
        public = private_key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        private = private_key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        now = self._now()
        return GitSSHKey(owner_id, f"{public}\n", self._sealer.seal(private), created_at=now, updated_at=now)
