"""Routes of users' git SSH keys (contract 5.2): the public half only."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.git_ssh_keys import GitSSHKey
from genba_gateway.services.git_ssh_keys import GitSSHKeys
from genba_gateway.services.users import Users
from genba_wire.api import users as messages


def _message(key: GitSSHKey) -> messages.GitSSHKey:
    return messages.GitSSHKey(
        user_id=key.user_id, created_at=key.created_at, updated_at=key.updated_at, public_key=key.public_key
    )


def make_blueprint(keys: GitSSHKeys, users: Users) -> Blueprint:
    """Routes on the git SSH key of a user."""
    blueprint = Blueprint("git_ssh_keys", __name__)

    @blueprint.get("/api/v2/users/<user>/gitsshkey")
    @needs(Permission(Resource.GIT_SSH_KEY, Action.READ))
    async def get(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return answer(_message(await keys.get(current_user(), owner)))

    @blueprint.put("/api/v2/users/<user>/gitsshkey")
    @needs(Permission(Resource.GIT_SSH_KEY, Action.UPDATE))
    async def regenerate(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return answer(_message(await keys.regenerate(current_user(), owner)))

    return blueprint
